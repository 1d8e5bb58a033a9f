//! The tables of the database.
use assay_verifier::receipt::RequestId;
use assay_verifier::wire;
use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::JobError;
use super::event::Event;
use super::job::Job;

type Id = [u8; 32];
type Bytes = &'static [u8];
type OwnerKey = (&'static str, &'static str);

/// Jobs by their identity: the number in the order of acceptance, how many events there are, the job.
pub const JOBS: TableDefinition<'static, Id, (u64, u64, Bytes)> = TableDefinition::new("jobs version 1");
/// What they are about.
pub const PAYLOADS: TableDefinition<'static, Id, Bytes> = TableDefinition::new("payloads version 1");
/// Events by job and number.
pub const EVENTS: TableDefinition<'static, (Id, u64), Bytes> = TableDefinition::new("events version 1");
/// Jobs in the order of acceptance.
pub const NUMBERS: TableDefinition<'static, u64, Id> = TableDefinition::new("numbers version 1");
/// The same for each owner.
pub const OWNED: TableDefinition<'static, (&'static str, u64), Id> = TableDefinition::new("owned version 1");
/// Those that are not over: all that must be known after a start.
pub const OPEN: TableDefinition<'static, u64, Id> = TableDefinition::new("open version 1");
/// Those that are over and unpaid, by the time of that: what goes by age.
pub const FINISHED: TableDefinition<'static, (u64, u64), Id> = TableDefinition::new("finished version 1");
/// Answers by owner and key.
pub const REMEMBERED: TableDefinition<'static, OwnerKey, Bytes> = TableDefinition::new("remembered version 1");
/// The same by the time until which they are kept.
pub const FORGETTING: TableDefinition<'static, (u64, &'static str, &'static str), ()> =
    TableDefinition::new("forgetting version 1");
/// Jobs by the digests of their receipts and proofs.
pub const EVIDENCE: TableDefinition<'static, Id, Id> = TableDefinition::new("evidence version 1");
/// Workers that get no jobs.
pub const QUARANTINE: TableDefinition<'static, Id, Bytes> = TableDefinition::new("quarantine version 1");
/// The last number and the last token.
pub const COUNTERS: TableDefinition<'static, &'static str, u64> = TableDefinition::new("counters version 1");

/// The counter of jobs.
pub const NUMBER: &str = "number";
/// The counter of leases.
pub const TOKEN: &str = "token";

/// A job as it is kept.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number in the order of acceptance, from 1.
    pub number: u64,
    /// How many events there are.
    pub events: u64,
    /// The job.
    pub job: Job,
}

/// Reads a record.
pub fn decode<T: Serialize + DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, JobError> {
    wire::decode_untagged(bytes).map_err(|error| JobError::Store(format!("{what}: {error}")))
}

/// A job from its table.
pub fn record(jobs: &impl ReadableTable<Id, (u64, u64, Bytes)>, id: RequestId) -> Result<Option<Record>, JobError> {
    let Some(entry) = jobs.get(id.0)? else { return Ok(None) };
    let (number, events, bytes) = entry.value();
    Ok(Some(Record { number, events, job: decode("a job", bytes)? }))
}

/// The tables within one transaction.
pub struct Tables<'t> {
    pub jobs: Table<'t, Id, (u64, u64, Bytes)>,
    pub payloads: Table<'t, Id, Bytes>,
    pub events: Table<'t, (Id, u64), Bytes>,
    pub numbers: Table<'t, u64, Id>,
    pub owned: Table<'t, (&'static str, u64), Id>,
    pub open: Table<'t, u64, Id>,
    pub finished: Table<'t, (u64, u64), Id>,
    pub remembered: Table<'t, OwnerKey, Bytes>,
    pub forgetting: Table<'t, (u64, &'static str, &'static str), ()>,
    pub evidence: Table<'t, Id, Id>,
    pub quarantine: Table<'t, Id, Bytes>,
    pub counters: Table<'t, &'static str, u64>,
}

impl<'t> Tables<'t> {
    /// Opens them, and makes those that are not there.
    pub fn open(transaction: &'t WriteTransaction) -> Result<Self, JobError> {
        Ok(Self {
            jobs: transaction.open_table(JOBS)?,
            payloads: transaction.open_table(PAYLOADS)?,
            events: transaction.open_table(EVENTS)?,
            numbers: transaction.open_table(NUMBERS)?,
            owned: transaction.open_table(OWNED)?,
            open: transaction.open_table(OPEN)?,
            finished: transaction.open_table(FINISHED)?,
            remembered: transaction.open_table(REMEMBERED)?,
            forgetting: transaction.open_table(FORGETTING)?,
            evidence: transaction.open_table(EVIDENCE)?,
            quarantine: transaction.open_table(QUARANTINE)?,
            counters: transaction.open_table(COUNTERS)?,
        })
    }

    /// A job.
    pub fn record(&self, id: RequestId) -> Result<Record, JobError> {
        record(&self.jobs, id)?.ok_or(JobError::Unknown)
    }

    /// Counts on.
    pub fn next(&mut self, counter: &'static str) -> Result<u64, JobError> {
        let next = self.counters.get(counter)?.map_or(0, |last| last.value()) + 1;
        self.counters.insert(counter, next)?;
        Ok(next)
    }

    /// Writes a job.
    pub fn put(&mut self, record: &Record) -> Result<(), JobError> {
        let bytes = wire::bytes(&record.job);
        self.jobs.insert(record.job.id.0, (record.number, record.events, bytes.as_slice()))?;
        for digest in evidence(&record.job) {
            self.evidence.insert(digest, record.job.id.0)?;
        }
        Ok(())
    }

    /// Writes an event.
    pub fn put_event(&mut self, id: RequestId, event: &Event) -> Result<(), JobError> {
        self.events.insert((id.0, event.number), wire::bytes(event).as_slice())?;
        Ok(())
    }

    /// Removes all that is kept of a job.
    pub fn remove(&mut self, record: &Record) -> Result<(), JobError> {
        let Record { number, events, job } = record;
        self.jobs.remove(job.id.0)?;
        self.payloads.remove(job.id.0)?;
        for event in 1..=*events {
            self.events.remove((job.id.0, event))?;
        }
        self.numbers.remove(number)?;
        self.owned.remove((job.owner.0.as_str(), *number))?;
        self.open.remove(number)?;
        self.finished.remove((job.updated_ms, *number))?;
        for digest in evidence(job) {
            self.evidence.remove(digest)?;
        }
        Ok(())
    }
}

/// The digests by which a job's receipts and its proof are asked for.
fn evidence(job: &Job) -> impl Iterator<Item = Id> {
    let receipts = [&job.answered, &job.proven].map(|signed| signed.as_ref().map(|signed| signed.receipt.digest().0));
    receipts.into_iter().flatten().chain(job.proof.map(|proof| proof.digest.0))
}

/// The events of a job after one.
pub fn events(transaction: &ReadTransaction, id: RequestId, after: u64, most: usize) -> Result<Vec<Event>, JobError> {
    let table = transaction.open_table(EVENTS)?;
    let range = table.range((id.0, after.saturating_add(1))..=(id.0, u64::MAX))?;
    range.take(most).map(|entry| decode("an event", entry?.1.value())).collect()
}
