//! Snapshots on disk: a folder with the last two that this node made, and what it is receiving of another node's.
//!
//! A folder of a snapshot has its name only when all of it is durable; whatever else is found when the archive is opened is removed.
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use assay_verifier::settlement::Height;
use assay_verifier::wire;

use super::snapshot::{Manifest, SnapshotError};
use super::store::Snapshot;

/// How many snapshots are kept. While one is fetched the next is made.
const KEPT: usize = 2;
const MANIFEST: &str = "manifest";
const MAKING: &str = "making";
const RECEIVING: &str = "receiving";

/// The folder.
#[derive(Clone, Debug)]
pub struct Archive {
    folder: PathBuf,
    chunk_bytes: usize,
}

fn at<T>(path: &Path, done: io::Result<T>) -> Result<T, SnapshotError> {
    done.map_err(|error| SnapshotError::File(path.into(), error))
}

/// Writes a file and waits until it is durable.
fn write(path: &Path, bytes: &[u8]) -> Result<(), SnapshotError> {
    at(path, File::create(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())))
}

fn sync(folder: &Path) -> Result<(), SnapshotError> {
    at(folder, File::open(folder).and_then(|folder| folder.sync_all()))
}

/// An empty folder, whatever was there.
fn anew(folder: &Path) -> Result<(), SnapshotError> {
    if folder.exists() {
        at(folder, fs::remove_dir_all(folder))?;
    }
    at(folder, fs::create_dir_all(folder))
}

impl Archive {
    /// Opens or creates the folder. Chunks that are made here have at most so many bytes; all nodes of a chain should agree on that, for then
    /// their snapshots are the same.
    ///
    /// # Errors
    /// The folder's.
    pub fn open(folder: &Path, chunk_bytes: usize) -> Result<Self, SnapshotError> {
        at(folder, fs::create_dir_all(folder))?;
        for unfinished in [MAKING, RECEIVING].map(|name| folder.join(name)) {
            if unfinished.exists() {
                at(&unfinished, fs::remove_dir_all(&unfinished))?;
            }
        }
        Ok(Self { folder: folder.into(), chunk_bytes })
    }

    fn of(&self, height: Height) -> PathBuf {
        self.folder.join(height.to_string())
    }

    fn heights(&self) -> Result<BTreeSet<Height>, SnapshotError> {
        let mut heights = BTreeSet::new();
        for entry in at(&self.folder, fs::read_dir(&self.folder))? {
            let name = at(&self.folder, entry)?.file_name();
            heights.extend(name.to_str().and_then(|name| name.parse::<Height>().ok()));
        }
        Ok(heights)
    }

    /// The snapshots that are there, the last one first.
    ///
    /// # Errors
    /// A file could not be read.
    pub fn manifests(&self) -> Result<Vec<Manifest>, SnapshotError> {
        let mut manifests = Vec::new();
        for height in self.heights()?.into_iter().rev() {
            let path = self.of(height).join(MANIFEST);
            let bytes = match fs::read(&path) {
                // It was removed in the meantime.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => at(&path, read)?,
            };
            let malformed = |error| SnapshotError::File(path, io::Error::new(io::ErrorKind::InvalidData, error));
            manifests.push(Manifest::decode(&bytes).map_err(malformed)?);
        }
        Ok(manifests)
    }

    /// A chunk, if it is there.
    ///
    /// # Errors
    /// The file could not be read.
    pub fn chunk(&self, height: Height, index: u32) -> Result<Option<Vec<u8>>, SnapshotError> {
        let path = self.of(height).join(index.to_string());
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => at(&path, read).map(Some),
        }
    }

    /// Makes a snapshot of a state and removes those that are too old. Nothing comes of it if it is stopped.
    ///
    /// # Errors
    /// The state could not be read, or a file not be written.
    pub fn make(&self, state: &Snapshot, stopped: &AtomicBool) -> Result<Option<Manifest>, SnapshotError> {
        let making = self.folder.join(MAKING);
        anew(&making)?;
        let keep = |index: u32, chunk: &[u8]| write(&making.join(index.to_string()), chunk);
        let Some(manifest) = state.export(self.chunk_bytes, stopped, keep)? else { return Ok(None) };
        self.finish(&making, &manifest)?;
        Ok(Some(manifest))
    }

    /// Gives a complete snapshot its name.
    fn finish(&self, folder: &Path, manifest: &Manifest) -> Result<(), SnapshotError> {
        write(&folder.join(MANIFEST), &wire::encode(manifest))?;
        sync(folder)?;
        for height in self.heights()?.into_iter().rev().skip(KEPT - 1).chain([manifest.height]) {
            let old = self.of(height);
            if old.exists() {
                at(&old, fs::remove_dir_all(&old))?;
            }
        }
        let place = self.of(manifest.height);
        at(&place, fs::rename(folder, &place))?;
        sync(&self.folder)
    }

    /// Begins to receive a snapshot; what was received of another is dropped.
    ///
    /// # Errors
    /// The folder's.
    pub fn receive(&self, manifest: Manifest) -> Result<Receiving, SnapshotError> {
        let folder = self.folder.join(RECEIVING);
        anew(&folder)?;
        Ok(Receiving { folder, manifest, received: BTreeSet::new() })
    }

    /// Keeps a snapshot that was received, so that others can have it from here.
    ///
    /// # Errors
    /// A file could not be written.
    pub fn adopt(&self, received: Receiving) -> Result<(), SnapshotError> {
        self.finish(&received.folder, &received.manifest)
    }
}

/// A snapshot on its way here.
#[derive(Debug)]
pub struct Receiving {
    folder: PathBuf,
    manifest: Manifest,
    received: BTreeSet<u32>,
}

impl Receiving {
    /// What it will be.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Keeps a chunk.
    ///
    /// # Errors
    /// It is not the one that the manifest says, or could not be written.
    pub fn take(&mut self, index: u32, bytes: &[u8]) -> Result<(), SnapshotError> {
        if !self.manifest.has(index, bytes) {
            return Err(SnapshotError::Refused("a chunk is not what the manifest says"));
        }
        write(&self.folder.join(index.to_string()), bytes)?;
        self.received.insert(index);
        Ok(())
    }

    /// Whether all chunks are there.
    pub fn complete(&self) -> bool {
        self.received.len() == self.manifest.chunks.len()
    }

    /// A chunk that is there.
    ///
    /// # Errors
    /// The file could not be read.
    pub fn chunk(&self, index: usize) -> Result<Vec<u8>, SnapshotError> {
        let path = self.folder.join(index.to_string());
        at(&path, fs::read(&path))
    }
}
