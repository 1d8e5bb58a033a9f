//! `assay client`: a service elsewhere, from the command line. The same words and options as the local commands.
pub mod account;
mod bundle;
mod check;
mod http;
pub mod infer;
mod job;
mod publish;
mod quarantine;
mod receipt;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::Verdict;
use super::output::Output;

pub use http::Server;

const EXAMPLES: &str = "\
Examples:
  assay client check model.onnx --calibrate samples.npz
  assay client publish model.onnx --calibrate samples.npz --name digits --version 1 --price 20
  assay client infer digits --input one.json --wait
  assay client account deposit 1000 --payer payer.seed
  assay client infer digits --input one.json --payer payer.seed
  assay client job watch ID
  assay client bundle ID -o answer.assay && assay-verify answer.assay --trust trust.json";

/// Use a service: check and publish models, ask, follow proofs, fetch evidence
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Where the service is
    #[arg(long, value_name = "URL", env = "ASSAY_SERVER", default_value = "http://127.0.0.1:8080", global = true)]
    server: String,
    /// A file with an API key, if the service asks for one; or the variable ASSAY_API_KEY
    #[arg(long, value_name = "FILE", global = true)]
    api_key_file: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Arguments),
    Publish(publish::Arguments),
    Infer(infer::Arguments),
    #[command(subcommand)]
    Job(job::Command),
    Receipt(receipt::Arguments),
    Bundle(bundle::Arguments),
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    #[command(subcommand)]
    Account(account::Command),
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    let server = Server::new(&arguments.server, arguments.api_key_file.as_deref())?;
    match &arguments.command {
        Command::Check(arguments) => check::run(arguments, &server, output),
        Command::Publish(arguments) => publish::run(arguments, &server, output),
        Command::Infer(arguments) => infer::run(arguments, &server, output),
        Command::Job(command) => job::run(command, &server, output),
        Command::Receipt(arguments) => receipt::run(arguments, &server, output),
        Command::Bundle(arguments) => bundle::run(arguments, &server, output),
        Command::Quarantine(command) => quarantine::run(command, &server, output),
        Command::Account(command) => account::run(command, &server, output),
    }
}
