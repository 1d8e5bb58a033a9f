//! `assay client quarantine`: workers whose proofs did not hold.
use anyhow::Result;
use clap::Subcommand;
use serde_json::json;
use ureq::http::Method;

use super::super::Verdict;
use super::super::output::Output;
use super::http::Server;
use crate::routes::quarantine::QuarantineOut;

/// See which workers get nothing any more, and trust one again
#[derive(Subcommand)]
pub enum Command {
    /// List them
    List,
    /// Trust one again
    Readmit {
        /// Its key
        worker: String,
    },
}

/// Runs the command.
pub fn run(command: &Command, server: &Server, output: &Output) -> Result<Verdict> {
    match command {
        Command::List => {
            let found: QuarantineOut = server.get("/v1/quarantine")?;
            let rows =
                found.workers.iter().map(|entry| vec![entry.worker.clone(), entry.code.clone(), entry.reason.clone()]);
            output.table(&["worker", "code", "reason"], &rows.collect::<Vec<_>>());
            output.json(&found);
        }
        Command::Readmit { worker } => {
            server.exchange(Method::DELETE, &format!("/v1/quarantine/{worker}"), &[], Vec::new())?.good()?;
            output.field("readmitted", worker);
            output.json(&json!({ "readmitted": worker }));
        }
    }
    Ok(Verdict::Fine)
}
