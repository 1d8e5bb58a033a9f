//! Where a worker's tasks come from, as the worker sees it.
use assay_verifier::digest::KeyDigest;
use thiserror::Error;

use super::prove::Proved;
use super::task::{Task, Trouble};
use crate::jobs::Progress;
use crate::storage::BlobId;

/// Why a worker gets no answer, or not the one it hoped for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// The job is not the worker's any more: whatever it does for it is in vain.
    #[error("the job is not this worker's any more")]
    Stale,
    /// The worker is quarantined.
    #[error("this worker is quarantined: a proof of it was refused")]
    Quarantined,
    /// The service does not let the worker do this.
    #[error("the service refuses: {0}")]
    Refused(String),
    /// The service does not answer, or cannot do its part now.
    #[error("the service does not answer: {0}")]
    Away(String),
}

/// Where tasks come from. Calls block.
pub trait Source: Send + Sync {
    /// The next task, after a short wait if there is none.
    ///
    /// # Errors
    /// As for all.
    fn task(&self, loaded: Vec<KeyDigest>) -> Result<Option<Task>, SourceError>;

    /// A file that a task needs.
    ///
    /// # Errors
    /// As for all.
    fn file(&self, id: BlobId) -> Result<Vec<u8>, SourceError>;

    /// Says that the worker is alive.
    ///
    /// # Errors
    /// As for all.
    fn heartbeat(&self, task: &Task, progress: Progress) -> Result<(), SourceError>;

    /// Hands a proof in.
    ///
    /// # Errors
    /// As for all.
    fn hand_in(&self, task: &Task, proved: &Proved) -> Result<(), SourceError>;

    /// Lets go of a task that cannot be proven, or gives it back.
    ///
    /// # Errors
    /// As for all.
    fn let_go(&self, task: &Task, trouble: Option<&Trouble>) -> Result<(), SourceError>;
}
