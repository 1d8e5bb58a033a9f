//! What one durable transaction does: the changes of jobs, with everything that must follow from them.
//!
//! All that can be refused is refused before the first write of a change, so that the others in the same transaction are not harmed.
use assay_verifier::receipt::RequestId;
use assay_verifier::signature::PublicKey;
use assay_verifier::wire;

use redb::ReadableTable;

use super::error::JobError;
use super::event::{Change, Event, changes};
use super::index::Index;
use super::job::{Committed, Failure, Job, Payload};
use super::remembered::{self, Keyed, Remembered};
use super::rules::Rules;
use super::states::{Payment, Proving};
use super::tables::{NUMBER, Record, Tables, decode};

/// One transaction.
pub struct Batch<'t, 'i> {
    /// The tables in it.
    pub tables: Tables<'t>,
    /// What is kept in memory.
    pub index: &'i mut Index,
    told: Vec<(RequestId, u64)>,
    dirty: bool,
    queued: bool,
}

/// What is to be told once a transaction is durable.
pub struct Told {
    /// Jobs with the number of their last event.
    pub changed: Vec<(RequestId, u64)>,
    /// Whether there may be something for workers.
    pub queued: bool,
    /// Whether anything was written.
    pub dirty: bool,
}

/// What tells of a job which request it is, and whose.
fn identity(job: &Job) -> impl PartialEq + '_ {
    (job.id, &job.owner, job.payer, job.client_nonce, job.request_digest, job.model, job.program, job.created_ms)
}

/// Whether a worker has it.
fn with_worker(job: &Job) -> bool {
    matches!(job.states.proof, Proving::Assigned | Proving::Proving | Proving::Verifying)
}

/// Whether it goes by age: over, and nobody paid for it.
fn goes_by_age(job: &Job) -> bool {
    job.states.over() && job.states.payment != Payment::Captured
}

impl<'t, 'i> Batch<'t, 'i> {
    /// A transaction in which nothing happened yet.
    pub fn new(tables: Tables<'t>, index: &'i mut Index) -> Self {
        Self { tables, index, told: Vec::new(), dirty: false, queued: false }
    }

    /// Ends it.
    pub fn told(self) -> Told {
        Told { changed: self.told, queued: self.queued, dirty: self.dirty }
    }

    /// Says that something was written.
    pub fn dirty(&mut self) {
        self.dirty = true;
    }

    /// Takes a job in, with the key that its caller chose.
    pub fn accept(
        &mut self,
        job: Job,
        payload: &Payload,
        keyed: Option<Keyed>,
        now_ms: u64,
        rules: &Rules,
    ) -> Result<(), JobError> {
        let id = job.id;
        if self.tables.jobs.get(id.0)?.is_some() {
            return Err(JobError::Exists);
        }
        if let Some(keyed) = &keyed
            && let Some(found) = remembered::find(&self.tables, &job.owner, &keyed.key, now_ms)?
        {
            return Err(JobError::Remembered(Box::new(found)));
        }
        self.index.admit(&job, now_ms, rules)?;
        let number = self.tables.next(NUMBER)?;
        let record = Record { number, events: 1, job };
        self.tables.put(&record)?;
        self.tables.payloads.insert(id.0, wire::bytes(payload).as_slice())?;
        self.tables.put_event(id, &Event { number: 1, time_ms: now_ms, change: Change::Accepted, failure: None })?;
        self.tables.numbers.insert(number, id.0)?;
        self.tables.owned.insert((record.job.owner.0.as_str(), number), id.0)?;
        if let Some(Keyed { key, route, body, answer }) = keyed {
            let until_ms = now_ms.saturating_add(rules.remember_ms);
            let remembered = Remembered { route, body, job: id, answer, until_ms };
            remembered::put(&mut self.tables, &record.job.owner, &key, &remembered)?;
        }
        self.follow(&record, None)
    }

    /// Changes a job, if all transitions are legal, and gives it as it is then.
    pub fn change<T>(
        &mut self,
        id: RequestId,
        now_ms: u64,
        change: impl FnOnce(&mut Job) -> Result<T, JobError>,
    ) -> Result<(T, Job), JobError> {
        let mut record = self.tables.record(id)?;
        let before = record.job.clone();
        let result = change(&mut record.job)?;
        if identity(&before) != identity(&record.job) {
            return Err(JobError::Fixed);
        }
        let changed = changes(&before, &record.job)?;
        // Whoever takes a job from its worker by a change of state takes the lease too.
        if !with_worker(&record.job) {
            record.job.lease = None;
        }
        record.job.updated_ms = now_ms;
        let failure = record.job.failure.clone().filter(|_| record.job.failure != before.failure);
        for change in changed {
            record.events += 1;
            let event = Event { number: record.events, time_ms: now_ms, change, failure: failure.clone() };
            self.tables.put_event(id, &event)?;
        }
        self.tables.put(&record)?;
        self.follow(&record, Some(&before))?;
        Ok((result, record.job))
    }

