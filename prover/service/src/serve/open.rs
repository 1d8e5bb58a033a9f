//! Opening a service: everything of its data folder, in the order in which one part needs the other.
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use assay_auditor::trust::{self, BadTrust};
use assay_ledger::genesis::USUAL_SAMPLING;
use assay_prover::halo2::cache::Cache as ProvingKeys;
use assay_verifier::receipt::{Backend, Grade, ModelId, Proving};
use assay_verifier::settlement::node::Node;
use assay_verifier::settlement::parameters::TrustRoot;
use assay_verifier::signature::SigningKey;
use thiserror::Error;
use tokio::sync::Semaphore;

use super::Service;
use super::commit::Commits;
use super::metrics::Metrics;
use super::node::node_key;
use super::sweep::{Sweeper, Swept};
use crate::access::{AccessError, Door};
use crate::attester::{Enclave, EnclaveError};
use crate::backends::{Backend as AnyBackend, Backends, Tee, Vanilla, Zkml};
use crate::clock::now_ms;
use crate::config::{Access, Config, LedgerChoice};
use crate::data::{Fetcher, Records};
use crate::inference::{Inference, Payments, Resumer, Slots};
use crate::jobs::{JobError, Jobs, Rules, Ticker};
use crate::ledger::embedded::{Chain, Start};
use crate::ledger::remote::Remote;
use crate::ledger::{Attesting, Ledger, LedgerError, Presence, PresenceError, Sender};
use crate::models::{Circuits, Floats, ModelError, Models, Needs, Publisher, StringError, Strings};
use crate::outbound::BadRoots;
use crate::payments::Terms;
use crate::payments::reserve::Reserver;
use crate::proxy::{Figures, Proxy, Receipts, ReceiptsError, Seal};
use crate::settle::{Parts, Provable, Settler};
use crate::storage::{BlobStore, FileBlobs, private};
use crate::workers::{self, Desk, Local, Pool, Provers, signed};

/// What the node's account has on a chain of its own at the beginning: stake and fees for ever.
const NODE_BALANCE: u64 = 1 << 50;
/// How many times the chain's least stake the node stakes.
const STAKES: u64 = 2;

/// How many times as many bodies may be on their way as requests may be in work.
const ARRIVALS: usize = 4;

/// Most bytes of proving keys of the engine `halo2` on disk.
const PROVING_KEYS_BYTES: u64 = 4 << 30;

