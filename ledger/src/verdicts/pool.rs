//! A bounded pool of plain threads that judge proofs of transactions as they are admitted, so that verdicts are there when their block is. The
//! proofs of a transaction are judged together.
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use thiserror::Error;

use super::{Task, Verdicts, locked};
use crate::state::Store;

/// The pool has as many transactions waiting as it takes. Nothing is lost: whoever judges the block will judge their proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the proofs of too many transactions are waiting")]
pub struct Full;

/// The pool. Dropping it waits until all that it was given is judged.
pub struct Pool {
    queue: Option<SyncSender<Vec<Task>>>,
    /// The other end of the queue. While the pool holds it, proofs can wait even if there is no thread to take them.
    _tasks: Arc<Mutex<Receiver<Vec<Task>>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts threads that judge for these verdicts, with keys from this store; proofs of at most so many
    /// transactions wait.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn new(threads: usize, waiting_max: usize, verdicts: &Arc<Verdicts>, store: &Store) -> std::io::Result<Self> {
        let (queue, tasks) = sync_channel(waiting_max);
        let tasks = Arc::new(Mutex::new(tasks));
        let start = |number| {
            let (tasks, verdicts, store) = (Arc::clone(&tasks), Arc::clone(verdicts), store.clone());
            let thread = std::thread::Builder::new().name(format!("verdicts-{number}"));
            thread.spawn(move || work(&tasks, &verdicts, &store))
        };
        let threads = (0..threads).map(start).collect::<Result<_, _>>()?;
        Ok(Self { queue: Some(queue), _tasks: tasks, threads })
    }

    /// Leaves the proofs of a transaction to the pool.
    ///
    /// # Errors
    /// The pool is full.
    pub fn submit(&self, tasks: Vec<Task>) -> Result<(), Full> {
        let Some(queue) = self.queue.as_ref().filter(|_| !tasks.is_empty()) else { return Ok(()) };
        queue.try_send(tasks).map_err(|_| Full)
    }
}

fn work(tasks: &Mutex<Receiver<Vec<Task>>>, verdicts: &Verdicts, store: &Store) {
    loop {
        let next = locked(tasks).recv();
        let Ok(transaction) = next else { return };
        // What cannot be read here is read again, and reported, where the block is judged.
        if let Ok(state) = store.snapshot() {
            let _ = verdicts.judge_all(&state, &[transaction], 1);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
