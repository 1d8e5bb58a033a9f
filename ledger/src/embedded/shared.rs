//! What callers and the thread that makes blocks share.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use assay_verifier::settlement::light::Root;

use super::blocks::Blocks;
use super::make::Chain;
use super::waiting::Waiting;
use super::{EmbeddedError, Included, Outcome};
use crate::app::Reader;
use crate::state::{Committed, StoreError};
use crate::tx::TxHash;
use crate::verdicts::Pool;

/// What calls and the ticker share.
pub struct Shared {
    pub chain: Mutex<Chain>,
    pub reader: Reader,
    pub blocks: Arc<Blocks>,
    pub pool: Pool,
    pub waiting: Mutex<Waiting>,
    /// Told after each block.
    pub made: Condvar,
    pub failed: AtomicBool,
    pub root: Root,
}

/// What is behind a lock, also if a thread panicked while it held it.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Unless a block has failed.
    pub fn running(&self) -> Result<(), EmbeddedError> {
        if self.failed.load(Ordering::Acquire) { Err(EmbeddedError::Stopped) } else { Ok(()) }
    }

    /// Makes a block; one that fails is the last.
    pub fn make_block(&self, time_ms: u64) -> Result<Committed, EmbeddedError> {
        // A thread that panicked while it made a block has not said that it failed.
        let mut chain = self.chain.lock().map_err(|_| EmbeddedError::Stopped)?;
        self.running()?;
        let made = chain.make(&self.waiting, &self.reader, time_ms);
        if made.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        self.made.notify_all();
        made
    }

    /// Where a transaction is.
    pub fn outcome(&self, waiting: &Waiting, id: TxHash) -> Result<Outcome, EmbeddedError> {
        if waiting.has(id) {
            return Ok(Outcome::Waiting);
        }
        if let Some((height, place)) = self.blocks.place(id)? {
            let block = self.blocks.block(height)?;
            let result =
                block.and_then(|mut block| (place < block.results.len()).then(|| block.results.swap_remove(place)));
            let result = result.ok_or_else(|| StoreError::Corrupt(format!("block {height}")))?;
            return Ok(Outcome::Included(Included { height, place, id, result }));
        }
        Ok(waiting.dropped(id).map_or(Outcome::Unknown, Outcome::Dropped))
    }
}
