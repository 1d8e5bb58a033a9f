//! Blocks at an interval, by the system's clock, on a thread of their own.
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::shared::{Shared, locked};

/// The thread. Dropping it waits until the block that is being made is made.
pub struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts the thread. It ends with the first block that fails.
    pub fn start(shared: Arc<Shared>, interval: Duration) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let work = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(interval) {
                let due = !locked(&shared.waiting).is_empty() || locked(&shared.chain).owes_a_header();
                if !due {
                    continue;
                }
                if let Err(error) = shared.make_block(now_ms()) {
                    tracing::error!(%error, "no block was made");
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("blocks".into()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
