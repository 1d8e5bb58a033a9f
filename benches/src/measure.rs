//! Measuring one model end to end with this prover.
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use assay_circuits::eval::Weights;
use assay_circuits::{CompileOptions, NamedTensors, compile, io};
use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::{Circuit, Limits, Port};
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::{sumcheck, verify as verify_proof, wire};
use serde::{Deserialize, Serialize};

use crate::accuracy::{Accuracy, accuracy};
use crate::machine;
use crate::subject::Subject;

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
    /// The integers against the float model.
    pub accuracy: Accuracy,
    /// Bits of soundness of the whole protocol.
    pub soundness_bits: f64,
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
    let port = |port: &Port| -> Result<Vec<i64>> {
        let tensor = sample.get(&port.name).with_context(|| format!("no input {}", port.name))?;
        let range = checked.range(port.node).context("ports name nodes")?;
        Ok(io::quantize(port, range, tensor)?)
    };
    checked.circuit().inputs.iter().map(port).collect()
}

/// Measures a model; proves `repeat` times and verifies every proof. What [`prove_memory`] needs is written to a file.
///
/// # Errors
/// Any step fails.
pub fn measure(name: &str, repeat: usize, prepared: &Path) -> Result<Measurement> {
    let subject = Subject::named(name)?;
    let ready = ready(&subject)?;
    std::fs::write(prepared, ready.to_bytes()?)?;
    let Ready { prover, inputs, compile_s } = ready;
    let start = Instant::now();
    let key = prover.prove_range()?;
    let mut key_s = start.elapsed().as_secs_f64();
    let again = Instant::now();
    drop(Prover::new(key.circuit.clone(), prover.weights().clone())?);
    key_s += again.elapsed().as_secs_f64();
    let (_, soundness_bits) = sumcheck::security::soundness(prover.key())?;
    let key = Key::from(key);
    let checked = CheckedKey::new(&key, &Limits::default())?;
    let (mut prove, mut verify) = (Vec::new(), Vec::new());
    let mut proof_bytes = 0;
    for number in 0..repeat {
        let start = Instant::now();
        let proof = prover.prove(&inputs, &(number as u64).to_le_bytes())?;
        prove.push(start.elapsed().as_secs_f64());
        for _ in 0..5 {
            let start = Instant::now();
            verify_proof(&checked, &proof)?;
            verify.push(start.elapsed().as_secs_f64());
        }
        proof_bytes = wire::encode(&proof).len() as u64;
    }
    Ok(Measurement {
        compile_s,
        key_s,
        prove_first_s: prove[0],
        prove_s: median(&mut prove),
        verify_s: median(&mut verify),
        proof_bytes,
        key_bytes: wire::encode(&key).len() as u64,
        prove_memory_bytes: 0,
        accuracy: accuracy(&subject, &prover)?,
        soundness_bits,
    })
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

/// Highest resident memory of a process that loads what [`measure`] wrote and proves once.
///
/// # Errors
/// Any step fails.
pub fn prove_memory(prepared: &Path) -> Result<u64> {
    let bytes = std::fs::read(prepared)?;
    let ((circuit, weights, inputs), _): ((Circuit, Weights, Vec<Vec<i64>>), usize) =
        bincode::serde::decode_from_slice(&bytes, bincode::config::standard())?;
    drop(bytes);
    Prover::new(circuit, weights)?.prove(&inputs, &[])?;
    Ok(machine::peak_memory_bytes())
}

/// The middle value.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
