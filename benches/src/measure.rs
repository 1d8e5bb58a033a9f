//! Measuring one model end to end with this prover.
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use assay_circuits::eval::Weights;
use assay_circuits::onnx::{Declaration, Model, NoExternalData};
use assay_circuits::tensor::Tensor;
use assay_circuits::{CompileOptions, NamedTensors, compile, io};
use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::{Circuit, Limits};
use assay_verifier::key::CheckedKey;
use assay_verifier::{sumcheck, wire};
use serde::{Deserialize, Serialize};

use crate::machine;
use crate::models::random::Random;

/// What is measured of one model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// Compilation: from ONNX bytes to a circuit.
    pub compile_s: f64,
    /// Commitment to the weights and their range proof: once for a model.
    pub key_s: f64,
    /// Median of the library call, in a warm process.
    pub prove_s: f64,
    /// The first proof of the process.
    pub prove_first_s: f64,
    /// Median of the library call.
    pub verify_s: f64,
    /// Size of a proof file.
    pub proof_bytes: u64,
    /// Size of the key file.
    pub key_bytes: u64,
    /// Highest resident memory while proving, in a process that only loads and proves.
    pub prove_memory_bytes: u64,
    /// Samples that accuracy was compared on.
    pub samples: usize,
    /// Share of samples whose largest output is at the same place as in the float model; absent with one output.
    pub top1_agreement: Option<f64>,
    /// Mean error as a share of the output range.
    pub relative_mean_error: f64,
    /// Bits of soundness of the whole protocol.
    pub soundness_bits: f64,
}

/// A model with samples to compile and prove.
pub struct Subject {
    /// The model.
    pub model: Model,
    /// Calibration inputs.
    pub calibration: Option<Vec<NamedTensors>>,
    /// Inputs that are proven, first of all the first.
    pub tests: Vec<NamedTensors>,
}

impl Subject {
    /// One of the fixtures, by name.
    ///
    /// # Errors
    /// Its files are missing or malformed.
    pub fn fixture(name: &str) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
        let model = Model::open(&folder.join(format!("{name}.onnx")))?;
        let inputs = model.inputs(1)?;
        let read = |kind: &str| io::read_inputs(&folder.join(format!("{name}_{kind}.npz")), &inputs);
        Ok(Self { calibration: Some(read("calibration")?), tests: read("test")?, model })
    }

    /// One of the generated models, by name; its inputs are random.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn generated(name: &str) -> Result<Self> {
        let bytes = crate::models::by_name(name).with_context(|| format!("no model {name}"))?;
        let model = Model::from_bytes(&bytes, &NoExternalData)?;
        let mut random = Random::new(7);
        let declarations = model.inputs(1)?;
        let vocabulary = crate::models::vocabulary(name);
        let mut sample = || random_inputs(&declarations, vocabulary, &mut random);
        let calibration = (0..16).map(|_| sample()).collect();
        Ok(Self { calibration: Some(calibration), tests: (0..16).map(|_| sample()).collect(), model })
    }

    /// A fixture or a generated model.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn named(name: &str) -> Result<Self> {
        if crate::models::by_name(name).is_some() { Self::generated(name) } else { Self::fixture(name) }
    }
}

/// Random values for each input: numbers in -1 to 1, or tokens.
pub fn random_inputs(declarations: &[Declaration], vocabulary: Option<u32>, random: &mut Random) -> NamedTensors {
    let mut value = || match vocabulary {
        Some(end) => random.below(end).into(),
        None => random.uniform(),
    };
    let mut tensor = |dims: &[u32]| {
        let count: u32 = dims.iter().product();
        Tensor { dims: dims.to_vec(), values: (0..count).map(|_| value()).collect() }
    };
    declarations.iter().map(|input| (input.name.clone(), tensor(&input.dims))).collect()
}

/// A prover with the integers of one sample.
pub struct Ready {
    /// The prover.
    pub prover: Prover,
    /// The sample's integers.
    pub inputs: Vec<Vec<i64>>,
    /// How long compiling took in seconds.
    pub compile_s: f64,
}

/// Compiles a subject and commits to its weights.
///
/// # Errors
/// The model does not compile, or the sample does not fit.
pub fn ready(subject: &Subject) -> Result<Ready> {
    let start = Instant::now();
    let options = CompileOptions { calibration: subject.calibration.clone(), ..CompileOptions::default() };
    let compiled = compile(&subject.model, &options, &|_, _| {})?;
    let compile_s = start.elapsed().as_secs_f64();
    let prover = Prover::new(compiled.circuit, compiled.weights)?;
    let inputs = integers(&prover, &subject.tests[0])?;
    Ok(Ready { prover, inputs, compile_s })
}

