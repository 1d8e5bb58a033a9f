//! Receipts: what a node says it answered, signed, in one canonical encoding.
//!
//! The receipt that goes with the answer is version 0: its digest is the context of the proof, so a proof belongs to one request and
//! one node. When the proof exists, version 1 names the proof and links version 0.
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::digest::{CircuitDigest, Digest32, KeyDigest, digest, hex_display};
use crate::key::Engine;
use crate::proxied::Forwarded;
use crate::signature::{BadSignature, Domain, PublicKey, Signature, Signed, SigningKey, message};
use crate::wire;

/// A request's identity: chain, payer, the payer's nonce and the exact bytes of the request. A ledger settles it once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub [u8; 32]);
hex_display!(RequestId);

impl RequestId {
    /// The identity of a request.
    pub fn new(chain_id: &str, payer: PublicKey, client_nonce: u64, request: Digest32) -> Self {
        Self(digest("assay request v1", &wire::bytes(&(chain_id, payer, client_nonce, request))))
    }
}

/// A model's version in the registry: publisher, name and version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelId(pub [u8; 32]);
hex_display!(ModelId);

impl ModelId {
    /// The identity of a version.
    pub fn new(publisher: PublicKey, name: &str, version: &str) -> Self {
        Self(digest("assay model v1", &wire::bytes(&(publisher, name, version))))
    }
}

/// How a request was executed, hence what stands behind the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Backend {
    /// Exact integers, and a proof of them.
    Zkml,
    /// In an enclave.
    Tee,
    /// On the node's word.
    Vanilla,
}

/// What a receipt claims of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Claim {
    /// The answer is the model's, by a proof.
    Proven,
    /// Measured software gave the answer.
    Attested,
    /// An upstream gave the answer, and it was passed on unchanged: by measured software under [`Backend::Tee`], by the node's word
    /// under [`Backend::Vanilla`].
    Proxied,
    /// The node says so.
    SignedOnly,
}

/// Whether evidence is worth anything outside of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grade {
    /// Of real roots of trust.
    Production,
    /// Of roots that were made for trying things out.
    Simulated,
}

/// What gave the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// A circuit, evaluated by the node.
    Circuit(CircuitDigest),
    /// Somebody else's model, asked by the node.
    Upstream(Forwarded),
    /// An ONNX file, evaluated by the node in floating point: SHA-256 of the file. Such an answer is exact on no other machine and cannot be
    /// proven, so only measured software gives it.
    Onnx(Digest32),
}

/// What a published model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Program {
    /// A circuit.
    Circuit(CircuitDigest),
    /// An ONNX file that is evaluated in floating point: SHA-256 of the file.
    Onnx(Digest32),
}

impl Program {
    /// The circuit, if it is one.
    pub fn circuit(&self) -> Option<CircuitDigest> {
        match self {
            Self::Circuit(circuit) => Some(*circuit),
            Self::Onnx(_) => None,
        }
    }
}

/// What proves the answer, or will.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proving {
    /// The engine.
    pub engine: Engine,
    /// The key. Its digest names the version of the engine's protocol too.
    pub key: KeyDigest,
    /// Whether proofs under the key hide what is private in it.
    pub hiding: bool,
}

