//! `tee`: inside an enclave, whose attestation the ledger has. The same exact integers as everywhere, or an ONNX file in floating point. What stands
//! behind the answer is that software which is approved signed it; the grade says whether the enclave is real.
use std::sync::Arc;

use assay_verifier::reals;
use assay_verifier::receipt::{self, Claim, Grade};

use super::{Backend, Capabilities, Estimate, ExecuteError, Executed, Order, evaluate};
use crate::models::{Circuits, Floats, ModelRecord, Served};
use crate::values::Values;

/// The backend.
pub struct Tee {
    circuits: Arc<Circuits>,
    floats: Arc<Floats>,
    grade: Grade,
}

impl Tee {
    /// A backend whose evidence is of a grade.
    pub fn new(circuits: Arc<Circuits>, floats: Arc<Floats>, grade: Grade) -> Self {
        Self { circuits, floats, grade }
    }
}

impl Backend for Tee {
    fn capabilities(&self) -> Capabilities {
        Capabilities { backend: receipt::Backend::Tee, claim: Claim::Attested, grade: self.grade }
    }

    fn estimate(&self, _: &ModelRecord, _: Option<&Served>) -> Estimate {
        Estimate { prove_us: 0, memory_bytes: 0, proof_size_bytes: 0 }
    }

    fn execute(&self, order: &Order<'_>) -> Result<Executed, ExecuteError> {
        let Values::Reals(inputs) = order.inputs else { return evaluate(&self.circuits, order) };
        let (file, batch) = order.model.onnx().ok_or(ExecuteError::NotCompiled)?;
        let outputs = self.floats.get(file, batch)?.run(inputs)?;
        let inputs = reals::inputs_digest(inputs);
        Ok(Executed { outputs: Values::Reals(outputs), inputs, commitment: None, proving: None })
    }
}
