//! What is kept of a model.
use assay_circuits::report::Report;
use assay_ledger::tx::TxHash;
use assay_verifier::digest::{CircuitDigest, Digest32, KeyDigest};
use assay_verifier::key::Engine;
use assay_verifier::receipt::{ModelId, Program};
use assay_verifier::settlement::Height;
use assay_verifier::settlement::model::Manifest;
use assay_verifier::signature::{PublicKey, Signature};
use serde::{Deserialize, Serialize};

use crate::jobs::{Failure, Owner};
use crate::storage::BlobId;

/// A version of a model. Its identity follows from publisher, name and version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Who publishes.
    pub publisher: PublicKey,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// What is asked for a request.
    pub price: u64,
    /// Who uploaded it.
    pub owner: Owner,
    /// What it is made of.
    pub source: Source,
    /// Keys that are wanted.
    pub wanted: Vec<Wanted>,
    /// How far it is compiled.
    pub compilation: Compilation,
    /// How far it is published.
    pub publication: Publication,
    /// What went wrong last.
    pub failure: Option<Failure>,
    /// The circuit's file, once there is one.
    pub circuit: Option<(CircuitDigest, BlobId)>,
    /// Bytes of the circuit's file.
    pub circuit_size_bytes: u64,
    /// Its keys, once there are any.
    pub keys: Vec<Served>,
    /// What the compiler measured and predicted.
    pub report: Option<Report>,
    /// What is published, with the publisher's signature.
    pub signed: Option<(Manifest, Signature)>,
    /// The transaction that publishes it.
    pub submitted: Option<TxHash>,
    /// The block in which it was published.
    pub height: Option<Height>,
    /// When it was uploaded, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it changed last.
    pub updated_ms: u64,
}

/// What a model is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// An ONNX file, to be compiled here.
    Onnx {
        /// The file.
        model: BlobId,
        /// Sample inputs: the file, and how it is encoded (`npz`, `npy` or `json`).
        calibration: Option<(BlobId, String)>,
        /// Bits of activations.
        bits: u8,
        /// The batch where the model leaves it open.
        batch: u32,
    },
    /// A circuit's file, compiled elsewhere.
    Circuit(BlobId),
    /// An ONNX file that is evaluated as it is, in floating point.
    Float {
        /// The file.
        model: BlobId,
        /// The batch where the model leaves it open.
        batch: u32,
    },
}

/// A key that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The engine.
    pub engine: Engine,
    /// Whether inputs are hidden.
    pub private_input: bool,
    /// Whether weights are.
    pub private_weights: bool,
}

/// A key that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The key.
    pub digest: KeyDigest,
    /// Its file.
    pub blob: BlobId,
    /// Bytes of the file.
    pub size_bytes: u64,
    /// What it is.
    pub kind: Wanted,
}

impl Served {
    /// Whether proofs under it hide anything.
    pub fn hiding(&self) -> bool {
        self.kind.private_input || self.kind.private_weights
    }
}

/// How far a model is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compilation {
    /// It waits.
    Queued,
    /// It is being compiled, or its keys are being made.
    Running,
    /// Circuit and keys are there.
    Done,
    /// It cannot be compiled.
    Failed,
}

/// How far a model is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Publication {
    /// Nothing was handed in.
    None,
    /// Handed in.
    Submitted,
    /// On the ledger.
    Published,
    /// The ledger refuses it.
    Rejected,
}

impl Compilation {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl Publication {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Submitted => "submitted",
            Self::Published => "published",
            Self::Rejected => "rejected",
        }
    }
}

impl ModelRecord {
    /// The version's identity.
    pub fn id(&self) -> ModelId {
        ModelId::new(self.publisher, &self.name, &self.version)
    }

    /// `publisher/name/version`.
    pub fn reference(&self) -> String {
        format!("{}/{}/{}", self.publisher, self.name, self.version)
    }

    /// What it computes, once that is known.
    pub fn program(&self) -> Option<Program> {
        match (&self.source, self.circuit) {
            (Source::Float { model, .. }, _) => Some(Program::Onnx(Digest32(model.0))),
            (_, circuit) => circuit.map(|(circuit, _)| Program::Circuit(circuit)),
        }
    }

    /// The file that is evaluated in floating point, and the batch, if it is such a model.
    pub fn onnx(&self) -> Option<(BlobId, u32)> {
        match self.source {
            Source::Float { model, batch } => Some((model, batch)),
            Source::Onnx { .. } | Source::Circuit(_) => None,
        }
    }

    /// The key of an engine: the first one in the order in which they were wanted.
    pub fn key(&self, engine: Engine) -> Option<&Served> {
        self.keys.iter().find(|key| key.kind.engine == engine)
    }

    /// Whether requests are answered: circuit and keys are there, and the ledger knows them.
    pub fn serves(&self) -> bool {
        self.compilation == Compilation::Done && self.publication == Publication::Published
    }
}
