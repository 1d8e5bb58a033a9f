//! What the receipt says.
use assay_verifier::receipt::{Backend, Claim, Program, Receipt};
use serde::Serialize;

use super::Lines;
use super::enclave::grade;
use super::time::date;

/// What the receipt says. It is the node's word as long as its check fails.
#[derive(Serialize)]
pub struct Said {
    chain_id: String,
    claim: &'static str,
    backend: &'static str,
    /// `production` or `simulated`.
    grade: &'static str,
    simulated: bool,
    request: String,
    receipt: String,
    model: String,
    circuit: Option<String>,
    /// SHA-256 of the file of a model in floating point.
    onnx: Option<String>,
    key: Option<String>,
    records: Vec<String>,
    node: String,
    pub(super) payer: String,
    pub(super) price: u64,
    time_ms: u64,
}

impl Said {
    /// What a receipt says.
    pub fn new(receipt: &Receipt) -> Self {
        let (circuit, onnx) = match receipt.program() {
            Some(Program::Circuit(circuit)) => (Some(circuit.to_string()), None),
            Some(Program::Onnx(file)) => (None, Some(file.to_string())),
            None => (None, None),
        };
        let grade = grade(receipt.grade);
        Self {
            chain_id: receipt.chain_id.clone(),
            claim: match receipt.claim {
                Claim::Proven => "proven",
                Claim::Attested => "attested",
                Claim::Proxied => "proxied",
                Claim::SignedOnly => "signed-only",
            },
            backend: match receipt.backend {
                Backend::Zkml => "zkml",
                Backend::Tee => "tee",
                Backend::Vanilla => "vanilla",
            },
            grade,
            simulated: grade == "simulated",
            request: receipt.request.to_string(),
            receipt: receipt.digest().to_string(),
            model: receipt.model.to_string(),
            circuit,
            onnx,
            key: receipt.proving.map(|proving| proving.key.to_string()),
            records: receipt.records.iter().map(ToString::to_string).collect(),
            node: receipt.node.to_string(),
            payer: receipt.payer.to_string(),
            price: receipt.price,
            time_ms: receipt.time_ms,
        }
    }

    /// The answer as such, for people.
    pub fn lines(&self) -> Lines {
        let simulated = if self.simulated { ", SIMULATED" } else { "" };
        vec![
            ("claim", format!("{} by {}{simulated}", self.claim, self.backend)),
            ("chain", self.chain_id.clone()),
            ("request", self.request.clone()),
            ("receipt", self.receipt.clone()),
            ("answered", format!("{} by the node's clock", date(self.time_ms))),
            ("model", self.model.clone()),
        ]
    }

    /// What the model is.
    pub fn program(&self, lines: &mut Lines) {
        lines.extend(self.circuit.iter().map(|circuit| ("circuit", circuit.clone())));
        lines.extend(self.onnx.iter().map(|file| ("ONNX file", file.clone())));
        lines.extend(self.key.iter().map(|key| ("key", key.clone())));
    }

    /// Who answered.
    pub fn node(&self, lines: &mut Lines) {
        lines.push(("node", self.node.clone()));
    }
}
