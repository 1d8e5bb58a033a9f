//! `assay demo`: everything at once, without any files.
//!
//! The model, its calibration inputs and its test inputs are part of the binary.
mod forgery;
mod show;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use assay_circuits::io::{self, Kind, NamedTensors};
use assay_circuits::onnx::{Declaration, NoExternalData};
use assay_circuits::report::Report;
use assay_circuits::tensor::Tensor;
use assay_circuits::{CompileOptions, Model};
use assay_prover::file::{CheckedFile, CircuitFile};
use assay_verifier::circuit::Limits;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::Proof;
use assay_verifier::sumcheck::{self, security};
use assay_verifier::wire;
use clap::Args;
use serde::Serialize;

use super::output::{Output, milliseconds};
use super::progress::Progress;
use super::statement::largest;
use super::{Verdict, compile, inputs};
use forgery::Forgery;

const MODEL: &[u8] = include_bytes!("../../../../fixtures/digits_cnn.onnx");
const CALIBRATION: &[u8] = include_bytes!("../../../../fixtures/digits_cnn_calibration.npz");
const TEST: &[u8] = include_bytes!("../../../../fixtures/digits_cnn_test.npz");

const EXPLANATION: &str = "\
A small convolutional network is compiled, its weights are committed, and it reads ten handwritten digits that it was \
not trained on. Each answer is proven and verified. Then answers are forged, and refused.";

/// See it work: ten handwritten digits, recognised and proven; needs no files
#[derive(Args)]
#[command(after_help = EXPLANATION)]
pub struct Arguments {}

/// A compiled and committed model.
struct Setup {
    report: Report,
    key: Key,
    checked: CheckedKey,
    compile_duration: Duration,
    key_duration: Duration,
    key_check_duration: Duration,
    circuit_size_bytes: usize,
    key_size_bytes: usize,
    soundness_bits: f64,
}

/// One image with its answer.
struct Shown {
    index: usize,
    label: usize,
    answer: usize,
    pixels: Vec<f64>,
    proof: Proof,
    verdict: Result<(), sumcheck::VerifyError>,
    prove_duration: Duration,
    verify_duration: Duration,
    proof_size_bytes: usize,
}

#[derive(Serialize)]
struct Answer<'a> {
    circuit: String,
    key: String,
    report: &'a Report,
    images: Vec<ImageAnswer>,
    forgeries: &'a [Forgery],
    verified: bool,
    hiding: bool,
    soundness_bits: f64,
    compile_duration_ms: f64,
    key_duration_ms: f64,
    key_check_duration_ms: f64,
    circuit_size_bytes: usize,
    key_size_bytes: usize,
}

#[derive(Serialize)]
struct ImageAnswer {
    test_image: usize,
    label: usize,
    answer: usize,
    outputs: Vec<i64>,
    verified: bool,
    prove_duration_ms: f64,
    verify_duration_ms: f64,
    proof_size_bytes: usize,
}

