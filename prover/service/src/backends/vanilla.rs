//! `vanilla`: the same integers, and the node's signature. Nothing else stands behind the answer, and the receipt says so.
use std::sync::Arc;

use assay_verifier::receipt::{self, Claim, Grade};

use super::{Backend, Capabilities, Estimate, ExecuteError, Executed, Order, evaluate};
use crate::models::{Circuits, ModelRecord, Served};

/// The backend.
pub struct Vanilla {
    circuits: Arc<Circuits>,
}

impl Vanilla {
    /// A backend that answers with these circuits.
    pub fn new(circuits: Arc<Circuits>) -> Self {
        Self { circuits }
    }
}

impl Backend for Vanilla {
    fn capabilities(&self) -> Capabilities {
        Capabilities { backend: receipt::Backend::Vanilla, claim: Claim::SignedOnly, grade: Grade::Production }
    }

    fn estimate(&self, _: &ModelRecord, _: Option<&Served>) -> Estimate {
        Estimate { prove_us: 0, memory_bytes: 0, proof_size_bytes: 0 }
    }

    fn execute(&self, order: &Order<'_>) -> Result<Executed, ExecuteError> {
        evaluate(&self.circuits, order)
    }
}
