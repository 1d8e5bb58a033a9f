//! `assay client bundle`: everything that an auditor needs of an answer, in one file.
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::super::output::{self, Output};
use super::super::{Verdict, files};
use super::http::Server;

/// Fetch the audit bundle of an answer
#[derive(Args)]
pub struct Arguments {
    /// The request's identity
    id: String,
    /// Where to write it [default: ID.assay]
    #[arg(long, short, value_name = "FILE.assay")]
    output: Option<PathBuf>,
    /// Leave the bytes of the request out
    #[arg(long)]
    without_request: bool,
    /// Where to write what the service says its chain begins with; get that from elsewhere as well
    #[arg(long, value_name = "FILE.json")]
    trust: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, server: &Server, output: &Output) -> Result<Verdict> {
    let query = if arguments.without_request { "?request=false" } else { "" };
    let bytes = server.file(&format!("/v1/receipts/{}/bundle{query}", arguments.id))?;
    let target = arguments.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.assay", arguments.id)));
    files::write(&target, &bytes)?;
    if let Some(path) = &arguments.trust {
        files::write(path, &server.file("/v1/trust")?)?;
    }
    output.field("bundle", format_args!("{} ({})", target.display(), output::bytes(bytes.len() as u64)));
    output.field("next", format_args!("assay-verify {} --trust trust.json", target.display()));
    output.json(&json!({ "file": target, "file_size_bytes": bytes.len() }));
    Ok(Verdict::Fine)
}
