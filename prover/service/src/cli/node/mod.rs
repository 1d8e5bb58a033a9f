//! `assay node`: a node on a ledger elsewhere, and the attestation of its enclave.
mod attester;
mod chain;
mod register;
mod status;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::Verdict;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  assay node attester --attester attester.seed                      its roots for a genesis, and what it measures
  assay node binding --key node.seed                                what a document of an enclave has to carry now
  assay node register --key node.seed --endpoint https://node.example --stake 5000 --attester attester.seed
  assay node register --key node.seed --endpoint https://node.example --stake 5000 --evidence enclave.evidence --nonce-height 120
  assay node status KEY

A node that is registered for the backend tee shows a new attestation by the same command. Whatever a software attester stands behind is \
simulated, and says so everywhere.";

/// Register a node that answers in an enclave, keep it attested, and see what the ledger says of it
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The RPC endpoint of a node of the ledger
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:26601", global = true)]
    rpc: String,
}

#[derive(Subcommand)]
enum Command {
    Attester(attester::Arguments),
    /// Say what a document of the enclave has to carry, to be shown within the next blocks
    Binding {
        /// The seed of the node's key, 64 hexadecimal digits; it is made if it is not there
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    Register(register::Arguments),
    Status(status::Arguments),
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    match &arguments.command {
        Command::Attester(arguments) => attester::run(arguments, output),
        Command::Binding { key } => chain::binding(&arguments.rpc, key, output),
        Command::Register(registration) => register::run(registration, &arguments.rpc, output),
        Command::Status(question) => status::run(question, &arguments.rpc, output),
    }
}
