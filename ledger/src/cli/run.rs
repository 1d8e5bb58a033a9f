//! `assay-ledger run`: the application beside a CometBFT node.
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::abci::{Address, Answers, Listener, Snapshots, serve};
use crate::app::{App, Options};
use crate::comet::{CometGenesis, proxy_app};
use crate::metrics;
use crate::state::{Archive, CHUNK_BYTES};
use crate::verdicts::Pool;

const EXAMPLES: &str = "\
Examples:
  assay-ledger run chain/node0
  assay-ledger run chain/node0 --listen unix:///run/assay/node0.sock
  assay-ledger run chain/node0 --metrics 127.0.0.1:26661

The folder is CometBFT's own: the genesis is read from its config, the database is beside CometBFT's. The process ends when it is \
asked to (SIGTERM, SIGINT), or with an error if its state fails, at which CometBFT stops too.";

/// Transactions whose proofs wait to be judged before their block.
const WAITING_TRANSACTIONS: usize = 1 << 10;

/// Run the application that a CometBFT node asks
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// CometBFT's home
    #[arg(value_name = "HOME")]
    home: PathBuf,
    /// Where CometBFT finds it: tcp://HOST:PORT or unix://PATH [default: the proxy_app of HOME/config/config.toml]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Address>,
    /// Threads that verify proofs of a block, and as many that verify those of waiting transactions [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Where Prometheus reads http://HOST:PORT/metrics, for nobody else [default: nowhere]
    #[arg(long, value_name = "HOST:PORT")]
    metrics: Option<String>,
    /// After how many blocks a snapshot is made for nodes that join late; 0 makes none
    #[arg(long, value_name = "BLOCKS", default_value_t = 1_000)]
    snapshot_interval: u64,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let config = arguments.home.join("config");
    let read = |name: &str| {
        let path = config.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("{}: make it with `assay-ledger init`", path.display()))
    };
    let genesis = CometGenesis::from_json(&read("genesis.json")?)?.state()?;
    let address = match &arguments.listen {
        Some(address) => address.clone(),
        None => proxy_app(&read("config.toml")?)?,
    };
    let mut options = Options::usual(&arguments.home.join("data/assay.redb"));
    if let Some(threads) = arguments.threads {
        options.threads = threads.into();
    }
    std::fs::create_dir_all(arguments.home.join("data"))?;
    let app = App::open(&genesis, &options).context("the database cannot be opened")?;
    let last = app.last();
    let pool = Pool::new(options.threads, WAITING_TRANSACTIONS, app.reader().verdicts(), app.reader().store())?;
    let archive = Archive::open(&arguments.home.join("data/assay-snapshots"), CHUNK_BYTES)?;
    let snapshots = Snapshots::new(archive, arguments.snapshot_interval);
    let answers = Arc::new(Answers::new(app, pool, genesis).with_snapshots(snapshots));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = Listener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
        tracing::info!(address = %listener.address()?, height = last.height, app_hash = hex::encode(last.app_hash), "listening");
        if let Some(host) = &arguments.metrics {
            let page = TcpListener::bind(host).await.with_context(|| format!("cannot listen on {host} for --metrics"))?;
            tokio::spawn(metrics::serve(page, Arc::clone(answers.metrics())));
        }
        let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stop = async move {
            tokio::select! {
                _ = end.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        serve(listener, answers, stop).await?;
        tracing::info!("stopped");
        Ok(())
    })
}
