//! Quotes: a node's price for one request, signed, before anything is computed. It stands until it expires.
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{Backend, ModelId};
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::signature::{Domain, PublicKey, Signature, Signed, SigningKey, message};
use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};

use super::text;

/// How long quotes and authorisations may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// For how long a quote stands.
    pub quote_ms: u64,
    /// How far ahead a deadline must be at least: the answer has to be proven and settled by then.
    pub deadline_least_ms: u64,
    /// How far ahead the deadline is that a quote proposes.
    pub deadline_usual_ms: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self { quote_ms: 300_000, deadline_least_ms: 60_000, deadline_usual_ms: 3_600_000 }
    }
}

/// A price for a request. The fields are those that its payer is to authorise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The node that is to answer.
    pub node: PublicKey,
    /// The model that is to answer.
    pub model: ModelId,
    /// What will stand behind the answer.
    pub backend: Backend,
    /// Digest of the exact bytes of the request.
    pub request_digest: Digest32,
    /// A number that the payer may use once. Any other that it has not used will do.
    pub client_nonce: u64,
    /// What is charged.
    pub price: u64,
    /// A deadline that will do, in milliseconds since 1970.
    pub deadline_ms: u64,
    /// Until when the price stands.
    pub expires_ms: u64,
}

/// A quote with the node's signature, as JSON: `extra` of x402's requirements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedQuote {
    /// The price.
    #[serde(with = "Fields")]
    pub quote: Quote,
    /// By the node.
    #[serde(with = "text::signature")]
    pub signature: Signature,
}

/// The form of a quote.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Quote", rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    #[serde(with = "text::shown")]
    node: PublicKey,
    #[serde(with = "text::shown")]
    model: ModelId,
    #[serde(with = "text::backend")]
    backend: Backend,
    #[serde(with = "text::shown")]
    request_digest: Digest32,
    #[serde(with = "text::shown")]
    client_nonce: u64,
    #[serde(with = "text::shown")]
    price: u64,
    #[serde(with = "text::shown")]
    deadline_ms: u64,
    #[serde(with = "text::shown")]
    expires_ms: u64,
}

impl Quote {
    /// A price for a request from now on.
    pub fn new(
        node: PublicKey,
        (model, backend): (ModelId, Backend),
        request_digest: Digest32,
        price: u64,
        terms: &Terms,
        now_ms: u64,
    ) -> Self {
        Self {
            node,
            model,
            backend,
            request_digest,
            client_nonce: OsRng.next_u64(),
            price,
            deadline_ms: now_ms.saturating_add(terms.deadline_usual_ms),
            expires_ms: now_ms.saturating_add(terms.quote_ms),
        }
    }

    /// Signs it with the node's key.
    pub fn sign(self, chain_id: &str, node: &SigningKey) -> SignedQuote {
        SignedQuote { quote: self, signature: node.sign(Domain::Quote, chain_id, &self) }
    }

    /// What a payer signs to accept it as it is.
    pub fn authorisation(&self, payer: PublicKey) -> Authorisation {
        let Self { node, model, backend, request_digest, client_nonce, price, deadline_ms, .. } = *self;
        Authorisation { payer, client_nonce, request_digest, node, model, backend, amount: price, deadline_ms }
    }
}

impl SignedQuote {
    /// Whether the node that it names signed it for this chain.
    pub fn is_signed(&self, chain_id: &str) -> bool {
        let message = message(Domain::Quote, chain_id, &self.quote);
        Signed { key: self.quote.node, message, signature: self.signature }.verify().is_ok()
    }
}
