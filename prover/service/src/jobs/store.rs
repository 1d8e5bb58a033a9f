//! The store of jobs: durable in one file, with what must be known at once in memory.
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assay_verifier::receipt::RequestId;
use assay_verifier::wire;
use redb::{Database, ReadableDatabase, ReadableTable};
use tokio::sync::{broadcast, watch};

use super::batch::Batch;
use super::error::JobError;
use super::event::Event;
use super::index::Index;
use super::job::{Committed, Failure, Job, Owner, Payload};
use super::quarantine::Quarantined;
use super::remembered::{self, Answer, Keyed, Remembered};
use super::rules::Rules;
use super::states::{Execution, Proving};
use super::tables::{self, JOBS, PAYLOADS, REMEMBERED, Record, Tables, decode};
use super::watch::{Seen, Watchers};
use super::writer::Writer;
use crate::storage::private;

/// Pages that the database keeps in memory. The library's own default is a gigabyte.
const CACHE_BYTES: usize = 32 << 20;

/// The store. All calls block, those that change something until it is durable.
pub struct Jobs {
    database: Arc<Database>,
    index: Arc<Mutex<Index>>,
    watchers: Arc<Watchers>,
    writer: Writer,
    rules: Rules,
}

fn io(error: &std::io::Error) -> JobError {
    JobError::Store(error.to_string())
}

impl Jobs {
    /// Opens or makes a store. What was being executed waits again; workers keep their leases and have the whole time to say that they are
    /// alive.
    ///
    /// # Errors
    /// The database's: it is in use, damaged, or cannot be written.
    pub fn open(path: &Path, rules: Rules, now_ms: u64) -> Result<Self, JobError> {
        private::file(path).map_err(|error| io(&error))?;
        let database = Arc::new(Database::builder().set_cache_size(CACHE_BYTES).create(path)?);
        let mut index = Index::default();
        let transaction = database.begin_write()?;
        recover(&mut Batch::new(Tables::open(&transaction)?, &mut index), now_ms, &rules)?;
        transaction.commit()?;
        let (index, watchers) = (Arc::new(Mutex::new(index)), Arc::new(Watchers::default()));
        let writer = Writer::start(database.clone(), index.clone(), watchers.clone()).map_err(|error| io(&error))?;
        Ok(Self { database, index, watchers, writer, rules })
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watchers(&self) -> &Watchers {
        &self.watchers
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    pub(super) fn write<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Batch<'_, '_>) -> Result<T, JobError> + Send + 'static,
    ) -> Result<T, JobError> {
        self.writer.write(run)
    }

    /// Takes a job in, with the key that its caller chose for the request. Both are durable when this returns.
    ///
    /// # Errors
    /// There is such a job, the key was used before, too much waits, or the database's.
    pub fn accept(&self, job: Job, payload: Payload, keyed: Option<Keyed>, now_ms: u64) -> Result<(), JobError> {
        let rules = self.rules;
        self.write(move |batch| batch.accept(job, &payload, keyed, now_ms, &rules))
    }

