//! A state from a snapshot: all of it in one transaction of the database, which is committed when its root is the trusted one.
use std::sync::{Arc, Mutex, PoisonError};

use assay_verifier::settlement::{Height, keys};
use assay_verifier::wire::{self, Bytes};
use borsh::BorshDeserialize;
use jmt::proof::SparseMerkleRangeProof;
use jmt::restore::{JellyfishMerkleRestore, StateSnapshotReceiver};
use jmt::storage::{LeafNode, Node, NodeBatch, NodeKey, TreeReader, TreeWriter};
use jmt::{KeyHash, OwnedValue, RootHash, Sha256Jmt, Version};
use redb::WriteTransaction;
use sha2::Sha256;

use super::snapshot::{Chunk, SnapshotError};
use super::store::{Committed, Store};
use super::tables;
use super::{StoreError, Writes};

/// A state that is in the database and does not count yet.
pub struct Restored {
    transaction: WriteTransaction,
    committed: Committed,
    /// The record of the last block.
    pub block: Vec<u8>,
    /// The record of the rules.
    pub parameters: Vec<u8>,
}

impl Restored {
    /// Makes it count.
    ///
    /// # Errors
    /// The database's. The node must stop.
    pub fn commit(self) -> Result<Committed, StoreError> {
        tables::write_tip(&self.transaction, self.committed)?;
        self.transaction.commit()?;
        Ok(self.committed)
    }
}

/// Nodes that the tree has finished, until they are written.
#[derive(Default)]
struct Finished(Mutex<NodeBatch>);

impl Finished {
    fn drain(&self) -> NodeBatch {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TreeWriter for Finished {
    fn write_node_batch(&self, batch: &NodeBatch) -> anyhow::Result<()> {
        let nodes = batch.nodes().iter().map(|(key, node)| (key.clone(), node.clone()));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(nodes, None);
        Ok(())
    }
}

impl Store {
    /// Puts a snapshot's records in the place of all that is there. Chunks are read one at a time. Unless the result is committed, nothing has
    /// happened.
    ///
    /// # Errors
    /// The chunks do not lead to the trusted root, could not be read, or the database's.
    pub fn restore(
        &self,
        trusted: Committed,
        chunks: impl Iterator<Item = Result<Vec<u8>, SnapshotError>>,
    ) -> Result<Restored, SnapshotError> {
        let transaction = self.begin_anew()?;
        let finished = Arc::new(Finished::default());
        let root = RootHash(trusted.app_hash);
        let mut tree = JellyfishMerkleRestore::<Sha256>::new_overwrite(Arc::clone(&finished), trusted.height, root)
            .map_err(StoreError::Tree)?;
        let (mut block, mut parameters) = (None, None);
        for bytes in chunks {
            let malformed = SnapshotError::Refused("a chunk is malformed");
            let Ok(Chunk { records, right: Bytes(right) }) = wire::decode(&bytes?) else { return Err(malformed) };
            let Ok(right) = SparseMerkleRangeProof::try_from_slice(&right) else { return Err(malformed) };
            let (mut writes, mut leaves) = (Writes::new(), Vec::new());
            for (Bytes(key), Bytes(value)) in records {
                match key.as_slice() {
                    keys::BLOCK => block = Some(value.clone()),
                    keys::PARAMETERS => parameters = Some(value.clone()),
                    _ => {}
                }
                leaves.push((KeyHash::with::<Sha256>(&key), value.clone()));
                writes.insert(key, Some(value));
            }
            let refused = |_| SnapshotError::Refused("a chunk does not lead to the app hash");
            tree.add_chunk(leaves, right).map_err(refused)?;
            tables::write_values(&transaction, trusted.height, &writes)?;
            tables::write_nodes(&transaction, &finished.drain())?;
        }
        let missing = SnapshotError::Refused("it lacks records that every state has");
        let (Some(block), Some(parameters)) = (block, parameters) else { return Err(missing) };
        tree.finish().map_err(StoreError::Tree)?;
        tables::write_nodes(&transaction, &finished.drain())?;
        // Every chunk led there together with what came after it; only now it is known that nothing comes after.
        if root_in(&transaction, trusted.height)? != trusted.app_hash {
            return Err(SnapshotError::Refused("it is not complete"));
        }
        Ok(Restored { transaction, committed: trusted, block, parameters })
    }
}

/// The root of the tree that was written.
fn root_in(transaction: &WriteTransaction, height: Height) -> Result<[u8; 32], StoreError> {
    Ok(Sha256Jmt::new(&Written(transaction)).get_root_hash(height).map_err(StoreError::Tree)?.0)
}

/// The tree within a transaction.
struct Written<'a>(&'a WriteTransaction);

impl TreeReader for Written<'_> {
    fn get_node_option(&self, node_key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(tables::read_node(self.0, node_key)?)
    }

    fn get_value_option(&self, _: Version, _: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        anyhow::bail!("only the root is asked for")
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("only the root is asked for")
    }
}
