//! Validators: their folders, their processes, and what is done to them.
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use assay_ledger::client::Client;
use assay_ledger::comet::{CometGenesis, Layout, NodeKey, ValidatorKey};
use assay_ledger::genesis::RawGenesis;
use assay_verifier::settlement::light::Root;
use tempfile::TempDir;

use crate::joiner::{self, JOINER};
use crate::process::Process;
use crate::proposer::Proposer;
use crate::{APPLICATION, PATIENCE};

/// Validators: one of them can be lost.
pub const NODES: usize = 4;
/// The validator whose proposals can be forged.
pub const FORGER: usize = 3;
/// After how many blocks applications make a snapshot.
const SNAPSHOT_INTERVAL: &str = "8";
/// Ports from one validator to the next in a layout.
const PORTS_OF_NODE: u16 = 10;
/// Below the ports that systems give to outgoing connections.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// How long after a block the next begins.
const BLOCK_INTERVAL_MS: u64 = 300;
/// How long a call may take: a node that is stopped takes it and does not answer.
const CALL: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_millis(100);

/// A validator's two processes.
#[derive(Default)]
struct Validator {
    // Dropped first: it complains of an application that is gone.
    comet: Option<Process>,
    application: Option<Process>,
}

pub struct Network {
    validators: Vec<Validator>,
    layout: Layout,
    program: PathBuf,
    proposer: Proposer,
    _folder: TempDir,
}

impl Network {
    /// Lays validators out in a temporary folder and runs them.
    pub fn start(program: PathBuf, genesis: RawGenesis) -> Self {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let layout = Layout {
            folder: folder.path().to_owned(),
            genesis,
            time: humantime::format_rfc3339_nanos(SystemTime::now()).to_string(),
            validators: (0..NODES).map(|node| (validator_key(node), node_key(node))).collect(),
            first_port: free_ports(),
            block_interval_ms: BLOCK_INTERVAL_MS,
        };
        layout.write().expect("the folder is new");
        let validators = (0..=JOINER).map(|_| Validator::default()).collect();
        let app = layout.ports(FORGER).expect("there are ports").app;
        let proposer = Proposer::start(app, app + 1);
        let mut network = Self { validators, layout, program, proposer, _folder: folder };
        (0..NODES).for_each(|node| network.run(node));
        network
    }

    /// A client of each validator.
    pub fn clients(&self) -> Vec<Client> {
        (0..NODES).map(|node| self.client(node)).collect()
    }

    /// The joiner's client.
    pub fn joiner(&self) -> Client {
        self.client(JOINER)
    }

    fn client(&self, node: usize) -> Client {
        let port = self.layout.ports(node).expect("there are ports").rpc;
        Client::with_timeout(&format!("http://127.0.0.1:{port}"), CALL).expect("an address")
    }

    /// Starts the processes of a validator that do not run.
    pub fn run(&mut self, node: usize) {
        let home = self.layout.home(node);
        let mut port = self.layout.ports(node).expect("there are ports").app;
        if node == FORGER {
            // The proposer listens where CometBFT looks.
            port += 1;
        }
        let mut application = Command::new(std::env::current_exe().expect("a program knows where it is"));
        application.arg("run").arg(&home).args(["--threads", "1", "--snapshot-interval", SNAPSHOT_INTERVAL]);
        application.args(["--listen", &format!("tcp://127.0.0.1:{port}")]).env(APPLICATION, "1");
        let application = Process::start(&mut application, &home.join("application.log"));
        until(&format!("application {node} listens"), || TcpStream::connect(("127.0.0.1", port)).is_ok());
        let mut comet = Command::new(&self.program);
        comet.args(["node", "--log_level", "error", "--home"]).arg(&home);
        let comet = Process::start(&mut comet, &home.join("comet.log"));
        self.validators[node] = Validator { comet: Some(comet), application: Some(application) };
    }

    /// Lets a node join that has no blocks.
    pub fn join(&mut self) {
        joiner::lay_out(&self.layout, &self.client(0));
        self.run(JOINER);
    }

