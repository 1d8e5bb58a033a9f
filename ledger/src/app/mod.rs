//! The application: what consensus asks of the state machine, without the protocol in which it asks.
//!
//! One task owns the [`App`] and calls it block by block. A [`Reader`] is for everybody else: it admits transactions and answers queries
//! from the committed state, from any thread.
mod block;
mod check;
mod finalize;
mod prepare;
mod process;
mod query;
mod restore;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_verifier::digest::Digest32;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Block, Totals};
use assay_verifier::settlement::{Versioned, keys};
use thiserror::Error;

pub use block::{TxResult, Unfit};
pub use check::Checked;
pub use finalize::Finalized;
pub use query::{Answer, Proof, Query, QueryError};

use crate::genesis::Genesis;
use crate::rejection::Rejection;
use crate::state::{Committed, SnapshotError, Staged, Store, StoreError, read};
use crate::tx::BlockTime;
use crate::verdicts::Verdicts;

/// What a node decides for itself. Nothing here changes what is accepted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database's file.
    pub database: PathBuf,
    /// For how many heights before the last proofs of inclusion can be given.
    pub pruning_depth: u64,
    /// How many verdicts are kept.
    pub verdicts_max: usize,
    /// How many checked keys are kept.
    pub keys_max: usize,
    /// On how many threads a block's proofs are judged.
    pub threads: usize,
}

impl Options {
    /// Usual values for a database.
    pub fn usual(database: &Path) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { database: database.into(), pruning_depth: 1_000, verdicts_max: 1 << 16, keys_max: 64, threads }
    }
}

/// A call that consensus would not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Misuse {
    /// A block that does not follow the last one.
    #[error("height {asked} does not follow {last}")]
    Height {
        /// The height that was asked for.
        asked: u64,
        /// The last committed one.
        last: u64,
    },
    /// A block that is older than the one before.
    #[error("the block's time is before that of the last one")]
    Time,
    /// A commit without a block.
    #[error("there is no finalized block to commit")]
    NothingFinalized,
}

/// Why a call of the application failed. The node must stop: state and consensus have parted.
#[derive(Debug, Error)]
pub enum AppError {
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A call out of order.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// A snapshot could not be received.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Money appeared or vanished, which no transaction can do.
    #[error("the supply is {found} and not {expected}")]
    Supply {
        /// What there should be.
        expected: u64,
        /// What there is.
        found: u128,
    },
    /// A thread panicked within the application, whose state nothing may be built on after that.
    #[error("the application panicked")]
    Panicked,
}

/// Reads the committed state; cheap to clone.
#[derive(Clone)]
pub struct Reader {
    store: Store,
    verdicts: Arc<Verdicts>,
    rules: Arc<Parameters>,
}

/// The state machine.
pub struct App {
    reader: Reader,
    threads: usize,
    last: Committed,
    last_time_ms: u64,
    genesis: Digest32,
    finalized: Option<(Staged, BlockTime)>,
}

impl App {
    /// Opens a chain's database, or creates it from the genesis.
    ///
    /// # Errors
    /// The database's, or it is of another chain.
    pub fn open(genesis: &Genesis, options: &Options) -> Result<Self, AppError> {
        let store = Store::open(&options.database, options.pruning_depth)?;
        if store.snapshot()?.committed().is_none() {
            store.commit(store.stage(0, genesis.writes())?)?;
        }
        let state = store.snapshot()?;
        let last = state.committed().ok_or_else(|| StoreError::Corrupt("no genesis".into()))?;
        let missing = |what: &str| StoreError::Corrupt(format!("no {what}"));
        let block: Block = read(&state, keys::BLOCK)?.ok_or_else(|| missing("block"))?;
        if block.genesis != genesis.digest() {
            return Err(StoreError::OtherChain("its genesis differs").into());
        }
        let rules: Option<Versioned<Parameters>> = read(&state, keys::PARAMETERS)?;
        let rules = rules.ok_or_else(|| missing("parameters"))?.record;
        let verdicts = Arc::new(Verdicts::new(options.verdicts_max, options.keys_max));
        let reader = Reader { store, verdicts, rules: Arc::new(rules) };
        Ok(Self {
            reader,
            threads: options.threads,
            last,
            last_time_ms: block.time_ms,
            genesis: block.genesis,
            finalized: None,
        })
    }

    /// Height and app hash of the last commit.
    pub fn last(&self) -> Committed {
        self.last
    }

    /// The time of the last block.
    pub fn last_time_ms(&self) -> u64 {
        self.last_time_ms
    }

    /// What reads the committed state.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Makes the finalized block durable.
    ///
    /// # Errors
    /// There is none, or the database's.
    pub fn commit(&mut self) -> Result<Committed, AppError> {
        let (staged, block) = self.finalized.take().ok_or(Misuse::NothingFinalized)?;
        self.last = self.reader.store.commit(staged)?;
        self.last_time_ms = block.time_ms;
        Ok(self.last)
    }

    fn follows(&self, block: BlockTime) -> Result<(), Misuse> {
        let Committed { height: last, .. } = self.last;
        if Some(block.height) != last.checked_add(1) {
            return Err(Misuse::Height { asked: block.height, last });
        }
        if block.time_ms < self.last_time_ms { Err(Misuse::Time) } else { Ok(()) }
    }
}

impl Reader {
    /// The rules of the chain.
    pub fn rules(&self) -> &Parameters {
        &self.rules
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The verdicts that are known.
    pub fn verdicts(&self) -> &Arc<Verdicts> {
        &self.verdicts
    }
}

fn supply(totals: Option<Totals>, rules: &Parameters) -> Result<(), AppError> {
    let found = totals.unwrap_or_default().supply();
    if found == u128::from(rules.supply) { Ok(()) } else { Err(AppError::Supply { expected: rules.supply, found }) }
}

/// A list of codes, four bytes each, little-endian, 0 for what is settled: what a batch answers.
fn leaf_codes(leaves: &[Result<(), Rejection>]) -> Vec<u8> {
    leaves.iter().flat_map(|leaf| leaf.err().map_or(0, Rejection::code).to_le_bytes()).collect()
}