/// Runs the command.
pub fn run(_: &Arguments, output: &Output) -> Result<Verdict> {
    show::opening(output);
    let model = Model::from_bytes(MODEL, &NoExternalData)?;
    let declared = model.inputs(1)?;
    let start = Instant::now();
    let progress = Progress::steps(6, "Compiling");
    let calibration = Some(samples(array(CALIBRATION, "inputs")?, &declared)?);
    let compiled = compile::compile(&model, &CompileOptions { calibration, ..CompileOptions::default() }, &progress)?;
    let file = CircuitFile::new(compiled.circuit, compiled.weights, compiled.report)?;
    drop(progress);
    let compile_duration = start.elapsed();
    let circuit_size_bytes = wire::encode(&file).len();
    let report = file.report.clone();

    let start = Instant::now();
    let progress = Progress::spinner("Making the key");
    let prover = CheckedFile::new(file)?.prover()?;
    let key = prover.prove_range()?;
    drop(progress);
    let key_duration = start.elapsed();
    let key_size_bytes = wire::encode(&key).len();
    let start = Instant::now();
    let checked = CheckedKey::new(&key, &Limits::default())?;
    let key_check_duration = start.elapsed();
    let (_, soundness_bits) = security::soundness(&checked)?;
    let setup = Setup {
        report,
        key,
        checked,
        compile_duration,
        key_duration,
        key_check_duration,
        circuit_size_bytes,
        key_size_bytes,
        soundness_bits,
    };
    show::setup(&setup, output);

    let tests = samples(array(TEST, "inputs")?, &declared)?;
    let labels = array(TEST, "labels")?.integers();
    let progress = Progress::steps(10, "Proving and verifying");
    let mut images = Vec::new();
    for digit in 0..10 {
        let index = labels.iter().position(|&label| label == digit).context("each digit is in the test set")?;
        let integers = inputs::quantize(setup.checked.circuit(), &tests[index])?;
        let start = Instant::now();
        let proof = prover.prove(&integers, &[])?;
        let prove_duration = start.elapsed();
        let start = Instant::now();
        let verdict = sumcheck::verify(&setup.checked, &proof);
        let verify_duration = start.elapsed();
        let reals = io::dequantize(&setup.key.circuit.outputs[0], &proof.statement.outputs[0]);
        images.push(Shown {
            index,
            label: digit as usize,
            answer: largest(&reals.values),
            pixels: tests[index].values().flat_map(|tensor| tensor.values.clone()).collect(),
            proof_size_bytes: wire::encode(&proof).len(),
            proof,
            verdict,
            prove_duration,
            verify_duration,
        });
        progress.at(digit as u64 + 1, "Proving and verifying");
    }
    drop(progress);
    show::images(&images, output);
    let forgeries = forgery::attempt(&setup.checked, &images[7].proof);
    show::forgeries(&images[7], &forgeries, output);
    show::meaning(&setup, output);
    show::numbers(&setup, &images, output);
    let good = images.iter().all(|image| image.verdict.is_ok()) && forgeries.iter().all(|forgery| forgery.refused);
    output.json(&answer(&setup, &images, &forgeries, good));
    Ok(if good { Verdict::Fine } else { Verdict::Rejected })
}

/// An array of an archive.
fn array(archive: &[u8], name: &str) -> Result<Tensor> {
    let arrays = io::decode(archive, Kind::Npz)?;
    let found = arrays.into_iter().find(|(other, _)| other.as_deref() == Some(name));
    Ok(found.with_context(|| format!("no array {name}"))?.1)
}

fn samples(inputs: Tensor, declared: &[Declaration]) -> Result<Vec<NamedTensors>> {
    Ok(io::samples(vec![(Some("inputs".into()), inputs)], declared)?)
}

fn answer<'a>(setup: &'a Setup, images: &[Shown], forgeries: &'a [Forgery], verified: bool) -> Answer<'a> {
    let image = |image: &Shown| ImageAnswer {
        test_image: image.index,
        label: image.label,
        answer: image.answer,
        outputs: image.proof.statement.outputs.concat(),
        verified: image.verdict.is_ok(),
        prove_duration_ms: milliseconds(image.prove_duration),
        verify_duration_ms: milliseconds(image.verify_duration),
        proof_size_bytes: image.proof_size_bytes,
    };
    Answer {
        circuit: setup.key.circuit.digest().to_string(),
        key: setup.key.digest().to_string(),
        report: &setup.report,
        images: images.iter().map(image).collect(),
        forgeries,
        verified,
        hiding: false,
        soundness_bits: setup.soundness_bits,
        compile_duration_ms: milliseconds(setup.compile_duration),
        key_duration_ms: milliseconds(setup.key_duration),
        key_check_duration_ms: milliseconds(setup.key_check_duration),
        circuit_size_bytes: setup.circuit_size_bytes,
        key_size_bytes: setup.key_size_bytes,
    }
}
