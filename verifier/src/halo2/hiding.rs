//! Columns that are committed outside of the proof: private weights in the key, private inputs in the statement.
//!
//! A column's commitment is `sum_i a_i L_i` over all rows, `L_i` being the commitments of the rows' Lagrange polynomials. The last rows of a
//! column hold random values: they make the commitment hide the others (perfectly, as the values of one point are uniform), and they are fresh in
//! each proof. So a proof's commitment `A_j` and the outer one `C_j` differ in those rows only, and this is what is shown, for all columns at
//! once: with `g` drawn after everything else in the proof, the prover knows `d_i` with `sum_j g^j (A_j - C_j) = sum_i d_i L_i` over
//! the blinding rows `i` (Okamoto's proof of representation): it sends `T = sum_i t_i L_i`, is given `c`, answers `z_i = t_i + c d_i`, and
//! `sum_i z_i L_i = T + c sum_j g^j (A_j - C_j)` is checked.
//!
//! # Soundness
//! `T` comes after `g`, and `c` after `T`. From two answers to one `T` the `d_i` are extracted; for that to succeed for more than as many `g` as
//! there are columns, each `A_j - C_j` must lie in the span of the blinding rows. Commitments bind (under the strong Diffie-Hellman
//! assumption that the scheme rests on), so `A_j` and `C_j` hold the same cells elsewhere. The mask does not bind the prover to anything that
//! is checked, so outer commitments can be used for any number of proofs.
#![allow(clippy::arithmetic_side_effects, reason = "arithmetic of a group and its field cannot overflow")]
use alloc::vec::Vec;
use halo2_proofs::halo2curves::group::Group;
use halo2_proofs::transcript::{Transcript, TranscriptRead};

use super::blinding::combination;
use super::curve::{Fr, G1, G1Affine};
use super::transcript::Reader;

/// Verifies that inner and outer commitments differ in the blinding rows only.
///
/// The transcript has taken in both and everything else of the proof. Nothing if the messages are malformed.
pub fn verify(transcript: &mut Reader<'_>, inner: &[G1Affine], outer: &[G1Affine], rows: &[G1Affine]) -> Option<bool> {
    (inner.len() == outer.len()).then_some(())?;
    let g = *transcript.squeeze_challenge_scalar::<()>();
    let difference = combine(g, inner, outer);
    let mask = transcript.read_point().ok()?;
    let c = *transcript.squeeze_challenge_scalar::<()>();
    let mut answers = G1::identity();
    for row in rows {
        answers += row * transcript.read_scalar().ok()?;
    }
    Some(answers == difference * c + mask)
}

/// `sum_j g^j (inner_j - outer_j)`.
pub fn combine(g: Fr, inner: &[G1Affine], outer: &[G1Affine]) -> G1 {
    let differences: Vec<G1> = inner.iter().zip(outer).map(|(inner, outer)| G1::from(*inner) - outer).collect();
    combination(g, &differences)
}
