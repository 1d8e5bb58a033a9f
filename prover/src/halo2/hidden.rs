//! The argument that columns are those that were committed to before, but for the blinding rows.
use std::io;

use assay_verifier::halo2::curve::{Fr, G1Affine};
use assay_verifier::halo2::transcript::Writer;
use halo2_proofs::arithmetic::{Field, best_multiexp};
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::transcript::{Transcript, TranscriptWrite};
use rand_core::OsRng;

use super::plonk::Small;

/// Shows that inner and outer commitments differ in the blinding rows only, whose commitments are `rows`. `outer` has the blinding factors of the
/// outer ones, column by column; hidden columns come first among the inner ones.
///
/// # Errors
/// A commitment is the point at infinity.
pub fn argue(rows: &[G1Affine], inner: &[Small<'_>], outer: &[Vec<Fr>], transcript: &mut Writer) -> io::Result<()> {
    let g = *transcript.squeeze_challenge_scalar::<()>();
    let mut differences = vec![Fr::ZERO; rows.len()];
    for (inner, outer) in inner.iter().take(outer.len()).zip(outer).rev() {
        for ((difference, inner), outer) in differences.iter_mut().zip(&inner.blinding).zip(outer) {
            *difference = *difference * g + inner - outer;
        }
    }
    let mask: Vec<Fr> = rows.iter().map(|_| Fr::random(OsRng)).collect();
    transcript.write_point(best_multiexp(&mask, rows).to_affine())?;
    let c = *transcript.squeeze_challenge_scalar::<()>();
    mask.iter().zip(&differences).try_for_each(|(mask, difference)| transcript.write_scalar(*mask + c * difference))
}
