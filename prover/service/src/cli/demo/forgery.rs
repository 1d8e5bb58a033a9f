//! Attempts to pass off something that the model did not answer.
use assay_verifier::key::CheckedKey;
use assay_verifier::statement::{Argument, Proof};
use assay_verifier::verify;
use console::style;
use serde::Serialize;

use super::super::output::Output;

/// An attempt and how the verifier took it.
#[derive(Serialize)]
pub struct Forgery {
    /// What was changed.
    what: String,
    /// Whether the verifier refused it.
    pub refused: bool,
    /// Why.
    reason: String,
}

impl Forgery {
    /// Changes an honest proof and shows it to the verifier.
    pub fn attempt(key: &CheckedKey, honest: &Proof, what: String, change: impl Fn(&mut Proof)) -> Self {
        let mut proof = honest.clone();
        change(&mut proof);
        let result = verify(key, &proof);
        let reason = result.as_ref().err().map_or("accepted".into(), ToString::to_string);
        Self { what, refused: result.is_err(), reason }
    }

    /// Shows attempts.
    pub fn show(forgeries: &[Self], output: &Output) {
        let row = |forgery: &Self| {
            let verdict = if forgery.refused { style("refused").green() } else { style("ACCEPTED").red() };
            vec![forgery.what.clone(), verdict.to_string(), forgery.reason.clone()]
        };
        output.table(&["attempt", "verdict", "reason"], &forgeries.iter().map(row).collect::<Vec<_>>());
        output.paragraph(
            "All challenges of the proof are drawn from its statement, so that any change breaks the checks.",
        );
    }
}

/// Flips a bit of what the engine shows.
pub fn flip_bit(proof: &mut Proof) {
    match &mut proof.argument {
        Argument::Sumcheck(argument) => argument.root[0] ^= 1,
        Argument::Halo2(argument) => {
            if let Some(byte) = argument.messages.first_mut() {
                *byte ^= 1;
            }
        }
    }
}
