//! `assay bundle export`: audit bundles out of the folder of a service that is not running, for who moves it or hands its evidence on.
use std::path::{Path, PathBuf};

use anyhow::Result;
use assay_verifier::receipt::RequestId;
use assay_verifier::wire;
use clap::{Args, Subcommand};
use serde_json::json;

use super::output::{self, Output};
use super::problem::problem;
use super::{Verdict, files};
use crate::clock::now_ms;
use crate::jobs::{Jobs, Rules};
use crate::models::Models;
use crate::settle::bundle::{Show, kept};
use crate::storage::FileBlobs;

/// Audit bundles from a service's folder, while the service does not run
#[derive(Subcommand)]
pub enum Command {
    Export(Export),
}

/// Write the audit bundle of an answer; of a running service, `assay client bundle` fetches it
#[derive(Args)]
pub struct Export {
    /// The request's identity
    id: String,
    /// The service's folder
    #[arg(long, value_name = "DIR", default_value = "assay-data")]
    data: PathBuf,
    /// Where its blobs are, if elsewhere [default: DIR/blobs]
    #[arg(long, value_name = "DIR")]
    blobs: Option<PathBuf>,
    /// Where to write it [default: ID.assay]
    #[arg(long, short, value_name = "FILE.assay")]
    output: Option<PathBuf>,
    /// Leave the bytes of the request out
    #[arg(long)]
    without_request: bool,
}

/// Runs the command.
pub fn run(command: &Command, output: &Output) -> Result<Verdict> {
    let Command::Export(arguments) = command;
    let id: RequestId = arguments.id.parse().map_err(|_| {
        problem(format!("{}: not an identity of 64 hexadecimal digits", arguments.id), "receipts and jobs show it")
    })?;
    let (jobs, models, blobs) = open(&arguments.data, arguments.blobs.as_deref())?;
    let job = jobs.get(id)?.ok_or_else(|| {
        problem(format!("{id}: there is no such job in {}", arguments.data.display()), "is it the right folder?")
    })?;
    let show = if arguments.without_request { Show::Nothing } else { Show::Public };
    let bundle = kept(&jobs, &models, &blobs, &job, show)?;
    let settled = bundle.ledger.is_some();
    let bytes = wire::encode(&bundle);
    let target = arguments.output.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.assay")));
    files::write(&target, &bytes)?;
    output.field("bundle", format_args!("{} ({})", target.display(), output::bytes(bytes.len() as u64)));
    output.field("  ledger", if settled { "its settlement is in it" } else { "it is not settled" });
    output.field("next", format_args!("assay-verify {} --trust trust.json", target.display()));
    output.json(&json!({ "file": target, "file_size_bytes": bytes.len(), "settled": settled }));
    Ok(Verdict::Fine)
}

/// Opens what a service keeps. The jobs first: only one process can have them, so nothing of a running service is touched.
fn open(data: &Path, blobs: Option<&Path>) -> Result<(Jobs, Models, FileBlobs)> {
    let path = data.join("jobs.redb");
    if !path.is_file() {
        return Err(problem(
            format!("{}: no folder of a service", data.display()),
            "give the folder of `assay serve` with --data",
        ));
    }
    let jobs = Jobs::open(&path, Rules::default(), now_ms()).map_err(|error| {
        problem(format!("{}: {error}", path.display()), "stop the service, or ask it with `assay client bundle`")
    })?;
    let models = Models::open(&data.join("models.redb"))?;
    let folder = blobs.map_or_else(|| data.join("blobs"), Path::to_path_buf);
    Ok((jobs, models, FileBlobs::open(&folder)?))
}
