//! `assay client bundle`: everything that an auditor needs of an answer, in one file.
use std::path::PathBuf;

use anyhow::Result;
use assay_verifier::audit::{Bundle, Evidence};
use assay_verifier::wire::{self, Bytes};
use clap::Args;
use serde_json::json;

use super::super::output::{self, Output};
use super::super::problem::problem;
use super::super::{Verdict, files};
use super::http::Server;
use crate::proxy::Request;
use crate::proxy::local::behind;

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
    /// The request's body as it was sent, of an upstream's answer: the service does not keep it
    #[arg(long, value_name = "FILE.json", conflicts_with = "without_request")]
    request: Option<PathBuf>,
    /// The answer's body as it came, of an upstream's answer
    #[arg(long, value_name = "FILE")]
    response: Option<PathBuf>,
    /// Where to write what the service says its chain begins with; get that from elsewhere as well
    #[arg(long, value_name = "FILE.json")]
    trust: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, server: &Server, output: &Output) -> Result<Verdict> {
    let query = if arguments.without_request { "?request=false" } else { "" };
    let mut bytes = server.file(&format!("/v1/receipts/{}/bundle{query}", arguments.id))?;
    if arguments.request.is_some() || arguments.response.is_some() {
        bytes = completed(arguments, &bytes)?;
    }
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

/// The bundle of an upstream's answer with the bodies, which only whoever asked has.
fn completed(arguments: &Arguments, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut bundle: Bundle = wire::decode(bytes)?;
    let Evidence::Exchange(exchange) = &mut bundle.evidence else {
        let next = "leave --request and --response out: the service has both";
        return Err(problem("the answer is not one of an upstream's", next));
    };
    if let Some(path) = &arguments.response {
        let body = files::read(path)?.into();
        let body = behind(&body).map_or(body, |(body, _)| body);
        exchange.response = Some(Bytes(body.into()));
    }
    if let Some(path) = &arguments.request {
        let body = files::read(path)?;
        let read = Request::read(&body.clone().into());
        let next = "name the file with the bytes of the request";
        let read = read.map_err(|error| problem(format!("{}: {error}", path.display()), next))?;
        exchange.forwarded = Some(Bytes(read.forwarded.into()));
        bundle.request = Some(Bytes(body));
    }
    Ok(wire::encode(&bundle))
}
