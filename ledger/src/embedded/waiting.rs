//! Transactions that wait for a block, in the order in which they came. They are in memory: what is acknowledged is what is in a block.
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::rejection::Rejection;
use crate::tx::TxHash;

/// Most transactions that wait.
const WAITING_MAX: usize = 10_000;
/// Most bytes of them.
const WAITING_BYTES_MAX: usize = 256 << 20;
/// In how many blocks a transaction is tried before others are let past it: there was no room for it, or its nonce is ahead.
const PATIENCE: u32 = 8;
/// In how many blocks a transaction is tried at all.
const TRIES_MAX: u32 = 1_000;
/// Of how many transactions it is remembered that they were dropped.
const DROPPED_MAX: usize = 10_000;

struct Entry {
    id: TxHash,
    bytes: Vec<u8>,
    tries: u32,
}

/// The transactions.
#[derive(Default)]
pub struct Waiting {
    queue: VecDeque<Entry>,
    known: BTreeSet<TxHash>,
    bytes: usize,
    dropped: BTreeMap<TxHash, Rejection>,
    dropped_order: VecDeque<TxHash>,
}

impl Waiting {
    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether a transaction waits.
    pub fn has(&self, id: TxHash) -> bool {
        self.known.contains(&id)
    }

    /// Why a transaction waits no more without being in a block.
    pub fn dropped(&self, id: TxHash) -> Option<Rejection> {
        self.dropped.get(&id).copied()
    }

    /// Lets a transaction wait, if there is room. One that waits already is not there twice.
    pub fn push(&mut self, id: TxHash, bytes: Vec<u8>) -> bool {
        if self.has(id) {
            return true;
        }
        if self.queue.len() >= WAITING_MAX || self.bytes.saturating_add(bytes.len()) > WAITING_BYTES_MAX {
            return false;
        }
        self.bytes += bytes.len();
        self.known.insert(id);
        self.dropped.remove(&id);
        self.queue.push_back(Entry { id, bytes, tries: 0 });
        true
    }

    /// The first ones, of at most so many bytes: what a block is made of.
    pub fn first(&self, bytes_max: u64) -> Vec<Vec<u8>> {
        let mut room = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let mut first = Vec::new();
        for entry in &self.queue {
            let Some(left) = room.checked_sub(entry.bytes.len()) else { break };
            room = left;
            first.push(entry.bytes.clone());
        }
        first
    }

    /// After a block that was made of the first ones: those in it wait no more, nor those for which there is a reason.
    ///
    /// # Errors
    /// There is none to be had for one of them; nothing has changed then.
    pub fn settle<E>(
        &mut self,
        tried: usize,
        included: &BTreeSet<TxHash>,
        mut reason: impl FnMut(&[u8]) -> Result<Option<Rejection>, E>,
    ) -> Result<(), E> {
        let mut reasons = VecDeque::new();
        for entry in self.queue.iter().take(tried) {
            let given_up = (entry.tries >= TRIES_MAX).then_some(Rejection::NonceAhead);
            reasons.push_back(if included.contains(&entry.id) { None } else { reason(&entry.bytes)?.or(given_up) });
        }
        let mut stay = Vec::new();
        for why in reasons {
            let Some(mut entry) = self.queue.pop_front() else { break };
            if why.is_none() && !included.contains(&entry.id) {
                entry.tries += 1;
                if entry.tries.is_multiple_of(PATIENCE) {
                    self.queue.push_back(entry);
                } else {
                    stay.push(entry);
                }
                continue;
            }
            self.bytes -= entry.bytes.len();
            self.known.remove(&entry.id);
            if let Some(why) = why {
                self.remember(entry.id, why);
            }
        }
        for entry in stay.into_iter().rev() {
            self.queue.push_front(entry);
        }
        Ok(())
    }

    fn remember(&mut self, id: TxHash, why: Rejection) {
        self.dropped.insert(id, why);
        self.dropped_order.push_back(id);
        if self.dropped_order.len() > DROPPED_MAX
            && let Some(oldest) = self.dropped_order.pop_front()
        {
            self.dropped.remove(&oldest);
        }
    }
}
