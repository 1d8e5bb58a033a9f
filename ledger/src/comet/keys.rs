//! CometBFT's key files: of a validator, which signs votes, and of a node, which names it to its peers.
use assay_verifier::signature::SigningKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Bytes of a key's address: the first of the SHA-256 of the public key.
pub const ADDRESS_LEN: usize = 20;

/// The key that a validator votes with.
#[derive(Clone)]
pub struct ValidatorKey([u8; 32]);

/// The key that names a node to its peers.
#[derive(Clone)]
pub struct NodeKey([u8; 32]);

fn public(seed: [u8; 32]) -> [u8; 32] {
    SigningKey::from_seed(seed).public().0
}

fn address(seed: [u8; 32]) -> [u8; ADDRESS_LEN] {
    let mut address = [0; ADDRESS_LEN];
    address.copy_from_slice(&Sha256::digest(public(seed))[..ADDRESS_LEN]);
    address
}

/// CometBFT's secret keys are the seed and the public key.
fn secret(seed: [u8; 32]) -> Value {
    json!({ "type": "tendermint/PrivKeyEd25519", "value": BASE64.encode([seed, public(seed)].concat()) })
}

impl ValidatorKey {
    /// The key of a secret seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// The public key.
    pub fn bytes(&self) -> [u8; 32] {
        public(self.0)
    }

    /// Signs bytes as they are: those of a vote.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_zebra::SigningKey::from(self.0).sign(message).into()
    }

    /// The public key as CometBFT writes it.
    pub fn public(&self) -> Value {
        json!({ "type": "tendermint/PubKeyEd25519", "value": BASE64.encode(public(self.0)) })
    }

    /// The address that stands for the key in commits.
    pub fn address(&self) -> [u8; ADDRESS_LEN] {
        address(self.0)
    }

    /// `priv_validator_key.json`.
    pub fn file(&self) -> Value {
        json!({ "address": hex::encode_upper(self.address()), "pub_key": self.public(), "priv_key": secret(self.0) })
    }

    /// `priv_validator_state.json` of a validator that has signed nothing.
    pub fn fresh_state() -> Value {
        json!({ "height": "0", "round": 0, "step": 0 })
    }
}

impl NodeKey {
    /// The key of a secret seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// What peers call the node.
    pub fn id(&self) -> String {
        hex::encode(address(self.0))
    }

    /// `node_key.json`.
    pub fn file(&self) -> Value {
        json!({ "priv_key": secret(self.0) })
    }
}
