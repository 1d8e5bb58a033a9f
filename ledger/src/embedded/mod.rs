//! A chain in one process: blocks are made at an interval or on demand, without CometBFT, and look like CometBFT's.
//!
//! The state machine is the same and is called in the same order. There is one validator, whose key signs headers that a light client verifies from the
//! genesis on. A block with what became of its transactions is durable before the state is; what the state lacks when it is opened is replayed.
mod blocks;
mod error;
mod make;
mod seal;
mod shared;
mod ticker;
mod waiting;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use assay_verifier::settlement::Height;
use assay_verifier::settlement::light::{LightBlock, LightError, Root, validators_hash};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tendermint_proto::v0_38::abci::ExecTxResult;

pub use blocks::Block;
pub use error::{EmbeddedError, SubmitError};

use crate::app::{Answer, App, Options, Proof, Query, QueryError};
use crate::comet::ValidatorKey;
use crate::genesis::Genesis;
use crate::proven::{LightBytes, Proven};
use crate::rejection::Rejection;
use crate::state::{Committed, StoreError, read};
use crate::tx::TxHash;
use crate::verdicts::Pool;
use blocks::Blocks;
use make::Chain;
use seal::{POWER, Seal};
use shared::{Shared, locked};
use ticker::Ticker;
use waiting::Waiting;

/// Transactions whose proofs wait to be judged before their block.
const WAITING_TRANSACTIONS: usize = 1 << 10;

/// Where a chain is, and who validates it.
pub struct Settings {
    /// The blocks' file. The state's is in the application's options.
    pub blocks: PathBuf,
    /// The application's options.
    pub app: Options,
    /// The validator's key: the same as long as the chain is.
    pub validator: ValidatorKey,
}

/// A transaction in a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Included {
    /// The block's height.
    pub height: Height,
    /// The transaction's place in it.
    pub place: usize,
    /// What names it.
    pub id: TxHash,
    /// What became of it, with its events.
    pub result: ExecTxResult,
}

/// Where a transaction is.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// In a block that is durable.
    Included(Included),
    /// Waiting.
    Waiting,
    /// Dropped, because it cannot succeed any more.
    Dropped(Rejection),
    /// Not known; it was never admitted, or that was before a restart.
    Unknown,
}

/// A chain in this process.
pub struct Embedded {
    shared: Arc<Shared>,
    ticker: Option<Ticker>,
}

impl Embedded {
    /// Opens or creates a chain; what its state lacks is replayed.
    ///
    /// # Errors
    /// The databases', or they are not of one chain with this genesis and validator.
    pub fn open(genesis: &Genesis, settings: Settings) -> Result<Self, EmbeddedError> {
        let Settings { blocks, app: options, validator } = settings;
        let rules = genesis.parameters();
        let root =
            validators_hash(&[(validator.bytes(), POWER)]).map_err(|_: LightError| EmbeddedError::OtherValidator)?;
        let seal = Seal::new(validator, &rules.chain_id, rules.limits.block_bytes_max)?;
        let blocks = Arc::new(Blocks::open(&blocks)?);
        let app = App::open(genesis, &options)?;
        let reader = app.reader().clone();
        let pool = Pool::new(options.threads, WAITING_TRANSACTIONS, reader.verdicts(), reader.store())?;
        let chain = Mutex::new(Chain::open(app, Arc::clone(&blocks), seal)?);
        let (waiting, made, failed) = (Mutex::default(), Condvar::new(), AtomicBool::new(false));
        let root = Root::Validators(root);
        let shared = Arc::new(Shared { chain, reader, blocks, pool, waiting, made, failed, root });
        Ok(Self { shared, ticker: None })
    }

