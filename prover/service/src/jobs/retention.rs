//! What is removed: jobs that are over and were not paid for go by age; others when their owner lets go; answers under callers' keys after a day.
use std::collections::HashSet;

use assay_verifier::receipt::RequestId;
use redb::{ReadableDatabase, ReadableTable};

use super::error::JobError;
use super::job::{Job, Owner};
use super::remembered;
use super::states::Payment;
use super::store::Jobs;
use super::tables::{JOBS, decode};
use crate::storage::BlobId;

/// What is removed in one transaction: others wait for it.
const TOGETHER: usize = 200;

impl Jobs {
    /// Removes what is too old, a limited number at a time, and gives the removed jobs: what they alone kept in the blob store can go too. To
    /// be called again at once if there are any.
    ///
    /// # Errors
    /// The database's.
    pub fn prune(&self, now_ms: u64) -> Result<Vec<Job>, JobError> {
        let keep_ms = self.rules().keep_ms;
        self.write(move |batch| {
            if remembered::forget(&mut batch.tables, now_ms, TOGETHER)? > 0 {
                batch.dirty();
            }
            let mut old = Vec::new();
            for entry in batch.tables.finished.range(..(now_ms.saturating_sub(keep_ms), 0))?.take(TOGETHER) {
                old.push(RequestId(entry?.1.value()));
            }
            old.into_iter().map(|id| batch.remove(id)).collect()
        })
    }

    /// Removes a job that is over because its owner lets go of it, and gives it.
    ///
    /// # Errors
    /// There is no such job of this owner, it is not over, or the database's.
    pub fn forget(&self, owner: &Owner, id: RequestId) -> Result<Job, JobError> {
        let owner = owner.clone();
        self.write(move |batch| {
            if batch.tables.record(id)?.job.owner != owner {
                return Err(JobError::Unknown);
            }
            batch.remove(id)
        })
    }

    /// The blobs that jobs keep: proofs and evidence of what is not over, and of what was paid for.
    ///
    /// # Errors
    /// The database's.
    pub fn kept_blobs(&self) -> Result<HashSet<BlobId>, JobError> {
        let mut kept = HashSet::new();
        for entry in self.database().begin_read()?.open_table(JOBS)?.iter()? {
            let job: Job = decode("a job", entry?.1.value().2)?;
            if !job.states.over() || job.states.payment == Payment::Captured {
                kept.extend(job.proof.map(|proof| proof.blob));
                // Records lie under their digests.
                let records = job.answered.iter().flat_map(|signed| &signed.receipt.records);
                kept.extend(records.map(|digest| BlobId(digest.0)));
                kept.extend(job.settled.and_then(|settled| settled.evidence));
            }
        }
        Ok(kept)
    }
}
