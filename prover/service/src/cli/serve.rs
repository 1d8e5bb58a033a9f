//! `assay serve`: the service on this machine, with everything embedded, or joined to a ledger elsewhere.
use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verdict;
use super::output::Output;
use super::problem::problem;
use crate::config::{Config, PaymentMode, RawConfig};
use crate::inference::environment;
use crate::serve::{Service, run as serve};

const EXAMPLES: &str = "\
Examples:
  assay serve
  assay serve --payment x402
  assay serve --tee software
  assay serve --config assay.toml
  assay serve --listen 0.0.0.0:443 --tls-certificate chain.pem --tls-key key.pem
  assay serve --ledger http://127.0.0.1:26657 --trust trust.json

Options win over variables ASSAY_LISTEN, ASSAY_DATA and so on, which win over the file. A configuration that cannot be right \
ends with exit code 78 and the field's name. /docs shows all endpoints, /metrics the figures.";

/// Serve models over HTTP: answers now, proofs soon, settled on a ledger
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A file with the configuration, TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of everything that is kept [default: assay-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The certificate chain, PEM. Needed anywhere but on loopback
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's key, PEM
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// open (on loopback only) or keys; `assay access` makes keys
    #[arg(long, value_name = "ACCESS")]
    access: Option<String>,
    /// embedded, or the RPC address of a CometBFT node [default: embedded]
    #[arg(long, value_name = "LEDGER")]
    ledger: Option<String>,
    /// What the chain of such a node begins with
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// free or x402 [default: free]
    #[arg(long, value_name = "MODE")]
    payment: Option<String>,
    /// Workers in this process; 0 leaves proofs to `assay worker` [default: 1]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// none, software (simulated), or the path of a program that makes evidence of the enclave [default: none]
    #[arg(long, value_name = "ENCLAVE")]
    tee: Option<String>,
    /// The reference string of the engine halo2 [default: one that is made here, which is INSECURE]
    #[arg(long, value_name = "FILE.srs")]
    srs: Option<PathBuf>,
}

#[derive(Serialize)]
struct Started {
    url: String,
    node: String,
    chain_id: String,
    data: PathBuf,
    payment: &'static str,
    /// Whether answers out of an enclave are to be had, and of which grade.
    enclave: Option<&'static str>,
}

impl Arguments {
    fn checked(&self) -> Result<Config> {
        let raw = match &self.config {
            Some(path) => RawConfig::read(path)?,
            None => RawConfig::default(),
        };
        let mut raw = raw.with_environment(|name| std::env::var(name).ok())?;
        macro_rules! take {
            ($($field:ident),*) => { $( if self.$field.is_some() { raw.$field = self.$field.clone(); } )* };
        }
        take!(data, listen, tls_certificate, tls_key, access, ledger, trust, payment, workers, tee, srs);
        raw.data.get_or_insert_with(|| "assay-data".into());
        Ok(raw.check()?)
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    let config = arguments.checked()?;
    crate::telemetry::start();
    let listener = TcpListener::bind(config.listen).map_err(|error| {
        problem(
            format!("listen: {}: {error}", config.listen),
            "choose another address with --listen, or stop what is there",
        )
    })?;
    let mut config = config;
    config.listen = listener.local_addr()?;
    let service = Service::open(config)?;
    let started = Started {
        url: service.config.url(),
        node: service.node.public().to_string(),
        chain_id: service.ledger.rules().chain_id.clone(),
        data: service.config.data.clone(),
        payment: match service.config.payment {
            PaymentMode::Free => "free",
            PaymentMode::X402 => "x402",
        },
        enclave: service.enclave.as_ref().map(|_| environment(service.ledger.rules().attestation.grade)),
    };
    output.field("serving", &started.url);
    output.field("  endpoints", format_args!("{}/docs", started.url));
    output.field("  node", &started.node);
    output.field("  ledger", &started.chain_id);
    output.field("  data", started.data.display());
    output.field("  payment", started.payment);
    output.field("  enclave", started.enclave.unwrap_or("none"));
    output.field("stop", "Ctrl-C; what was accepted goes on with the next start");
    output.json(&started);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(service, listener, stopped()))?;
    Ok(Verdict::Fine)
}

/// Waits for Ctrl-C, or the signal by which a process is asked to end.
pub async fn stopped() {
    let interrupt = async { drop(tokio::signal::ctrl_c().await) };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
