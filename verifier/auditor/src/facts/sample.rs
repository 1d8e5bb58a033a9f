//! What became of a settlement that was drawn to be proven after all.
use assay_verifier::settlement::sampling::{Outcome, Sample};
use serde::Serialize;

/// The outcome.
#[derive(Serialize)]
pub struct SampleFacts {
    /// `proven` or `missed`.
    outcome: &'static str,
    height: u64,
    proof: Option<String>,
    key: Option<String>,
    /// What the node's stake lost.
    lost: Option<u64>,
}

impl SampleFacts {
    /// What the ledger says.
    pub fn new(sample: &Sample) -> Self {
        let height = sample.height;
        match sample.outcome {
            Outcome::Proven(proof, key) => {
                let (proof, key) = (Some(proof.to_string()), Some(key.to_string()));
                Self { outcome: "proven", height, proof, key, lost: None }
            }
            Outcome::Missed(cut) => Self { outcome: "missed", height, proof: None, key: None, lost: Some(cut) },
        }
    }

    /// For people.
    pub fn line(&self) -> String {
        match self.lost {
            Some(lost) => format!("drawn and NOT proven by height {}: the node lost {lost} of its stake", self.height),
            None => format!("drawn and proven at height {}", self.height),
        }
    }
}
