//! What is kept of a request: the job.
use assay_ledger::tx::TxHash;
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{Backend, ModelId, Program, Proving, RequestId, SignedReceipt};
use assay_verifier::settlement::Height;
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::signature::{PublicKey, Signature};
use assay_verifier::statement::InputCommitment;
use assay_verifier::wire::Bytes;
use serde::{Deserialize, Serialize};

use super::states::States;
use crate::storage::BlobId;
use crate::values::Values;

/// Who may read a job and its evidence: an API key by its name, or whoever is on this machine where there are none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner(pub String);

/// A job. Its identity is the request's, as the receipt and the ledger name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The request.
    pub id: RequestId,
    /// Who may read it.
    pub owner: Owner,
    /// The model's version.
    pub model: ModelId,
    /// The same for people: `publisher/name/version`.
    pub model_name: String,
    /// What it computes.
    pub program: Program,
    /// How it is executed.
    pub backend: Backend,
    /// What is to prove it.
    pub proving: Option<Proving>,
    /// Who pays: the node itself where it is free.
    pub payer: PublicKey,
    /// The payer's number.
    pub client_nonce: u64,
    /// Digest of the exact bytes of the request.
    pub request_digest: Digest32,
    /// What is charged.
    pub price: u64,
    /// What the payer signed, if it is paid for.
    pub authorised: Option<Authorised>,
    /// When it was accepted, in milliseconds since 1970, like all times here.
    pub created_ms: u64,
    /// Until when a proof is of use.
    pub deadline_ms: Option<u64>,
    /// Predicted time of a proof, in microseconds.
    pub cost_us: u64,
    /// Where it is.
    pub states: States,
    /// What went wrong last.
    pub failure: Option<Failure>,
    /// How often a worker was given it.
    pub attempts: u32,
    /// Who proves it.
    pub lease: Option<Lease>,
    /// It is not given to a worker before.
    pub not_before_ms: u64,
    /// The answer.
    pub outputs: Option<Values>,
    /// The receipt that went with the answer.
    pub answered: Option<SignedReceipt>,
    /// The receipt that names the proof.
    pub proven: Option<SignedReceipt>,
    /// The proof.
    pub proof: Option<ProofFile>,
    /// The transaction that set its money aside, unless it was there already.
    pub reserved: Option<TxHash>,
    /// The transaction that settles it, the last one that was handed in.
    pub submitted: Option<Submitted>,
    /// Its record on the ledger.
    pub settled: Option<Settled>,
    /// When it changed last.
    pub updated_ms: u64,
}

/// What a payer signed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Authorised {
    /// What may be reserved.
    pub authorisation: Authorisation,
    /// By the payer.
    pub signature: Signature,
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, for programs.
    pub code: String,
    /// For people.
    pub text: String,
    /// Whether it is tried again.
    pub retryable: bool,
    /// Which attempt it was.
    pub attempt: u32,
}

/// A worker's right to prove a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The worker.
    pub worker: PublicKey,
    /// Higher than that of any lease before: what comes with an older one is refused.
    pub token: u64,
    /// Until when, unless the worker says that it is alive.
    pub until_ms: u64,
}

/// A proof in the blob store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofFile {
    /// [`assay_verifier::receipt::proof_digest`].
    pub digest: Digest32,
    /// Where it lies.
    pub blob: BlobId,
    /// Bytes.
    pub size: u64,
    /// How long it took, in microseconds, by the worker's word.
    pub prove_us: u64,
}

/// A transaction that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Its name.
    pub hash: TxHash,
    /// When.
    pub time_ms: u64,
}

/// A record on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The block.
    pub height: Height,
    /// The block's time.
    pub time_ms: u64,
    /// The ledger's part of the audit bundle, once it is verified.
    pub evidence: Option<BlobId>,
}

/// A commitment to private inputs, with the seed that opens it.
pub type Committed = (InputCommitment, [u8; 32]);

/// What a job is about. Kept apart from it: large, and private.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// The exact bytes of the request.
    pub request: Bytes,
    /// The inputs.
    pub inputs: Values,
    /// What hides them, if they are private: the commitment and the seed that opens it.
    pub commitment: Option<Committed>,
}
