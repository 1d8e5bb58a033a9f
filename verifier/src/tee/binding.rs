//! What a document is made for: a node's key, on one chain, for one nonce.
//!
//! Documents carry bytes of the software's choice. They carry the digest of chain and key, and beside it the nonce: the document of one
//! key is none of another, and one made for an old nonce cannot be shown again.
use crate::digest::digest;
use crate::signature::PublicKey;
use crate::wire;

/// What a document must carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Of chain, signing key and nonce.
    pub digest: [u8; 32],
    /// The nonce by itself, so that it is seen which of the two is wrong.
    pub nonce: [u8; 32],
}

impl Binding {
    /// The binding of a node's signing key to a chain, for a nonce that the chain gives.
    pub fn new(chain_id: &str, key: PublicKey, nonce: [u8; 32]) -> Self {
        Self { digest: digest("assay attestation binding v1", &wire::bytes(&(chain_id, key, nonce))), nonce }
    }

    /// Both, as quotes and reports carry them in 64 bytes.
    pub fn report_data(&self) -> [u8; 64] {
        let mut data = [0; 64];
        let (digest, nonce) = data.split_at_mut(32);
        digest.copy_from_slice(&self.digest);
        nonce.copy_from_slice(&self.nonce);
        data
    }
}
