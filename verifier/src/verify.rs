//! The one entry of verification: a proof, or many, are checked by the engine of the key.
use alloc::vec::Vec;

use thiserror::Error;

use crate::key::CheckedKey;
use crate::statement::{Argument, Proof, Statement};
use crate::{halo2, sumcheck};

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// By the engine `sumcheck`.
    #[error(transparent)]
    Sumcheck(#[from] sumcheck::VerifyError),
    /// By the engine `halo2`.
    #[error(transparent)]
    Halo2(#[from] halo2::VerifyError),
    /// The proof is of another engine than the key.
    #[error("the proof is of another engine than the key")]
    Engine,
}

/// Verifies a proof against a key. What it states, [`Proof::statement`], holds if this succeeds.
///
/// # Errors
/// The first check that fails.
///
/// # Soundness
/// The caller must compare the statement with what it wants to know: its key is compared here, inputs, outputs and context
/// are for the caller.
pub fn verify(key: &CheckedKey, proof: &Proof) -> Result<(), VerifyError> {
    match (key, &proof.argument) {
        (CheckedKey::Sumcheck(key), Argument::Sumcheck(argument)) => {
            Ok(sumcheck::verify(key, &proof.statement, argument)?)
        }
        (CheckedKey::Halo2(key), Argument::Halo2(argument)) => {
            Ok(halo2::verify_statement(key, &proof.statement, argument)?)
        }
        _ => Err(VerifyError::Engine),
    }
}

/// Verdicts on many proofs: of each what [`verify`] says of it. Where an engine can verify proofs together, that takes less time.
pub fn verify_all(proofs: &[(&CheckedKey, &Proof)]) -> Vec<Result<(), VerifyError>> {
    let together: Vec<_> = proofs.iter().filter_map(|(key, proof)| of_halo2(key, proof)).collect();
    let mut verdicts = halo2::verify_all(&together).into_iter();
    let verdict = |(key, proof): &(&CheckedKey, &Proof)| match of_halo2(key, proof).and_then(|_| verdicts.next()) {
        Some(verdict) => Ok(verdict?),
        None => verify(key, proof),
    };
    proofs.iter().map(verdict).collect()
}

/// What is verified of a proof of the engine `halo2`.
fn of_halo2<'a>(
    key: &'a CheckedKey,
    proof: &'a Proof,
) -> Option<(&'a halo2::key::CheckedKey, &'a Statement, &'a halo2::Argument)> {
    match (key, &proof.argument) {
        (CheckedKey::Halo2(key), Argument::Halo2(argument)) => Some((key, &proof.statement, argument)),
        _ => None,
    }
}
