//! The one entry of verification: a proof is checked by the engine of the key.
use thiserror::Error;

use crate::key::CheckedKey;
use crate::statement::{Argument, Proof};
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