    /// Changes a job; every transition must be a legal one. It is durable when this returns, and nobody is told before.
    ///
    /// # Errors
    /// There is no such job, the change is not legal or gives an error, or the database's.
    pub fn change<T: Send + 'static>(
        &self,
        id: RequestId,
        now_ms: u64,
        change: impl FnOnce(&mut Job) -> Result<T, JobError> + Send + 'static,
    ) -> Result<T, JobError> {
        self.write(move |batch| Ok(batch.change(id, now_ms, change)?.0))
    }

    /// As [`Jobs::change`], the same for many jobs, in one write. Those before one whose change is refused are changed.
    ///
    /// # Errors
    /// As [`Jobs::change`].
    pub fn change_all(
        &self,
        ids: Vec<RequestId>,
        now_ms: u64,
        change: impl Fn(&mut Job) -> Result<(), JobError> + Send + 'static,
    ) -> Result<(), JobError> {
        self.write(move |batch| ids.into_iter().try_for_each(|id| batch.change(id, now_ms, &change).map(drop)))
    }

    /// As [`Jobs::change`]; gives the job as it is then.
    pub(super) fn changed(
        &self,
        id: RequestId,
        now_ms: u64,
        change: impl FnOnce(&mut Job) -> Result<(), JobError> + Send + 'static,
    ) -> Result<Job, JobError> {
        self.write(move |batch| Ok(batch.change(id, now_ms, change)?.1))
    }

    /// As [`Jobs::change`], for the change that brings the answer, together with what hides private inputs in it. Gives the job.
    ///
    /// # Errors
    /// As [`Jobs::change`].
    pub fn answered(
        &self,
        id: RequestId,
        now_ms: u64,
        commitment: Option<Committed>,
        change: impl FnOnce(&mut Job) -> Result<(), JobError> + Send + 'static,
    ) -> Result<Job, JobError> {
        self.write(move |batch| batch.answered(id, now_ms, commitment, change))
    }

    /// Keeps an answer under an owner's key, if the key is kept and nobody was answered under it. Gives the answer that counts: the first.
    ///
    /// # Errors
    /// The database's.
    pub fn remember(&self, owner: &Owner, key: &str, answer: Answer) -> Result<Answer, JobError> {
        let (owner, key) = (owner.clone(), key.to_owned());
        self.write(move |batch| {
            batch.dirty();
            remembered::answer(&mut batch.tables, &owner, &key, answer)
        })
    }

    /// What was answered under an owner's key, or is being worked on under it.
    ///
    /// # Errors
    /// The database's.
    pub fn remembered(&self, owner: &Owner, key: &str, now_ms: u64) -> Result<Option<Remembered>, JobError> {
        let table = self.database.begin_read()?.open_table(REMEMBERED)?;
        let Some(bytes) = table.get((owner.0.as_str(), key))? else { return Ok(None) };
        let found: Remembered = decode("an answer", bytes.value())?;
        Ok((found.until_ms > now_ms).then_some(found))
    }

    fn record(&self, id: RequestId) -> Result<Option<Record>, JobError> {
        tables::record(&self.database.begin_read()?.open_table(JOBS)?, id)
    }

    /// A job.
    ///
    /// # Errors
    /// The database's.
    pub fn get(&self, id: RequestId) -> Result<Option<Job>, JobError> {
        Ok(self.record(id)?.map(|record| record.job))
    }

    /// What a job is about.
    ///
    /// # Errors
    /// The database's.
    pub fn payload(&self, id: RequestId) -> Result<Option<Payload>, JobError> {
        let table = self.database.begin_read()?.open_table(PAYLOADS)?;
        table.get(id.0)?.map(|bytes| decode("a payload", bytes.value())).transpose()
    }

    /// The events of a job after one, at most so many; after 0, from the beginning.
    ///
    /// # Errors
    /// The database's.
    pub fn events(&self, id: RequestId, after: u64, most: usize) -> Result<Vec<Event>, JobError> {
        tables::events(&self.database.begin_read()?, id, after, most)
    }

    /// Listens to a job: how many events there are, and how far its worker is. Listen first, then read the events.
    ///
    /// # Errors
    /// There is no such job, or the database's.
    pub fn watch(&self, id: RequestId) -> Result<watch::Receiver<Seen>, JobError> {
        let receiver = self.watchers.watch(id);
        if self.record(id)?.is_none() {
            return Err(JobError::Unknown);
        }
        Ok(receiver)
    }

    /// Listens to all jobs: the identity of each that changed.
    pub fn subscribe(&self) -> broadcast::Receiver<RequestId> {
        self.watchers.subscribe()
    }

    /// Ends what its owner does not want any more, as far as it has not happened. Money that is set aside comes back after the deadline.
    ///
    /// # Errors
    /// There is no such job, nothing of it can be ended, or the database's.
    pub fn cancel(&self, id: RequestId, now_ms: u64) -> Result<Job, JobError> {
        self.changed(id, now_ms, |job| {
            let unanswered = matches!(job.states.execution, Execution::Pending | Execution::Running);
            if !unanswered && (job.proving.is_none() || job.states.over()) {
                let (from, to) = (job.states.execution.name(), Execution::Failed.name());
                return Err(JobError::Transition { axis: "execution", from, to });
            }
            if unanswered {
                job.states.execution = Execution::Failed;
            }
            if job.proving.is_some() {
                job.states.proof = Proving::Cancelled;
            }
            let text = "cancelled by its owner".to_owned();
            job.failure = Some(Failure { code: "cancelled".into(), text, retryable: false, attempt: job.attempts });
            Ok(())
        })
    }
}

/// Fills the index with the jobs that are not over.
fn recover(batch: &mut Batch<'_, '_>, now_ms: u64, rules: &Rules) -> Result<(), JobError> {
    for entry in batch.tables.quarantine.iter()? {
        let entry: Quarantined = wire::decode_untagged(entry?.1.value())
            .map_err(|error| JobError::Store(format!("an entry of the quarantine: {error}")))?;
        batch.index.quarantine.insert(entry.worker, entry);
    }
    let open = batch.tables.open.iter()?.map(|entry| Ok(RequestId(entry?.1.value())));
    for id in open.collect::<Result<Vec<_>, JobError>>()? {
        let Record { number, job, .. } = batch.tables.record(id)?;
        batch.index.follow(number, None, Some(&job));
        if job.states.execution == Execution::Running {
            batch.change(id, now_ms, |job| {
                job.states.execution = Execution::Pending;
                Ok(())
            })?;
        }
    }
    let until_ms = now_ms.saturating_add(rules.lease_ms);
    batch.index.held.values_mut().for_each(|held| held.until_ms = held.until_ms.max(until_ms));
    Ok(())
}
