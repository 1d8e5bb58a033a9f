//! Leases: a worker has a job for as long as it says that it is alive. Each lease has a number higher than all before; what comes with an older
//! one is refused, so a worker that was thought dead cannot harm the one that followed it.
use assay_verifier::receipt::{RequestId, SignedReceipt};
use assay_verifier::signature::PublicKey;

use super::error::JobError;
use super::index::Held;
use super::job::{Failure, Job, Lease, ProofFile};
use super::queue::Able;
use super::states::Proving;
use super::store::Jobs;
use super::tables::TOKEN;
use super::watch::Progress;

/// What a worker says it has. Numbers of leases can be guessed, so the worker, whose signature was checked, is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The job.
    pub job: RequestId,
    /// The worker.
    pub worker: PublicKey,
    /// The lease's number.
    pub token: u64,
}

impl Hold {
    /// Of a job that is with a worker.
    pub fn of(job: &Job) -> Option<Self> {
        job.lease.map(|Lease { worker, token, .. }| Self { job: job.id, worker, token })
    }

    fn is(&self, held: &Held) -> bool {
        held.worker == self.worker && held.token == self.token
    }

    /// It is still so.
    fn check(&self, job: &Job) -> Result<(), JobError> {
        if Self::of(job) == Some(*self) { Ok(()) } else { Err(JobError::Stale) }
    }
}

impl Jobs {
    /// Gives a worker the job that goes next, if there is one.
    ///
    /// # Errors
    /// The worker is quarantined, or the database's.
    pub fn lease(&self, worker: PublicKey, able: Able, now_ms: u64) -> Result<Option<Job>, JobError> {
        {
            // Most who ask in vain are answered without the disk.
            let mut index = self.index();
            if index.quarantine.contains_key(&worker) {
                return Err(JobError::Quarantined(worker));
            }
            index.asked(worker, now_ms);
            index.queue.ripen(now_ms);
            if !index.queue.ripe() {
                return Ok(None);
            }
        }
        let rules = *self.rules();
        self.write(move |batch| {
            if batch.index.quarantine.contains_key(&worker) {
                return Err(JobError::Quarantined(worker));
            }
            batch.expire(now_ms, &rules)?;
            let Some(entry) = batch.index.queue.take(&able, now_ms, &rules) else { return Ok(None) };
            let token = batch.tables.next(TOKEN)?;
            let until_ms = now_ms.saturating_add(rules.lease_ms);
            let ((), leased) = batch.change(entry.id, now_ms, |job| {
                job.states.proof = Proving::Assigned;
                job.lease = Some(Lease { worker, token, until_ms });
                job.attempts = job.attempts.saturating_add(1);
                Ok(())
            })?;
            Ok(Some(leased))
        })
    }

    /// Hears that a worker is alive and how far it is.
    ///
    /// # Errors
    /// The worker does not have the job any more: it should stop. Or the database's.
    pub fn heartbeat(&self, hold: Hold, progress: Progress, now_ms: u64) -> Result<(), JobError> {
        let begins = {
            let until_ms = now_ms.saturating_add(self.rules().lease_ms);
            let mut index = self.index();
            let held = index.held.get_mut(&hold.job).filter(|held| hold.is(held)).ok_or(JobError::Stale)?;
            held.until_ms = held.until_ms.max(until_ms);
            held.progress = progress;
            !held.begun
        };
        if begins {
            self.change(hold.job, now_ms, move |job| {
                hold.check(job)?;
                if job.states.proof == Proving::Assigned {
                    job.states.proof = Proving::Proving;
                }
                Ok(())
            })?;
        }
        self.watchers().progress(hold.job, progress);
        Ok(())
    }

    /// Notes that a worker has handed in a proof, which is to be checked now. A worker that was not answered may do so again.
    ///
    /// # Errors
    /// The worker does not have the job any more, or the database's.
    pub fn hand_in(&self, hold: Hold, now_ms: u64) -> Result<Job, JobError> {
        let until_ms = now_ms.saturating_add(self.rules().lease_ms);
        self.changed(hold.job, now_ms, move |job| {
            hold.check(job)?;
            job.states.proof = Proving::Verifying;
            job.lease = job.lease.map(|lease| Lease { until_ms, ..lease });
            Ok(())
        })
    }

    /// Keeps a proof that was handed in and holds, with the receipt that names it.
    ///
    /// # Errors
    /// The worker does not have the job any more, or the database's.
    pub fn prove(&self, hold: Hold, proof: ProofFile, receipt: SignedReceipt, now_ms: u64) -> Result<Job, JobError> {
        self.changed(hold.job, now_ms, move |job| {
            hold.check(job)?;
            job.states.proof = Proving::Ready;
            job.proof = Some(proof);
            job.proven = Some(receipt);
            // What went wrong before is in the events.
            job.failure = None;
            Ok(())
        })
    }

    /// Takes a job from a worker that failed. It is tried again after a pause, unless that is of no use or was done too often.
    ///
    /// # Errors
    /// The worker does not have the job any more, or the database's.
    pub fn give_up(&self, hold: Hold, failure: Failure, now_ms: u64) -> Result<(), JobError> {
        let rules = *self.rules();
        self.write(move |batch| {
            hold.check(&batch.tables.record(hold.job)?.job)?;
            batch.requeue(hold.job, failure, now_ms, &rules)
        })
    }

    /// Takes a job back from a worker that stops. That is no failure: the next worker has it at once.
    ///
    /// # Errors
    /// The worker does not have the job any more, or the database's.
    pub fn give_back(&self, hold: Hold, now_ms: u64) -> Result<(), JobError> {
        self.change(hold.job, now_ms, move |job| {
            hold.check(job)?;
            job.states.proof = Proving::Queued;
            job.attempts = job.attempts.saturating_sub(1);
            job.not_before_ms = 0;
            Ok(())
        })
    }

    /// What a worker has.
    pub fn held_by(&self, worker: PublicKey) -> Vec<RequestId> {
        self.index().held.iter().filter(|(_, held)| held.worker == worker).map(|(id, _)| *id).collect()
    }

    /// Takes back all that a worker has which is known to be gone, and says how many that were.
    ///
    /// # Errors
    /// The database's.
    pub fn release(&self, worker: PublicKey, now_ms: u64) -> Result<usize, JobError> {
        let rules = *self.rules();
        self.write(move |batch| batch.release(worker, now_ms, &rules))
    }

    /// Does what time alone brings about: leases and deadlines that run out, pauses that end. To be called several times a second.
    ///
    /// # Errors
    /// The database's.
    pub fn tick(&self, now_ms: u64) -> Result<(), JobError> {
        {
            let mut index = self.index();
            let ripened = index.queue.ripen(now_ms);
            let (silent, late) = index.due(now_ms);
            drop(index);
            if ripened {
                self.watchers().ring();
            }
            if silent.is_empty() && late.is_empty() {
                return Ok(());
            }
        }
        let rules = *self.rules();
        self.write(move |batch| batch.expire(now_ms, &rules))
    }
}
