//! Nodes that answer requests, and the software that enclaves may run.
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::Height;
use crate::digest::{Digest32, digest};
use crate::receipt::{Backend, Grade};
use crate::signature::PublicKey;
use crate::wire;

/// A registered node. Its name is the key that signs its receipts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it can do, in order, each once.
    pub backends: Vec<Backend>,
    /// Where it is reached.
    pub endpoint: String,
    /// The account that is paid.
    pub payee: PublicKey,
    /// What it staked when it registered.
    pub stake: u64,
}

/// What a node has staked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stake {
    /// How much is left.
    pub amount: u64,
    /// The first height at which it can be released, once the node has stopped being one.
    pub free_from: Option<Height>,
}

/// The last sign of life of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The block.
    pub height: Height,
    /// The block's time, in milliseconds since 1970.
    pub time_ms: u64,
}

/// What a node showed to be attested: it runs software that is approved, in an enclave that holds its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// The evidence, which lies under its digest ([`super::keys::evidence`]).
    pub evidence: Digest32,
    /// Who measured.
    pub platform: Platform,
    /// The root that it rests on.
    pub root: Digest32,
    /// Whether that is a vendor's.
    pub grade: Grade,
    /// [`Measurement::id`] of what was measured.
    pub measurement: [u8; 32],
    /// Which version of its record was in force.
    pub measurement_revision: u32,
    /// The block whose hash it is bound to.
    pub nonce_height: Height,
    /// That hash.
    pub nonce: [u8; 32],
    /// The time of the block in which it was verified, in milliseconds since 1970.
    pub verified_ms: u64,
    /// The first moment at which it no longer counts.
    pub expires_ms: u64,
}

/// Formats of attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Platform {
    /// AWS Nitro enclaves.
    Nitro,
    /// Intel TDX.
    Tdx,
    /// Intel SGX.
    Sgx,
    /// AMD SEV-SNP.
    Snp,
}

/// Software that enclaves may run, by its measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// Who measures.
    pub platform: Platform,
    /// The registers that are compared, each a digest of the platform's length, in the platform's order.
    pub registers: Vec<Vec<u8>>,
    /// What was measured, for people: name and version of the software.
    pub software: String,
}

impl Measurement {
    /// The identity: platform and registers.
    pub fn id(&self) -> [u8; 32] {
        Self::id_of(self.platform, &self.registers)
    }

    /// The identity of what was measured.
    pub fn id_of(platform: Platform, registers: &[Vec<u8>]) -> [u8; 32] {
        digest("assay measurement v1", &wire::bytes(&(platform, registers)))
    }
}
