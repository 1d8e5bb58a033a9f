//! Verification of a proof.
use alloc::vec::Vec;
use halo2_proofs::plonk::verify_proof;
use halo2_proofs::poly::kzg::multiopen::VerifierSHPLONK;
use halo2_proofs::poly::kzg::strategy::SingleStrategy;
use thiserror::Error;

use super::curve::{Fr, G1Affine, Point};
use super::hiding;
use super::key::CheckedKey;
use super::transcript::Reader;
use crate::digest::digest;

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// A commitment to inputs is malformed, or there is another number of them than the key has columns.
    #[error("the commitment to the inputs is malformed")]
    Commitment,
    /// The argument does not hold, or its encoding is malformed.
    #[error("the argument does not hold")]
    Argument,
    /// Hidden columns are not those that the key or the statement commits to.
    #[error("hidden columns differ from those that the key or the statement commits to")]
    Hidden,
    /// There are bytes after the proof.
    #[error("{0} bytes after the proof")]
    Trailing(usize),
}

/// The words that the transcript starts with: the key, the context, the commitments to inputs.
pub fn prefix(key: &CheckedKey, context: &[u8], inputs: &[Point]) -> Vec<[u8; 32]> {
    let words = [key.digest().0, digest("assay context v1", context)];
    words.into_iter().chain(inputs.iter().map(|point| point.0)).collect()
}

/// An integer as a field element.
#[allow(clippy::arithmetic_side_effects, reason = "arithmetic of a field cannot overflow")]
pub fn field(value: i64) -> Fr {
    let magnitude = Fr::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// Verifies that public values in the nodes' order, inputs if public and then outputs, are those of an evaluation.
///
/// The caller has checked that there are as many values as the circuit has, and that inputs are in range.
///
/// # Errors
/// The first check that fails.
pub fn verify(
    key: &CheckedKey,
    inputs: &[Point],
    public: &[i64],
    context: &[u8],
    proof: &[u8],
) -> Result<(), VerifyError> {
    if inputs.len() != usize::from(key.key().shape.inputs) {
        return Err(VerifyError::Commitment);
    }
    let committed: Vec<G1Affine> =
        inputs.iter().map(Point::decode).collect::<Option<_>>().ok_or(VerifyError::Commitment)?;
    let instance: Vec<Fr> = public.iter().map(|&value| field(value)).collect();
    let mut transcript = Reader::new(&prefix(key, context, inputs), proof);
    let params = key.params();
    verify_proof::<_, VerifierSHPLONK<'_, _>, _, _, SingleStrategy<'_, _>>(
        params,
        key.vk(),
        SingleStrategy::new(params),
        &[&[&instance]],
        &mut transcript,
    )
    .map_err(|_| VerifyError::Argument)?;
    let outer: Vec<G1Affine> = key.weights().iter().copied().chain(committed).collect();
    if !outer.is_empty() {
        // Hidden columns come first, so their commitments are the first messages.
        let words = proof.chunks_exact(32).take(outer.len());
        let inner: Option<Vec<G1Affine>> =
            words.map(|word| <[u8; 32]>::try_from(word).ok().and_then(|word| Point(word).decode())).collect();
        let inner = inner.ok_or(VerifyError::Argument)?;
        match hiding::verify(&mut transcript, &inner, &outer, key.blinding()) {
            Some(true) => {}
            Some(false) => return Err(VerifyError::Hidden),
            None => return Err(VerifyError::Argument),
        }
    }
    match transcript.rest().len() {
        0 => Ok(()),
        rest => Err(VerifyError::Trailing(rest)),
    }
}
