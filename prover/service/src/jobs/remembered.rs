//! Answers under the key that a caller chose for a request: the same key and the same body get the first answer again, byte for byte.
//!
//! A key is taken with the job, in one transaction, and the answer is added when there is one. So of two requests with one key that come at
//! the same moment one makes the job and the other is told of it.
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::RequestId;
use assay_verifier::wire::{self, Bytes};
use serde::{Deserialize, Serialize};

use redb::ReadableTable;

use super::error::JobError;
use super::job::Owner;
use super::tables::{Tables, decode};

/// What is kept under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The endpoint.
    pub route: String,
    /// Digest of the exact bytes of the body.
    pub body: Digest32,
    /// The job that was made.
    pub job: RequestId,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
    /// Until when it is kept.
    pub until_ms: u64,
}

/// An answer over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The exact bytes of the body.
    pub body: Bytes,
}

/// A caller's key with what is to be kept under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The key.
    pub key: String,
    /// The endpoint.
    pub route: String,
    /// Digest of the exact bytes of the body.
    pub body: Digest32,
    /// The answer, if there is one already.
    pub answer: Option<Answer>,
}

/// What is kept under an owner's key, if it is not too old.
pub fn find(tables: &Tables<'_>, owner: &Owner, key: &str, now_ms: u64) -> Result<Option<Remembered>, JobError> {
    let Some(bytes) = tables.remembered.get((owner.0.as_str(), key))? else { return Ok(None) };
    let remembered: Remembered = decode("an answer", bytes.value())?;
    Ok((remembered.until_ms > now_ms).then_some(remembered))
}

/// Keeps something under an owner's key.
pub fn put(tables: &mut Tables<'_>, owner: &Owner, key: &str, remembered: &Remembered) -> Result<(), JobError> {
    let name = (owner.0.as_str(), key);
    let before = tables.remembered.insert(name, wire::bytes(remembered).as_slice())?;
    let until =
        before.map(|bytes| decode::<Remembered>("an answer", bytes.value()).map(|old| old.until_ms)).transpose()?;
    if let Some(until) = until.filter(|&until| until != remembered.until_ms) {
        tables.forgetting.remove((until, name.0, name.1))?;
    }
    tables.forgetting.insert((remembered.until_ms, name.0, name.1), ())?;
    Ok(())
}

/// Adds the answer to what is kept under an owner's key, if it is kept and has none. Gives the one that counts.
pub fn answer(tables: &mut Tables<'_>, owner: &Owner, key: &str, answer: Answer) -> Result<Answer, JobError> {
    let name = (owner.0.as_str(), key);
    let found =
        tables.remembered.get(name)?.map(|bytes| decode::<Remembered>("an answer", bytes.value())).transpose()?;
    let Some(mut remembered) = found else { return Ok(answer) };
    if let Some(first) = remembered.answer {
        return Ok(first);
    }
    remembered.answer = Some(answer.clone());
    put(tables, owner, key, &remembered)?;
    Ok(answer)
}

/// Forgets what is too old, at most so many.
pub fn forget(tables: &mut Tables<'_>, now_ms: u64, most: usize) -> Result<usize, JobError> {
    let mut old: Vec<(u64, String, String)> = Vec::new();
    for entry in tables.forgetting.range(..(now_ms.saturating_add(1), "", ""))?.take(most) {
        let (key, ()) = entry.map(|(key, _)| (key, ()))?;
        let (until, owner, name) = key.value();
        old.push((until, owner.to_owned(), name.to_owned()));
    }
    for (until, owner, name) in &old {
        tables.forgetting.remove((*until, owner.as_str(), name.as_str()))?;
        tables.remembered.remove((owner.as_str(), name.as_str()))?;
    }
    Ok(old.len())
}
