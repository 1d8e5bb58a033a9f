//! The load: requests are reserved, proven and settled without pause, by whichever validator answers.
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use assay_ledger::Rejection;
use assay_ledger::client::{Client, ClientError, Included, Signer};
use assay_ledger::tx::{Payload, TxHash};
use assay_verifier::key::Engine;
use assay_verifier::receipt::RequestId;

use crate::model::Service;
use crate::network::until;
use crate::people::{Who, signer};
use crate::request::Request;

/// Requests that are on their way at once.
const WINDOW: u64 = 24;
/// One request in so many is proven by the engine `halo2`, which takes longer.
const HALO2_EVERY: u64 = 16;
/// How long a validator may take to have what it was given in a block, before the next one is given it too.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long it may take in all.
const DEADLINE: Duration = Duration::from_secs(90);
/// The first request of the load; those before belong to forgeries.
const FIRST: u64 = 1_000;

/// What was acknowledged: the height of each settlement.
pub type Settled = BTreeMap<RequestId, u64>;

/// A thread that settles.
pub struct Load {
    settled: Arc<Mutex<Settled>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Load {
    pub fn start(clients: Vec<Client>, service: Arc<Service>) -> Self {
        let (settled, stop) = (Arc::new(Mutex::new(Settled::new())), Arc::new(AtomicBool::new(false)));
        let (acknowledged, stopped) = (Arc::clone(&settled), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let [mut payer, mut node] = [Who::Payer, Who::Node].map(|who| Sender::new(&clients, who));
            let mut first = FIRST;
            while !stopped.load(Ordering::Relaxed) {
                let requests: Vec<Request> =
                    (first..first + WINDOW).map(|number| Request::new(&service, number)).collect();
                first += WINDOW;
                payer.accepted(requests.iter().map(Request::reserve).collect());
                let settle = |(place, request): (u64, &Request)| {
                    let compact = (first + place).is_multiple_of(HALO2_EVERY);
                    request.settle(if compact { Engine::Halo2 } else { Engine::Sumcheck })
                };
                let included = node.accepted((0..).zip(&requests).map(settle).collect());
                let heights = requests.iter().zip(included).map(|(request, included)| (request.id(), included.height));
                acknowledged.lock().expect("nobody panicked").extend(heights);
            }
        });
        Self { settled, stop, thread }
    }

    /// How many settlements are acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.settled.lock().expect("nobody panicked").len()
    }

    /// Waits until so many are.
    pub fn wait(&self, count: usize) {
        until(&format!("{count} settlements"), || {
            assert!(!self.thread.is_finished(), "the load stopped");
            self.acknowledged() >= count
        });
    }

    /// Stops, and gives what was acknowledged.
    pub fn finish(self) -> Settled {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the load went well");
        std::mem::take(&mut self.settled.lock().expect("nobody panicked"))
    }
}

/// Sends transactions of one signer, again and elsewhere until they are in blocks.
pub struct Sender<'a> {
    clients: &'a [Client],
    signer: Signer,
    turn: usize,
}

impl<'a> Sender<'a> {
    pub fn new(clients: &'a [Client], who: Who) -> Self {
        Self { clients, signer: signer(clients, who), turn: 0 }
    }

    /// Delivers transactions, all of which must succeed.
    pub fn accepted(&mut self, payloads: Vec<Payload>) -> Vec<Included> {
        let included = self.deliver(payloads);
        included.iter().for_each(|included| assert_eq!(included.outcome.refused, None));
        included
    }

    /// Delivers transactions: each is in a block.
    fn deliver(&mut self, payloads: Vec<Payload>) -> Vec<Included> {
        let transactions: Vec<Vec<u8>> = payloads.into_iter().map(|payload| self.signer.sign(payload, None)).collect();
        let mut included = Vec::new();
        let start = Instant::now();
        while included.len() < transactions.len() {
            let missing = transactions.len() - included.len();
            assert!(start.elapsed() < DEADLINE, "{missing} of {} are in no block", transactions.len());
            let client = &self.clients[self.turn % self.clients.len()];
            // Nonces follow each other, so what comes first is in a block first.
            let left = &transactions[included.len()..];
            if left.iter().all(|transaction| admitted(client, transaction)) {
                let found = left.iter().map_while(|transaction| client.wait(TxHash::of(transaction), PATIENCE).ok());
                included.extend(found.collect::<Vec<_>>());
            }
            self.turn += 1;
        }
        included
    }
}

/// Whether a validator has a transaction now, whoever gave it.
fn admitted(client: &Client, transaction: &[u8]) -> bool {
    match client.submit(transaction) {
        Ok(_) => true,
        Err(ClientError::Refused(refused)) => {
            // It came by another validator and is in a block.
            assert_eq!(refused.rejection(), Some(Rejection::NonceUsed), "{refused}");
            true
        }
        // It does not run, does not answer, or has no room.
        Err(_) => false,
    }
}
