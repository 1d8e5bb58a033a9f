//! `assay prove`: an answer with a proof of it.
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::CONTEXT_LEN_MAX;
use assay_verifier::{verify, wire};
use clap::Args;
use serde::Serialize;

use super::inputs::InputArguments;
use super::output::{self, Output, milliseconds};
use super::problem::problem;
use super::progress::Progress;
use super::statement::Named;
use super::{Verdict, files};

const EXAMPLES: &str = "\
Examples:
  assay prove model.circuit --input input.json --proof answer.proof
  assay prove model.circuit --input samples.npz --sample 3 --proof answer.proof --context 5f02c1
  assay prove model.circuit --key model.key --input input.json --proof answer.proof

The proof binds the key, all inputs, all outputs and the context. The context is any bytes of yours, such as the digest \
of a request: a proof that was made for one cannot be shown for another. The proof is verified before it is written.";

/// Evaluate a circuit on an input and prove the answer
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The circuit
    #[arg(value_name = "FILE.circuit")]
    circuit: PathBuf,
    /// The key that the proof must be for; it says the engine too [default: that of `assay key`, engine sumcheck]
    #[arg(long, short, value_name = "FILE.key")]
    key: Option<PathBuf>,
    #[command(flatten)]
    input: InputArguments,
    /// Where to write the proof
    #[arg(long, short, value_name = "OUT.proof")]
    proof: PathBuf,
    /// Bytes that the proof is bound to, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = parse_context)]
    context: Option<Context>,
}

/// Context bytes, as written on the command line.
#[derive(Clone, Debug)]
pub struct Context(pub Vec<u8>);

/// Reads a context.
pub fn parse_context(text: &str) -> Result<Context, String> {
    let bytes =
        hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|error| format!("not hexadecimal: {error}"))?;
    if bytes.len() > CONTEXT_LEN_MAX {
        return Err(format!("{} bytes are more than the limit of {CONTEXT_LEN_MAX}", bytes.len()));
    }
    Ok(Context(bytes))
}

#[derive(Serialize)]
struct Answer<'a> {
    file: &'a Path,
    proof_size_bytes: usize,
    circuit: String,
    key: String,
    context: String,
    sample: usize,
    outputs: Vec<Named<'a>>,
    prove_duration_ms: f64,
    verify_duration_ms: f64,
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    files::check_target(&arguments.proof)?;
    let context = arguments.context.as_ref().map_or(&[][..], |context| &context.0);
    let file = files::load_circuit(&arguments.circuit)?;
    let named: Option<Key> = arguments.key.as_deref().map(files::load).transpose()?;
    let inputs = arguments.input.integers(file.circuit(), output)?;
    let progress = Progress::spinner("Committing to the weights");
    let prover = file.prover().map_err(|error| files::refused(&arguments.circuit, &error))?;
    if let (Some(path), Some(key)) = (&arguments.key, &named)
        && key.digest() != prover.key().digest()
    {
        let what = format!("{} is not the key of {}", path.display(), arguments.circuit.display());
        return Err(problem(what, format!("assay key {}", arguments.circuit.display())));
    }
    progress.at(0, "Proving");
    let start = Instant::now();
    let proof = prover.prove(&inputs, context).map_err(|error| {
        problem(format!("{}: {error}", arguments.input.input.display()), "give inputs that fit the circuit")
    })?;
    let proven = start.elapsed();
    progress.at(0, "Verifying");
    let key = CheckedKey::from(prover.key().clone());
    let start = Instant::now();
    verify(&key, &proof).map_err(|error| {
        problem(format!("the proof does not verify ({error}); nothing was written"), "please report this as a defect")
    })?;
    let verified = start.elapsed();
    let bytes = wire::encode(&proof);
    files::write(&arguments.proof, &bytes)?;
    drop(progress);
    let circuit = key.circuit();
    let outputs = Named::all(&circuit.circuit().outputs, &proof.statement.outputs);
    outputs.iter().for_each(|named| named.show("output", output));
    output.field("proof", format_args!("{} ({})", arguments.proof.display(), output::bytes(bytes.len() as u64)));
    output.field("key", key.digest());
    if !context.is_empty() {
        output.field("context", hex::encode(context));
    }
    output.field("proven in", format_args!("{}, verified in {}", output::duration(proven), output::duration(verified)));
    output.line("");
    output.field("next", format_args!("assay verify --key FILE.key --proof {}", arguments.proof.display()));
    output.json(&Answer {
        file: &arguments.proof,
        proof_size_bytes: bytes.len(),
        circuit: circuit.digest().to_string(),
        key: key.digest().to_string(),
        context: hex::encode(context),
        sample: arguments.input.sample,
        outputs,
        prove_duration_ms: milliseconds(proven),
        verify_duration_ms: milliseconds(verified),
    });
    Ok(Verdict::Fine)
}