/// A receipt without its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The ledger.
    pub chain_id: String,
    /// The request: [`RequestId::new`] of the four fields around it.
    pub request: RequestId,
    /// Who pays.
    pub payer: PublicKey,
    /// A number that the payer uses once.
    pub client_nonce: u64,
    /// [`request_digest`] of the exact bytes of the request.
    pub request_digest: Digest32,
    /// The model's version; of an upstream's model, [`Forwarded::model_id`].
    pub model: ModelId,
    /// What gave the answer.
    pub subject: Subject,
    /// How it was executed.
    pub backend: Backend,
    /// What is claimed.
    pub claim: Claim,
    /// The grade of the evidence.
    pub grade: Grade,
    /// Engine and key, of the backend `zkml`.
    pub proving: Option<Proving>,
    /// What it was given: [`crate::statement::Inputs::digest`] of a circuit's inputs, [`crate::reals::inputs_digest`] of an ONNX file's,
    /// [`crate::proxied::forwarded_digest`] of the request that an upstream was sent.
    pub inputs: Digest32,
    /// Records of fetched data that inputs were taken from, by their digests.
    pub records: Vec<Digest32>,
    /// What it answered: [`crate::statement::Statement::outputs_digest`], [`crate::reals::outputs_digest`], or
    /// [`crate::proxied::Delivery`] of an upstream's answer.
    pub outputs: Digest32,
    /// The node, by its key.
    pub node: PublicKey,
    /// What is charged.
    pub price: u64,
    /// When the answer was given, in milliseconds since 1970, by the node's clock.
    pub time_ms: u64,
    /// Version 1 only.
    pub proven: Option<Proven>,
}

/// What version 1 adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// Digest of version 0.
    pub previous: Digest32,
    /// [`proof_digest`] of the proof.
    pub proof: Digest32,
}

/// The digest of the exact bytes of a request, as authorisations and receipts name it.
pub fn request_digest(bytes: &[u8]) -> Digest32 {
    Digest32(digest("assay request bytes v1", bytes))
}

/// The digest of a proof's file, by which it is stored and named.
pub fn proof_digest(file: &[u8]) -> Digest32 {
    Digest32(digest("assay proof v1", file))
}

impl Receipt {
    /// The digest. Version 0's is the context of the proof.
    pub fn digest(&self) -> Digest32 {
        Digest32(digest("assay receipt v1", &wire::bytes(self)))
    }

    /// The circuit that gave the answer, if one did.
    pub fn circuit(&self) -> Option<CircuitDigest> {
        self.program()?.circuit()
    }

    /// The published model that gave the answer, if one did.
    pub fn program(&self) -> Option<Program> {
        match self.subject {
            Subject::Circuit(circuit) => Some(Program::Circuit(circuit)),
            Subject::Onnx(file) => Some(Program::Onnx(file)),
            Subject::Upstream(_) => None,
        }
    }

    /// The request's identity as the other fields give it. A receipt is consistent if this is [`Self::request`].
    pub fn request_id(&self) -> RequestId {
        RequestId::new(&self.chain_id, self.payer, self.client_nonce, self.request_digest)
    }

    /// Version 1, of a version 0 and its proof's file.
    pub fn proven(&self, proof: &[u8]) -> Self {
        Self { proven: Some(Proven { previous: self.digest(), proof: proof_digest(proof) }), ..self.clone() }
    }

    /// Signs the receipt with the node's key.
    pub fn sign(self, key: &SigningKey) -> SignedReceipt {
        let signature = key.sign(Domain::Receipt, &self.chain_id, &self.digest());
        SignedReceipt { receipt: self, signature }
    }
}

/// A receipt with the node's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedReceipt {
    /// The receipt.
    pub receipt: Receipt,
    /// Over its digest, by the key of [`Receipt::node`].
    pub signature: Signature,
}

impl wire::File for SignedReceipt {
    const NAME: &'static str = "receipt";
    const MAGIC: [u8; 8] = *b"ASSAYRC1";
}

impl SignedReceipt {
    /// What is to be verified.
    pub fn signed(&self) -> Signed {
        let Receipt { node, chain_id, .. } = &self.receipt;
        let message = message(Domain::Receipt, chain_id, &self.receipt.digest());
        Signed { key: *node, message, signature: self.signature }
    }

    /// Verifies the signature under the key that the receipt names.
    ///
    /// # Errors
    /// It does not hold.
    ///
    /// # Soundness
    /// Who the node is, and whether it may serve, is the registry's to say.
    pub fn verify(&self) -> Result<(), BadSignature> {
        self.signed().verify()
    }
}
