//! What is known: what the receipt says, and what records, headers and documents say whose checks hold.
mod enclave;
mod fetched;
mod key;
mod ledger;
mod said;
mod sample;
mod tensors;
mod time;
mod upstream;

use assay_verifier::audit::{Bundle, Report};
use serde::Serialize;

pub use ledger::words;

use enclave::Enclave;
use fetched::FetchedRecord;
use key::Secured;
use ledger::Recorded;
use said::Said;
use sample::SampleFacts;
use tensors::{Floats, Named, floats, named};
use upstream::Upstream;

/// Labels and values, for people.
pub type Lines = Vec<(&'static str, String)>;

/// All of it.
#[derive(Serialize)]
pub struct Facts {
    receipt: Said,
    /// What was passed on, of the claim `proxied`.
    upstream: Option<Upstream>,
    key: Option<Secured>,
    /// The node's enclave, of the backend `tee`.
    enclave: Option<Enclave>,
    ledger: Recorded,
    sample: Option<SampleFacts>,
    /// Fetched data that inputs were taken from.
    records: Vec<FetchedRecord>,
    inputs: Option<Vec<Named>>,
    outputs: Option<Vec<Named>>,
    /// Tensors of a model in floating point.
    real_inputs: Option<Vec<Floats>>,
    real_outputs: Option<Vec<Floats>>,
}

impl Facts {
    /// What is known after an audit.
    pub fn new(bundle: &Bundle, report: &Report) -> Self {
        let receipt = &bundle.receipt.receipt;
        let shown = report.shown.as_ref();
        let ports = shown.and_then(|shown| shown.ports.as_ref());
        let reals = report.reals.as_ref();
        Self {
            receipt: Said::new(receipt),
            upstream: Upstream::new(receipt),
            key: Secured::new(report),
            enclave: Enclave::new(report),
            ledger: Recorded::new(report),
            sample: report.sample.as_ref().map(SampleFacts::new),
            records: fetched::list(receipt, report),
            inputs: shown.and_then(|shown| {
                Some(named(ports.map(|ports| ports.inputs.as_slice()), shown.answer.inputs.public()?))
            }),
            outputs: shown.map(|shown| named(ports.map(|ports| ports.outputs.as_slice()), &shown.answer.outputs)),
            real_inputs: reals.map(|reals| floats(&reals.inputs)),
            real_outputs: reals.map(|reals| floats(&reals.outputs)),
        }
    }

    /// For people.
    pub fn lines(&self) -> Lines {
        let mut lines = self.receipt.lines();
        self.ledger.publisher(&mut lines);
        self.receipt.program(&mut lines);
        self.upstream.iter().for_each(|upstream| upstream.lines(&mut lines));
        self.records.iter().for_each(|record| record.lines(&mut lines));
        self.receipt.node(&mut lines);
        self.ledger.endpoint(&mut lines);
        self.enclave.iter().for_each(|enclave| enclave.lines(&mut lines));
        self.key.iter().for_each(|key| key.lines(&mut lines));
        self.ledger.settlement(&self.receipt, &mut lines);
        lines.extend(self.sample.iter().map(|sample| ("sample", sample.line())));
        self.ledger.state(&mut lines);
        for (label, tensors) in [("input", &self.inputs), ("output", &self.outputs)] {
            lines.extend(tensors.iter().flatten().map(|tensor| (label, tensor.line())));
        }
        for (label, tensors) in [("input", &self.real_inputs), ("output", &self.real_outputs)] {
            lines.extend(tensors.iter().flatten().map(|tensor| (label, tensor.line())));
        }
        lines
    }
}
