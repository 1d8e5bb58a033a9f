//! The tables of the database, and what one transaction writes into them.
use assay_verifier::settlement::Height;
use borsh::{BorshDeserialize, BorshSerialize};
use jmt::KeyHash;
use jmt::storage::{Node, NodeBatch, NodeKey, TreeUpdateBatch};
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use sha2::Sha256;

use super::store::Committed;
use super::tree::history_key;
use super::{StoreError, Writes};

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Values in force: key to height of the last write and value.
pub const CURRENT: Table = TableDefinition::new("current");
/// Replaced values: hashed key and height to 1 and the value, or to 0 where the key was removed.
pub const HISTORY: Table = TableDefinition::new("history");
/// Keys by their hash.
pub const PREIMAGES: Table = TableDefinition::new("preimages");
/// The tree's nodes.
pub const NODES: Table = TableDefinition::new("nodes");
/// What is no longer needed from a height on: the height, the table (a letter) and the key in it.
const STALE: Table = TableDefinition::new("stale");
/// Height and app hash of the last commit.
pub const TIP: TableDefinition<'static, (), (u64, [u8; 32])> = TableDefinition::new("tip version 1");

/// Every table but the last commit's.
pub const ALL: [Table; 5] = [CURRENT, HISTORY, PREIMAGES, NODES, STALE];

const STALE_NODE: u8 = b'n';
const STALE_VALUE: u8 = b'v';

/// Splits an entry of the table of values in force.
pub fn split_current(entry: &[u8]) -> Result<(u64, &[u8]), StoreError> {
    let (version, value) = entry.split_first_chunk().ok_or_else(|| StoreError::Corrupt("a value is short".into()))?;
    Ok((u64::from_be_bytes(*version), value))
}

fn stale_key(since: Height, table: u8, key: &[u8]) -> Vec<u8> {
    [&since.to_be_bytes(), [table].as_slice(), key].concat()
}

/// Writes a block's values; those that they replace go to the history.
pub fn write_values(transaction: &WriteTransaction, height: Height, writes: &Writes) -> Result<(), StoreError> {
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

/// Says which commit this is.
pub fn write_tip(transaction: &WriteTransaction, tip: Committed) -> Result<(), StoreError> {
    transaction.open_table(TIP)?.insert((), (tip.height, tip.app_hash))?;
    Ok(())
}

/// Nodes and their keys as they are stored.
fn encode<T: BorshSerialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    borsh::to_vec(value).map_err(|error| StoreError::Tree(error.into()))
}

/// Writes nodes of the tree.
pub fn write_nodes(transaction: &WriteTransaction, batch: &NodeBatch) -> Result<(), StoreError> {
    let mut nodes = transaction.open_table(NODES)?;
    for (key, node) in batch.nodes() {
        nodes.insert(encode(key)?.as_slice(), encode(node)?.as_slice())?;
    }
    Ok(())
}

/// A node that was written in a transaction.
pub fn read_node(transaction: &WriteTransaction, key: &NodeKey) -> Result<Option<Node>, StoreError> {
    let nodes = transaction.open_table(NODES)?;
    let found = nodes.get(encode(key)?.as_slice())?;
    let node = found.map(|bytes| Node::try_from_slice(bytes.value())).transpose();
    node.map_err(|error| StoreError::Tree(error.into()))
}

/// Writes what a block changes in the tree.
pub fn write_tree(transaction: &WriteTransaction, tree: &TreeUpdateBatch) -> Result<(), StoreError> {
    write_nodes(transaction, &tree.node_batch)?;
    let mut stale = transaction.open_table(STALE)?;
    for index in &tree.stale_node_index_batch {
        let key = stale_key(index.stale_since_version, STALE_NODE, &encode(&index.node_key)?);
        stale.insert(key.as_slice(), [].as_slice())?;
    }
    Ok(())
}

/// Removes what only states before a height need.
pub fn prune(transaction: &WriteTransaction, floor: Height) -> Result<(), StoreError> {
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