    /// Changes a job that is answered, and keeps what hides private inputs.
    pub fn answered(
        &mut self,
        id: RequestId,
        now_ms: u64,
        commitment: Option<Committed>,
        change: impl FnOnce(&mut Job) -> Result<(), JobError>,
    ) -> Result<Job, JobError> {
        let ((), job) = self.change(id, now_ms, change)?;
        if commitment.is_some() {
            let found = self.tables.payloads.get(id.0)?.map(|bytes| decode("a payload", bytes.value())).transpose()?;
            let missing = || JobError::Store(format!("job {id} has no payload"));
            let payload = Payload { commitment, ..found.ok_or_else(missing)? };
            self.tables.payloads.insert(id.0, wire::bytes(&payload).as_slice())?;
        }
        Ok(job)
    }

    /// What follows from a change: which lists a job is in, and who is told.
    fn follow(&mut self, record: &Record, before: Option<&Job>) -> Result<(), JobError> {
        let Record { number, events, job } = record;
        if job.states.over() {
            self.tables.open.remove(number)?;
        } else {
            self.tables.open.insert(number, job.id.0)?;
        }
        if let Some(before) = before.filter(|before| goes_by_age(before)) {
            self.tables.finished.remove((before.updated_ms, *number))?;
        }
        if goes_by_age(job) {
            self.tables.finished.insert((job.updated_ms, *number), job.id.0)?;
        }
        self.index.follow(*number, before, Some(job));
        self.told.push((job.id, *events));
        self.queued |= job.states.proof == Proving::Queued;
        self.dirty = true;
        Ok(())
    }

    /// Removes a job that is over.
    pub fn remove(&mut self, id: RequestId) -> Result<Job, JobError> {
        let record = self.tables.record(id)?;
        if !record.job.states.over() {
            return Err(JobError::NotOver);
        }
        self.tables.remove(&record)?;
        self.index.follow(record.number, Some(&record.job), None);
        self.dirty = true;
        Ok(record.job)
    }

    /// Puts a job back into the queue, for a failure that may pass, or ends its proof.
    pub fn requeue(&mut self, id: RequestId, failure: Failure, now_ms: u64, rules: &Rules) -> Result<(), JobError> {
        self.change(id, now_ms, |job| {
            let again = failure.retryable && job.attempts < rules.attempts_max;
            job.states.proof = if again { Proving::Queued } else { Proving::Failed };
            job.not_before_ms = now_ms.saturating_add(rules.pause_ms(job.attempts));
            job.failure = Some(Failure { retryable: again, attempt: job.attempts, ..failure });
            Ok(())
        })?;
        Ok(())
    }

    /// Takes from a worker all that it has.
    pub fn release(&mut self, worker: PublicKey, now_ms: u64, rules: &Rules) -> Result<usize, JobError> {
        let has = self.index.held.iter().filter(|(_, held)| held.worker == worker);
        let mut ids: Vec<RequestId> = has.map(|(id, _)| *id).collect();
        ids.sort();
        for id in &ids {
            let text = "the worker stopped, or is not trusted any more".to_owned();
            let failure = Failure { code: "worker_gone".into(), text, retryable: true, attempt: 0 };
            self.requeue(*id, failure, now_ms, rules)?;
        }
        Ok(ids.len())
    }

    /// Requeues jobs whose worker is silent, and ends proofs that come too late.
    pub fn expire(&mut self, now_ms: u64, rules: &Rules) -> Result<(), JobError> {
        let (silent, late) = self.index.due(now_ms);
        for id in late {
            self.change(id, now_ms, |job| {
                job.states.proof = Proving::Expired;
                let text = "the proof cannot be there before the deadline".to_owned();
                job.failure = Some(Failure { code: "deadline".into(), text, retryable: false, attempt: job.attempts });
                Ok(())
            })?;
        }
        for id in silent {
            let text = "the worker has not been heard of".to_owned();
            let failure = Failure { code: "worker_silent".into(), text, retryable: true, attempt: 0 };
            self.requeue(id, failure, now_ms, rules)?;
        }
        if self.index.queue.ripen(now_ms) {
            self.queued = true;
        }
        Ok(())
    }
}
