//! Keys of this engine: a circuit, the commitment to its weights, and a proof that they are in range.
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::layout::Layout;
use super::pcs::{Opening, StackShape};
use super::security::soundness;
use super::weights::WeightStacks;
use super::{VerifyError, range};
use crate::circuit::{CheckedCircuit, Circuit, CircuitError, Limits};
use crate::digest::{KeyDigest, digest};
use crate::field::EF;
use crate::wire;

/// Least composed soundness of a key in bits: what the protocol's description promises.
pub const SOUNDNESS_BITS_MIN: f64 = 96.0;

/// Engine and version that the key is for.
const ENGINE: &str = "sumcheck v1";

/// A commitment to one stack of weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightCommitment {
    /// Merkle root.
    pub root: [u8; 32],
    /// Each column's value at the point that is drawn from the description and all roots. It pins one of the polynomials
    /// that a root may leave open.
    pub stated: Vec<EF>,
}

/// A verification key of the sumcheck engine. It holds no weights and hides nothing about them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Key {
    /// The description.
    pub circuit: Circuit,
    /// The weights, stack by stack.
    pub weights: Vec<WeightCommitment>,
    /// Shows that weights are within their widths and padding is zero; absent if and only if there are no weights.
    pub range: Option<RangeProof>,
}

/// Proof that committed weights are in range.
#[derive(Clone, Serialize, Deserialize)]
pub struct RangeProof {
    /// Root of the multiplicities.
    pub root: [u8; 32],
    /// Messages in the order of the protocol.
    pub messages: Vec<EF>,
    /// Opening of the multiplicities.
    pub multiplicities: Opening,
    /// Openings of the weights.
    pub weights: Vec<Opening>,
}

impl Key {
    /// The identity of the key: circuit, engine and committed weights. The proof that they are in range is not part of it.
    pub fn digest(&self) -> KeyDigest {
        KeyDigest(digest("assay key v1", &wire::bytes(&(self.circuit.digest(), ENGINE, &self.weights))))
    }
}

/// Why a key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The description is not a circuit.
    #[error("circuit: {0}")]
    Circuit(#[from] CircuitError),
    /// The commitments do not fit the description.
    #[error("key does not fit its circuit: {0}")]
    Shape(&'static str),
    /// The description or its weights are too large for the security parameters.
    #[error("sizes outside of the security parameters")]
    Parameters,
    /// The composed soundness error is too large.
    #[error("less than {SOUNDNESS_BITS_MIN} bits of soundness")]
    Soundness,
    /// The range proof does not hold.
    #[error("weights are not shown to be in range: {0}")]
    Range(VerifyError),
}

/// A key that passed all checks, with everything that verification needs worked out.
#[derive(Clone)]
pub struct CheckedKey {
    circuit: CheckedCircuit,
    layout: Layout,
    stacks: WeightStacks,
    weights: Vec<WeightCommitment>,
    stated_point: Vec<EF>,
    digest: KeyDigest,
}

impl CheckedKey {
    /// Checks a key. This is done once for a key, not for each proof.
    ///
    /// # Errors
    /// The first fault found.
    pub fn new(key: &Key, limits: &Limits) -> Result<Self, KeyError> {
        let checked = Self::without_range(key, limits)?;
        match (&key.range, key.weights.is_empty()) {
            (None, true) => {}
            (Some(proof), false) => range::verify(&checked, proof).map_err(KeyError::Range)?,
            _ => return Err(KeyError::Shape("range proof and weights do not belong together")),
        }
        Ok(checked)
    }

    /// Checks all but the range proof, for the prover that is about to make it.
    ///
    /// # Errors
    /// The first fault found.
    #[doc(hidden)]
    pub fn without_range(key: &Key, limits: &Limits) -> Result<Self, KeyError> {
        let circuit = CheckedCircuit::new(key.circuit.clone(), limits)?;
        let layout = Layout::new(&circuit);
        let stacks = WeightStacks::new(circuit.circuit());
        let fits = stacks.members.len() == key.weights.len()
            && stacks
                .members
                .iter()
                .zip(&key.weights)
                .all(|(members, commitment)| members.len() == commitment.stated.len());
        if !fits {
            return Err(KeyError::Shape("number of committed columns"));
        }
        // Before anything that takes time or memory in proportion to the witness.
        StackShape::witness(layout.stack_variables).pcs().map_err(|_| KeyError::Parameters)?;
        let roots: Vec<[u8; 32]> = key.weights.iter().map(|commitment| commitment.root).collect();
        let stated_point = stacks.stated_point(&circuit.digest().0, &roots);
        let checked =
            Self { layout, stacks, stated_point, digest: key.digest(), weights: key.weights.clone(), circuit };
        checked.check_parameters()?;
        Ok(checked)
    }

    /// The sizes are such that proofs under the key are sound.
    fn check_parameters(&self) -> Result<(), KeyError> {
        let (_, bits) = soundness(self).map_err(|_| KeyError::Parameters)?;
        if bits >= SOUNDNESS_BITS_MIN { Ok(()) } else { Err(KeyError::Soundness) }
    }

    /// The circuit.
    pub fn circuit(&self) -> &CheckedCircuit {
        &self.circuit
    }

    /// Where everything lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How the weights are committed.
    pub fn stacks(&self) -> &WeightStacks {
        &self.stacks
    }

    /// The commitments to the weights.
    pub fn weights(&self) -> &[WeightCommitment] {
        &self.weights
    }

    /// The point at which the key states the weights' values.
    pub fn stated_point(&self) -> &[EF] {
        &self.stated_point
    }

    /// The identity of the key.
    pub fn digest(&self) -> KeyDigest {
        self.digest
    }
}
