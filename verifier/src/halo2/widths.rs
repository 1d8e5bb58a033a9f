//! Private weights are within their widths: a proof of its own, made once and checked with the key.
//!
//! A key commits to columns of private weights, and each proof takes its weights from there. That they are no larger than the description says is
//! shown here, over the same columns: the proof's first commitments are those of [`WidthColumns`], and it ends with the argument of
//! [`super::hiding`] that they differ from the key's in the blinding rows only. It has no public values and no copies.
//!
//! # Soundness
//! The proof's challenges are drawn from everything that the key says. Its fixed columns follow from description and shape; whether they are those
//! is found by deriving them anew, like all fixed columns of a key.
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use halo2_proofs::plonk::{ConstraintSystem, VerifyingKey, permutation, verify_proof};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use halo2_proofs::poly::kzg::multiopen::VerifierSHPLONK;
use halo2_proofs::poly::kzg::strategy::SingleStrategy;
use serde::{Deserialize, Serialize};

use super::config::widths::{LIMB_BITS, WidthColumns};
use super::curve::{Bn256, Fr, G1Affine, Point};
use super::domain::domain;
use super::hiding;
use super::shape::{RESERVED, Shape, TABLES_MAX};
use super::srs::Srs;
use super::transcript::Reader;
use crate::circuit::Circuit;
use crate::digest::{CircuitDigest, digest};
use crate::wire;

/// What a key says of the widths of private weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widths {
    /// Commitments to the fixed columns of the proof's constraint system.
    pub fixed: Vec<Point>,
    /// The proof's messages.
    pub messages: Vec<u8>,
}

/// What the proof is of: all that a key says but its commitments to fixed columns and copies.
#[derive(Clone, Copy, Serialize)]
pub struct Subject<'a> {
    /// The description.
    pub circuit: CircuitDigest,
    /// Rows and columns.
    pub shape: Shape,
    /// The reference string's part.
    pub srs: Srs,
    /// Commitments to the weights.
    pub weights: &'a [Point],
    /// Commitments of the blinding rows.
    pub blinding: &'a [Point],
}

/// Widths of limbs that occur: those of the low and high limbs of all weights, and zero.
pub fn limb_widths(circuit: &Circuit) -> BTreeSet<u8> {
    let limbs = |bits: u8| [bits.min(LIMB_BITS), bits.saturating_sub(LIMB_BITS)];
    circuit.weights.iter().flat_map(|weight| limbs(weight.bits)).chain([0]).collect()
}

/// The constraint system, or nothing if its tables are too large for the rows.
pub fn constraint_system(circuit: &Circuit, shape: Shape) -> Option<(ConstraintSystem<Fr>, WidthColumns)> {
    let rows = 1usize.checked_shl(shape.k.into())?.checked_sub(RESERVED)?;
    let entries = limb_widths(circuit)
        .into_iter()
        .try_fold(0usize, |all, bits| all.checked_add(1usize.checked_shl(bits.into())?))?;
    let tables = entries.div_ceil(rows.max(1));
    (tables <= TABLES_MAX.into()).then(|| {
        let mut cs = ConstraintSystem::default();
        let columns = WidthColumns::configure(&mut cs, shape.weights.into(), tables);
        (cs, columns)
    })
}

impl Widths {
    /// The words that the proof's transcript starts with.
    pub fn prefix(subject: &Subject<'_>, fixed: &[Point]) -> Vec<[u8; 32]> {
        alloc::vec![digest("assay widths of weights v1", &wire::bytes(&(subject, fixed)))]
    }

    /// Whether the proof shows that the weights are within their widths. `weights` and `rows` are the subject's points.
    pub fn check(
        &self,
        circuit: &Circuit,
        subject: &Subject<'_>,
        params: &ParamsKZG<Bn256>,
        weights: &[G1Affine],
        rows: &[G1Affine],
    ) -> Option<()> {
        let (cs, _) = constraint_system(circuit, subject.shape)?;
        (self.fixed.len() == cs.num_fixed_columns()).then_some(())?;
        let fixed: Vec<G1Affine> = self.fixed.iter().map(Point::decode).collect::<Option<_>>()?;
        let domain = domain(cs.degree(), subject.shape.k)?;
        let copies = permutation::VerifyingKey::from_commitments(Vec::new());
        let vk = VerifyingKey::from_parts(domain, fixed, copies, cs, Vec::new(), false);
        let mut transcript = Reader::new(&Self::prefix(subject, &self.fixed), &self.messages);
        verify_proof::<_, VerifierSHPLONK<'_, _>, _, _, SingleStrategy<'_, _>>(
            params,
            &vk,
            SingleStrategy::new(params),
            &[&[]],
            &mut transcript,
        )
        .ok()?;
        // The columns of weights come first, so their commitments are the first messages.
        let words = self.messages.chunks_exact(32).take(weights.len());
        let point = |word: &[u8]| Point(word.try_into().ok()?).decode();
        let inner: Vec<G1Affine> = words.map(point).collect::<Option<_>>()?;
        let linked = hiding::verify(&mut transcript, &inner, weights, rows)?;
        (linked && transcript.rest().is_empty()).then_some(())
    }
}
