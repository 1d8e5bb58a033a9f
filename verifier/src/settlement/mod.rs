//! The ledger's state as an auditor reads it: keys, records, and proofs that a record is in it.
//!
//! The ledger writes these records; they are here because whoever checks a settlement later has the verifier and not the ledger.
pub mod inclusion;
pub mod keys;
pub mod light;
pub mod model;
pub mod node;
pub mod parameters;
pub mod payment;
pub mod sampling;
mod versioned;

pub use versioned::{Height, Reason, Versioned};

use alloc::vec::Vec;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire::{self, WireError};

/// Encodes a record as it is stored.
pub fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    wire::bytes(record)
}

/// Decodes a stored record.
///
/// # Errors
/// The bytes are not the one encoding of such a record.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    wire::decode_untagged(bytes)
}
