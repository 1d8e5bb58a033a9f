//! `assay prove`: an answer with a proof of it.
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use assay_prover::file::CheckedFile;
use assay_prover::halo2::secret::Secret;
use assay_verifier::circuit::Limits;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::{CONTEXT_LEN_MAX, Proof};
use assay_verifier::{halo2, verify, wire};
use clap::Args;
use serde::Serialize;

use super::inputs::InputArguments;
use super::output::{self, Output, milliseconds};
use super::problem::problem;
use super::progress::Progress;
use super::statement::Named;
use super::{Verdict, compact, files};

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
    /// The key that the proof must be for; it says the engine too [default: that of `assay key`, engine sumcheck]. The secret
    /// of private weights lies beside it
    #[arg(long, short, value_name = "FILE.key")]
    key: Option<PathBuf>,
    /// The reference string of a key of the engine halo2 [default: the one of this machine]
    #[arg(long, value_name = "FILE.srs", requires = "key")]
    srs: Option<PathBuf>,
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
    /// Where the salt of private inputs is.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<PathBuf>,
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
    let progress = Progress::spinner("Getting ready");
    let Proven { key, proof, salt, elapsed: proven } = match named {
        Some(Key::Halo2(key)) => prove_halo2(arguments, key, &file, &inputs, context, &progress)?,
        named => prove_sumcheck(arguments, named.as_ref(), file, &inputs, context, &progress)?,
    };
    progress.at(0, "Verifying");
    let start = Instant::now();
    verify(&key, &proof).map_err(|error| {
        problem(format!("the proof does not verify ({error}); nothing was written"), "please report this as a defect")
    })?;
    let verified = start.elapsed();
    let bytes = wire::encode(&proof);
    // The salt first: a commitment that nobody can open is worth nothing.
    let secret = salt.map(|salt| compact::write_secret(&arguments.proof, &salt)).transpose()?;
    files::write(&arguments.proof, &bytes)?;
    drop(progress);
    let circuit = key.circuit();
    let outputs = Named::all(&circuit.circuit().outputs, &proof.statement.outputs);
    outputs.iter().for_each(|named| named.show("output", output));
    output.field("proof", format_args!("{} ({})", arguments.proof.display(), output::bytes(bytes.len() as u64)));
    output.field("key", key.digest());
    if let Some(secret) = &secret {
        output.field("secret", format_args!("{}: opens the commitment to the inputs", secret.display()));
    }
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
        secret,
        prove_duration_ms: milliseconds(proven),
        verify_duration_ms: milliseconds(verified),
    });
    Ok(Verdict::Fine)
}

/// A proof that is not verified yet.
struct Proven {
    key: CheckedKey,
    proof: Proof,
    salt: Option<Secret>,
    elapsed: Duration,
}

fn prove_sumcheck(
    arguments: &Arguments,
    named: Option<&Key>,
    file: CheckedFile,
    inputs: &[Vec<i64>],
    context: &[u8],
    progress: &Progress,
) -> Result<Proven> {
    progress.at(0, "Committing to the weights");
    let prover = file.prover().map_err(|error| files::refused(&arguments.circuit, &error))?;
    if let (Some(path), Some(key)) = (&arguments.key, named)
        && key.digest() != prover.key().digest()
    {
        return Err(other_key(path, &arguments.circuit));
    }
    progress.at(0, "Proving");
    let start = Instant::now();
    let proof = prover.prove(inputs, context).map_err(|error| unfit(arguments, &error))?;
    let elapsed = start.elapsed();
    Ok(Proven { key: CheckedKey::from(prover.key().clone()), proof, salt: None, elapsed })
}

fn prove_halo2(
    arguments: &Arguments,
    key: halo2::key::Key,
    file: &CheckedFile,
    inputs: &[Vec<i64>],
    context: &[u8],
    progress: &Progress,
) -> Result<Proven> {
    let path = arguments.key.as_deref().unwrap_or(Path::new(""));
    if key.circuit.digest() != file.circuit().digest() {
        return Err(other_key(path, &arguments.circuit));
    }
    let secret = key.visibility.private_weights.then(|| compact::read_secret(path)).transpose()?;
    let checked = halo2::key::CheckedKey::new(&key, &Limits::default())
        .map_err(|error| problem(format!("{}: {error}", path.display()), "make the key again"))?;
    progress.at(0, "Getting the reference string and the proving key");
    let prover = compact::prover(checked, file, arguments.srs.as_deref(), secret)?;
    progress.at(0, "Proving");
    let start = Instant::now();
    let proven = prover.prove(inputs, context).map_err(|error| unfit(arguments, &error))?;
    let elapsed = start.elapsed();
    Ok(Proven { key: CheckedKey::from(prover.key().clone()), proof: proven.proof, salt: proven.salt, elapsed })
}

fn other_key(key: &Path, circuit: &Path) -> anyhow::Error {
    let what = format!("{} is not the key of {}", key.display(), circuit.display());
    problem(what, format!("assay key {}", circuit.display()))
}

fn unfit(arguments: &Arguments, error: &dyn std::fmt::Display) -> anyhow::Error {
    problem(format!("{}: {error}", arguments.input.input.display()), "give inputs that fit the circuit")
}
