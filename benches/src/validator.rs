//! A validator on loopback: a real CometBFT and its application, for figures that have all of it in them.
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow, ensure};
use assay_ledger::client::{Client, ClientError};
use assay_ledger::comet::{Layout, NodeKey, ValidatorKey};
use assay_ledger::genesis::RawGenesis;
use assay_ledger::tx::TxHash;

/// Set for processes that are the application: this program is the ledger too.
pub const APPLICATION: &str = "ASSAY_BENCH_APPLICATION";
/// How long after a block the next begins.
const BLOCK_INTERVAL_MS: u64 = 500;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(20);
/// Ports that a node takes.
const PORTS: u16 = 10;

/// A running validator. It is killed when this is dropped.
pub struct Validator {
    /// Speaks to it.
    pub client: Client,
    metrics: u16,
    processes: [Child; 2],
}

/// How fast transactions went through.
pub struct Through {
    /// How many in a second, from the first that was submitted to the block of the last.
    pub per_second: f64,
    /// How long each was submitted in milliseconds, in order.
    pub submit_ms: Vec<f64>,
}

impl Validator {
    /// Lays a chain out in a folder and runs its one validator.
    ///
    /// # Errors
    /// A process does not start, or makes no block.
    pub fn start(comet: &Path, folder: &Path, genesis: RawGenesis) -> Result<Self> {
        let layout = Layout {
            folder: folder.to_owned(),
            genesis,
            time: humantime::format_rfc3339_nanos(SystemTime::now()).to_string(),
            validators: vec![(ValidatorKey::from_seed([1; 32]), NodeKey::from_seed([2; 32]))],
            first_port: free_port()?,
            block_interval_ms: BLOCK_INTERVAL_MS,
        };
        layout.write()?;
        let (home, ports) = (layout.home(0), layout.ports(0)?);
        let metrics = ports.app + 1;
        let mut application = Command::new(std::env::current_exe()?);
        application.arg("run").arg(&home).args(["--metrics", &format!("127.0.0.1:{metrics}")]).env(APPLICATION, "1");
        let application = application.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
        until("the application listens", || TcpStream::connect(("127.0.0.1", ports.app)).is_ok())?;
        let mut node = Command::new(comet);
        node.args(["node", "--log_level", "error", "--home"]).arg(&home);
        let node = node.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let client = Client::new(&format!("http://127.0.0.1:{}", ports.rpc))?;
        let validator = Self { client, metrics, processes: [node, application] };
        until("blocks are made", || validator.client.last().is_ok_and(|root| root.height > 0))?;
        Ok(validator)
    }

    /// Submits transactions by as many clients as there are lists of them, each one after the other, and waits until all have succeeded in blocks.
    ///
    /// # Errors
    /// One is refused, or they take too long.
    pub fn deliver(&self, lists: &[Vec<Vec<u8>>]) -> Result<Through> {
        let start = Instant::now();
        let submitted = std::thread::scope(|scope| {
            let clients: Vec<_> = lists.iter().map(|list| scope.spawn(|| self.submit(list))).collect();
            let joined = clients.into_iter().map(|client| client.join().map_err(|_| anyhow!("a client failed"))?);
            joined.collect::<Result<Vec<_>>>()
        })?;
        for (hashes, _) in &submitted {
            self.client.wait(*hashes.last().context("nothing to deliver")?, PATIENCE)?;
        }
        let (hashes, submit_ms): (Vec<_>, Vec<_>) = submitted.into_iter().unzip();
        let (hashes, submit_ms) = (hashes.concat(), submit_ms.concat());
        let per_second = hashes.len() as f64 / start.elapsed().as_secs_f64();
        for hash in hashes {
            let included = self.client.find(hash)?.context("a transaction before the last is in no block")?;
            ensure!(included.outcome.refused.is_none(), "{:?}", included.outcome.refused);
        }
        Ok(Through { per_second, submit_ms })
    }

    /// Submits transactions one after the other: their names, and how long each took in milliseconds.
    fn submit(&self, transactions: &[Vec<u8>]) -> Result<(Vec<TxHash>, Vec<f64>)> {
        let (mut hashes, mut submit_ms) = (Vec::new(), Vec::new());
        for transaction in transactions {
            let submitted = Instant::now();
            let hash = loop {
                match self.client.submit(transaction) {
                    Err(ClientError::Full(_)) => sleep(LOOK),
                    answered => break answered?,
                }
            };
            submit_ms.push(submitted.elapsed().as_secs_f64() * 1e3);
            hashes.push(hash);
        }
        Ok((hashes, submit_ms))
    }

    /// Within how many milliseconds 99 of 100 transactions were checked, by the application's own histogram; a bound of it.
    ///
    /// # Errors
    /// The application does not say.
    pub fn check_p99_ms(&self) -> Result<f64> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.metrics))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let buckets = text.lines().filter_map(|line| {
            let (bound, count) = line.strip_prefix("assay_ledger_check_seconds_bucket{le=\"")?.split_once("\"} ")?;
            Some((bound.parse::<f64>().ok()?, count.parse::<f64>().ok()?))
        });
        let buckets: Vec<(f64, f64)> = buckets.collect();
        let all = buckets.last().context("no histogram")?.1;
        let within = buckets.iter().find(|(_, count)| *count >= 0.99 * all).context("no histogram")?;
        Ok(within.0 * 1e3)
    }
}

impl Drop for Validator {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It may have ended already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !holds() {
        ensure!(start.elapsed() < PATIENCE, "in vain: {what}");
        sleep(LOOK);
    }
    Ok(())
}

/// A port that is free with those after it.
fn free_port() -> Result<u16> {
    let free = |first: &u16| (*first..first + PORTS).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    (20_000..32_000).step_by(usize::from(PORTS)).find(free).context("no free ports")
}
