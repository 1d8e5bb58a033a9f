//! The node's account: signs transactions, one nonce after the other, and sees each of them to its end.
//!
//! A transaction that was handed in can be lost, when the ledger's node is restarted, or be one that no proposer takes, because it would be refused
//! in its block. The first is handed in again. The second holds up all that come after it, so another transaction that does nothing takes its nonce:
//! once that is in a block, the refusal is certain. A transaction whose nonce something else has used, such as one of this program's life before, is
//! signed again with a new one.
//!
//! Of all this nothing is stored: after a restart the state says which nonce is next. Whoever must know what became of a transaction from before
//! looks at what it was to do.
mod account;
mod follow;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use assay_ledger::Rejection;
use assay_ledger::tx::{Payload, TxHash};
use assay_verifier::settlement::Height;
use assay_verifier::signature::{PublicKey, SigningKey};
use thiserror::Error;

use super::{Ledger, LedgerError};
use account::Account;

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in a block, and was not refused there.
    Done {
        /// Its name.
        hash: TxHash,
        /// The block.
        height: Height,
        /// Of a batch, the code of each leaf, 0 for what is settled.
        leaves: Vec<u32>,
    },
    /// It is refused, and its nonce is used: it cannot come any more.
    Refused(Rejection),
    /// Its nonce was used by something else, and it is not one to be signed again: see [`Sender::send`].
    Gone,
}

/// Why a transaction was not handed in, or is not known to have ended.
#[derive(Debug, Error)]
pub enum SendError {
    /// As many as may be are on their way, or the ledger has no room.
    #[error("too many transactions are on their way")]
    Full,
    /// It is refused at once. Nothing was changed, and the next transaction takes its nonce.
    #[error("refused with code {code}: {0}", code = .0.code())]
    Refused(Rejection),
    /// Whoever was told of its name first did not want it.
    #[error("the transaction was not noted, so it was not handed in")]
    NotNoted,
    /// It may still come.
    #[error("the transaction is in no block after {0:?}")]
    NotYet(Duration),
    /// The ledger.
    #[error(transparent)]
    Ledger(LedgerError),
}

/// A transaction on its way.
#[derive(Debug)]
pub struct Ticket {
    hash: TxHash,
    fate: Receiver<Fate>,
}

impl Ticket {
    /// Its name when it was handed in. If it has to be signed again it gets another one.
    pub fn hash(&self) -> TxHash {
        self.hash
    }

    /// What became of it, if that is known. It is told once.
    pub fn look(&self) -> Option<Fate> {
        match self.fate.try_recv() {
            Ok(fate) => Some(fate),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Fate::Gone),
        }
    }

    /// Waits for what becomes of it, but not longer than that.
    pub fn wait(&self, longest: Duration) -> Option<Fate> {
        match self.fate.recv_timeout(longest) {
            Ok(fate) => Some(fate),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Fate::Gone),
        }
    }
}

/// What callers and the thread that follows transactions share.
struct Shared {
    ledger: Arc<dyn Ledger>,
    account: Mutex<Account>,
    /// Told when there is something to follow, or the thread is to end.
    changed: Condvar,
    stop: AtomicBool,
}

impl Shared {
    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An account that sends transactions. The thread that follows them ends when this is dropped; what is on its way then is on its way.
pub struct Sender {
    shared: Arc<Shared>,
    key: PublicKey,
    thread: Option<JoinHandle<()>>,
}

impl Sender {
    /// An account that goes on where the ledger's state has it.
    ///
    /// # Errors
    /// No answer, or no thread.
    pub fn start(ledger: Arc<dyn Ledger>, key: SigningKey) -> Result<Self, LedgerError> {
        let public = key.public();
        let account = Mutex::new(Account::new(&*ledger, key)?);
        let shared = Arc::new(Shared { ledger, account, changed: Condvar::new(), stop: AtomicBool::new(false) });
        let followed = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("sender".into()).spawn(move || follow::run(&followed));
        let thread = thread.map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        Ok(Self { shared, key: public, thread: Some(thread) })
    }

    /// The account.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// Hands in a transaction.
    ///
    /// A kind that the ledger does not take twice, as settlements and reservations, is signed again if something else uses its nonce. One that moves
    /// money each time is not: it ends as [`Fate::Gone`].
    ///
    /// # Errors
    /// It is refused at once, there is no room, or the ledger cannot be read.
    pub fn send(&self, payload: Payload) -> Result<Ticket, SendError> {
        self.send_noted(payload, |_| true)
    }

    /// As [`Self::send`], but tells the name before the transaction is handed in, to whoever says whether it shall be.
    ///
    /// # Errors
    /// As [`Self::send`], and [`SendError::NotNoted`].
    pub fn send_noted(&self, payload: Payload, note: impl FnOnce(TxHash) -> bool) -> Result<Ticket, SendError> {
        let ticket = self.shared.account().send(&*self.shared.ledger, payload, note)?;
        self.shared.changed.notify_all();
        Ok(ticket)
    }

    /// Hands in a transaction and waits for its end, but not longer than that.
    ///
    /// # Errors
    /// As [`Self::send`], and [`SendError::NotYet`].
    pub fn send_and_wait(&self, payload: Payload, longest: Duration) -> Result<Fate, SendError> {
        self.send(payload)?.wait(longest).ok_or(SendError::NotYet(longest))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
