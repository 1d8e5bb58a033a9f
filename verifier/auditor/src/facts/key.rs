//! What a key says of what stands behind its proofs.
use assay_verifier::audit::Report;
use assay_verifier::halo2::srs::Origin;
use serde::Serialize;

use super::Lines;

/// What the key says, if it is the receipt's.
#[derive(Serialize)]
pub struct Secured {
    engine: String,
    hiding: bool,
    private_inputs: bool,
    private_weights: bool,
    srs: Option<String>,
    insecure_srs: bool,
    soundness_bits: Option<f64>,
}

impl Secured {
    /// What is known of the key, if it is the receipt's or a sample's.
    pub fn new(report: &Report) -> Option<Self> {
        let assurance = report.assurance?;
        let visibility = assurance.visibility;
        let [private_inputs, private_weights] = [
            visibility.is_some_and(|visibility| visibility.private_input),
            visibility.is_some_and(|visibility| visibility.private_weights),
        ];
        Some(Self {
            engine: assurance.engine.to_string(),
            hiding: private_inputs || private_weights,
            private_inputs,
            private_weights,
            srs: assurance.srs.map(|srs| srs.digest().to_string()),
            insecure_srs: assurance.srs.is_some_and(|srs| srs.origin == Origin::Insecure),
            soundness_bits: assurance.soundness_bits,
        })
    }

    /// For people.
    pub fn lines(&self, lines: &mut Lines) {
        let bits = self.soundness_bits.map(|bits| format!(", {} bits of soundness", bits.floor())).unwrap_or_default();
        lines.push(("engine", format!("{}{bits}", self.engine)));
        let hidden = match (self.private_inputs, self.private_weights) {
            (false, false) => "nothing",
            (true, false) => "the inputs",
            (false, true) => "the weights",
            (true, true) => "inputs and weights",
        };
        lines.push(("hidden", hidden.into()));
        lines.extend(self.srs.iter().map(|srs| ("string", srs.clone())));
        if self.insecure_srs {
            lines.push(("", "INSECURE SRS: it was made on one machine, whose owner can forge proofs".into()));
        }
    }
}
