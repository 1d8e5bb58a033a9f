//! Circuits that are loaded to answer, bounded by bytes: the one that was not asked for longest goes first.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use assay_prover::file::{CheckedFile, CircuitFile};
use assay_verifier::digest::CircuitDigest;
use assay_verifier::wire;
use thiserror::Error;

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

struct Entry {
    file: Arc<CheckedFile>,
    bytes: u64,
    used: u64,
}

#[derive(Default)]
struct Loaded {
    entries: BTreeMap<CircuitDigest, Entry>,
    bytes: u64,
    clock: u64,
}

/// The loaded circuits.
pub struct Circuits {
    blobs: Arc<dyn BlobStore>,
    bytes_max: u64,
    loaded: Mutex<Loaded>,
}

impl Circuits {
    /// None yet.
    pub fn new(blobs: Arc<dyn BlobStore>, bytes_max: u64) -> Self {
        Self { blobs, bytes_max, loaded: Mutex::default() }
    }

    /// A circuit, loaded now if it is not.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub fn get(&self, digest: CircuitDigest, blob: BlobId) -> Result<Arc<CheckedFile>, LoadError> {
        if let Some(file) = self.used(digest) {
            return Ok(file);
        }
        let bytes = self.blobs.get(blob)?;
        let file: CircuitFile = wire::decode(&bytes).map_err(|_| LoadError::Damaged)?;
        let file = CheckedFile::new(file).map_err(|_| LoadError::Damaged)?;
        if file.circuit().digest() != digest {
            return Err(LoadError::Damaged);
        }
        Ok(self.keep(digest, Arc::new(file), bytes.len() as u64))
    }

    fn used(&self, digest: CircuitDigest) -> Option<Arc<CheckedFile>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.clock += 1;
        let clock = loaded.clock;
        let entry = loaded.entries.get_mut(&digest)?;
        entry.used = clock;
        Some(Arc::clone(&entry.file))
    }

    fn keep(&self, digest: CircuitDigest, file: Arc<CheckedFile>, bytes: u64) -> Arc<CheckedFile> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.clock += 1;
        let used = loaded.clock;
        if let Some(before) = loaded.entries.insert(digest, Entry { file: Arc::clone(&file), bytes, used }) {
            loaded.bytes -= before.bytes;
        }
        loaded.bytes += bytes;
        while loaded.bytes > self.bytes_max && loaded.entries.len() > 1 {
            let oldest = loaded.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(digest, _)| *digest);
            let Some(entry) = oldest.and_then(|oldest| loaded.entries.remove(&oldest)) else { break };
            loaded.bytes -= entry.bytes;
        }
        file
    }
}
