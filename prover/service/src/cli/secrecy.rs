//! Who sees what: what proofs under a key hide, and under which assumption.
use assay_verifier::key::Key;
use serde::Serialize;

use super::output::Output;

/// What proofs under a key hide.
#[derive(Serialize)]
pub struct Secrecy {
    /// Whether anything is hidden.
    #[serde(skip)]
    pub hiding: bool,
    inputs: &'static str,
    weights: &'static str,
    outputs: &'static str,
    /// What the hiding rests on, or why nothing is hidden.
    why: &'static str,
}

impl Secrecy {
    /// What proofs under a key hide.
    pub fn of(key: &Key) -> Self {
        match key {
            Key::Sumcheck(_) => Self {
                hiding: false,
                inputs: "public",
                weights: "not in the key, but proofs may reveal something of them",
                outputs: "public",
                why: "nothing is hidden: the engine's commitments have no salt",
            },
            Key::Halo2(key) => Self {
                hiding: true,
                inputs: if key.visibility.private_input { "hidden: the statement commits to them" } else { "public" },
                weights: if key.visibility.private_weights {
                    "hidden: the key commits to them"
                } else {
                    "in the key as commitments without salt, which anyone who guesses them can check"
                },
                outputs: "public",
                why: "commitments hide perfectly, proofs as long as discrete logarithms on BN254 are hard",
            },
        }
    }

    /// Shows it.
    pub fn show(&self, output: &Output) {
        output.field("hiding", if self.hiding { "yes" } else { "no" });
        output.field("  inputs", self.inputs);
        output.field("  weights", self.weights);
        output.field("  outputs", self.outputs);
        output.field("  because", self.why);
    }
}
