//! Verification keys of the engine.
use alloc::string::String;
use alloc::vec::Vec;
use halo2_proofs::plonk::{ConstraintSystem, VerifyingKey, permutation};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::blinding::Blinding;
use super::config::{Columns, WeightColumns};
use super::curve::{Bn256, Fr, G1Affine, Point};
use super::domain::domain;
use super::shape::{DEGREE_MAX, Features, INSTANCE_ROWS, INSTANCES_MAX, Shape, ShapeError, Visibility};
use super::srs::{Srs, SrsError};
use super::widths::{Subject, Widths};
use crate::circuit::{CheckedCircuit, Circuit, CircuitError, Limits};
use crate::digest::{KeyDigest, digest};
use crate::wire;

/// Engine and version that the key is for.
const ENGINE: &str = "halo2 v2";

/// A verification key.
///
/// The constraint system follows from the description, the shape and the visibility. All commitments but those to weights follow from them and
/// the reference string too; whoever has the string can make them again and compare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The description.
    pub circuit: Circuit,
    /// What is hidden.
    pub visibility: Visibility,
    /// Rows and columns.
    pub shape: Shape,
    /// The reference string's part.
    pub srs: Srs,
    /// Commitments to the fixed columns.
    pub fixed: Vec<Point>,
    /// Commitments to the permutation of copies.
    pub permutation: Vec<Point>,
    /// Hiding commitments to the columns of private weights.
    pub weights: Vec<Point>,
    /// Commitments of the blinding rows, if anything is hidden.
    pub blinding: Option<Blinding>,
    /// Shows that private weights are within their widths, if there are any.
    pub widths: Option<Widths>,
}

impl Key {
    /// The identity of the key.
    pub fn digest(&self) -> KeyDigest {
        let Self { circuit, visibility, shape, srs, fixed, permutation, weights, blinding, widths } = self;
        let hidden = (weights, blinding, widths);
        let parts = (circuit.digest(), ENGINE, visibility, shape, srs, fixed, permutation, hidden);
        KeyDigest(digest("assay halo2 key v1", &wire::bytes(&parts)))
    }
}

impl Key {
    /// What the proof of the weights' widths is of.
    pub fn subject(&self) -> Subject<'_> {
        let blinding = self.blinding.as_ref().map_or(&[][..], |blinding| &blinding.rows);
        let Self { circuit, shape, srs, weights, .. } = self;
        Subject { circuit: circuit.digest(), shape: *shape, srs: *srs, weights, blinding }
    }
}

