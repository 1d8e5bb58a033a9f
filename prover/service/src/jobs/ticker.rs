//! The thread that lets time do its part: leases and deadlines run out, pauses end.
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::store::Jobs;
use crate::clock::now_ms;

/// From one look to the next.
const INTERVAL: Duration = Duration::from_millis(200);

/// The thread. It ends when this is dropped.
pub struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's.
    pub fn start(jobs: Arc<Jobs>) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let work = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(INTERVAL) {
                if let Err(error) = jobs.tick(now_ms()) {
                    tracing::error!(%error, "leases do not run out");
                }
            }
        };
        let thread = std::thread::Builder::new().name("ticker".into()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
