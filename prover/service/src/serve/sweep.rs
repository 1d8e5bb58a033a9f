//! Removes what is over and too old, from time to time. Evidence of what was settled stays.
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::now_ms;
use crate::config::Retention;
use crate::jobs::Jobs;
use crate::models::Models;
use crate::proxy::Receipts;
use crate::storage::{FileBlobs, Limits};

/// From one round to the next.
const INTERVAL: Duration = Duration::from_secs(600);
/// A blob that was uploaded so lately may be named by a model that comes soon.
const YOUNG: Duration = Duration::from_secs(24 * 3600);

/// What is swept.
pub struct Swept {
    /// Jobs.
    pub jobs: Arc<Jobs>,
    /// Models.
    pub models: Arc<Models>,
    /// Files.
    pub blobs: Arc<FileBlobs>,
    /// Receipts of what was forwarded.
    pub receipts: Arc<Receipts>,
    /// What is kept.
    pub retention: Retention,
}

/// The thread. It ends when this is dropped.
pub struct Sweeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's.
    pub fn start(swept: Swept) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let work = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(INTERVAL) {
                if let Err(error) = swept.round() {
                    tracing::error!(error, "nothing was swept");
                }
            }
        };
        let thread = std::thread::Builder::new().name("sweeper".into()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Swept {
    fn round(&self) -> Result<(), String> {
        while !self.jobs.prune(now_ms()).map_err(|error| error.to_string())?.is_empty() {}
        let age_ms = u64::try_from(self.retention.age.as_millis()).unwrap_or(u64::MAX);
        self.receipts.prune(now_ms().saturating_sub(age_ms)).map_err(|error| error.to_string())?;
        let mut kept = self.jobs.kept_blobs().map_err(|error| error.to_string())?;
        kept.extend(self.models.kept_blobs());
        let limits = Limits { age: self.retention.age, bytes: self.retention.bytes, young: YOUNG };
        self.blobs.sweep(&kept, &limits, std::time::SystemTime::now()).map_err(|error| error.to_string())?;
        Ok(())
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
