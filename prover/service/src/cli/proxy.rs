//! `assay proxy`: an endpoint on this machine that hands on what a node forwards, once the receipt is verified.
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use assay_auditor::trust;
use assay_verifier::signature::PublicKey;
use axum::http::HeaderValue;
use clap::Args;
use serde::Serialize;

use super::Verdict;
use super::output::Output;
use super::problem::problem;
use super::serve::stopped;
use crate::config::address;
use crate::outbound::client;
use crate::proxy::local::{self, Local};

const EXAMPLES: &str = "\
Examples:
  assay proxy --server https://assay.example --node 5f0c... --trust trust.json --api-key-file my.apikey
  OPENAI_BASE_URL=http://127.0.0.1:8081/v1 python ask.py
  ANTHROPIC_BASE_URL=http://127.0.0.1:8081 python ask.py

Every answer's receipt is verified before any of the answer is handed on: the node's signature, the chain, that the request is the one \
that was sent, that the answer has the bytes that were signed, and that it is whole. Streams are held back until they have ended. What \
is not verified is an error.";

/// Serve models of upstreams on this machine, through a node whose receipts are verified
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The node
    #[arg(long, value_name = "URL", env = "ASSAY_SERVER")]
    server: String,
    /// The node's public key, which signs receipts, 64 hexadecimal digits
    #[arg(long, value_name = "KEY")]
    node: PublicKey,
    /// What the node's chain begins with
    #[arg(long, value_name = "FILE", required_unless_present = "chain_id", conflicts_with = "chain_id")]
    trust: Option<PathBuf>,
    /// The id of the node's chain
    #[arg(long, value_name = "ID")]
    chain_id: Option<String>,
    /// Where answers must be from, https://HOST; without it, from where the node chooses
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// A file with an API key, if the node asks for one; or the variable ASSAY_API_KEY
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Certificates that the node's is checked against, PEM [default: those of the web]
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Where to listen; on loopback, since anybody who reaches it may ask
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// How long an answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    timeout_s: u64,
    /// Most megabytes of an answer
    #[arg(long, value_name = "MB", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    answer_mb_max: u16,
}

#[derive(Serialize)]
struct Started {
    url: String,
    server: String,
    node: String,
    chain_id: String,
}

impl Arguments {
    fn local(&self) -> Result<Local> {
        let address_of = |name: &str, text: &str| {
            address(text).map_err(|reason| {
                problem(format!("--{name}: {reason}"), "give https://HOST, or http:// of this machine")
            })
        };
        let (origin, prefix) = address_of("server", &self.server)?;
        let expected = self.origin.as_deref().map(|text| address_of("origin", text)).transpose()?;
        let chain_id = match (&self.chain_id, &self.trust) {
            (Some(id), _) => id.clone(),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
                trust::read(&text).with_context(|| format!("{}", path.display()))?.chain_id
            }
            (None, None) => return Err(problem("no chain is named", "give --trust or --chain-id")),
        };
        let key = match &self.api_key_file {
            Some(path) => Some(std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?),
            None => std::env::var("ASSAY_API_KEY").ok(),
        };
        let bearer = key.map(|key| HeaderValue::from_str(&format!("Bearer {}", key.trim()))).transpose();
        let mut bearer = bearer.map_err(|_| problem("the API key is not visible ASCII", "see `assay access add`"))?;
        bearer.iter_mut().for_each(|bearer| bearer.set_sensitive(true));
        Ok(Local {
            client: client(self.roots.as_deref())?,
            server: format!("{origin}{prefix}"),
            bearer,
            chain_id,
            node: self.node,
            origin: expected.map(|(origin, _)| origin),
            timeout: Duration::from_secs(self.timeout_s),
            answer_bytes_max: usize::from(self.answer_mb_max) << 20,
        })
    }
}

/// Runs the command: until it is interrupted or terminated.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    crate::telemetry::start();
    if !arguments.listen.ip().is_loopback() {
        let what = format!("--listen {}: not on loopback", arguments.listen);
        return Err(problem(what, "choose an address like 127.0.0.1:8081"));
    }
    let local = arguments.local()?;
    let listener = TcpListener::bind(arguments.listen).map_err(|error| {
        problem(format!("--listen {}: {error}", arguments.listen), "choose another address, or stop what is there")
    })?;
    let started = Started {
        url: format!("http://{}", listener.local_addr()?),
        server: local.server.clone(),
        node: local.node.to_string(),
        chain_id: local.chain_id.clone(),
    };
    output.field("serving", &started.url);
    output.field("  node", format_args!("{} at {}", started.node, started.server));
    output.field("  ledger", &started.chain_id);
    output.json(&started);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(local::run(Arc::new(local), listener, stopped()))?;
    Ok(Verdict::Fine)
}