    /// Waits until the joiner has fetched a state, and then what another node has.
    pub fn wait_joined(&self) {
        until("a node joins by state sync", || joiner::joined(&self.joiner()));
        self.wait_level(JOINER);
    }

    /// From now on one validator proposes a transaction that its application did not choose.
    pub fn forge(&self, transaction: &[u8]) {
        self.proposer.propose(Some(transaction.to_vec()));
    }

    /// Waits until it has proposed it more than once, ends it, and gives its address and the heights of blocks that were made meanwhile.
    pub fn wait_forgeries(&self) -> (String, std::ops::RangeInclusive<u64>) {
        let (first, done) = (self.height(0) + 2, self.proposer.proposals());
        until("forged proposals", || self.proposer.proposals() >= done + 2);
        self.wait_height(0, first + 2 * NODES as u64);
        let last = self.height(0);
        self.proposer.propose(None);
        (hex::encode_upper(validator_key(FORGER).address()), first..=last)
    }

    /// What light clients begin with.
    pub fn root(&self) -> Root {
        let genesis = std::fs::read_to_string(self.layout.home(JOINER).join("config/genesis.json"));
        let genesis = CometGenesis::from_json(&genesis.expect("the joiner has the genesis"));
        genesis.and_then(|genesis| genesis.root()).expect("it has validators")
    }

    /// Kills both processes of a validator, which hear nothing of it.
    pub fn kill(&mut self, node: usize) {
        self.validators[node] = Validator::default();
    }

    /// Kills an application; its CometBFT stops by itself.
    pub fn kill_application(&mut self, node: usize) {
        let Validator { comet, application } = &mut self.validators[node];
        drop(application.take());
        comet.take().expect("the validator runs").ended(PATIENCE);
    }

    pub fn pause(&self, node: usize) {
        self.signal(node, "STOP");
    }

    pub fn resume(&self, node: usize) {
        self.signal(node, "CONT");
    }

    fn signal(&self, node: usize, name: &str) {
        let Validator { comet, application } = &self.validators[node];
        [comet, application].into_iter().flatten().for_each(|process| process.signal(name));
    }

    /// The last height that an application has committed; 0 while it cannot say.
    fn height(&self, node: usize) -> u64 {
        self.client(node).last().map_or(0, |root| root.height)
    }

    fn wait_height(&self, node: usize, height: u64) {
        until(&format!("validator {node} has block {height}"), || self.height(node) >= height);
    }

    /// Waits until all are at a height.
    pub fn wait_all(&self, height: u64) {
        (0..NODES).for_each(|node| self.wait_height(node, height));
    }

    /// Waits until a validator has made more blocks.
    pub fn wait_blocks(&self, node: usize, blocks: u64) {
        self.wait_height(node, self.height(node) + blocks);
    }

    /// Waits until a validator has what another one has now.
    pub fn wait_level(&self, node: usize) {
        self.wait_height(node, self.height(usize::from(node == 0)));
    }

    /// Waits until each has made more blocks.
    pub fn wait_all_blocks(&self, blocks: u64) {
        until("a validator answers", || self.height(0) > 0);
        self.wait_all(self.height(0) + blocks);
    }
}

fn validator_key(node: usize) -> ValidatorKey {
    ValidatorKey::from_seed([100 + node as u8; 32])
}

/// The key that peers know a node by.
pub fn node_key(node: usize) -> NodeKey {
    NodeKey::from_seed([200 + node as u8; 32])
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        sleep(LOOK);
    }
}

/// A first port, so that all ports of the layout are free now. Runs at the same time begin to look in different places.
fn free_ports() -> u16 {
    let size = PORTS_OF_NODE * (JOINER as u16 + 1);
    let places = (PORTS.end - PORTS.start) / size;
    let own = (std::process::id() % u32::from(places)) as u16;
    let candidates = (0..places).map(|step| PORTS.start + (own + step) % places * size);
    let free = |first: u16| (first..first + size).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    candidates.into_iter().find(|first| free(*first)).expect("there are free ports")
}