/// Why a key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The description is not a circuit.
    #[error("circuit: {0}")]
    Circuit(#[from] CircuitError),
    /// A number of the shape is out of bounds.
    #[error("shape: {0}")]
    Shape(#[from] ShapeError),
    /// The reference string is malformed.
    #[error("reference string: {0}")]
    Srs(#[from] SrsError),
    /// Something does not fit the constraint system.
    #[error("key does not fit its circuit: {what} of {actual} instead of {expected}")]
    Fit {
        /// What.
        what: &'static str,
        /// How many there are.
        actual: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A commitment is not the encoding of a point.
    #[error("{what}: commitment {position} is not a point of the curve")]
    Point {
        /// Of what.
        what: &'static str,
        /// Which one.
        position: usize,
    },
    /// The commitments of the blinding rows are not those, or their opening does not show it.
    #[error("the commitments of the blinding rows do not open as those do")]
    Blinding,
    /// Private weights are not shown to be within their widths.
    #[error("private weights are not shown to be within their widths")]
    Widths,
    /// The rows do not hold the public values.
    #[error("the rows do not hold the public values: {0}")]
    Rows(String),
}

/// A key that passed all checks, with everything that verification needs worked out.
#[derive(Clone, Debug)]
pub struct CheckedKey {
    circuit: CheckedCircuit,
    key: Key,
    digest: KeyDigest,
    params: ParamsKZG<Bn256>,
    vk: VerifyingKey<G1Affine>,
    weights: Vec<G1Affine>,
    blinding: Vec<G1Affine>,
}

impl CheckedKey {
    /// Checks a key. This is done once for a key, not for each proof.
    ///
    /// # Errors
    /// The first fault found.
    pub fn new(key: &Key, limits: &Limits) -> Result<Self, KeyError> {
        let circuit = CheckedCircuit::new(key.circuit.clone(), limits)?;
        key.shape.check()?;
        let params = key.srs.params(key.shape.k.into())?;
        let (cs, columns) = constraint_system(&circuit, key.shape, key.visibility)?;
        let blinding = cs.blinding_factors().saturating_add(1);
        let private = match &columns.weights {
            WeightColumns::Private { columns, .. } => columns.len(),
            WeightColumns::Public(_) => 0,
        };
        let hides = private != 0 || key.shape.inputs != 0;
        let rows = key.blinding.as_ref().map_or(0, |blinding| blinding.rows.len());
        let expected = if hides { blinding } else { 0 };
        if key.blinding.is_some() != hides || rows != expected {
            return Err(KeyError::Fit { what: "blinding rows", actual: rows, expected });
        }
        let points = |what, points: &[Point], expected| decode(what, points, expected);
        let fixed = points("fixed columns", &key.fixed, cs.num_fixed_columns())?;
        let permutation = points("columns with copies", &key.permutation, cs.permutation().get_columns().len())?;
        let weights = points("columns of weights", &key.weights, private)?;
        let blinding = match &key.blinding {
            Some(rows) => rows.check(&key.srs.digest(), &params.s_g2(), key.shape.k).ok_or(KeyError::Blinding)?,
            None => Vec::new(),
        };
        if key.widths.is_some() != (private != 0) {
            return Err(KeyError::Widths);
        }
        if let Some(widths) = &key.widths {
            let checked = widths.check(&key.circuit, &key.subject(), &params, &weights, &blinding);
            checked.ok_or(KeyError::Widths)?;
        }
        let degree = KeyError::Fit { what: "degree", actual: cs.degree(), expected: DEGREE_MAX };
        let domain = domain(cs.degree(), key.shape.k).ok_or(degree)?;
        let permutation = permutation::VerifyingKey::from_commitments(permutation);
        let vk = VerifyingKey::from_parts(domain, fixed, permutation, cs, Vec::new(), false);
        Ok(Self { circuit, digest: key.digest(), key: key.clone(), params, vk, weights, blinding })
    }

    /// The circuit.
    pub fn circuit(&self) -> &CheckedCircuit {
        &self.circuit
    }

    /// The key itself.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The identity of the key.
    pub fn digest(&self) -> KeyDigest {
        self.digest
    }

    /// What the library's verifier takes.
    pub fn params(&self) -> &ParamsKZG<Bn256> {
        &self.params
    }

    /// The library's key.
    pub fn vk(&self) -> &VerifyingKey<G1Affine> {
        &self.vk
    }

    /// Hiding commitments to the columns of weights.
    pub fn weights(&self) -> &[G1Affine] {
        &self.weights
    }

    /// Commitments of the blinding rows.
    pub fn blinding(&self) -> &[G1Affine] {
        &self.blinding
    }
}

/// The constraint system of a circuit.
///
/// # Errors
/// Columns of weights or inputs do not fit the circuit.
pub fn constraint_system(
    circuit: &CheckedCircuit,
    shape: Shape,
    visibility: Visibility,
) -> Result<(ConstraintSystem<Fr>, Columns), KeyError> {
    let description = circuit.circuit();
    let weights = usize::from(shape.weights);
    if description.weights.is_empty() != (weights == 0) {
        return Err(KeyError::Fit {
            what: "number of columns of weights",
            actual: weights,
            expected: usize::from(weights == 0),
        });
    }
    if visibility.private_input != (shape.inputs != 0) {
        return Err(KeyError::Fit {
            what: "number of columns of private inputs",
            actual: shape.inputs.into(),
            expected: visibility.private_input.into(),
        });
    }
    let features = Features::of(circuit, &shape, visibility);
    if features.instances > INSTANCES_MAX {
        return Err(KeyError::Rows(alloc::format!("more than {INSTANCES_MAX} columns of {INSTANCE_ROWS}")));
    }
    let mut cs = ConstraintSystem::default();
    let columns = Columns::configure(&mut cs, shape, features, visibility);
    let blinding = cs.blinding_factors();
    let rows = 1usize.checked_shl(shape.k.into()).and_then(|rows| rows.checked_sub(blinding)?.checked_sub(1));
    match rows {
        Some(rows) if features.instances == 1 || INSTANCE_ROWS <= rows => Ok((cs, columns)),
        _ => Err(KeyError::Rows(alloc::format!("2^{} rows", shape.k))),
    }
}

fn decode(what: &'static str, points: &[Point], expected: usize) -> Result<Vec<G1Affine>, KeyError> {
    if points.len() != expected {
        return Err(KeyError::Fit { what, actual: points.len(), expected });
    }
    let decode = |(position, point): (usize, &Point)| point.decode().ok_or(KeyError::Point { what, position });
    points.iter().enumerate().map(decode).collect()
}
