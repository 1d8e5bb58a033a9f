//! Checks a proof before anybody hears of it: that it holds, and that it is of this very answer.
use assay_verifier::key::CheckedKey;
use assay_verifier::receipt::{Backend, Receipt};
use assay_verifier::statement::Proof;
use assay_verifier::wire::{self, WireError};
use assay_verifier::{VerifyError, verify};
use thiserror::Error;

/// Why a proof is refused. Honest workers have none of these.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// It is no proof.
    #[error("it is no proof: {0}")]
    Encoding(WireError),
    /// It is under another key.
    #[error("it is under another key")]
    Key,
    /// It is of other inputs.
    #[error("it is of other inputs")]
    Inputs,
    /// It is of other outputs.
    #[error("it is of other outputs")]
    Outputs,
    /// It was made for another request.
    #[error("it was made for another request")]
    Context,
    /// It does not hold.
    #[error("it does not hold: {0}")]
    Invalid(VerifyError),
}

impl Fault {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Encoding(_) => "proof_encoding",
            Self::Key => "proof_key",
            Self::Inputs => "proof_inputs",
            Self::Outputs => "proof_outputs",
            Self::Context => "proof_context",
            Self::Invalid(_) => "proof_invalid",
        }
    }
}

/// Checks a proof's file against the receipt that went with the answer. The receipt is this service's own, the key is the one it names.
///
/// # Errors
/// The first check that fails.
pub fn check(receipt: &Receipt, key: &CheckedKey, file: &[u8]) -> Result<(), Fault> {
    let proof: Proof = wire::decode(file).map_err(Fault::Encoding)?;
    let statement = &proof.statement;
    // A receipt on the node's word names no key; its proof is asked for later.
    let other = receipt.proving.map_or(receipt.backend == Backend::Zkml, |proving| proving.key != statement.key);
    if other || statement.key != key.digest() {
        return Err(Fault::Key);
    }
    if statement.context != receipt.digest().0 {
        return Err(Fault::Context);
    }
    if statement.inputs.digest() != receipt.inputs {
        return Err(Fault::Inputs);
    }
    if statement.outputs_digest() != receipt.outputs {
        return Err(Fault::Outputs);
    }
    verify(key, &proof).map_err(Fault::Invalid)
}
