//! Answers of an upstream that a node passes on: what their receipts say, and what whoever asked checks before using one.
//!
//! Nothing shows that the upstream's model gave the answer. The node says which bytes it sent where and which bytes came back, and
//! whether they are all. Whoever asked has both and compares; an answer that was changed after signing, cut, or given to somebody
//! else is refused.
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::{Digest32, Running, digest};
use crate::receipt::{Backend, Claim, ModelId, Receipt, SignedReceipt, Subject, request_digest};
use crate::signature::PublicKey;

/// The version in the identity of every upstream's model: its owner changes it and tells nobody.
const VERSION: &str = "upstream";

/// An upstream's answer, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    /// The upstream, as the node calls it.
    pub upstream: String,
    /// Scheme, host and port that the node asked: `https://HOST` or `https://HOST:PORT`.
    pub origin: String,
    /// The endpoint, here and there: `/v1/chat/completions`.
    pub path: String,
    /// The model, as the request names it.
    pub model: String,
    /// The upstream's status.
    pub status: u16,
    /// Bytes of the answer's body.
    pub size: u64,
    /// Whether they are all.
    pub ending: Ending,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// As its protocol ends: the length that was announced, and for a stream its closing event.
    Complete,
    /// Before.
    Truncated,
}

impl Forwarded {
    /// The identity of the model among those that a node answers with.
    pub fn model_id(&self, node: PublicKey) -> ModelId {
        ModelId::new(node, &format!("{}/{}", self.upstream, self.model), VERSION)
    }
}

/// The digest of a request's body as the upstream was sent it.
pub fn forwarded_digest(body: &[u8]) -> Digest32 {
    Digest32(digest("assay forwarded v1", body))
}

/// The digest of an answer's body as it was passed on, made while it passes.
#[derive(Clone, Debug)]
pub struct Delivery {
    running: Running,
    size: u64,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { running: Running::new("assay delivered v1"), size: 0 }
    }
}

impl Delivery {
    /// Takes the next bytes.
    pub fn pass(&mut self, bytes: &[u8]) {
        self.running.update(bytes);
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    /// How many there were.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of all.
    pub fn digest(self) -> Digest32 {
        Digest32(self.running.finish())
    }

    /// The digest of a body that is there as a whole.
    pub fn whole(bytes: &[u8]) -> Digest32 {
        let mut delivery = Self::default();
        delivery.pass(bytes);
        delivery.digest()
    }
}

/// What whoever asked knows.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The ledger that the node is on.
    pub chain_id: &'a str,
    /// The node that was asked.
    pub node: PublicKey,
    /// The endpoint.
    pub path: &'a str,
    /// The model that was asked for.
    pub model: &'a str,
    /// The body that the node was sent.
    pub request: &'a [u8],
    /// The same without what names the caller: what the node must have sent on.
    pub forwarded: &'a [u8],
    /// Where the answer must be from, if that is known.
    pub origin: Option<&'a str>,
    /// The status of the answer.
    pub status: u16,
    /// Its body.
    pub response: &'a [u8],
    /// When the request was sent at the earliest and the answer taken at the latest, in milliseconds since 1970, the difference of clocks
    /// included.
    pub window_ms: (u64, u64),
}

/// Why a receipt is not one of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProxiedError {
    /// It is signed by somebody else.
    #[error("the receipt is of another node")]
    Node,
    /// The signature.
    #[error("the receipt's signature does not hold")]
    Signature,
    /// It is for another ledger.
    #[error("the receipt is for another chain")]
    Chain,
    /// It names a proof.
    #[error("the receipt names a proof or a key, which an upstream's answer has not")]
    Proof,
    /// It claims something else.
    #[error("the receipt does not claim to be of a proxied answer")]
    Claim,
    /// A circuit is said to have answered.
    #[error("the receipt is not of an upstream's answer")]
    Subject,
    /// The identity is not that of its fields.
    #[error("the receipt's request has another identity than its fields give")]
    RequestId,
    /// It is of another request.
    #[error("the receipt is of another request")]
    Request,
    /// Something else was sent on.
    #[error("the node sent the upstream another request")]
    Forwarded,
    /// Another endpoint.
    #[error("the receipt is of another endpoint")]
    Path,
    /// Another model, or its identity is not that of its name.
    #[error("the receipt is of another model")]
    Model,
    /// The answer is from elsewhere.
    #[error("the answer is from another upstream")]
    Origin,
    /// It is too old, or of the future.
    #[error("the receipt is of another time")]
    Time,
    /// The upstream gave another status.
    #[error("the receipt is of an answer with another status")]
    Status,
    /// The answer is not whole.
    #[error("the receipt says that the answer was cut")]
    Truncated,
    /// The answer has another length.
    #[error("the answer has another length than the receipt says")]
    Size,
    /// The answer has other bytes.
    #[error("the answer is not the one of the receipt")]
    Response,
}

/// Verifies that a receipt is of this exchange and of the whole answer.
///
/// # Errors
/// The first check that fails. The answer is not to be used then.
///
/// # Soundness
/// What holds afterwards is the node's word, as [`Claim::Proxied`] says. Under [`Backend::Tee`] it is that of measured software once the
/// node's attestation is verified as well.
pub fn verify(signed: &SignedReceipt, exchange: &Exchange<'_>) -> Result<(), ProxiedError> {
    let receipt = &signed.receipt;
    holds(receipt.node == exchange.node, ProxiedError::Node)?;
    signed.verify().map_err(|_| ProxiedError::Signature)?;
    holds(receipt.chain_id == exchange.chain_id, ProxiedError::Chain)?;
    holds(receipt.proven.is_none() && receipt.proving.is_none() && receipt.records.is_empty(), ProxiedError::Proof)?;
    let on_its_word = matches!(receipt.backend, Backend::Tee | Backend::Vanilla);
    holds(receipt.claim == Claim::Proxied && on_its_word, ProxiedError::Claim)?;
    let Subject::Upstream(forwarded) = &receipt.subject else { return Err(ProxiedError::Subject) };
    asked(receipt, forwarded, exchange)?;
    let (earliest, latest) = exchange.window_ms;
    holds((earliest..=latest).contains(&receipt.time_ms), ProxiedError::Time)?;
    holds(forwarded.status == exchange.status, ProxiedError::Status)?;
    holds(forwarded.ending == Ending::Complete, ProxiedError::Truncated)?;
    holds(u64::try_from(exchange.response.len()) == Ok(forwarded.size), ProxiedError::Size)?;
    holds(receipt.outputs == Delivery::whole(exchange.response), ProxiedError::Response)
}

/// What was asked, and of whom.
fn asked(receipt: &Receipt, forwarded: &Forwarded, exchange: &Exchange<'_>) -> Result<(), ProxiedError> {
    holds(receipt.request == receipt.request_id(), ProxiedError::RequestId)?;
    holds(receipt.request_digest == request_digest(exchange.request), ProxiedError::Request)?;
    holds(receipt.inputs == forwarded_digest(exchange.forwarded), ProxiedError::Forwarded)?;
    holds(forwarded.path == exchange.path, ProxiedError::Path)?;
    let named = forwarded.model == exchange.model && receipt.model == forwarded.model_id(receipt.node);
    holds(named, ProxiedError::Model)?;
    holds(exchange.origin.is_none_or(|origin| origin == forwarded.origin), ProxiedError::Origin)
}

fn holds(it_does: bool, error: ProxiedError) -> Result<(), ProxiedError> {
    if it_does { Ok(()) } else { Err(error) }
}
