//! `assay key`: what verifiers need of a circuit.
mod check;
mod compact;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use assay_verifier::key::{Engine, Key};
use assay_verifier::wire;
use clap::Args;
use serde::Serialize;

use super::output::{self, Output, milliseconds};
use super::problem::problem;
use super::progress::Progress;
use super::{Verdict, files};

const EXAMPLES: &str = "\
Examples:
  assay key model.circuit
  assay key model.circuit -o published/model.key
  assay key model.circuit --engine halo2 --srs ceremony.srs --private-weights
  assay key --check published/model.key --circuit model.circuit

The key holds the description, the commitment to the weights and a proof that they are in range; it does not hold the \
weights. Publish its digest: a proof means something only under a key whose digest the verifier trusts. --check derives \
anew what follows from what is at hand, and says what it confirmed and what stays trusted to the key's publisher.";

/// Make the key that verifiers of a circuit's proofs need, or check one
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The circuit
    #[arg(value_name = "FILE.circuit", required_unless_present = "check", conflicts_with = "check")]
    circuit: Option<PathBuf>,
    /// How statements are proven: sumcheck (fast, no setup, hides nothing) or halo2 (a few kilobytes, zero knowledge)
    #[arg(long, value_name = "ENGINE", default_value_t = Engine::Sumcheck, conflicts_with = "check")]
    engine: Engine,
    /// The reference string of the engine halo2 [default: one that is made on this machine, which is INSECURE]
    #[arg(long, value_name = "FILE.srs")]
    srs: Option<PathBuf>,
    /// Hide inputs: statements hold a commitment to them (engine halo2)
    #[arg(long, conflicts_with = "check")]
    private_input: bool,
    /// Hide weights: the key holds commitments to them (engine halo2)
    #[arg(long, conflicts_with = "check")]
    private_weights: bool,
    /// Where to write the key [default: FILE.key in the current folder]
    #[arg(long, short, value_name = "FILE.key", conflicts_with = "check")]
    output: Option<PathBuf>,
    /// Check this key: derive anew what follows from its description
    #[arg(long, value_name = "FILE.key")]
    check: Option<PathBuf>,
    /// What the key is said to be made of, to compare description and weights with
    #[arg(long = "circuit", value_name = "FILE.circuit", requires = "check")]
    compared: Option<PathBuf>,
}

#[derive(Serialize)]
struct Answer<'a> {
    file: &'a Path,
    file_size_bytes: usize,
    circuit: String,
    key: String,
    key_duration_ms: f64,
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    match (&arguments.check, &arguments.circuit) {
        (Some(key), _) => check::run(key, arguments.compared.as_deref(), arguments.srs.as_deref(), output),
        (None, Some(circuit)) => match arguments.engine {
            Engine::Halo2 => compact::make(circuit, arguments, output),
            Engine::Sumcheck if arguments.private_input || arguments.private_weights || arguments.srs.is_some() => {
                Err(problem("the engine sumcheck hides nothing and needs no string", "add --engine halo2"))
            }
            Engine::Sumcheck => make(circuit, arguments, output),
        },
        (None, None) => Err(problem("no circuit is named", "assay key FILE.circuit")),
    }
}

fn make(circuit: &Path, arguments: &Arguments, output: &Output) -> Result<Verdict> {
    let target = arguments.output.clone().unwrap_or_else(|| files::beside(circuit, "key"));
    files::check_target(&target)?;
    let file = files::load_circuit(circuit)?;
    let start = Instant::now();
    let progress = Progress::spinner("Committing to the weights");
    let prover = file.prover().map_err(|error| files::refused(circuit, &error))?;
    progress.at(0, "Proving that the weights are in range");
    let key = prover
        .prove_range()
        .map_err(|error| problem(format!("{}: {error}", circuit.display()), "the circuit is too large"))?;
    let elapsed = start.elapsed();
    let key = Key::from(key);
    let bytes = wire::encode(&key);
    files::write(&target, &bytes)?;
    drop(progress);
    let answer = Answer {
        file: &target,
        file_size_bytes: bytes.len(),
        circuit: key.circuit().digest().to_string(),
        key: key.digest().to_string(),
        key_duration_ms: milliseconds(elapsed),
    };
    output.field("key", format_args!("{} ({})", target.display(), output::bytes(bytes.len() as u64)));
    output.field("  digest", &answer.key);
    output.field("  circuit", &answer.circuit);
    output.field("made in", output::duration(elapsed));
    output.line("");
    output.field("next", format_args!("assay verify --key {} --proof FILE", target.display()));
    output.json(&answer);
    Ok(Verdict::Fine)
}
