//! State: keys and values, read through a trait so that blocks and transactions run on forks.
//!
//! An [`Overlay`] keeps writes above anything readable. A block is an overlay above the committed state, a transaction one above its
//! block, a leaf of a batch one above its transaction: what fails is dropped, what succeeds is merged downwards.
mod archive;
mod registry;
mod restore;
mod snapshot;
mod store;
mod tables;
mod tree;

use std::collections::BTreeMap;

use assay_verifier::settlement;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub use archive::{Archive, Receiving};
pub use registry::{end, read_at, supersede};
pub use restore::Restored;
pub use snapshot::{CHUNK_BYTES, Manifest, SnapshotError};
pub(crate) use store::begin;
pub use store::{Committed, Record, Snapshot, Staged, Store};

/// The state could not be read or written. The node stops: going on would let it disagree with the others.
#[derive(Debug, Error)]
pub enum StoreError {
    /// By the database.
    #[error("database: {0}")]
    Database(Box<redb::Error>),
    /// By the tree.
    #[error("tree: {0}")]
    Tree(anyhow::Error),
    /// A record is not what its key says, or what must hold of all records does not.
    #[error("the state is corrupt: {0}")]
    Corrupt(String),
    /// The files are of another chain, or of another version of this program.
    #[error("the database is not of this chain: {0}")]
    OtherChain(&'static str),
    /// A height whose state is gone, or is not there yet.
    #[error("the state at height {0} is not kept")]
    NotKept(u64),
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// Something that is read by key.
pub trait State {
    /// The value of a key.
    ///
    /// # Errors
    /// It could not be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
}

/// Reads a record.
///
/// # Errors
/// It could not be read, or is not one.
pub fn read<T: Serialize + DeserializeOwned>(state: &dyn State, key: &[u8]) -> Result<Option<T>, StoreError> {
    let Some(bytes) = state.get(key)? else { return Ok(None) };
    let corrupt = |error| StoreError::Corrupt(format!("{}: {error}", String::from_utf8_lossy(key)));
    settlement::decode(&bytes).map(Some).map_err(corrupt)
}

/// Values to be written; nothing where a key is to be removed.
pub type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Writes above a state.
pub struct Overlay<'a> {
    base: &'a dyn State,
    writes: Writes,
}

impl State for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.base.get(key),
        }
    }
}

impl<'a> Overlay<'a> {
    /// No writes yet.
    pub fn new(base: &'a dyn State) -> Self {
        Self { base, writes: Writes::new() }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read<T: Serialize + DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        read(self, key)
    }

    /// Writes a record.
    pub fn write<T: Serialize>(&mut self, key: Vec<u8>, record: &T) {
        self.writes.insert(key, Some(settlement::encode(record)));
    }

    /// Writes bytes as they are, which must not be empty: proofs of inclusion cannot speak of empty values.
    pub fn write_bytes(&mut self, key: Vec<u8>, bytes: Vec<u8>) {
        self.writes.insert(key, Some(bytes));
    }

    /// Removes a record.
    pub fn remove(&mut self, key: Vec<u8>) {
        self.writes.insert(key, None);
    }

    /// Takes over the writes of an overlay above this one.
    pub fn merge(&mut self, writes: Writes) {
        self.writes.extend(writes);
    }

    /// What was written.
    pub fn into_writes(self) -> Writes {
        self.writes
    }
}
