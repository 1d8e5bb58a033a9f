//! The one entry of verification: a proof is checked by the engine of the key.
use thiserror::Error;

use crate::key::CheckedKey;
use crate::statement::{Argument, Proof};
use crate::sumcheck;

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// By the engine `sumcheck`.
    #[error(transparent)]
    Sumcheck(#[from] sumcheck::VerifyError),
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
    }
}
