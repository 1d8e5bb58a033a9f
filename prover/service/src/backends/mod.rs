//! Backends: how a request is executed, and what stands behind the answer. One trait; each says honestly what its evidence is worth.
mod tee;
mod vanilla;
mod zkml;

use std::sync::Arc;

use assay_circuits::eval::EvalError;
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{self, Claim, Grade, Proving};
use assay_verifier::statement::{InputCommitment, Inputs};
use thiserror::Error;

pub use tee::Tee;
pub use vanilla::Vanilla;
pub use zkml::{Commit, Zkml};

use crate::models::{Circuits, FloatError, LoadError, ModelRecord, Served};
use crate::values::Values;

/// What a backend can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Which it is.
    pub backend: receipt::Backend,
    /// What its receipts claim.
    pub claim: Claim,
    /// What its evidence is worth.
    pub grade: Grade,
}

/// What a request asks of a backend.
pub struct Order<'a> {
    /// The model.
    pub model: &'a ModelRecord,
    /// The key of the proof, where there is to be one.
    pub key: Option<&'a Served>,
    /// The inputs.
    pub inputs: &'a Values,
}

/// What a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Time until the proof is made, in microseconds, on this machine by itself.
    pub prove_us: u64,
    /// Memory for it.
    pub memory_bytes: u64,
    /// Size of the proof.
    pub proof_size_bytes: u64,
}

/// An answer, with what a receipt says of it.
pub struct Executed {
    /// The answer.
    pub outputs: Values,
    /// The digest of what the statement says, or would say, of the inputs.
    pub inputs: Digest32,
    /// The commitment to private inputs, and the seed that opens it.
    pub commitment: Option<(InputCommitment, [u8; 32])>,
    /// What will prove it.
    pub proving: Option<Proving>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ExecuteError {
    /// The inputs do not fit the circuit.
    #[error(transparent)]
    Inputs(#[from] EvalError),
    /// The circuit is not there.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model has no circuit yet.
    #[error("the model is not compiled")]
    NotCompiled,
    /// The model is one of floating point and cannot be evaluated.
    #[error(transparent)]
    Float(#[from] FloatError),
    /// Private inputs cannot be committed to.
    #[error("the inputs cannot be committed to: {0}")]
    Commit(String),
}

/// A backend. Calls block.
pub trait Backend: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// What a request takes.
    fn estimate(&self, model: &ModelRecord, key: Option<&Served>) -> Estimate;

    /// Gives the answer.
    ///
    /// # Errors
    /// There is none.
    fn execute(&self, order: &Order<'_>) -> Result<Executed, ExecuteError>;
}

/// A circuit's answer to public inputs, without a proof.
fn evaluate(circuits: &Circuits, order: &Order<'_>) -> Result<Executed, ExecuteError> {
    let (digest, blob) = order.model.circuit.ok_or(ExecuteError::NotCompiled)?;
    let inputs = order.inputs.integers().ok_or(ExecuteError::NotCompiled)?;
    let outputs = Values::Integers(circuits.get(digest, blob)?.evaluate(inputs)?);
    Ok(Executed { outputs, inputs: Inputs::Public(inputs.to_vec()).digest(), commitment: None, proving: None })
}

/// The backends of this node.
#[derive(Clone)]
pub struct Backends(Vec<Arc<dyn Backend>>);

impl Backends {
    /// Backends, each of another kind.
    pub fn new(backends: Vec<Arc<dyn Backend>>) -> Self {
        Self(backends)
    }

    /// The one of a kind.
    pub fn get(&self, kind: receipt::Backend) -> Option<&dyn Backend> {
        self.0.iter().find(|backend| backend.capabilities().backend == kind).map(AsRef::as_ref)
    }

    /// What all of them can do.
    pub fn capabilities(&self) -> Vec<Capabilities> {
        self.0.iter().map(|backend| backend.capabilities()).collect()
    }
}
