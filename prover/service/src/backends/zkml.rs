//! `zkml`: exact integers now, a proof of them later. What is answered is what will be proven.
use std::sync::Arc;

use assay_verifier::key::Engine;
use assay_verifier::receipt::{self, Claim, Grade, Proving};
use assay_verifier::statement::{InputCommitment, Inputs};

use super::{Backend, Capabilities, Estimate, ExecuteError, Executed, Order, evaluate};
use crate::models::{Circuits, ModelRecord, Served};

/// The engine `halo2` takes so many times longer than `sumcheck`, whose cost model the compiler's prediction is.
const HALO2_FACTOR: u64 = 80;
/// Its proofs are of this size, whatever the circuit.
const HALO2_PROOF_BYTES: u64 = 6_000;

/// Commits to private inputs before they are proven. It needs what proofs are made with.
pub trait Commit: Send + Sync {
    /// The commitment to inputs, in the order of the circuit's ports, and the seed that opens it.
    ///
    /// # Errors
    /// The prover is not to be had, for a reason in words.
    fn commit(
        &self,
        model: &ModelRecord,
        key: &Served,
        inputs: &[Vec<i64>],
    ) -> Result<(InputCommitment, [u8; 32]), String>;
}

/// The backend.
pub struct Zkml {
    circuits: Arc<Circuits>,
    commit: Arc<dyn Commit>,
}

impl Zkml {
    /// A backend that answers with these circuits.
    pub fn new(circuits: Arc<Circuits>, commit: Arc<dyn Commit>) -> Self {
        Self { circuits, commit }
    }
}

impl Backend for Zkml {
    fn capabilities(&self) -> Capabilities {
        Capabilities { backend: receipt::Backend::Zkml, claim: Claim::Proven, grade: Grade::Production }
    }

    fn estimate(&self, model: &ModelRecord, key: Option<&Served>) -> Estimate {
        let Some(report) = &model.report else {
            return Estimate { prove_us: 0, memory_bytes: 0, proof_size_bytes: 0 };
        };
        let predicted = &report.prediction;
        let prove_us = (predicted.prove_duration_ms.max(0.0) * 1e3) as u64;
        let memory_bytes = predicted.memory_bytes;
        match key.map(|key| key.kind.engine) {
            Some(Engine::Halo2) => Estimate {
                prove_us: prove_us.saturating_mul(HALO2_FACTOR),
                memory_bytes: memory_bytes.saturating_mul(3),
                proof_size_bytes: HALO2_PROOF_BYTES,
            },
            _ => Estimate { prove_us, memory_bytes, proof_size_bytes: predicted.proof_size_bytes },
        }
    }

    fn execute(&self, order: &Order<'_>) -> Result<Executed, ExecuteError> {
        let key = order.key.ok_or(ExecuteError::NotCompiled)?;
        let proving = Some(Proving { engine: key.kind.engine, key: key.digest, hiding: key.hiding() });
        let executed = Executed { proving, ..evaluate(&self.circuits, order)? };
        let Some(inputs) = order.inputs.integers().filter(|_| key.kind.private_input) else { return Ok(executed) };
        let committed = self.commit.commit(order.model, key, inputs).map_err(ExecuteError::Commit)?;
        let inputs = Inputs::Private(committed.0.clone()).digest();
        Ok(Executed { inputs, commitment: Some(committed), ..executed })
    }
}
