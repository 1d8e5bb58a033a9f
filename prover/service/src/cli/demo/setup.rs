//! From a model in the binary to a prover and a checked key, with times and sizes.
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use assay_circuits::io::{self, Kind, NamedTensors};
use assay_circuits::onnx::{Declaration, NoExternalData};
use assay_circuits::report::Report;
use assay_circuits::tensor::Tensor;
use assay_circuits::{CompileOptions, Model};
use assay_prover::file::{CheckedFile, CircuitFile};
use assay_verifier::circuit::Limits;
use assay_verifier::key::{CheckedKey, Engine, Key};
use assay_verifier::wire;
use serde::Serialize;

use super::super::compile;
use super::super::output::{Output, bytes, duration, grouped, milliseconds};
use super::super::progress::Progress;
use super::super::secrecy::Secrecy;
use super::super::verify::soundness_bits;
use super::engine::Prover;

/// A compiled and committed model.
pub struct Setup {
    pub report: Report,
    pub key: Key,
    pub checked: CheckedKey,
    secrecy: Secrecy,
    soundness_bits: Option<f64>,
    compile_duration: Duration,
    key_duration: Duration,
    key_check_duration: Duration,
    circuit_size_bytes: usize,
    key_size_bytes: usize,
}

/// What programs are told about the model.
#[derive(Serialize)]
pub struct SetupAnswer<'a> {
    circuit: String,
    key: String,
    report: &'a Report,
    engine: String,
    hiding: bool,
    secrecy: &'a Secrecy,
    soundness_bits: Option<f64>,
    compile_duration_ms: f64,
    key_duration_ms: f64,
    key_check_duration_ms: f64,
    circuit_size_bytes: usize,
    key_size_bytes: usize,
}

impl Setup {
    /// Compiles a model, commits to its weights and checks the key as a verifier does.
    pub fn new(model: &[u8], calibration: &[u8], engine: Engine) -> Result<(Self, Prover)> {
        let model = Model::from_bytes(model, &NoExternalData)?;
        let start = Instant::now();
        let progress = Progress::steps(6, "Compiling");
        let calibration = Some(samples(array(calibration, "inputs")?, &model.inputs(1)?)?);
        let compiled = compile::compile(&model, &CompileOptions { calibration, ..Default::default() }, &progress)?;
        let file = CircuitFile::new(compiled.circuit, compiled.weights, compiled.report)?;
        drop(progress);
        let compile_duration = start.elapsed();
        let circuit_size_bytes = wire::encode(&file).len();
        let report = file.report.clone();

        let start = Instant::now();
        let progress = Progress::spinner("Making the key");
        let (prover, key) = Prover::new(engine, CheckedFile::new(file)?, &progress)?;
        drop(progress);
        let key_duration = start.elapsed();
        let key_size_bytes = wire::encode(&key).len();
        let start = Instant::now();
        let checked = CheckedKey::new(&key, &Limits::default())?;
        let key_check_duration = start.elapsed();
        let setup = Self {
            report,
            secrecy: Secrecy::of(&key),
            soundness_bits: soundness_bits(&checked),
            key,
            checked,
            compile_duration,
            key_duration,
            key_check_duration,
            circuit_size_bytes,
            key_size_bytes,
        };
        Ok((setup, prover))
    }

    /// Shows the digests.
    pub fn show_digests(&self, output: &Output) {
        output.field("circuit", self.key.circuit().digest());
        output.field("key", self.key.digest());
    }

    /// Shows how the network is made.
    pub fn show_network(&self, output: &Output) {
        let operators = self.report.operators.iter().map(|(name, count)| format!("{count} {name}"));
        let operators = operators.collect::<Vec<_>>().join(", ");
        output.field("network", format_args!("{operators}; {} parameters", grouped(self.report.parameters)));
        output.field("integers", format_args!("{} bits", self.report.bits));
    }

    /// Shows how certain a verified proof is.
    pub fn show_certainty(&self, output: &Output) {
        match self.soundness_bits.map(f64::floor) {
            Some(bits) => output.field(
                "certainty",
                format_args!("{bits:.0} bits: to pass off a false statement takes about 2^{bits:.0} attempts"),
            ),
            None => output.field(
                "certainty",
                "as hard as discrete logarithms on the curve BN254 (about 100 bits), for all but who made the reference string",
            ),
        }
    }

    /// Shows times and sizes of what is done once, and of the answers.
    pub fn show_times(&self, answers: &Times, output: &Output) {
        let size = |what: &str, size: usize| format!("{what} {}", bytes(size as u64));
        let row = |cells: [&str; 5]| cells.map(String::from).to_vec();
        let circuit = size("circuit", self.circuit_size_bytes);
        let key = size("key", self.key_size_bytes);
        let (prove, prove_range) = spread(&answers.prove);
        let (verify, verify_range) = spread(&answers.verify);
        let proof = size("proof", answers.proof_size_bytes);
        let rows = [
            row(["once a model", "compile", &duration(self.compile_duration), "", &circuit]),
            row(["", "make the key", &duration(self.key_duration), "", &key]),
            row(["once a verifier", "check the key", &duration(self.key_check_duration), "", ""]),
            row(["each answer", "prove", &prove, &prove_range, &proof]),
            row(["", "verify", &verify, &verify_range, ""]),
        ];
        output.table(&["", "", ">median", &format!(">of {}", answers.prove.len()), ">size"], &rows);
    }

    /// What programs are told.
    pub fn answer(&self) -> SetupAnswer<'_> {
        SetupAnswer {
            circuit: self.key.circuit().digest().to_string(),
            key: self.key.digest().to_string(),
            report: &self.report,
            engine: self.key.engine().to_string(),
            hiding: self.secrecy.hiding,
            secrecy: &self.secrecy,
            soundness_bits: self.soundness_bits,
            compile_duration_ms: milliseconds(self.compile_duration),
            key_duration_ms: milliseconds(self.key_duration),
            key_check_duration_ms: milliseconds(self.key_check_duration),
            circuit_size_bytes: self.circuit_size_bytes,
            key_size_bytes: self.key_size_bytes,
        }
    }
}

/// Times of all answers, and the size of their largest proof.
#[derive(Default)]
pub struct Times {
    pub prove: Vec<Duration>,
    pub verify: Vec<Duration>,
    pub proof_size_bytes: usize,
}

impl Times {
    /// The times of several proofs: to prove, to verify, and the proof's size.
    pub fn of(proofs: impl Iterator<Item = (Duration, Duration, usize)> + Clone) -> Self {
        Self {
            prove: proofs.clone().map(|(prove, ..)| prove).collect(),
            verify: proofs.clone().map(|(_, verify, _)| verify).collect(),
            proof_size_bytes: proofs.map(|(.., size)| size).max().unwrap_or(0),
        }
    }
}

/// Median and range.
fn spread(durations: &[Duration]) -> (String, String) {
    let mut all = durations.to_vec();
    all.sort();
    (duration(all[all.len() / 2]), format!("{} to {}", duration(all[0]), duration(all[all.len() - 1])))
}

/// An array of an archive.
pub fn array(archive: &[u8], name: &str) -> Result<Tensor> {
    let arrays = io::decode(archive, Kind::Npz)?;
    let found = arrays.into_iter().find(|(other, _)| other.as_deref() == Some(name));
    Ok(found.with_context(|| format!("no array {name}"))?.1)
}

/// Samples for a model with one input.
pub fn samples(inputs: Tensor, declared: &[Declaration]) -> Result<Vec<NamedTensors>> {
    Ok(io::samples(vec![(Some("inputs".into()), inputs)], declared)?)
}
