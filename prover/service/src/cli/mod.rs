//! The command line: one file for each command, and what they share.
mod access;
mod bundle;
mod client;
mod compact;
mod compile;
mod demo;
mod drawing;
mod evm;
mod files;
mod infer;
mod inputs;
mod inspect;
mod key;
mod node;
mod output;
mod problem;
mod progress;
mod prove;
mod proxy;
mod secrecy;
mod serve;
mod srs;
mod statement;
mod verify;
mod worker;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::config::ConfigError;
use output::{Format, Output};
use problem::{Problem, problem};

const ABOUT: &str = "\
Assay compiles a machine-learning model (ONNX) to a circuit, answers with it, and proves that an answer came from this \
very model. A proof is checked with a small key, without the model's weights and without running it.";

const GUIDE: &str = "\
From a model to a checked answer:
  assay compile model.onnx --calibrate samples.npz     model.circuit: what the prover needs
  assay key model.circuit                              model.key: what verifiers need
  assay prove model.circuit --input input.json --proof answer.proof
  assay verify --key model.key --proof answer.proof

To see it work first, without any files:
  assay demo

Exit codes: 0 fine, 1 verification failed, 2 usage or input error.";

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nengine   sumcheck v1 (Goldilocks, WHIR, BLAKE3)",
    "\nfiles    circuit ASSAYCF1, key ASSAYKY2, proof ASSAYPF2, srs ASSAYSR1",
    "\nmodels   ONNX, operator sets 9 to 21",
);

#[derive(Parser)]
#[command(name = "assay", version, long_version = VERSION, about = ABOUT, after_help = GUIDE, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object on standard output and nothing else
    #[arg(long, global = true)]
    json: bool,
    /// Number of threads to compute with; by default one for each core
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Compile(compile::Arguments),
    Infer(infer::Arguments),
    Key(key::Arguments),
    Prove(prove::Arguments),
    Verify(verify::Arguments),
    Inspect(inspect::Arguments),
    Srs(srs::Arguments),
    Evm(evm::Arguments),
    Serve(serve::Arguments),
    Worker(worker::Arguments),
    Proxy(proxy::Arguments),
    Access(access::Arguments),
    #[command(subcommand)]
    Bundle(bundle::Command),
    Node(node::Arguments),
    Client(client::Arguments),
}

/// How a command ended, if it did what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    Rejected,
}

/// What `--json` prints when a command could not do what it was asked for.
#[derive(Serialize)]
struct Failure<'a> {
    error: &'a str,
    next: Option<&'a str>,
}

/// Parses the arguments and runs the command.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(if arguments.json { Format::Json } else { Format::Text });
    match run(arguments, &output) {
        Ok(Verdict::Fine) => ExitCode::SUCCESS,
        Ok(Verdict::Rejected) => ExitCode::from(1),
        Err(error) => {
            let Problem { what, next } = Problem::of(&error);
            output.error(&what, next.as_deref());
            output.json(&Failure { error: &what, next: next.as_deref() });
            // The code that systems know for a configuration that is wrong.
            let configuration = error.downcast_ref::<ConfigError>().is_some();
            ExitCode::from(if configuration { 78 } else { 2 })
        }
    }
}

fn run(arguments: Arguments, output: &Output) -> Result<Verdict> {
    if let Some(threads) = arguments.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
        pool.map_err(|error| problem(format!("--threads {threads}: {error}"), "try fewer threads"))?;
    }
    match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments, output),
        Command::Compile(arguments) => compile::run(&arguments, output),
        Command::Infer(arguments) => infer::run(&arguments, output),
        Command::Key(arguments) => key::run(&arguments, output),
        Command::Prove(arguments) => prove::run(&arguments, output),
        Command::Verify(arguments) => verify::run(&arguments, output),
        Command::Inspect(arguments) => inspect::run(&arguments, output),
        Command::Srs(arguments) => srs::run(&arguments, output),
        Command::Evm(arguments) => evm::run(&arguments, output),
        Command::Serve(arguments) => serve::run(&arguments, output),
        Command::Worker(arguments) => worker::run(&arguments, output),
        Command::Proxy(arguments) => proxy::run(&arguments, output),
        Command::Access(arguments) => access::run(&arguments, output),
        Command::Bundle(command) => bundle::run(&command, output),
        Command::Node(arguments) => node::run(&arguments, output),
        Command::Client(arguments) => client::run(&arguments, output),
    }
}
