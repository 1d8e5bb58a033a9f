//! Jobs that were accepted and not answered, because the process or the ledger stopped: they are taken up again until they end.
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::accept::Inference;

/// From one look to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// The thread. It ends when this is dropped.
pub struct Resumer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Resumer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's.
    pub fn start(inference: Arc<Inference>) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let work = move || {
            let mut pause = Duration::ZERO;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) {
                pause = INTERVAL;
                for id in inference.jobs.pending_execution() {
                    let Ok(Some(job)) = inference.jobs.get(id) else { continue };
                    // Whoever is at it already is left alone; what failed says so in the job.
                    if let Err(error) = inference.go_on(job) {
                        tracing::debug!(%id, %error, "not answered yet");
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("resumer".into()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Resumer {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
