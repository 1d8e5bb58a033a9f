//! A bounded pool of plain threads that judge proofs of transactions as they are admitted, so that verdicts are there when their block is.
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use thiserror::Error;

use super::{Task, Verdicts, locked};
use crate::state::Store;

/// The pool has as many proofs waiting as it takes. Nothing is lost: whoever judges the block will judge the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too many proofs are waiting")]
pub struct Full;

/// The pool. Dropping it waits until all that it was given is judged.
pub struct Pool {
    queue: Option<SyncSender<Task>>,
    /// The other end of the queue. While the pool holds it, proofs can wait even if there is no thread to take them.
    _tasks: Arc<Mutex<Receiver<Task>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts threads that judge for these verdicts, with keys from this store; at most so many proofs wait.
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

    /// Leaves a proof to the pool.
    ///
    /// # Errors
    /// The pool is full.
    pub fn submit(&self, task: Task) -> Result<(), Full> {
        let Some(queue) = &self.queue else { return Err(Full) };
        queue.try_send(task).map_err(|_| Full)
    }
}

fn work(tasks: &Mutex<Receiver<Task>>, verdicts: &Verdicts, store: &Store) {
    loop {
        let next = locked(tasks).recv();
        let Ok(task) = next else { return };
        // What cannot be read here is read again, and reported, where the block is judged.
        if let Ok(state) = store.snapshot() {
            let _ = verdicts.judge(&state, &task);
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
