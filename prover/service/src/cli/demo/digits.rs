//! Ten handwritten digits, recognised by a convolutional network.
mod show;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use assay_circuits::io;
use assay_circuits::onnx::Declaration;
use assay_verifier::key::{CheckedKey, Engine};
use assay_verifier::statement::Proof;
use assay_verifier::{VerifyError, verify, wire};
use serde::Serialize;

use super::super::output::{Output, milliseconds};
use super::super::progress::Progress;
use super::super::statement::largest;
use super::super::{Verdict, inputs};
use super::forgery::{Forgery, flip_bit};
use super::setup::{Setup, SetupAnswer, Times, array, samples};

const MODEL: &[u8] = include_bytes!("../../../../../fixtures/digits_cnn.onnx");
const CALIBRATION: &[u8] = include_bytes!("../../../../../fixtures/digits_cnn_calibration.npz");
const TEST: &[u8] = include_bytes!("../../../../../fixtures/digits_cnn_test.npz");

/// One image with its answer.
struct Shown {
    index: usize,
    label: usize,
    answer: usize,
    pixels: Vec<f64>,
    proof: Proof,
    verdict: Result<(), VerifyError>,
    prove_duration: Duration,
    verify_duration: Duration,
    proof_size_bytes: usize,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    setup: SetupAnswer<'a>,
    images: Vec<ImageAnswer>,
    forgeries: &'a [Forgery],
    verified: bool,
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

/// Runs the demo.
pub fn run(engine: Engine, output: &Output) -> Result<Verdict> {
    show::opening(output);
    let (setup, prover) = Setup::new(MODEL, CALIBRATION, engine)?;
    show::setup(&setup, output);
    let ports = &setup.key.circuit().inputs;
    let declared: Vec<_> = ports.iter().map(|port| Declaration::new(&port.name, port.dims.clone())).collect();
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
        let verdict = verify(&setup.checked, &proof);
        let verify_duration = start.elapsed();
        let reals = io::dequantize(&setup.key.circuit().outputs[0], &proof.statement.outputs[0]);
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
    let forgeries = forgeries(&setup.checked, &images[7].proof);
    output.heading(&format!("3  Forge: the proof of the {} above, changed", images[7].label));
    Forgery::show(&forgeries, output);
    show::meaning(&setup, output);
    show::numbers(&setup, &times(&images), output);
    let verified = images.iter().all(|image| image.verdict.is_ok()) && forgeries.iter().all(|forgery| forgery.refused);
    let shown = images.iter().map(Shown::answer).collect();
    output.json(&Answer { setup: setup.answer(), images: shown, forgeries: &forgeries, verified });
    Ok(if verified { Verdict::Fine } else { Verdict::Rejected })
}

fn forgeries(key: &CheckedKey, honest: &Proof) -> Vec<Forgery> {
    let scores: Vec<f64> = honest.statement.outputs[0].iter().map(|&score| score as f64).collect();
    let best = largest(&scores);
    let other = (best + 4) % scores.len();
    vec![
        Forgery::attempt(key, honest, format!("claim that the answer was {other}, not {best}"), |proof| {
            proof.statement.outputs[0].swap(best, other);
        }),
        Forgery::attempt(key, honest, "claim that the image was another: one pixel changed".into(), |proof| {
            if let Some(inputs) = proof.statement.inputs.public_mut() {
                inputs[0][28] = i64::from(inputs[0][28] == 0);
            }
        }),
        Forgery::attempt(key, honest, "use the proof for another request".into(), |proof| {
            proof.statement.context.push(1);
        }),
        Forgery::attempt(key, honest, "flip one bit of the proof".into(), flip_bit),
    ]
}

fn times(images: &[Shown]) -> Times {
    Times::of(images.iter().map(|image| (image.prove_duration, image.verify_duration, image.proof_size_bytes)))
}

impl Shown {
    fn answer(&self) -> ImageAnswer {
        ImageAnswer {
            test_image: self.index,
            label: self.label,
            answer: self.answer,
            outputs: self.proof.statement.outputs.concat(),
            verified: self.verdict.is_ok(),
            prove_duration_ms: milliseconds(self.prove_duration),
            verify_duration_ms: milliseconds(self.verify_duration),
            proof_size_bytes: self.proof_size_bytes,
        }
    }
}
