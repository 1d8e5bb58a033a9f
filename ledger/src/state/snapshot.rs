//! Snapshots for nodes that join late: all records at one height, in chunks, with what shows that each belongs there.
//!
//! Records are in the order of the tree's leaves. Every chunk carries the hashes to the right of its last record, so that whoever has all
//! chunks up to one can work out the app hash. The same state gives the same bytes on every node: chunks of a snapshot can come from many.
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use assay_verifier::digest::digest;
use assay_verifier::settlement::Height;
use assay_verifier::wire::{self, Bytes, WireError};
use jmt::{KeyHash, Sha256Jmt};
use redb::ReadableTable;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use thiserror::Error;

use super::store::Snapshot;
use super::{State, StoreError};

/// Bytes of records in a chunk, unless one record is larger. A frame of CometBFT's peers holds 16 MB.
pub const CHUNK_BYTES: usize = 8 << 20;
/// Most chunks of a snapshot: its manifest fits into a frame that lists snapshots, which holds 4 MB.
const CHUNKS_MAX: usize = 100_000;
/// Bytes of a record besides key and value.
const RECORD_OVERHEAD: usize = 16;

/// Why there is no snapshot, or none of what was sent.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not.
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
    /// It is not what it should be: its senders are at fault.
    #[error("the snapshot is refused: {0}")]
    Refused(&'static str),
}

/// What a snapshot consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The height after which the state was this.
    pub height: Height,
    /// The root of the state.
    pub app_hash: [u8; 32],
    /// The digest of each chunk.
    pub chunks: Vec<[u8; 32]>,
}

impl wire::File for Manifest {
    const NAME: &'static str = "manifest of a snapshot";
    const MAGIC: [u8; 8] = *b"ASSAYSM1";
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Not one, or one that nobody would make.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let manifest: Self = wire::decode(bytes)?;
        if manifest.chunks.is_empty() || manifest.chunks.len() > CHUNKS_MAX {
            return Err(WireError::Malformed);
        }
        Ok(manifest)
    }

    /// The identity of the snapshot.
    pub fn digest(&self) -> [u8; 32] {
        digest("assay snapshot v1", &wire::encode(self))
    }

    /// Whether these are the bytes of a chunk.
    pub fn has(&self, index: u32, bytes: &[u8]) -> bool {
        let expected = usize::try_from(index).ok().and_then(|index| self.chunks.get(index));
        expected.is_some_and(|expected| *expected == chunk_digest(bytes))
    }
}

/// Identity of a chunk's bytes.
fn chunk_digest(bytes: &[u8]) -> [u8; 32] {
    digest("assay snapshot chunk v1", bytes)
}

/// Records that follow each other in the order of the tree.
#[derive(Serialize, Deserialize)]
pub(super) struct Chunk {
    /// Keys and values.
    pub records: Vec<(Bytes, Bytes)>,
    /// The hashes to the right of the last one.
    pub right: Bytes,
}

impl wire::File for Chunk {
    const NAME: &'static str = "chunk of a snapshot";
    const MAGIC: [u8; 8] = *b"ASSAYSC1";
}

impl Snapshot {
    /// Gives all records in chunks, one after the other, of at most so many bytes if their records allow it. Nothing comes of it if it is
    /// stopped.
    ///
    /// # Errors
    /// The state could not be read, or a chunk not be kept.
    pub fn export(
        &self,
        chunk_bytes: usize,
        stopped: &AtomicBool,
        mut keep: impl FnMut(u32, &[u8]) -> Result<(), SnapshotError>,
    ) -> Result<Option<Manifest>, SnapshotError> {
        let committed = self.committed().ok_or(StoreError::NotKept(0))?;
        let mut manifest = Manifest { height: committed.height, app_hash: committed.app_hash, chunks: Vec::new() };
        let mut close = |records: Vec<(Bytes, Bytes)>| -> Result<(), SnapshotError> {
            let chunk = wire::encode(&Chunk { right: Bytes(self.right_of(&records, committed.height)?), records });
            let index = manifest.chunks.len();
            let index = u32::try_from(index).ok().filter(|_| index < CHUNKS_MAX);
            keep(index.ok_or_else(|| StoreError::Corrupt("a snapshot has too many chunks".into()))?, &chunk)?;
            manifest.chunks.push(chunk_digest(&chunk));
            Ok(())
        };
        let (mut records, mut size) = (Vec::new(), 0usize);
        for entry in self.preimages.iter().map_err(StoreError::from)? {
            if stopped.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let (_, key) = entry.map_err(StoreError::from)?;
            // Names of removed records are kept as long as their past is.
            let Some(value) = self.get(key.value())? else { continue };
            let length = key.value().len() + value.len() + RECORD_OVERHEAD;
            if !records.is_empty() && size + length > chunk_bytes {
                close(std::mem::take(&mut records))?;
                size = 0;
            }
            size += length;
            records.push((Bytes(key.value().to_vec()), Bytes(value)));
        }
        close(records)?;
        Ok(Some(manifest))
    }

    /// The hashes to the right of the last of these records, for [`jmt::restore`].
    fn right_of(&self, records: &[(Bytes, Bytes)], height: Height) -> Result<Vec<u8>, StoreError> {
        let (Bytes(last), _) = records.last().ok_or_else(|| StoreError::Corrupt("there are no records".into()))?;
        let proof = Sha256Jmt::new(self).get_range_proof(KeyHash::with::<Sha256>(last), height);
        let encoded = proof.and_then(|proof| Ok(borsh::to_vec(&proof)?));
        encoded.map_err(StoreError::Tree)
    }
}
