//! Why something was not done with a job.
use assay_verifier::signature::PublicKey;
use thiserror::Error;

use super::remembered::Remembered;

/// Why something was not done with a job. Nothing was changed then.
#[derive(Clone, Debug, Error)]
pub enum JobError {
    /// It is not there.
    #[error("there is no such job")]
    Unknown,
    /// There is one of this identity.
    #[error("there is a job of this identity already")]
    Exists,
    /// The idempotency key was used before.
    #[error("this idempotency key was used before")]
    Remembered(Box<Remembered>),
    /// A state may not follow another.
    #[error("{axis} cannot go from {from} to {to}")]
    Transition {
        /// Which of the four states.
        axis: &'static str,
        /// Where it is.
        from: &'static str,
        /// Where it was to go.
        to: &'static str,
    },
    /// Which request it is and whose cannot change.
    #[error("which request it is, and whose, cannot change")]
    Fixed,
    /// More waits than is allowed.
    #[error("too much waits to be proven; try again in {retry_after_ms} ms")]
    Busy {
        /// When there may be room.
        retry_after_ms: u64,
    },
    /// The worker does not have the job, or not any more.
    #[error("the lease is not held any more")]
    Stale,
    /// The worker gets no jobs.
    #[error("worker {0} is quarantined")]
    Quarantined(PublicKey),
    /// Something is still to happen to it.
    #[error("the job is not over")]
    NotOver,
    /// Whoever wanted to change it thought better of it.
    #[error("{0}")]
    Declined(String),
    /// The database, or a record in it that is none. The service must stop.
    #[error("the store of jobs: {0}")]
    Store(String),
}

impl<E: Into<redb::Error>> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::Store(error.into().to_string())
    }
}
