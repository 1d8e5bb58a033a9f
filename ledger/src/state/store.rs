//! The committed state on disk: a block's writes, its height and its app hash are one durable transaction of the database.
//!
//! States of the last heights are kept for proofs; what only older ones need is removed as blocks are committed.
use std::path::Path;
use std::sync::Arc;

use assay_verifier::settlement::Height;
use jmt::storage::TreeUpdateBatch;
use jmt::{KeyHash, Sha256Jmt};
use prost_ics23::Message;
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use sha2::Sha256;

use super::tree::history_key;
use super::{State, StoreError, Writes};

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Values in force: key to height of the last write and value.
const CURRENT: Table = TableDefinition::new("current");
/// Replaced values: hashed key and height to 1 and the value, or to 0 where the key was removed.
const HISTORY: Table = TableDefinition::new("history");
/// Keys by their hash.
const PREIMAGES: Table = TableDefinition::new("preimages");
/// The tree's nodes.
const NODES: Table = TableDefinition::new("nodes");
/// What is no longer needed from a height on: the height, the table (a letter) and the key in it.
const STALE: Table = TableDefinition::new("stale");
/// Height and app hash of the last commit.
const TIP: TableDefinition<'static, (), (u64, [u8; 32])> = TableDefinition::new("tip version 1");

const STALE_NODE: u8 = b'n';
const STALE_VALUE: u8 = b'v';

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

/// Splits an entry of the table of values in force.
pub(super) fn split_current(entry: &[u8]) -> Result<(u64, &[u8]), StoreError> {
    let (version, value) = entry.split_first_chunk().ok_or_else(|| StoreError::Corrupt("a value is short".into()))?;
    Ok((u64::from_be_bytes(*version), value))
}

impl Store {
    /// Opens or creates a database. Proofs are kept for this many heights before the last.
    ///
    /// # Errors
    /// The database's.
    pub fn open(path: &Path, pruning_depth: u64) -> Result<Self, StoreError> {
        let database = Database::create(path)?;
        let transaction = database.begin_write()?;
        for table in [CURRENT, HISTORY, PREIMAGES, NODES, STALE] {
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

    /// Makes a block durable.
    ///
    /// # Errors
    /// The database's. The node must stop.
    pub fn commit(&self, staged: Staged) -> Result<Committed, StoreError> {
        let Committed { height, app_hash } = staged.committed;
        let transaction = self.database.begin_write()?;
        write_values(&transaction, height, &staged.writes)?;
        write_tree(&transaction, &staged.tree)?;
        prune(&transaction, height.saturating_sub(self.pruning_depth))?;
        transaction.open_table(TIP)?.insert((), (height, app_hash))?;
        transaction.commit()?;
        Ok(staged.committed)
    }
}

fn stale_key(since: Height, table: u8, key: &[u8]) -> Vec<u8> {
    [&since.to_be_bytes(), [table].as_slice(), key].concat()
}

fn write_values(transaction: &WriteTransaction, height: Height, writes: &Writes) -> Result<(), StoreError> {
    let mut current = transaction.open_table(CURRENT)?;
    let mut history = transaction.open_table(HISTORY)?;
    let mut preimages = transaction.open_table(PREIMAGES)?;
    let mut stale = transaction.open_table(STALE)?;
    for (key, value) in writes {
        let key_hash = KeyHash::with::<Sha256>(key);
        let before = match value {
            Some(value) => {
                preimages.insert(key_hash.0.as_slice(), key.as_slice())?;
                let entry = [&height.to_be_bytes(), value.as_slice()].concat();
                current.insert(key.as_slice(), entry.as_slice())?.map(|entry| entry.value().to_vec())
            }
            None => {
                let removed = history_key(key_hash, height);
                history.insert(removed.as_slice(), [0].as_slice())?;
                stale.insert(stale_key(height, STALE_VALUE, &removed).as_slice(), [].as_slice())?;
                current.remove(key.as_slice())?.map(|entry| entry.value().to_vec())
            }
        };
        if let Some(before) = before {
            let (since, value) = split_current(&before)?;
            let replaced = history_key(key_hash, since);
            history.insert(replaced.as_slice(), [[1].as_slice(), value].concat().as_slice())?;
            stale.insert(stale_key(height, STALE_VALUE, &replaced).as_slice(), [].as_slice())?;
        }
    }
    Ok(())
}

fn write_tree(transaction: &WriteTransaction, tree: &TreeUpdateBatch) -> Result<(), StoreError> {
    let encode = |value: Result<Vec<u8>, std::io::Error>| value.map_err(|error| StoreError::Tree(error.into()));
    let mut nodes = transaction.open_table(NODES)?;
    let mut stale = transaction.open_table(STALE)?;
    for (key, node) in tree.node_batch.nodes() {
        nodes.insert(encode(borsh::to_vec(key))?.as_slice(), encode(borsh::to_vec(node))?.as_slice())?;
    }
    for index in &tree.stale_node_index_batch {
        let key = stale_key(index.stale_since_version, STALE_NODE, &encode(borsh::to_vec(&index.node_key))?);
        stale.insert(key.as_slice(), [].as_slice())?;
    }
    Ok(())
}

/// Removes what only states before a height need.
fn prune(transaction: &WriteTransaction, floor: Height) -> Result<(), StoreError> {
    let mut stale = transaction.open_table(STALE)?;
    let (mut nodes, mut history) = (transaction.open_table(NODES)?, transaction.open_table(HISTORY)?);
    let mut preimages = transaction.open_table(PREIMAGES)?;
    let current = transaction.open_table(CURRENT)?;
    let end = floor.saturating_add(1).to_be_bytes();
    for entry in stale.extract_from_if(..end.as_slice(), |_, _| true)? {
        let (entry, _) = entry?;
        match entry.value().get(8..).and_then(<[u8]>::split_first) {
            Some((&STALE_NODE, key)) => {
                nodes.remove(key)?;
            }
            Some((&STALE_VALUE, key)) => {
                let removed = history.remove(key)?.is_some_and(|value| value.value() == [0]);
                // A key that is gone from all kept states needs no way back from its hash.
                let hash = key.get(..32).unwrap_or_default();
                let name = preimages.get(hash)?.map(|name| name.value().to_vec());
                if let (true, Some(name)) = (removed, name)
                    && current.get(name.as_slice())?.is_none()
                {
                    preimages.remove(hash)?;
                }
            }
            _ => return Err(StoreError::Corrupt("an entry of what is stale".into())),
        }
    }
    Ok(())
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
