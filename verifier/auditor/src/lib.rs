#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod facts;
mod later;
pub mod numbers;
pub mod request;
mod text;
pub mod trust;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use assay_verifier::audit::{Bundle, Question, Report, Scope, audit};
use assay_verifier::circuit::Limits;
use assay_verifier::wire::{self, Bytes};
use clap::Parser;

use answer::Answer;

const ABOUT: &str = "\
Checks an answer of Assay from one file, offline: receipts, proof or enclave, upstream, publisher, node, payment, and that the ledger has it.";

const GUIDE: &str = "\
Examples:
  assay-verify answer.assay --trust trust.json
  assay-verify answer.assay --trust trust.json --request request.json --json

trust.json says what you trust without proof. Have it from somewhere else than the bundle:
  {\"chain_id\": \"..\", \"validators_hash\": \"..\", \"genesis\": \"..\"}

Exit codes: 0 all required checks hold, 1 refused, 2 usage or input error.";

/// Arguments of the program.
#[derive(Parser)]
#[command(name = "assay-verify", version, about = ABOUT, after_help = GUIDE)]
pub struct Arguments {
    /// The bundle
    #[arg(value_name = "BUNDLE.assay")]
    bundle: PathBuf,
    /// What is trusted: the chain, its first validators or a header, and its genesis
    #[arg(long, value_name = "TRUST.json")]
    trust: PathBuf,
    /// Your own copy of the request: the receipt must be of these very bytes
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Accept a bundle that the ledger has no part in, as of a service that is free
    #[arg(long)]
    without_settlement: bool,
    /// Reckon the age of the trust root at this time instead of the clock's
    #[arg(long, value_name = "RFC3339")]
    now: Option<humantime::Timestamp>,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    json: bool,
}

/// The program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let error = format!("{error:#}");
            if arguments.json {
                println!("{}", serde_json::json!({ "error": error }));
            }
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// Audits and prints; says whether all that is required holds.
fn run(arguments: &Arguments) -> Result<bool> {
    let audited = audited(arguments)?;
    show(arguments, &audited.bundle, &audited.report)?;
    Ok(audited.report.holds())
}

/// A bundle and what became of its checks.
pub struct Audited {
    /// The bundle.
    pub bundle: Bundle,
    /// The checks.
    pub report: Report,
}

/// Audits what the arguments of the program name, without printing.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub fn audited(arguments: &Arguments) -> Result<Audited> {
    let path = &arguments.trust;
    let trust = String::from_utf8(read(path)?).map_err(anyhow::Error::from).and_then(|json| Ok(trust::read(&json)?));
    let trust = trust.with_context(|| path.display().to_string())?;
    let file = read(&arguments.bundle)?;
    let bundle: Bundle = wire::decode(&file).with_context(|| arguments.bundle.display().to_string())?;
    let own = arguments.request.as_deref().map(read).transpose()?;
    let request = own.as_deref().or(bundle.request.as_ref().map(|Bytes(bytes)| bytes.as_slice()));
    let read = request.and_then(|request| request::read(request, &bundle.records));
    let question = Question {
        limits: Limits::default(),
        scope: if arguments.without_settlement { Scope::Unsettled } else { Scope::Settled },
        request: own.as_deref(),
        tensors: read.as_ref().and_then(|read| read.tensors.as_deref()),
        named: read.as_ref().map(|read| read.named.as_slice()),
        now_ms: Some(now_ms(arguments)),
    };
    let report = audit(&bundle, &trust, &question);
    Ok(Audited { bundle, report })
}

fn now_ms(arguments: &Arguments) -> u64 {
    let now = arguments.now.map_or_else(SystemTime::now, SystemTime::from);
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn show(arguments: &Arguments, bundle: &Bundle, report: &Report) -> Result<()> {
    if arguments.json {
        println!("{}", serde_json::to_string(&Answer::new(bundle, report))?);
    } else {
        print!("{}", text::of(&arguments.bundle, bundle, report));
    }
    Ok(())
}
