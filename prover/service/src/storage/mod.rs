//! Blobs: circuits, keys, proofs and evidence by their SHA-256. What is read is hashed again, always.
mod files;
pub mod private;

pub use files::{FileBlobs, Limits, Swept};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The SHA-256 of a blob's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlobId(pub [u8; 32]);

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

impl FromStr for BlobId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// The name of bytes.
pub fn id_of(bytes: &[u8]) -> BlobId {
    BlobId(Sha256::digest(bytes).into())
}

/// Why a blob was not stored or read.
#[derive(Debug, Error)]
pub enum BlobError {
    /// It is not there.
    #[error("there is no blob {0}")]
    Missing(BlobId),
    /// What is there has another hash. It counts as missing, and is kept for whoever wants to know.
    #[error("blob {0} is damaged")]
    Damaged(BlobId),
    /// The store does not answer.
    #[error("the blob store: {0}")]
    Io(#[from] std::io::Error),
}

/// A store of blobs. Calls block.
pub trait BlobStore: Send + Sync {
    /// Stores a blob. It is durable when this returns; what is there already is not written again.
    ///
    /// # Errors
    /// The store's.
    fn put(&self, bytes: &[u8]) -> Result<BlobId, BlobError>;

    /// Reads a blob, and compares its hash.
    ///
    /// # Errors
    /// It is not there or damaged, or the store's.
    fn get(&self, id: BlobId) -> Result<Vec<u8>, BlobError>;

    /// Removes a blob, if it is there.
    ///
    /// # Errors
    /// The store's.
    fn remove(&self, id: BlobId) -> Result<(), BlobError>;
}
