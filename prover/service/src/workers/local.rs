//! Tasks of this process, straight from the desk.
use std::sync::Arc;
use std::time::Duration;

use assay_verifier::digest::KeyDigest;
use assay_verifier::signature::PublicKey;

use super::desk::{Desk, DeskError, Place};
use super::prove::Proved;
use super::source::{Source, SourceError};
use super::task::{Task, Trouble};
use crate::clock::now_ms;
use crate::jobs::{Hold, JobError, Progress};
use crate::storage::BlobId;

/// How long a worker waits for a task before it looks whether it should stop.
const WAIT: Duration = Duration::from_millis(500);

/// The desk of this process. Its workers have the node's key.
pub struct Local {
    desk: Arc<Desk>,
    worker: PublicKey,
}

impl Local {
    /// Takes back what workers of this process had before it was started anew: they are gone.
    ///
    /// # Errors
    /// The store's.
    pub fn new(desk: Arc<Desk>) -> Result<Self, JobError> {
        let worker = desk.node();
        desk.jobs().release(worker, now_ms())?;
        Ok(Self { desk, worker })
    }

    fn hold(&self, task: &Task) -> Hold {
        Hold { job: task.job, worker: self.worker, token: task.token }
    }
}

impl From<DeskError> for SourceError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Job(JobError::Stale) => Self::Stale,
            DeskError::Job(JobError::Quarantined(_)) | DeskError::Refused(_) => Self::Quarantined,
            error => Self::Away(error.to_string()),
        }
    }
}

impl Source for Local {
    fn task(&self, loaded: Vec<KeyDigest>) -> Result<Option<Task>, SourceError> {
        let rung = self.desk.jobs().rung();
        let task = self.desk.task(self.worker, Place::Here, loaded, now_ms())?;
        if task.is_none() {
            self.desk.jobs().wait_for_work(rung, WAIT);
        }
        Ok(task)
    }

    fn file(&self, id: BlobId) -> Result<Vec<u8>, SourceError> {
        Ok(self.desk.file(self.worker, id)?)
    }

    fn heartbeat(&self, task: &Task, progress: Progress) -> Result<(), SourceError> {
        Ok(self.desk.heartbeat(self.hold(task), progress, now_ms())?)
    }

    fn hand_in(&self, task: &Task, proved: &Proved) -> Result<(), SourceError> {
        self.desk.hand_in(self.hold(task), &proved.proof, proved.prove_us, now_ms())?;
        Ok(())
    }

    fn let_go(&self, task: &Task, trouble: Option<&Trouble>) -> Result<(), SourceError> {
        Ok(self.desk.let_go(self.hold(task), trouble, now_ms())?)
    }
}
