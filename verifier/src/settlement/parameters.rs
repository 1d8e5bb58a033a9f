//! What governance decides. It is set by the genesis.
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::Height;
use super::node::Platform;
use super::sampling::Sampling;
use crate::digest::{Digest32, SrsDigest};
use crate::receipt::Grade;
use crate::signature::PublicKey;
use crate::tee::Policy;

/// The rules of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// The chain.
    pub chain_id: String,
    /// The key that approves and revokes measurements.
    pub governance: PublicKey,
    /// What money is there; it never changes.
    pub supply: u64,
    /// Fees.
    pub fees: Fees,
    /// The least stake of a node.
    pub stake_min: u64,
    /// How long after its last heartbeat a node counts as alive.
    pub heartbeat_window_ms: u64,
    /// How far ahead deadlines of reservations may lie.
    pub deadline_max_ms: u64,
    /// How settlements that rest on a node's word are drawn, to be proven after all.
    pub sampling: Sampling,
    /// What fits into transactions and blocks.
    pub limits: Limits,
    /// Reference strings that keys may use, in order.
    pub srs: Vec<SrsDigest>,
    /// Roots that attestations may chain to.
    pub trust_roots: Vec<TrustRoot>,
    /// What is accepted of them.
    pub attestation: Policy,
}

/// Blocks whose hashes are kept at least: what is bound to a late block must be shown before they go.
const BLOCK_HASHES_LEAST: Height = 128;

impl Parameters {
    /// For how many blocks their hashes are kept: as long as what they draw can be proven or penalised, and as long again.
    pub fn block_hashes_kept(&self) -> Height {
        self.sampling.blocks.saturating_mul(4).saturating_add(BLOCK_HASHES_LEAST)
    }
}

/// Fees of a transaction: at least `base + per_kib` for each started KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// For any transaction.
    pub base: u64,
    /// For each started 1024 bytes.
    pub per_kib: u64,
}

impl Fees {
    /// The least fee of a transaction of so many bytes.
    pub fn least(&self, size: u64) -> u64 {
        self.base.saturating_add(self.per_kib.saturating_mul(size.div_ceil(1024)))
    }
}

/// What fits into transactions and blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a transaction.
    pub tx_bytes_max: u64,
    /// Bytes of all transactions of a block.
    pub block_bytes_max: u64,
    /// Work units of all transactions of a block.
    pub block_work_max: u64,
    /// Leaves of a batch.
    pub batch_leaves_max: u64,
}

/// A root of attestations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRoot {
    /// Whose documents it is for.
    pub platform: Platform,
    /// SHA-256 of the root certificate.
    pub certificate: Digest32,
    /// Whether it is a vendor's, or one that was made for trying things out.
    pub grade: Grade,
}
