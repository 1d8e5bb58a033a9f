//! The Jellyfish Merkle tree above the tables: where it finds its nodes and values.
//!
//! Current values lie in one table by key, so that reading a record costs one look-up; the tree keeps hashes only. Values that were
//! replaced within the kept heights lie in another table by hashed key and height.
use borsh::BorshDeserialize;
use jmt::storage::{HasPreimage, LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, Version};

use super::store::Snapshot;
use super::tables::split_current;

/// The key of a value in the history.
pub fn history_key(key_hash: KeyHash, version: Version) -> Vec<u8> {
    [key_hash.0.as_slice(), &version.to_be_bytes()].concat()
}

impl TreeReader for Snapshot {
    fn get_node_option(&self, node_key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let found = self.nodes.get(borsh::to_vec(node_key)?.as_slice())?;
        found.map(|bytes| Ok(Node::try_from_slice(bytes.value())?)).transpose()
    }

    fn get_value_option(&self, max_version: Version, key_hash: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        if let Some(key) = self.preimage(key_hash)?
            && let Some(current) = self.current.get(key.as_slice())?
        {
            let (version, value) = split_current(current.value())?;
            if version <= max_version {
                return Ok(Some(value.to_vec()));
            }
        }
        let (first, last) = (history_key(key_hash, 0), history_key(key_hash, max_version));
        let newest = self.history.range(first.as_slice()..=last.as_slice())?.next_back().transpose()?;
        Ok(newest.and_then(|(_, value)| value.value().strip_prefix(&[1]).map(<[u8]>::to_vec)))
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("this tree is not restored leaf by leaf")
    }
}

impl HasPreimage for Snapshot {
    fn preimage(&self, key_hash: KeyHash) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.preimages.get(key_hash.0.as_slice())?.map(|key| key.value().to_vec()))
    }
}
