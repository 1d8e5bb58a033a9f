//! Removes what is over and too old, from time to time. Evidence of what was settled stays.
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::now_ms;
use crate::config::Retention;
use crate::jobs::Jobs;
use crate::models::Models;
use crate::storage::{FileBlobs, Limits};

/// From one round to the next.
const INTERVAL: Duration = Duration::from_secs(600);
/// A blob that was uploaded so lately may be named by a model that comes soon.
const YOUNG: Duration = Duration::from_secs(24 * 3600);

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
    pub fn start(
        jobs: Arc<Jobs>,
        models: Arc<Models>,
        blobs: Arc<FileBlobs>,
        retention: Retention,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let work = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(INTERVAL) {
                if let Err(error) = round(&jobs, &models, &blobs, retention) {
                    tracing::error!(error, "nothing was swept");
                }
            }
        };
        let thread = std::thread::Builder::new().name("sweeper".into()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

fn round(jobs: &Jobs, models: &Models, blobs: &FileBlobs, retention: Retention) -> Result<(), String> {
    while !jobs.prune(now_ms()).map_err(|error| error.to_string())?.is_empty() {}
    let mut kept = jobs.kept_blobs().map_err(|error| error.to_string())?;
    kept.extend(models.kept_blobs());
    let limits = Limits { age: retention.age, bytes: retention.bytes, young: YOUNG };
    blobs.sweep(&kept, &limits, std::time::SystemTime::now()).map_err(|error| error.to_string())?;
    Ok(())
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