/// Why a service does not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// A file or folder.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The reference string.
    #[error(transparent)]
    String(#[from] StringError),
    /// The store of jobs.
    #[error(transparent)]
    Jobs(#[from] JobError),
    /// The catalogue.
    #[error(transparent)]
    Models(#[from] ModelError),
    /// API keys.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The ledger.
    #[error("the ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// What its chain begins with.
    #[error("trust: {0}")]
    Trust(#[from] BadTrust),
    /// The node's registration.
    #[error("the node is not registered: {0}")]
    Presence(#[from] PresenceError),
    /// What makes evidence of the enclave.
    #[error("tee: {0}")]
    Enclave(#[from] EnclaveError),
    /// Receipts of what is forwarded.
    #[error(transparent)]
    Receipts(#[from] ReceiptsError),
    /// Certificates of upstreams and sources.
    #[error("upstreams, sources: {0}")]
    Roots(#[from] BadRoots),
    /// A thread.
    #[error("no thread: {0}")]
    Thread(#[from] std::io::Error),
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> OpenError {
    let path = path.to_path_buf();
    move |error| OpenError::File { path, error }
}

/// What is on disk, and who asks.
struct Stores {
    node: SigningKey,
    blobs: Arc<FileBlobs>,
    jobs: Arc<Jobs>,
    models: Arc<Models>,
    strings: Arc<Strings>,
    door: Door,
}

impl Stores {
    fn open(config: &Config) -> Result<Self, OpenError> {
        let data = &config.data;
        private::folder(data).map_err(at(data))?;
        let seed = data.join("node.seed");
        let node = node_key(&seed).map_err(at(&seed))?;
        let folder = config.blobs();
        let blobs = Arc::new(FileBlobs::open(&folder).map_err(at(&folder))?);
        let rules = Rules {
            waiting_max: config.limits.queue_jobs,
            backlog_max_ms: u64::try_from(config.limits.backlog.as_millis()).unwrap_or(u64::MAX),
            keep_ms: u64::try_from(config.retention.age.as_millis()).unwrap_or(u64::MAX),
            ..Rules::default()
        };
        let jobs = Arc::new(Jobs::open(&data.join("jobs.redb"), rules, now_ms())?);
        let models = Arc::new(Models::open(&data.join("models.redb"))?);
        let strings = Arc::new(Strings::open(config.srs.as_deref(), data)?);
        let door = match config.access {
            Access::Open => Door::Open,
            Access::Keys => Door::keys(&data.join("access.json"))?,
        };
        Ok(Self { node, blobs, jobs, models, strings, door })
    }

    fn store(&self) -> Arc<dyn BlobStore> {
        Arc::clone(&self.blobs) as _
    }
}

/// The ledger, this node's account on it, and its registration.
struct Chained {
    enclave: Option<Arc<Enclave>>,
    ledger: Arc<dyn Ledger>,
    sender: Arc<Sender>,
    presence: Presence,
}

impl Chained {
    fn open(config: &Config, stores: &Stores) -> Result<Self, OpenError> {
        let enclave = config.tee.as_ref().map(|tee| Enclave::open(tee).map(Arc::new)).transpose()?;
        let roots = enclave.as_ref().map_or_else(Vec::new, |enclave| enclave.roots());
        let ledger = ledger(config, stores, roots)?;
        let sender = Arc::new(Sender::start(Arc::clone(&ledger), stores.node.clone())?);
        let mut backends = vec![Backend::Zkml, Backend::Vanilla];
        if enclave.is_some() {
            backends.insert(1, Backend::Tee);
        }
        let record = Node {
            backends,
            endpoint: config.url(),
            payee: stores.node.public(),
            stake: ledger.rules().stake_min.saturating_mul(STAKES),
        };
        let governs = matches!(config.ledger, LedgerChoice::Embedded { .. });
        let attesting = enclave.clone().map(|enclave| Attesting { enclave, governs });
        let presence = Presence::start(Arc::clone(&ledger), Arc::clone(&sender), &record, attesting)?;
        Ok(Self { enclave, ledger, sender, presence })
    }

    /// The one grade of enclaves that the chain accepts.
    fn grade(&self) -> Grade {
        self.ledger.rules().attestation.grade
    }

    /// What stands behind receipts of what is forwarded.
    fn seal(&self, node: &SigningKey) -> Seal {
        let (backend, grade) = match self.enclave {
            Some(_) => (Backend::Tee, self.grade()),
            None => (Backend::Vanilla, Grade::Production),
        };
        Seal { chain_id: self.ledger.rules().chain_id.clone(), node: node.clone(), backend, grade }
    }
}

/// What is loaded to answer and to prove.
struct Loaded {
    circuits: Arc<Circuits>,
    floats: Arc<Floats>,
    provers: Arc<Provers>,
    backends: Backends,
}

impl Loaded {
    fn new(config: &Config, stores: &Stores, chained: &Chained) -> Self {
        let bytes_max = config.limits.cache_bytes;
        let circuits = Arc::new(Circuits::new(stores.store(), bytes_max));
        let floats = Arc::new(Floats::new(stores.store(), bytes_max));
        let strings = Arc::clone(&stores.strings);
        let cut = move |k| strings.cut(k).map_err(|error| error.to_string());
        let proving_keys = ProvingKeys::new(config.data.join("proving_keys"), PROVING_KEYS_BYTES);
        let provers = Arc::new(Provers::new(bytes_max, Box::new(cut), Some(proving_keys)));
        let commit =
            Commits { provers: Arc::clone(&provers), models: Arc::clone(&stores.models), blobs: stores.store() };
        let mut backends: Vec<Arc<dyn AnyBackend>> = vec![
            Arc::new(Zkml::new(Arc::clone(&circuits), Arc::new(commit))),
            Arc::new(Vanilla::new(Arc::clone(&circuits))),
        ];
        if chained.enclave.is_some() {
            backends.push(Arc::new(Tee::new(Arc::clone(&circuits), Arc::clone(&floats), chained.grade())));
        }
        Self { circuits, floats, provers, backends: Backends::new(backends) }
    }
}

/// What answers requests.
fn inference(config: &Config, stores: &Stores, chained: &Chained, loaded: &Loaded) -> Inference {
    let ledger = &chained.ledger;
    let chain_id = ledger.rules().chain_id.clone();
    let payments = Payments {
        ledger: Arc::clone(ledger),
        reserver: Reserver::new(Arc::clone(ledger), Arc::clone(&chained.sender)),
        node: stores.node.clone(),
        terms: Terms::default(),
        url: format!("{}/v1/inference", config.url()),
    };
    Inference {
        records: Arc::new(Records::new(chain_id.clone(), stores.node.clone(), stores.store())),
        chain_id,
        node: stores.node.clone(),
        payment: config.payment,
        jobs: Arc::clone(&stores.jobs),
        models: Arc::clone(&stores.models),
        circuits: Arc::clone(&loaded.circuits),
        floats: Arc::clone(&loaded.floats),
        backends: loaded.backends.clone(),
        payments: Arc::new(payments),
        slots: Slots::new(config.limits.executions),
        answering: Mutex::new(HashSet::new()),
    }
}

impl Service {
    /// Opens what is in the data folder, or makes it. Blocks until the node is registered on the ledger.
    ///
    /// # Errors
    /// The first part that does not open.
    pub fn open(config: Config) -> Result<Arc<Self>, OpenError> {
        let limits = config.limits;
        let stores = Stores::open(&config)?;
        let chained = Chained::open(&config, &stores)?;
        let loaded = Loaded::new(&config, &stores, &chained);
        let inference = Arc::new(inference(&config, &stores, &chained, &loaded));
        let fetcher = Fetcher::new(&config.sources)?;
        let metrics = Metrics::default();
        let seal = chained.seal(&stores.node);
        let (receipts, proxy) = forwarding(&config, seal, metrics.forwarding.clone())?;
        let store = stores.store();
        let Stores { node, blobs, jobs, models, strings, door } = stores;
        let Chained { enclave, ledger, sender, presence } = chained;
        let desk = Arc::new(Desk::new(workers::Needs {
            jobs: Arc::clone(&jobs),
            blobs: Arc::clone(&store),
            catalogue: models.clone(),
            node: node.clone(),
            keys_bytes_max: limits.cache_bytes,
        }));
        let (catalogue, answering) = (Arc::clone(&models), Arc::clone(&inference));
        let parts = Parts {
            provable: Arc::new(move |id| provable(&catalogue, &answering.backends, id)),
            jobs: Arc::clone(&jobs),
            ledger: Arc::clone(&ledger),
            sender: Arc::clone(&sender),
            blobs: Arc::clone(&store),
        };
        let needs = Needs {
            models: Arc::clone(&models),
            blobs: store,
            strings,
            node: node.clone(),
            ledger: Arc::clone(&ledger),
            sender: Arc::clone(&sender),
        };
        let swept = Swept {
            jobs: Arc::clone(&jobs),
            models: Arc::clone(&models),
            blobs: Arc::clone(&blobs),
            receipts,
            retention: config.retention,
        };
        let local = Local::new(Arc::clone(&desk))?;
        let start = |count| Pool::start(Box::new(local), loaded.provers, count);
        let workers = Some(config.workers).filter(|count| *count > 0).map(start).transpose()?;
        Ok(Arc::new(Self {
            workers,
            ticker: Ticker::start(Arc::clone(&jobs))?,
            resumer: Resumer::start(Arc::clone(&inference))?,
            publisher: Publisher::start(needs)?,
            settler: Settler::start(parts)?,
            sweeper: Sweeper::start(swept)?,
            presence,
            enclave,
            sender,
            records: Arc::clone(&inference.records),
            inference,
            desk,
            seen: signed::Seen::default(),
            jobs,
            models,
            circuits: loaded.circuits,
            floats: loaded.floats,
            blobs,
            ledger,
            node,
            door,
            metrics,
            proxy: Arc::new(proxy),
            fetcher,
            requests: Arc::new(Semaphore::new(limits.requests)),
            arrivals: Arc::new(Semaphore::new(limits.requests.saturating_mul(ARRIVALS).min(Semaphore::MAX_PERMITS))),
            slow: Semaphore::new(1),
            config,
        }))
    }
}

/// What proves answers of a model that were given without a proof: its first key for public inputs.
fn provable(models: &Models, backends: &Backends, id: ModelId) -> Option<Provable> {
    let model = models.get(id)?;
    let key = model.keys.iter().find(|key| !key.kind.private_input)?;
    let estimate = backends.get(Backend::Zkml)?.estimate(&model, Some(key));
    let proving = Proving { engine: key.kind.engine, key: key.digest, hiding: key.hiding() };
    Some(Provable { proving, cost_us: estimate.prove_us })
}

/// What forwards, and its receipts.
fn forwarding(config: &Config, seal: Seal, figures: Figures) -> Result<(Arc<Receipts>, Proxy), OpenError> {
    let receipts = Arc::new(Receipts::open(&config.data.join("forwarded.redb"))?);
    let (places, kept) = (config.limits.forwarded, Arc::clone(&receipts));
    let proxy = Proxy::new(seal, &config.upstreams, kept, places, figures)?;
    Ok((receipts, proxy))
}

/// The ledger that is configured.
fn ledger(config: &Config, stores: &Stores, simulated_roots: Vec<TrustRoot>) -> Result<Arc<dyn Ledger>, OpenError> {
    match &config.ledger {
        LedgerChoice::Embedded { chain_id, accounts, block_interval } => {
            let mut balances = vec![(stores.node.public(), NODE_BALANCE)];
            balances.extend(accounts.iter().map(|(key, balance)| (*key, *balance)));
            let start = Start {
                chain_id: chain_id.clone(),
                accounts: balances,
                srs: vec![stores.strings.digest()],
                simulated_roots,
                sampling: USUAL_SAMPLING,
                interval: *block_interval,
            };
            Ok(Arc::new(Chain::open(&config.data.join("chain"), &start)?))
        }
        LedgerChoice::Remote { address, trust: path } => {
            let text = std::fs::read_to_string(path).map_err(at(path))?;
            Ok(Arc::new(Remote::connect(address, Some(trust::read(&text)?))?))
        }
    }
}
