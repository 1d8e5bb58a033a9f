//! What goes into a model and comes out of it: exact integers of a circuit, or reals of a model that is evaluated in floating point.
use assay_verifier::digest::Digest32;
use assay_verifier::reals::{self, Reals};
use assay_verifier::statement;
use serde::{Deserialize, Serialize};

/// Tensors, in the model's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Values {
    /// Of a circuit, row-major.
    Integers(Vec<Vec<i64>>),
    /// Of an ONNX file.
    Reals(Vec<Reals>),
}

impl Values {
    /// The integers, if they are of a circuit.
    pub fn integers(&self) -> Option<&[Vec<i64>]> {
        match self {
            Self::Integers(tensors) => Some(tensors),
            Self::Reals(_) => None,
        }
    }

    /// The reals, if they are of an ONNX file.
    pub fn reals(&self) -> Option<&[Reals]> {
        match self {
            Self::Integers(_) => None,
            Self::Reals(tensors) => Some(tensors),
        }
    }

    /// The digest of an answer, as receipts name it.
    pub fn outputs_digest(&self) -> Digest32 {
        match self {
            Self::Integers(tensors) => statement::outputs_digest(tensors),
            Self::Reals(tensors) => reals::outputs_digest(tensors),
        }
    }
}