/// A sample's integers, for each port.
///
/// # Errors
/// The sample does not fit.
pub fn integers(prover: &Prover, sample: &NamedTensors) -> Result<Vec<Vec<i64>>> {
    let checked = prover.key().circuit();
    let port = |port: &assay_verifier::circuit::Port| -> Result<Vec<i64>> {
        let tensor = sample.get(&port.name).with_context(|| format!("no input {}", port.name))?;
        let range = checked.range(port.node).context("ports name nodes")?;
        Ok(io::quantize(port, range, tensor)?)
    };
    checked.circuit().inputs.iter().map(port).collect()
}

/// Measures a model; proves `repeat` times and verifies every proof. Memory is left for [`prove_memory`].
///
/// # Errors
/// Any step fails.
pub fn measure(name: &str, repeat: usize) -> Result<Measurement> {
    let subject = Subject::named(name)?;
    let Ready { prover, inputs, compile_s } = ready(&subject)?;
    let start = Instant::now();
    let key = prover.prove_range()?;
    let mut key_s = start.elapsed().as_secs_f64();
    let again = Instant::now();
    drop(Prover::new(key.circuit.clone(), prover.weights().clone())?);
    key_s += again.elapsed().as_secs_f64();
    let checked = CheckedKey::new(&key, &Limits::default())?;
    let (_, soundness_bits) = sumcheck::security::soundness(&checked)?;
    let (mut prove, mut verify) = (Vec::new(), Vec::new());
    let mut proof_bytes = 0;
    for number in 0..repeat {
        let start = Instant::now();
        let proof = prover.prove(&inputs, &(number as u64).to_le_bytes())?;
        prove.push(start.elapsed().as_secs_f64());
        for _ in 0..5 {
            let start = Instant::now();
            sumcheck::verify(&checked, &proof)?;
            verify.push(start.elapsed().as_secs_f64());
        }
        proof_bytes = wire::encode(&proof).len() as u64;
    }
    let accuracy = accuracy(&subject, &prover)?;
    Ok(Measurement {
        compile_s,
        key_s,
        prove_first_s: prove[0],
        prove_s: median(&mut prove),
        verify_s: median(&mut verify),
        proof_bytes,
        key_bytes: wire::encode(&key).len() as u64,
        prove_memory_bytes: 0,
        samples: subject.tests.len(),
        top1_agreement: accuracy.top1_agreement,
        relative_mean_error: accuracy.relative_mean_error(),
        soundness_bits,
    })
}

/// Accuracy of the circuit against the float model on the test samples.
fn accuracy(subject: &Subject, prover: &Prover) -> Result<assay_circuits::report::Accuracy> {
    let graph = assay_circuits::compile::float_graph(&subject.model, 1)?;
    let ports = &prover.key().circuit().circuit().outputs;
    let mut pairs = Vec::new();
    for sample in &subject.tests {
        let floats = sample.iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
        let expected = assay_circuits::graph::eval::evaluate(&graph, &floats);
        let evaluation = prover.evaluate(&integers(prover, sample)?)?;
        let outputs = prover.outputs(&evaluation);
        ensure!(outputs.len() == graph.outputs.len(), "all outputs are there");
        let pair = |((port, integers), (_, node)): ((&assay_verifier::circuit::Port, &Vec<i64>), &(String, u32))| {
            let scale = 2f64.powi(-i32::from(port.scale));
            let actual: Vec<f64> = integers.iter().map(|&integer| integer as f64 * scale).collect();
            assay_circuits::compile::Compared { expected: expected[*node as usize].clone(), actual }
        };
        pairs.push(ports.iter().zip(&outputs).zip(&graph.outputs).map(pair).collect());
    }
    Ok(assay_circuits::compile::accuracy(&pairs))
}

impl Ready {
    /// Everything that proving needs, for a process of its own.
    ///
    /// # Errors
    /// Encoding fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let parts = (self.prover.key().circuit().circuit(), self.prover.weights(), &self.inputs);
        Ok(bincode::serde::encode_to_vec(parts, bincode::config::standard())?)
    }
}

/// Highest resident memory of a process that loads what [`Ready::to_bytes`] wrote and proves once.
///
/// # Errors
/// Any step fails.
pub fn prove_memory(bytes: &[u8]) -> Result<u64> {
    let ((circuit, weights, inputs), _): ((Circuit, Weights, Vec<Vec<i64>>), usize) =
        bincode::serde::decode_from_slice(bytes, bincode::config::standard())?;
    Prover::new(circuit, weights)?.prove(&inputs, &[])?;
    Ok(machine::peak_memory_bytes())
}

/// The middle value.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
