//! What a payer sends: the authorisation of [`assay_verifier::settlement::payment`] and its signature, as JSON.
//!
//! What is signed is not this text but the authorisation in the project's own encoding, for one chain: how the JSON is written does not matter.
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{Backend, ModelId};
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::signature::{Domain, PublicKey, Signature, Signed, SigningKey, message};
use serde::{Deserialize, Serialize};

use super::text;
use crate::jobs::Authorised;

/// The payload of a payment with the scheme `upto`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// What may be reserved.
    #[serde(with = "Fields")]
    pub authorisation: Authorisation,
    /// By the payer.
    #[serde(with = "text::signature")]
    pub signature: Signature,
}

/// The form of an authorisation.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Authorisation", rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    #[serde(with = "text::shown")]
    payer: PublicKey,
    #[serde(with = "text::shown")]
    client_nonce: u64,
    #[serde(with = "text::shown")]
    request_digest: Digest32,
    #[serde(with = "text::shown")]
    node: PublicKey,
    #[serde(with = "text::shown")]
    model: ModelId,
    #[serde(with = "text::backend")]
    backend: Backend,
    #[serde(with = "text::shown")]
    amount: u64,
    #[serde(with = "text::shown")]
    deadline_ms: u64,
}

impl Payment {
    /// Signs an authorisation, as payers do.
    pub fn sign(authorisation: Authorisation, chain_id: &str, payer: &SigningKey) -> Self {
        Self { authorisation, signature: payer.sign(Domain::Authorisation, chain_id, &authorisation) }
    }

    /// Whether the payer signed it for this chain.
    pub fn is_signed(&self, chain_id: &str) -> bool {
        let message = message(Domain::Authorisation, chain_id, &self.authorisation);
        Signed { key: self.authorisation.payer, message, signature: self.signature }.verify().is_ok()
    }

    /// The same as jobs keep it.
    pub fn authorised(&self) -> Authorised {
        Authorised { authorisation: self.authorisation, signature: self.signature }
    }
}
