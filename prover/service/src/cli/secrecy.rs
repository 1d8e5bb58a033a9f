//! Who sees what: what proofs under a key hide, and under which assumption.
use assay_verifier::halo2::srs::Origin;
use assay_verifier::key::Key;
use console::style;
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
    /// The reference string that soundness rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    srs: Option<String>,
    /// Whether it was made on one machine, whose owner can forge proofs.
    insecure_srs: bool,
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
                srs: None,
                insecure_srs: false,
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
                why: "blinding factors hide perfectly; challenges are those of a random oracle",
                srs: Some(key.srs.digest().to_string()),
                insecure_srs: key.srs.origin == Origin::Insecure,
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
        if let Some(srs) = &self.srs {
            output.field("string", srs);
        }
        if self.insecure_srs {
            let warning = style("INSECURE SRS").red().bold();
            output.field("", format_args!("{warning}: it was made on one machine, whose owner can forge proofs"));
        }
    }
}