    /// From now on, makes a block at an interval whenever transactions wait, and one more so that the state after the last of them has its header.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(&mut self, interval: Duration) -> Result<(), EmbeddedError> {
        self.ticker = None;
        self.ticker = Some(Ticker::start(Arc::clone(&self.shared), interval)?);
        Ok(())
    }

    /// Lets a transaction wait for a block, if it may.
    ///
    /// # Errors
    /// It may not, or the node failed.
    pub fn submit(&self, transaction: Vec<u8>) -> Result<TxHash, SubmitError> {
        let shared = &self.shared;
        shared.running()?;
        let id = TxHash::of(&transaction);
        if locked(&shared.waiting).has(id) {
            return Ok(id);
        }
        let checked = shared.reader.check(&transaction).map_err(EmbeddedError::Store)?;
        if let Some(rejection) = checked.rejection {
            return Err(SubmitError::Refused(rejection));
        }
        // Where the pool is full, whoever makes the block judges the proofs.
        let _ = shared.pool.submit(checked.tasks);
        if locked(&shared.waiting).push(id, transaction) { Ok(id) } else { Err(SubmitError::Full) }
    }

    /// Says why a transaction would be refused in the next block, as the state is; nothing is changed, and what waits is not counted: a nonce
    /// after that of one that waits is ahead. Its proofs count as good unless they were judged before.
    ///
    /// # Errors
    /// The reason, or the node failed.
    pub fn attempt(&self, transaction: &[u8]) -> Result<(), SubmitError> {
        self.shared.running()?;
        let rejection = self.shared.reader.attempt(transaction).map_err(EmbeddedError::Store)?;
        rejection.map_or(Ok(()), |rejection| Err(SubmitError::Refused(rejection)))
    }

    /// Makes a block of what waits, now. The time is that of a clock; a block is later than the one before it in any case.
    ///
    /// # Errors
    /// The block failed, now or before.
    pub fn make_block(&self, time_ms: u64) -> Result<Committed, EmbeddedError> {
        self.shared.make_block(time_ms)
    }

    /// Where a transaction is.
    ///
    /// # Errors
    /// Blocks could not be read.
    pub fn outcome(&self, id: TxHash) -> Result<Outcome, EmbeddedError> {
        self.shared.outcome(&locked(&self.shared.waiting), id)
    }

    /// Waits until a transaction does not wait any more, but not longer than that.
    ///
    /// # Errors
    /// Blocks could not be read, or the node failed.
    pub fn wait(&self, id: TxHash, longest: Duration) -> Result<Outcome, EmbeddedError> {
        self.after_blocks(longest, |waiting| {
            let outcome = self.shared.outcome(waiting, id)?;
            Ok((outcome != Outcome::Waiting, outcome))
        })
    }

    /// Waits until there is a block of a height, but not longer than that; says whether there is. The state after a block is proven by the
    /// header of the next.
    ///
    /// # Errors
    /// The state could not be read, or the node failed.
    pub fn wait_height(&self, height: Height, longest: Duration) -> Result<bool, EmbeddedError> {
        self.after_blocks(longest, |_| {
            let reached = self.last()?.height >= height;
            Ok((reached, reached))
        })
    }

    /// Looks after each block until enough is seen or the time is over, and gives what was seen last.
    fn after_blocks<T>(
        &self,
        longest: Duration,
        look: impl Fn(&Waiting) -> Result<(bool, T), EmbeddedError>,
    ) -> Result<T, EmbeddedError> {
        let end = Instant::now() + longest;
        let mut waiting = locked(&self.shared.waiting);
        loop {
            let (enough, seen) = look(&waiting)?;
            let left = end.saturating_duration_since(Instant::now());
            if enough || left.is_zero() {
                return Ok(seen);
            }
            self.shared.running()?;
            let woken = self.shared.made.wait_timeout(waiting, left);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Height and app hash of the last commit. A block that is being made delays nobody who reads.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn last(&self) -> Result<Committed, EmbeddedError> {
        let committed = self.shared.reader.store().snapshot()?.committed();
        Ok(committed.ok_or_else(|| StoreError::Corrupt("no genesis".into()))?)
    }

    /// What is under a key, with a proof if it is wanted. The header of the next height has the app hash that the proof leads to.
    ///
    /// # Errors
    /// As [`crate::Reader::query`].
    pub fn query(&self, query: &Query) -> Result<Answer, QueryError> {
        self.shared.reader.query(query)
    }

    /// The record under a key in the last state.
    ///
    /// # Errors
    /// The state could not be read, or not a record of this kind.
    pub fn record<T: Serialize + DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, EmbeddedError> {
        Ok(read(&self.shared.reader.store().snapshot()?, key)?)
    }

    /// What is under a key in the state after a block, or in the last state, with its proof.
    ///
    /// # Errors
    /// As [`crate::Reader::query`].
    pub fn proven(&self, key: &[u8], height: Option<Height>) -> Result<Proven, QueryError> {
        let answer = self.query(&Query { key: key.to_vec(), height, proof: Proof::Wanted })?;
        let Answer { height, app_hash, value, proof } = answer;
        Ok(Proven { key: key.to_vec(), value, proof: proof.unwrap_or_default(), height, app_hash })
    }

    /// What light clients begin with: the hash of the validator, which never changes.
    pub fn root(&self) -> Root {
        self.shared.root
    }

    /// What light clients see of a block.
    ///
    /// # Errors
    /// Blocks could not be read.
    pub fn light_block(&self, height: Height) -> Result<Option<LightBlock>, EmbeddedError> {
        let block = self.block(height)?;
        Ok(block.map(|block| block.light_block()).transpose()?)
    }

    /// The same as it is sent.
    ///
    /// # Errors
    /// Blocks could not be read.
    pub fn light_bytes(&self, height: Height) -> Result<Option<LightBytes>, EmbeddedError> {
        Ok(self.block(height)?.map(|block| block.light_bytes()))
    }

    /// A block with what became of its transactions, once its state is durable.
    ///
    /// # Errors
    /// Blocks could not be read.
    pub fn block(&self, height: Height) -> Result<Option<Block>, EmbeddedError> {
        let last = self.last()?.height;
        if height > last { Ok(None) } else { Ok(self.shared.blocks.block(height)?) }
    }

    /// What happened in the blocks after a height, in at most so many of them.
    ///
    /// # Errors
    /// Blocks could not be read.
    pub fn since(&self, height: Height, blocks_max: usize) -> Result<Vec<Included>, EmbeddedError> {
        let mut happened = Vec::new();
        for height in (height.saturating_add(1)..=self.last()?.height).take(blocks_max) {
            let Some(Block { transactions, results, .. }) = self.shared.blocks.block(height)? else { break };
            for (place, (transaction, result)) in transactions.iter().zip(results).enumerate() {
                happened.push(Included { height, place, id: TxHash::of(transaction), result });
            }
        }
        Ok(happened)
    }
}
