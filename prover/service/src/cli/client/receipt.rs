//! `assay client receipt`: what the node signed.
use std::path::PathBuf;

use anyhow::Result;
use assay_verifier::receipt::SignedReceipt;
use assay_verifier::wire;
use clap::Args;

use super::super::output::Output;
use super::super::problem::problem;
use super::super::{Verdict, files};
use super::http::Server;
use crate::routes::job::ReceiptOut;

/// Fetch a receipt, and verify its signature
#[derive(Args)]
pub struct Arguments {
    /// The request's identity, or the receipt's digest
    id: String,
    /// Where to write it
    #[arg(long, short, value_name = "FILE.receipt")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, server: &Server, output: &Output) -> Result<Verdict> {
    let bytes = server.file(&format!("/v1/receipts/{}", arguments.id))?;
    let refused =
        |error: &dyn std::fmt::Display| problem(format!("the receipt: {error}"), "do not rely on this service");
    let signed: SignedReceipt = wire::decode(&bytes).map_err(|error| refused(&error))?;
    let verdict = signed.verify();
    if let Some(path) = &arguments.output {
        files::write(path, &bytes)?;
    }
    let shown = ReceiptOut::from(&signed);
    output.field("receipt", format_args!("version {}, {}", shown.version, shown.digest));
    output.field("  claim", &shown.claim);
    output.field("  node", &shown.node);
    output.field("  signature", if verdict.is_ok() { "holds" } else { "REFUSED" });
    output.field("  ledger", &shown.chain_id);
    output.json(&shown);
    Ok(if verdict.is_ok() { Verdict::Fine } else { Verdict::Rejected })
}
