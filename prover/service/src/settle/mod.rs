//! Settling: the ledger is shown what stands behind each paid answer, and each payment ends with the node or with its payer.
//!
//! One thread goes round. What has a proof, or needs none, is handed in, by itself when little is to do and in batches otherwise. What is in a block is
//! proven against a header that follows from the trusted root, and that evidence is kept. What is not settled by its deadline is refunded. What rested
//! on the node's word and is drawn by the chain is proven after all.
//!
//! All that must survive is in the jobs. `submitted` is durable before a transaction is handed in, and the ledger's own record of a settlement, which
//! there is once for a request, says after a restart whether it was: nothing is settled twice and nothing is lost.
pub mod bundle;
mod evidence;
mod flight;
mod hand_in;
mod outcome;
mod refunds;
mod round;
mod samples;

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::now_ms;
use crate::jobs::Jobs;
use crate::ledger::{Ledger, Sender};
use crate::storage::BlobStore;

pub use evidence::of_node;
pub use round::{Rounds, SettleError};
pub use samples::{FindProvable, Provable};

/// From one round to the next while something is on its way, and while nothing is.
const BUSY: Duration = Duration::from_millis(25);
const IDLE: Duration = Duration::from_millis(100);

/// What settling works with.
#[derive(Clone)]
pub struct Parts {
    /// The jobs.
    pub jobs: Arc<Jobs>,
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// The node's account on it.
    pub sender: Arc<Sender>,
    /// Where proofs lie, and evidence is kept.
    pub blobs: Arc<dyn BlobStore>,
    /// What proves answers that were given without a proof, should the ledger ask for one.
    pub provable: FindProvable,
}

/// The thread. It ends after its round when this is dropped.
pub struct Settler {
    wake: Mutex<Option<SyncSender<()>>>,
    thread: Option<JoinHandle<()>>,
}

impl Settler {
    /// Starts the thread.
    ///
    /// # Errors
    /// There is none to be had.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let work = move || run(Rounds::new(parts), &woken);
        let thread = std::thread::Builder::new().name("settler".into()).spawn(work)?;
        Ok(Self { wake: Mutex::new(Some(wake)), thread: Some(thread) })
    }

    /// Says that there is something to settle. Without it, the next round finds it.
    pub fn wake(&self) {
        let wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wake) = &*wake {
            // It is awake already if this one does not fit.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Settler {
    fn drop(&mut self) {
        *self.wake.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(mut rounds: Rounds, woken: &Receiver<()>) {
    let mut works = true;
    loop {
        let pause = match rounds.round(now_ms()) {
            Ok(()) => {
                works = true;
                if rounds.is_busy() { BUSY } else { IDLE }
            }
            Err(error) => {
                if works {
                    tracing::warn!(%error, "settling does not go on");
                }
                works = false;
                Duration::from_secs(1)
            }
        };
        if woken.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}
