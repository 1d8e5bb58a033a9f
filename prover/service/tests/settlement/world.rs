//! A chain of this process with its people, and the parts of the service around it, in a folder.
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use assay_ledger::tx::{Deposit, Payload, PublishModel};
use assay_service::clock::now_ms;
use assay_service::jobs::{Job, Jobs, Rules};
use assay_service::ledger::embedded::{Chain, Start};
use assay_service::ledger::{Attesting, Fate, Ledger, Presence, Sender, read};
use assay_service::payments::reserve::Reserver;
use assay_service::settle::{Parts, Provable, Rounds};
use assay_service::storage::FileBlobs;
use assay_verifier::receipt::{Backend, RequestId};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::node::Node;
use assay_verifier::settlement::payment::{Account, Totals};
use assay_verifier::settlement::sampling::Sampling;
use assay_verifier::signature::{Domain, PublicKey, SigningKey};
use assay_verifier::wire::Bytes;

use crate::model;

pub const CHAIN: &str = "assay-settlement-test";
/// What each has at the beginning.
pub const BALANCE: u64 = 1_000_000_000;
/// What the payer deposits.
pub const DEPOSIT: u64 = 500_000_000;
pub const STAKE: u64 = 5_000;
/// How long anything may take.
pub const LONGEST: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(20);

#[derive(Clone, Copy)]
pub enum Who {
    Node = 1,
    Payer,
    Publisher,
    /// Is paid and pays nothing.
    Payee,
}

pub const RICH: [Who; 3] = [Who::Node, Who::Payer, Who::Publisher];

pub fn secret(who: Who) -> SigningKey {
    SigningKey::from_seed([who as u8; 32])
}

pub fn key(who: Who) -> PublicKey {
    secret(who).public()
}

pub fn start() -> Start {
    let accounts = RICH.map(|who| (key(who), BALANCE)).to_vec();
    // None is drawn but where a test is about that.
    let sampling = Sampling { share_ppm: 0, blocks: 40, cut: 500 };
    Start {
        chain_id: CHAIN.into(),
        accounts,
        srs: Vec::new(),
        simulated_roots: Vec::new(),
        sampling,
        interval: INTERVAL,
    }
}

pub fn chain(folder: &Path) -> Arc<Chain> {
    Arc::new(Chain::open(&folder.join("chain"), &start()).unwrap())
}

pub fn sender(ledger: &Arc<Chain>, who: Who) -> Sender {
    Sender::start(ledger.clone(), secret(who)).unwrap()
}

pub fn account(ledger: &dyn Ledger, who: Who) -> Account {
    read(ledger, &keys::account(key(who))).unwrap().unwrap_or_default()
}

pub fn node() -> Node {
    let backends = vec![Backend::Zkml, Backend::Vanilla];
    Node { backends, endpoint: "http://127.0.0.1:8402".into(), payee: key(Who::Payee), stake: STAKE }
}

/// Sends a transaction, which must succeed.
pub fn done(sender: &Sender, payload: Payload) {
    let fate = sender.send_and_wait(payload, LONGEST).unwrap();
    assert!(matches!(fate, Fate::Done { .. }), "{fate:?}");
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < LONGEST, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub struct World {
    pub jobs: Arc<Jobs>,
    pub ledger: Arc<Chain>,
    pub sender: Arc<Sender>,
    pub reserver: Reserver,
    pub blobs: Arc<FileBlobs>,
}

impl World {
    pub fn open(folder: &Path) -> Self {
        Self::open_with(folder, &start())
    }

    pub fn open_with(folder: &Path, start: &Start) -> Self {
        let ledger = Arc::new(Chain::open(&folder.join("chain"), start).unwrap());
        let sender = Arc::new(sender(&ledger, Who::Node));
        let jobs = Arc::new(Jobs::open(&folder.join("jobs.redb"), Rules::default(), now_ms()).unwrap());
        let blobs = Arc::new(FileBlobs::open(&folder.join("blobs")).unwrap());
        let reserver = Reserver::new(ledger.clone(), sender.clone());
        Self { jobs, ledger, sender, reserver, blobs }
    }

    /// With the node registered, the model published, and money deposited.
    pub fn ready(folder: &Path) -> Self {
        Self::ready_with(folder, &start())
    }

    pub fn ready_with(folder: &Path, start: &Start) -> Self {
        Self::ready_as(folder, start, &node(), None)
    }

    /// The same of a node of one's own, in an enclave or not.
    pub fn ready_as(folder: &Path, start: &Start, node: &Node, attesting: Option<Attesting>) -> Self {
        let world = Self::open_with(folder, start);
        drop(Presence::start(world.ledger.clone(), world.sender.clone(), node, attesting).unwrap());
        done(&sender(&world.ledger, Who::Payer), Payload::Deposit(Deposit { amount: DEPOSIT }));
        let manifest = model::manifest();
        let signature = secret(Who::Publisher).sign(Domain::Model, CHAIN, &manifest);
        let keys = vec![Bytes(model::model().key_file())];
        let publish = Payload::PublishModel(PublishModel { manifest, signature, keys });
        done(&sender(&world.ledger, Who::Publisher), publish);
        world
    }

    pub fn parts(&self) -> Parts {
        let Self { jobs, ledger, sender, blobs, .. } = self;
        let provable = Provable { proving: model::model().proving(), cost_us: 10_000 };
        Parts {
            jobs: jobs.clone(),
            ledger: ledger.clone(),
            sender: sender.clone(),
            blobs: blobs.clone(),
            provable: Arc::new(move |_| Some(provable)),
        }
    }

    pub fn job(&self, id: RequestId) -> Job {
        self.jobs.get(id).unwrap().expect("the job is kept")
    }

    /// Goes round until something holds.
    pub fn round_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let mut rounds = Rounds::new(self.parts());
        until(what, || {
            rounds.round(now_ms()).unwrap();
            holds()
        });
    }

    /// Nothing was made or lost, and the payee has what was earned.
    pub fn check_money(&self, earned: u64, reserved: u64) {
        let totals: Totals = read(&*self.ledger, keys::TOTALS).unwrap().unwrap();
        assert_eq!(totals.supply(), u128::from(RICH.len() as u64 * BALANCE));
        assert_eq!((totals.reserved, totals.stakes), (reserved, STAKE));
        assert_eq!(account(&*self.ledger, Who::Payee).balance, earned);
        assert_eq!(account(&*self.ledger, Who::Payer).escrow, DEPOSIT - earned - reserved);
    }
}
