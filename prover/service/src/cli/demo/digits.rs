//! Ten handwritten digits, recognised by a convolutional network that a service serves: ledger, service and worker in this process.
//!
//! Each digit is asked for over HTTP and paid for; answers come at once, proofs and settlements follow. One of them is audited from its bundle, and then
//! tampered with. Everything lies in a temporary folder that is removed at the end.
mod ask;
mod audit;
mod host;
mod show;

use anyhow::{Context, Result, ensure};
use assay_verifier::key::Engine;
use serde::Serialize;

use super::super::Verdict;
use super::super::output::{Output, milliseconds};
use super::super::progress::Progress;
use super::super::statement::largest;
use super::setup::array;
use crate::routes::models::ModelOut;
use ask::Asked;
use audit::{Audit, Tampered};
use host::Host;

const TEST: &[u8] = include_bytes!("../../../../../fixtures/digits_cnn_test.npz");

/// What a request costs.
const PRICE: u64 = 20;
/// What the payer puts into escrow.
const DEPOSIT: u64 = 1_000;
/// The digit that is audited.
const AUDITED: usize = 7;

/// One image with what became of it.
struct Shown {
    index: usize,
    label: usize,
    pixels: Vec<f64>,
    asked: Asked,
}

#[derive(Serialize)]
struct Answer<'a> {
    verified: bool,
    engine: String,
    hiding: bool,
    model: &'a ModelOut,
    images: Vec<ImageAnswer>,
    escrow_before: u64,
    escrow_after: u64,
    audit: &'a Audit,
    forgeries: &'a [Tampered],
}

#[derive(Serialize)]
struct ImageAnswer {
    test_image: usize,
    label: usize,
    answer: usize,
    outputs: Vec<i64>,
    verified: bool,
    job: String,
    answer_duration_ms: f64,
    proof_after_ms: Option<f64>,
    settled_after_ms: Option<f64>,
    proof_size_bytes: u64,
    settled_height: Option<u64>,
}

/// Runs the demo.
pub fn run(engine: Engine, output: &Output) -> Result<Verdict> {
    show::opening(output);
    let progress = Progress::spinner("Starting ledger, service and worker");
    let host = Host::start()?;
    progress.at(0, "Publishing the model");
    let model = host.publish(engine, PRICE)?;
    progress.at(0, "Putting money into escrow");
    let escrow_before = host.deposit(DEPOSIT)?;
    drop(progress);
    show::service(&host, &model, escrow_before, output);

    let mut images = Vec::new();
    let (tests, labels) = (array(TEST, "inputs")?, array(TEST, "labels")?.integers());
    let length = tests.values.len() / labels.len().max(1);
    let progress = Progress::steps(10, "Asking");
    for digit in 0..10 {
        let index = labels.iter().position(|&label| label == digit).context("each digit is in the test set")?;
        let pixels = tests.values[index * length..(index + 1) * length].to_vec();
        let asked = host.ask(&model, engine, &pixels)?;
        images.push(Shown { index, label: digit as usize, pixels, asked });
        progress.at(digit as u64 + 1, "Asking");
    }
    drop(progress);
    show::answers(&images, output);

    let progress = Progress::steps(20, "Proving and settling");
    host.follow(&mut images, &progress)?;
    drop(progress);
    let escrow_after = host.escrow()?;
    show::settlements(&images, (escrow_before, escrow_after), output);

    let (bundle, trust) = host.bundle(&images[AUDITED].asked)?;
    let audit = Audit::of(&bundle, &trust)?;
    show::audit(&audit, images[AUDITED].label, output);
    let forgeries = audit::tamper(&bundle, &trust)?;
    show::forgeries(&forgeries, output);
    let hiding = model.keys.iter().any(|key| key.private_input || key.private_weights);
    show::meaning(hiding, output);
    host.stop()?;

    let settled = images.iter().all(|image| image.asked.settled());
    let paid = escrow_before - escrow_after == 10 * PRICE;
    let verified = settled && paid && audit.verified && forgeries.iter().all(|forgery| forgery.refused);
    let shown = images.iter().map(Shown::answer).collect::<Result<_>>()?;
    output.json(&Answer {
        verified,
        engine: engine.to_string(),
        hiding,
        model: &model,
        images: shown,
        escrow_before,
        escrow_after,
        audit: &audit,
        forgeries: &forgeries,
    });
    Ok(if verified { Verdict::Fine } else { Verdict::Rejected })
}

impl Shown {
    /// The place of the largest score.
    fn best(&self) -> Result<usize> {
        let outputs = self.asked.job.outputs.as_deref().unwrap_or_default();
        ensure!(!outputs.is_empty(), "the service gave no answer");
        Ok(largest(&outputs[0].data))
    }

    fn answer(&self) -> Result<ImageAnswer> {
        let Asked { job, answered, proven, settled } = &self.asked;
        let outputs = job.outputs.as_deref().unwrap_or_default();
        Ok(ImageAnswer {
            test_image: self.index,
            label: self.label,
            answer: self.best()?,
            outputs: outputs.iter().filter_map(|tensor| tensor.integers.clone()).flatten().collect(),
            verified: self.asked.settled(),
            job: job.id.clone(),
            answer_duration_ms: milliseconds(*answered),
            proof_after_ms: proven.map(milliseconds),
            settled_after_ms: settled.map(milliseconds),
            proof_size_bytes: job.proof.as_ref().map_or(0, |proof| proof.size_bytes),
            settled_height: job.settled.as_ref().map(|settled| settled.height),
        })
    }
}
