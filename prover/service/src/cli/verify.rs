//! `assay verify`: is a proof right under a key, and what does it state?
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use assay_verifier::circuit::Limits;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::{Inputs, Proof};
use assay_verifier::sumcheck::security;
use assay_verifier::verify;
use clap::Args;
use console::style;
use serde::Serialize;

use super::inputs::InputArguments;
use super::output::{self, Output, milliseconds};
use super::prove::{Context, parse_context};
use super::secrecy::Secrecy;
use super::statement::{NOT_PROVEN, Named, PROVEN};
use super::{Verdict, files};

const EXAMPLES: &str = "\
Examples:
  assay verify --key model.key --proof answer.proof
  assay verify --key model.key --proof answer.proof --context 5f02c1 --input input.json

A proof speaks of the inputs, outputs and context in it. Compare them with what you asked for: --input and --context do \
so, and refuse the proof if they differ. Exit code 0: verified; 1: refused; 2: could not be read.";

/// Verify a proof and print what it states
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The key, from someone you trust to name the right one
    #[arg(long, short, value_name = "FILE.key")]
    key: PathBuf,
    /// The proof
    #[arg(long, short, value_name = "FILE.proof")]
    proof: PathBuf,
    /// The context that the proof must be bound to, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = parse_context)]
    context: Option<Context>,
    /// A file with the input that the proof must be about
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Which sample of the input file, from 0 on
    #[arg(long, value_name = "N", default_value_t = 0, requires = "input")]
    sample: usize,
}

#[derive(Serialize)]
struct Answer<'a> {
    verified: bool,
    /// Why not.
    reason: Option<String>,
    engine: String,
    circuit: String,
    key: String,
    context: String,
    inputs: Vec<Named<'a>>,
    /// What the statement says of private inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_commitment: Option<Vec<String>>,
    outputs: Vec<Named<'a>>,
    proven: Option<&'static str>,
    not_proven: [&'static str; 2],
    hiding: bool,
    secrecy: Secrecy,
    soundness_bits: Option<f64>,
    proof_size_bytes: usize,
    key_duration_ms: f64,
    verify_duration_ms: f64,
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    let key: Key = files::load(&arguments.key)?;
    let bytes = files::read(&arguments.proof)?;
    let proof: Proof = files::decode(&arguments.proof, &bytes)?;
    let start = Instant::now();
    let checked = CheckedKey::new(&key, &Limits::default());
    let key_checked = start.elapsed();
    let start = Instant::now();
    let verdict = checked.as_ref().map(|checked| verify(checked, &proof));
    let verified = start.elapsed();
    let reason = match (verdict, &checked) {
        (Ok(Ok(())), Ok(checked)) => difference(arguments, checked, &proof, output)?,
        (Ok(Err(error)), _) => Some(error.to_string()),
        (Err(error), _) | (_, Err(error)) => Some(format!("{} is not a valid key: {error}", arguments.key.display())),
    };
    let statement = &proof.statement;
    let secrecy = Secrecy::of(&key);
    let soundness_bits = checked.as_ref().ok().and_then(soundness_bits);
    let answer = Answer {
        verified: reason.is_none(),
        proven: reason.is_none().then_some(PROVEN),
        reason,
        engine: key.engine().to_string(),
        circuit: key.circuit().digest().to_string(),
        key: key.digest().to_string(),
        context: hex::encode(&statement.context),
        inputs: Named::all(&key.circuit().inputs, statement.inputs.public().map_or(&[], Vec::as_slice)),
        input_commitment: match &statement.inputs {
            Inputs::Public(_) => None,
            Inputs::Private(commitment) => Some(commitment.0.iter().map(hex::encode).collect()),
        },
        outputs: Named::all(&key.circuit().outputs, &statement.outputs),
        not_proven: NOT_PROVEN,
        hiding: secrecy.hiding,
        secrecy,
        soundness_bits,
        proof_size_bytes: bytes.len(),
        key_duration_ms: milliseconds(key_checked),
        verify_duration_ms: milliseconds(verified),
    };
    match &answer.reason {
        None => show(&answer, output),
        Some(reason) => {
            output.line(style("REFUSED").red().bold());
            output.field("proof", arguments.proof.display());
            output.field("key", format_args!("{} {}", arguments.key.display(), answer.key));
            output.field("reason", reason);
            output.line("");
            output.paragraph("Do not rely on anything that this proof states.");
        }
    }
    output.json(&answer);
    Ok(if answer.verified { Verdict::Fine } else { Verdict::Rejected })
}

/// Compares the statement with what the user expects it to be; gives what differs.
fn difference(arguments: &Arguments, checked: &CheckedKey, proof: &Proof, output: &Output) -> Result<Option<String>> {
    if arguments.context.as_ref().is_some_and(|context| context.0 != proof.statement.context) {
        return Ok(Some("the proof is bound to another context".into()));
    }
    let Some(path) = &arguments.input else { return Ok(None) };
    if proof.statement.inputs.public().is_none() {
        return Ok(Some("the inputs are private: they cannot be compared with a file".into()));
    }
    let expected = InputArguments { input: path.clone(), sample: arguments.sample };
    let same = Some(&expected.integers(checked.circuit(), output)?) == proof.statement.inputs.public();
    let other = || format!("the proof is about other inputs than sample {} of {}", arguments.sample, path.display());
    Ok((!same).then(other))
}

pub fn soundness_bits(key: &CheckedKey) -> Option<f64> {
    match key {
        CheckedKey::Sumcheck(key) => Some(security::soundness(key).ok()?.1),
        CheckedKey::Halo2(_) => None,
    }
}

fn show(answer: &Answer<'_>, output: &Output) {
    output.line(style("VERIFIED").green().bold());
    output.heading("Statement");
    output.field("engine", &answer.engine);
    output.field("circuit", &answer.circuit);
    output.field("key", &answer.key);
    output.field("context", if answer.context.is_empty() { "none" } else { &answer.context });
    answer.inputs.iter().for_each(|named| named.show("input", output));
    for point in answer.input_commitment.iter().flatten() {
        output.field("inputs", format_args!("private, committed to by {point}"));
    }
    answer.outputs.iter().for_each(|named| named.show("output", output));
    output.heading("What it is worth");
    output.field("proven", PROVEN);
    NOT_PROVEN
        .iter()
        .enumerate()
        .for_each(|(place, text)| output.field(if place == 0 { "not proven" } else { "" }, text));
    answer.secrecy.show(output);
    if let Some(bits) = answer.soundness_bits.map(f64::floor) {
        output.field(
            "soundness",
            format_args!("{bits} bits: to pass off a false statement takes about 2^{bits} attempts"),
        );
    }
    let time = |milliseconds: f64| output::duration(Duration::from_secs_f64(milliseconds / 1e3));
    output.field("proof size", output::bytes(answer.proof_size_bytes as u64));
    output.field(
        "time",
        format_args!("{} for the key, {} for the proof", time(answer.key_duration_ms), time(answer.verify_duration_ms)),
    );
}
