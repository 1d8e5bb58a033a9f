//! Transactions that wait since an earlier block: CometBFT asks for each of them again after every block.
//!
//! Proposers leave out what is refused, so a transaction that fails for its payload would wait for ever and take the room of others, for no fee.
//! A nonce that was used meanwhile ends the waiting, and so do many blocks.
use std::sync::{Mutex, PoisonError};

use assay_verifier::signature::PublicKey;

use crate::app::Reader;
use crate::bounded::Bounded;
use crate::rejection::Rejection;
use crate::state::StoreError;

/// Blocks that may leave a transaction out. What it waits for, another signer's transaction or room, comes sooner or not at all.
pub const BLOCKS_MAX: u32 = 50;
/// Of how many transactions blocks are counted: more than wait at CometBFT's usual size of the pool.
const COUNTED_MAX: usize = 10_000;

/// By how many blocks transactions were left out, by signer and nonce.
pub struct LeftOut(Mutex<Bounded<(PublicKey, u64), u32>>);

impl LeftOut {
    /// None yet.
    pub fn new() -> Self {
        Self(Mutex::new(Bounded::new(COUNTED_MAX)))
    }

    /// Why a transaction shall not wait any longer, after one more block without it.
    pub fn recheck(&self, reader: &Reader, transaction: &[u8]) -> Result<Option<Rejection>, StoreError> {
        let name = match reader.still_waits(transaction)? {
            Ok(name) => name,
            Err(rejection) => return Ok(Some(rejection)),
        };
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let blocks = counted.get(&name).copied().unwrap_or_default().saturating_add(1);
        counted.insert(name, blocks);
        drop(counted);
        if blocks < BLOCKS_MAX {
            return Ok(None);
        }
        // What is not refused as the state is has waited for room, and goes as well.
        Ok(Some(reader.attempt(transaction)?.unwrap_or(Rejection::BlockBytes)))
    }
}
