//! What is said between service and worker, in the project's encoding.
use assay_verifier::digest::{Digest32, KeyDigest};
use assay_verifier::key::Engine;
use assay_verifier::receipt::RequestId;
use assay_verifier::wire::{self, Bytes};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::jobs::{Committed, Progress};
use crate::storage::BlobId;

/// What proofs of a job are made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// How it is proven.
    pub engine: Engine,
    /// The key that it is proven under.
    pub key: KeyDigest,
    /// The circuit's file: description and weights.
    pub circuit_file: BlobId,
    /// The key's file.
    pub key_file: BlobId,
    /// What hides the weights, if the key hides them.
    pub secret: Option<[u8; 32]>,
}

/// What a worker is to prove. It holds the caller's inputs, and all that hides them if they are private.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The job.
    pub job: RequestId,
    /// The number of the lease.
    pub token: u64,
    /// How long the worker may be silent, in milliseconds.
    pub lease_ms: u64,
    /// Predicted time, in microseconds.
    pub cost_us: u64,
    /// What it is made with.
    pub parts: Parts,
    /// Integers of each input port, in the model's order.
    pub inputs: Vec<Vec<i64>>,
    /// The commitment to private inputs that the answer named, and the seed that opens it.
    pub commitment: Option<Committed>,
    /// The digest of the receipt that went with the answer: the proof's context.
    pub context: Digest32,
}

impl wire::File for Task {
    const NAME: &'static str = "task";
    const MAGIC: [u8; 8] = *b"ASSAYTK1";
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Task {{ job: {}, token: {}, .. }}", self.job, self.token)
    }
}

/// A worker asks for a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Keys that it has loaded.
    pub loaded: Vec<KeyDigest>,
}

impl wire::File for Ask {
    const NAME: &'static str = "question for a task";
    const MAGIC: [u8; 8] = *b"ASSAYWA1";
}

/// A worker is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The number of the lease.
    pub token: u64,
    /// How far it is.
    pub progress: Progress,
}

impl wire::File for Beat {
    const NAME: &'static str = "heartbeat";
    const MAGIC: [u8; 8] = *b"ASSAYWB1";
}

/// A worker hands a proof in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandIn {
    /// The number of the lease.
    pub token: u64,
    /// How long it took, in microseconds.
    pub prove_us: u64,
    /// The proof's file.
    pub proof: Bytes,
}

impl wire::File for HandIn {
    const NAME: &'static str = "proof that is handed in";
    const MAGIC: [u8; 8] = *b"ASSAYWP1";
}

/// A worker lets go of a job: because it cannot prove it, or because it stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetGo {
    /// The number of the lease.
    pub token: u64,
    /// Why it cannot, if that is why.
    pub trouble: Option<Trouble>,
}

impl wire::File for LetGo {
    const NAME: &'static str = "job that is let go";
    const MAGIC: [u8; 8] = *b"ASSAYWF1";
}

/// Why a worker cannot prove something. Another one may be able to.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum Trouble {
    /// Circuit, key or reference string are not to be had.
    #[error("circuit, key or reference string are not to be had: {0}")]
    Missing(String),
    /// They are not what they should be.
    #[error("circuit, key or reference string are not what they should be: {0}")]
    Parts(String),
    /// The prover failed.
    #[error("the prover failed: {0}")]
    Prover(String),
}

/// Longest text that is kept of what a worker says.
const TEXT_MAX: usize = 300;

impl Trouble {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "parts_missing",
            Self::Parts(_) => "parts_wrong",
            Self::Prover(_) => "prover",
        }
    }

    /// For people: what a worker elsewhere says is cut to a line of text.
    pub fn text(&self) -> String {
        self.to_string().chars().filter(|letter| !letter.is_control()).take(TEXT_MAX).collect()
    }
}
