//! `assay inspect`: what is in a file.
mod circuit;
mod model;

use std::path::PathBuf;

use anyhow::Result;
use assay_prover::file::CircuitFile;
use assay_prover::halo2::srs::SrsFile;
use assay_verifier::key::{Engine, Key};
use assay_verifier::statement::{Argument, Inputs, Proof};
use assay_verifier::wire::{self, File};
use clap::Args;
use serde::Serialize;

use super::output::{self, Output, grouped};
use super::problem::problem;
use super::{Verdict, files, srs};

const EXAMPLES: &str = "\
Examples:
  assay inspect model.onnx       operators, shapes, what proving would take
  assay inspect model.circuit    inputs, outputs, sizes, the compiler's report
  assay inspect model.key        inputs, outputs, soundness error by its sources
  assay inspect answer.proof     sizes and what it states, not verified
  assay inspect local.srs        size, digest and origin";

/// Show what is in a model, circuit, key, proof or reference string
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The file; its kind is told by its contents
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Batch size where a model leaves it open
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: u32,
}

/// What a proof file holds.
#[derive(Serialize)]
struct Answer<'a> {
    kind: &'static str,
    key: String,
    context: String,
    engine: String,
    inputs: &'a Inputs,
    outputs: &'a [Vec<i64>],
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    name: &'static str,
    bytes: usize,
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    let path = &arguments.file;
    let bytes = files::read(path)?;
    let head = |kind: &str| {
        output.field("file", format_args!("{} ({})", path.display(), output::bytes(bytes.len() as u64)));
        output.field("kind", kind);
    };
    match files::kind(&bytes) {
        Some((CircuitFile::MAGIC, ..)) => {
            let file = files::check_circuit(path, files::decode(path, &bytes)?)?;
            head("circuit with weights");
            circuit::show_file(&file, output);
        }
        Some((Key::MAGIC, ..)) => {
            let decoded: Key = files::decode(path, &bytes)?;
            let key = circuit::Key::check(path, &decoded)?;
            head(match decoded.engine() {
                Engine::Sumcheck => "verification key; its range proof verifies",
                Engine::Halo2 => "verification key; `assay key --check` derives anew what it commits to",
            });
            key.show(output);
        }
        Some((Proof::MAGIC, ..)) => {
            let decoded = files::decode(path, &bytes)?;
            head("proof, not verified here: that takes a key (assay verify)");
            proof(&decoded, output);
        }
        Some((SrsFile::MAGIC, ..)) => srs::inspect(path, &bytes, output)?,
        _ if path.extension().is_some_and(|extension| extension == "onnx") => {
            let model = model::Model::open(path, arguments.batch)?;
            head("ONNX model");
            model.show(output);
        }
        _ => {
            let what =
                format!("{} is not a circuit, key, proof or string of this version, nor named .onnx", path.display());
            return Err(problem(what, "name one of these; input files (.json, .npy, .npz) go to --input"));
        }
    }
    Ok(Verdict::Fine)
}

fn proof(proof: &Proof, output: &Output) {
    let statement = &proof.statement;
    let mut parts = vec![("statement", wire::bytes(statement).len())];
    match &proof.argument {
        Argument::Sumcheck(argument) => parts.extend([
            ("messages", wire::bytes(&argument.messages).len()),
            ("opening of the witness", wire::bytes(&argument.witness).len()),
            ("openings of weights", wire::bytes(&argument.weights).len()),
        ]),
        Argument::Halo2(argument) => parts.push(("messages", argument.messages.len())),
    }
    output.field("engine", proof.argument.engine());
    output.field("key", statement.key);
    output.field("context", if statement.context.is_empty() { "none".into() } else { hex::encode(&statement.context) });
    let integers = |tensors: &[Vec<i64>]| {
        let counts: Vec<String> = tensors.iter().map(|tensor| grouped(tensor.len() as u64)).collect();
        format!("{} integers", counts.join(", "))
    };
    match &statement.inputs {
        Inputs::Public(tensors) => output.field("inputs", integers(tensors)),
        Inputs::Private(_) => output.field("inputs", "private: a commitment"),
    }
    output.field("outputs", integers(&statement.outputs));
    output.heading("Sizes");
    let row = |(name, bytes): &(&str, usize)| vec![(*name).into(), output::bytes(*bytes as u64)];
    output.table(&["part", ">size"], &parts.iter().map(row).collect::<Vec<_>>());
    output.json(&Answer {
        kind: "proof",
        engine: proof.argument.engine().to_string(),
        key: statement.key.to_string(),
        context: hex::encode(&statement.context),
        inputs: &statement.inputs,
        outputs: &statement.outputs,
        parts: parts.into_iter().map(|(name, bytes)| Part { name, bytes }).collect(),
    });
}
