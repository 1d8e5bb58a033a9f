//! The committed state on disk: a block's writes, its height and its app hash are one durable transaction of the database.
//!
//! States of the last heights are kept for proofs; what only older ones need is removed as blocks are committed.
use std::path::Path;
use std::sync::Arc;

use assay_verifier::settlement::Height;
use jmt::storage::TreeUpdateBatch;
use jmt::{KeyHash, Sha256Jmt};
use prost_ics23::Message;
use redb::{Database, ReadOnlyTable, ReadableDatabase, WriteTransaction};
use sha2::Sha256;

use super::tables::{self, ALL, CURRENT, HISTORY, NODES, PREIMAGES, TIP, split_current};
use super::{State, StoreError, Writes};

/// Pages that the database keeps in memory. The library's own default is a gigabyte, which a long chain fills.
const CACHE_BYTES: usize = 128 << 20;

/// The last commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its height.
    pub height: Height,
    /// The root of the state.
    pub app_hash: [u8; 32],
}

/// A block's writes with the root that they lead to.
pub struct Staged {
    committed: Committed,
    writes: Writes,
    tree: TreeUpdateBatch,
}

impl Staged {
    /// Height and app hash once it is committed.
    pub fn committed(&self) -> Committed {
        self.committed
    }
}

/// The database. Clones share it.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    pruning_depth: u64,
}

/// A write after which the database opens at once, whatever stops its process: by default all of it would be read to mend it.
pub fn begin(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// A key and its value.
pub type Record = (Vec<u8>, Vec<u8>);

/// The committed state at one moment.
pub struct Snapshot {
    committed: Option<Committed>,
    pub(super) current: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(super) history: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(super) preimages: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(super) nodes: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

impl Store {
    /// Opens or creates a database. Proofs are kept for this many heights before the last.
    ///
    /// # Errors
    /// The database's.
    pub fn open(path: &Path, pruning_depth: u64) -> Result<Self, StoreError> {
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path)?;
        let transaction = begin(&database)?;
        for table in ALL {
            transaction.open_table(table)?;
        }
        transaction.open_table(TIP)?;
        transaction.commit()?;
        Ok(Self { database: Arc::new(database), pruning_depth })
    }

    /// The committed state.
    ///
    /// # Errors
    /// The database's.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let transaction = self.database.begin_read()?;
        let tip = transaction.open_table(TIP)?.get(())?.map(|tip| tip.value());
        Ok(Snapshot {
            committed: tip.map(|(height, app_hash)| Committed { height, app_hash }),
            current: transaction.open_table(CURRENT)?,
            history: transaction.open_table(HISTORY)?,
            preimages: transaction.open_table(PREIMAGES)?,
            nodes: transaction.open_table(NODES)?,
        })
    }

    /// Works out the root that writes at a height lead to. Nothing is stored.
    ///
    /// # Errors
    /// The tree's.
    pub fn stage(&self, height: Height, writes: Writes) -> Result<Staged, StoreError> {
        let snapshot = self.snapshot()?;
        // The tree refuses to remove what it does not have.
        let mut present = Writes::new();
        for (key, value) in writes {
            if value.is_some() || snapshot.get(&key)?.is_some() {
                present.insert(key, value);
            }
        }
        let set = present.iter().map(|(key, value)| (KeyHash::with::<Sha256>(key), value.clone()));
        let (root, tree) = Sha256Jmt::new(&snapshot).put_value_set(set, height).map_err(StoreError::Tree)?;
        Ok(Staged { committed: Committed { height, app_hash: root.0 }, writes: present, tree })
    }

    /// A transaction in which nothing is there yet.
    pub(super) fn begin_anew(&self) -> Result<WriteTransaction, StoreError> {
        let transaction = begin(&self.database)?;
        for table in ALL {
            transaction.delete_table(table)?;
            transaction.open_table(table)?;
        }
        Ok(transaction)
    }

    /// Makes a block durable.
    ///
    /// # Errors
    /// The database's. The node must stop.
    pub fn commit(&self, staged: Staged) -> Result<Committed, StoreError> {
        let height = staged.committed.height;
        let transaction = begin(&self.database)?;
        tables::write_values(&transaction, height, &staged.writes)?;
        tables::write_tree(&transaction, &staged.tree)?;
        tables::prune(&transaction, height.saturating_sub(self.pruning_depth))?;
        tables::write_tip(&transaction, staged.committed)?;
        transaction.commit()?;
        Ok(staged.committed)
    }
}

impl Snapshot {
    /// The last commit; nothing before the genesis is committed.
    pub fn committed(&self) -> Option<Committed> {
        self.committed
    }

    /// A value at a kept height with the ICS-23 proof that it, or nothing, is under the key in that height's state.
    ///
    /// # Errors
    /// The height is not kept, or the tree's.
    pub fn prove(&self, key: &[u8], height: Height) -> Result<(Option<Vec<u8>>, Vec<u8>), StoreError> {
        let tree = Sha256Jmt::new(self);
        let root = tree.get_root_hash_option(height).map_err(StoreError::Tree)?;
        root.ok_or(StoreError::NotKept(height))?;
        let (value, proof) = tree.get_with_ics23_proof(key.to_vec(), height).map_err(StoreError::Tree)?;
        Ok((value, proof.encode_to_vec()))
    }

    /// The app hash at a kept height.
    ///
    /// # Errors
    /// The height is not kept.
    pub fn app_hash(&self, height: Height) -> Result<[u8; 32], StoreError> {
        let root = Sha256Jmt::new(self).get_root_hash_option(height).map_err(StoreError::Tree)?;
        root.map(|root| root.0).ok_or(StoreError::NotKept(height))
    }

    /// All records whose keys begin with these bytes, in order.
    ///
    /// # Errors
    /// The database's.
    pub fn records(
        &self,
        prefix: &[u8],
    ) -> Result<impl Iterator<Item = Result<Record, StoreError>> + use<>, StoreError> {
        let prefix = prefix.to_vec();
        let entries = self.current.range(prefix.as_slice()..)?;
        let entries = entries.map(|entry| {
            let (key, value) = entry?;
            Ok((key.value().to_vec(), split_current(value.value())?.1.to_vec()))
        });
        Ok(entries.take_while(move |entry| entry.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix))))
    }
}

impl State for Snapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(entry) = self.current.get(key)? else { return Ok(None) };
        Ok(Some(split_current(entry.value())?.1.to_vec()))
    }
}
