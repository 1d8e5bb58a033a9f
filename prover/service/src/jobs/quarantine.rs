//! Workers that get nothing any more, because they handed in what does not hold.
use assay_verifier::signature::PublicKey;
use assay_verifier::wire;
use serde::{Deserialize, Serialize};

use super::error::JobError;
use super::store::Jobs;

/// Why a worker gets nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The worker.
    pub worker: PublicKey,
    /// Stable, for programs.
    pub code: String,
    /// For people; nothing private in it.
    pub reason: String,
    /// Since when.
    pub time_ms: u64,
}

impl Jobs {
    /// Gives a worker nothing any more, and takes from it what it has.
    ///
    /// # Errors
    /// The database's.
    pub fn quarantine(&self, worker: PublicKey, code: &str, reason: &str, now_ms: u64) -> Result<(), JobError> {
        let entry = Quarantined { worker, code: code.to_owned(), reason: reason.to_owned(), time_ms: now_ms };
        let rules = *self.rules();
        self.write(move |batch| {
            batch.tables.quarantine.insert(worker.0, wire::bytes(&entry).as_slice())?;
            batch.dirty();
            batch.index.quarantine.insert(worker, entry);
            batch.release(worker, now_ms, &rules).map(drop)
        })
    }

    /// Trusts a worker again, and says whether it was not trusted.
    ///
    /// # Errors
    /// The database's.
    pub fn readmit(&self, worker: PublicKey) -> Result<bool, JobError> {
        self.write(move |batch| {
            let found = batch.tables.quarantine.remove(worker.0)?.is_some();
            batch.dirty();
            batch.index.quarantine.remove(&worker);
            Ok(found)
        })
    }

    /// All workers that get nothing.
    pub fn quarantined(&self) -> Vec<Quarantined> {
        let mut all: Vec<Quarantined> = self.index().quarantine.values().cloned().collect();
        all.sort_by_key(|entry| (entry.time_ms, entry.worker));
        all
    }
}
