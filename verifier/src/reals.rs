//! Tensors of models that are evaluated in floating point: no circuit, no exact integers, and so no proof. Receipts name their exact bits.
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest32, digest};
use crate::wire;

/// A tensor of reals, row-major, by the bits of IEEE 754 doubles. Narrower types are exact in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reals {
    /// Its shape.
    pub dims: Vec<u32>,
    /// Its values.
    pub bits: Vec<u64>,
}

impl Reals {
    /// A tensor of values.
    pub fn new(dims: Vec<u32>, values: &[f64]) -> Self {
        Self { dims, bits: values.iter().map(|value| value.to_bits()).collect() }
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.bits.iter().map(|bits| f64::from_bits(*bits))
    }
}

/// The digest of a model's inputs, in its order, as receipts name it.
pub fn inputs_digest(inputs: &[Reals]) -> Digest32 {
    Digest32(digest("assay real inputs v1", &wire::bytes(&inputs)))
}

/// The digest of a model's outputs, in its order, as receipts name it.
pub fn outputs_digest(outputs: &[Reals]) -> Digest32 {
    Digest32(digest("assay real outputs v1", &wire::bytes(&outputs)))
}
