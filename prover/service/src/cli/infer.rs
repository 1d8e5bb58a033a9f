//! `assay infer`: the answer alone, exactly as a proof would state it.
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::inputs::InputArguments;
use super::output::{Output, duration, milliseconds};
use super::problem::problem;
use super::statement::Named;
use super::{Verdict, files};

const EXAMPLES: &str = "\
Examples:
  assay infer model.circuit --input input.json
  assay infer model.circuit --input samples.npz --sample 3 --output answer.json

The circuit computes in integers; the answer is the very one that `assay prove` proves. The output file holds reals as \
input files do, nested lists for each output.";

/// Evaluate a circuit on an input, without a proof
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The circuit
    #[arg(value_name = "FILE.circuit")]
    circuit: PathBuf,
    #[command(flatten)]
    input: InputArguments,
    /// Where to write the outputs as JSON
    #[arg(long, short, value_name = "OUT.json")]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Answer<'a> {
    circuit: String,
    sample: usize,
    outputs: Vec<Named<'a>>,
    infer_duration_ms: f64,
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    if let Some(path) = &arguments.output {
        files::check_target(path)?;
    }
    let file = files::load_circuit(&arguments.circuit)?;
    let inputs = arguments.input.integers(file.circuit(), output)?;
    let start = Instant::now();
    let integers = file.evaluate(&inputs).map_err(|error| {
        problem(format!("{}: {error}", arguments.input.input.display()), "give inputs that fit the circuit")
    })?;
    let elapsed = start.elapsed();
    let outputs = Named::all(&file.circuit().circuit().outputs, &integers);
    if let Some(path) = &arguments.output {
        let nested: serde_json::Map<_, _> = outputs.iter().map(|named| (named.name().into(), named.nested())).collect();
        let mut text = serde_json::to_string(&nested)?;
        text.push('\n');
        files::write(path, text.as_bytes())?;
    }
    outputs.iter().for_each(|named| named.show("output", output));
    output.field("evaluated in", duration(elapsed));
    if let Some(path) = &arguments.output {
        output.field("written to", path.display());
    }
    output.json(&Answer {
        circuit: file.circuit().digest().to_string(),
        sample: arguments.input.sample,
        outputs,
        infer_duration_ms: milliseconds(elapsed),
    });
    Ok(Verdict::Fine)
}
