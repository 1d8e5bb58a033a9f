//! `assay worker`: proves for a service elsewhere.
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use assay_prover::halo2::srs::ProvingSrs;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::output::Output;
use super::problem::problem;
use super::{Verdict, compact, srs};
use crate::serve::node_key;
use crate::workers::{Pool, Provers, Remote, Strings};

const EXAMPLES: &str = "\
Examples:
  assay worker --server http://127.0.0.1:8080 --key worker.seed
  assay worker --server https://assay.example --key worker.seed --api-key-file worker.apikey --jobs 2

The service checks every proof before anybody hears of it, and gives nothing more to a worker whose proof does not hold. A \
worker that is stopped gives its job back.";

/// Prove for a service in another process or on another machine
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The service
    #[arg(long, value_name = "URL")]
    server: String,
    /// The seed of the worker's key, 64 hexadecimal digits; it is made if it is not there
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The API key, with the scope `worker`, if the service asks for one
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// The reference string of keys of the engine halo2 [default: the one of this machine]
    #[arg(long, value_name = "FILE.srs")]
    srs: Option<PathBuf>,
    /// Proofs that are made at once. Each uses all cores, so more than one only fills gaps
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Most megabytes of circuits and keys that are kept loaded
    #[arg(long, value_name = "MB", default_value_t = 2_048)]
    cache_mb: u64,
}

/// Reference strings of the worker: from a file, or the ones of this machine, which are insecure.
fn strings(arguments: &Arguments) -> Result<Strings> {
    let file: Option<ProvingSrs> = arguments.srs.as_deref().map(srs::load).transpose()?;
    Ok(Box::new(move |k| {
        let string = match &file {
            Some(file) => file.cut(k).map_err(|error| error.to_string())?,
            None => srs::default_srs(k).map_err(|error| format!("{error:#}"))?.0,
        };
        let srs = *string.srs();
        Ok((string.into_params(), srs))
    }))
}

/// Runs the command: until it is interrupted or terminated.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    crate::telemetry::start();
    let named = |path: &PathBuf| format!("{}", path.display());
    let key = node_key(&arguments.key).with_context(|| named(&arguments.key))?;
    let api_key =
        arguments.api_key_file.as_ref().map(|path| std::fs::read_to_string(path).with_context(|| named(path)));
    let api_key = api_key.transpose()?;
    let remote = Remote::new(&arguments.server, key, api_key.as_deref().map(str::trim))
        .map_err(|error| problem(error, "name the service with --server"))?;
    let provers = Provers::new(arguments.cache_mb << 20, strings(arguments)?, Some(compact::cache()?));
    output.field("worker", remote.worker());
    output.field("server", &arguments.server);
    // Before anything is taken up, so that it is given back.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupted, mut terminated) = runtime.block_on(async {
        Ok::<_, std::io::Error>((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    })?;
    let pool = Pool::start(Box::new(remote), Arc::new(provers), arguments.jobs.into())?;
    runtime.block_on(async {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    });
    pool.stop();
    // A proof that is being made is in vain now, and cannot be interrupted.
    std::process::exit(0)
}
