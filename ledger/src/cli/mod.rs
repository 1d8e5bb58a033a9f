//! The command line of `assay-ledger`.
mod advice;
mod init;
mod names;
mod query;
mod run;
mod show;
mod trust;
mod tx;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The ledger of Assay: settlements are verified by every validator
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Arguments),
    Run(run::Arguments),
    Query(query::Arguments),
    Tx(tx::Arguments),
    Trust(trust::Arguments),
}

/// Runs what the command line says.
///
/// # Errors
/// The command's.
pub fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Query(arguments) => query::run(&arguments),
        Command::Tx(arguments) => tx::run(&arguments),
        Command::Trust(arguments) => trust::run(&arguments),
    }
}
