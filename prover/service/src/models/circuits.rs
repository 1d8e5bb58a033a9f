//! Circuits that are loaded to answer.
use std::sync::Arc;

use assay_prover::file::{CheckedFile, CircuitFile};
use assay_verifier::digest::CircuitDigest;
use assay_verifier::wire;
use thiserror::Error;

use super::loaded::Loaded;
use crate::storage::{BlobError, BlobId, BlobStore};

/// Why a circuit is not loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Its file.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The file is not the circuit that it should be.
    #[error("the circuit's file is damaged")]
    Damaged,
}

/// The loaded circuits.
pub struct Circuits {
    blobs: Arc<dyn BlobStore>,
    loaded: Loaded<CircuitDigest, CheckedFile>,
}

impl Circuits {
    /// None yet.
    pub fn new(blobs: Arc<dyn BlobStore>, bytes_max: u64) -> Self {
        Self { blobs, loaded: Loaded::new(bytes_max) }
    }

    /// A circuit, loaded now if it is not.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub fn get(&self, digest: CircuitDigest, blob: BlobId) -> Result<Arc<CheckedFile>, LoadError> {
        if let Some(file) = self.loaded.get(digest) {
            return Ok(file);
        }
        let bytes = self.blobs.get(blob)?;
        let file: CircuitFile = wire::decode(&bytes).map_err(|_| LoadError::Damaged)?;
        let file = CheckedFile::new(file).map_err(|_| LoadError::Damaged)?;
        if file.circuit().digest() != digest {
            return Err(LoadError::Damaged);
        }
        Ok(self.loaded.keep(digest, file, bytes.len() as u64))
    }
}
