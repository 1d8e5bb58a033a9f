//! Blobs as files: `aa/rest` below one folder, where `aarest` is the SHA-256 in hexadecimal.
//!
//! A blob is written to `incoming/`, synchronised, and renamed to its place, whose folder is synchronised then. So there is a whole blob or none,
//! whenever the process ends. Names are made of digests and of nothing else. What has another hash than its name is moved to `damaged/`.
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::{BlobError, BlobId, BlobStore, id_of, private};

/// Where blobs are written.
const INCOMING: &str = "incoming";
/// Where blobs are put that have another hash than they should.
const DAMAGED: &str = "damaged";

/// A store in a folder.
pub struct FileBlobs {
    folder: PathBuf,
    bytes: AtomicU64,
}

/// What may stay that nobody keeps.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Since it was stored last.
    pub age: Duration,
    /// All blobs together; those that are kept count too.
    pub bytes: u64,
    /// What was stored within this time stays in any case: whoever stored it may be about to say that they keep it.
    pub young: Duration,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A file in its place.
struct Found {
    stored: SystemTime,
    size: u64,
    id: BlobId,
}

/// A rename is durable once its folder is.
fn synchronise(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl FileBlobs {
    /// Opens or makes a store. What a process left half written is removed.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(folder: &Path) -> io::Result<Self> {
        private::folder(folder)?;
        let incoming = folder.join(INCOMING);
        match fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => private::folder(&incoming)?,
        }
        private::folder(&folder.join(DAMAGED))?;
        for first in 0..=u8::MAX {
            private::folder(&folder.join(hex::encode([first])))?;
        }
        synchronise(folder)?;
        let store = Self { folder: folder.to_owned(), bytes: AtomicU64::new(0) };
        let total = store.all()?.iter().map(|found| found.size).sum();
        store.bytes.store(total, Ordering::Relaxed);
        Ok(store)
    }

    /// How many bytes all blobs have together.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn path(&self, id: BlobId) -> PathBuf {
        let name = id.to_string();
        let (first, rest) = name.split_at(2);
        self.folder.join(first).join(rest)
    }

    /// The blob of a name, if it is one.
    fn id(first: &str, rest: &std::ffi::OsStr) -> Option<BlobId> {
        let name = format!("{first}{}", rest.to_str()?);
        name.parse().ok().filter(|id: &BlobId| id.to_string() == name)
    }

    fn all(&self) -> io::Result<Vec<Found>> {
        let mut all = Vec::new();
        for first in 0..=u8::MAX {
            let first = hex::encode([first]);
            for entry in fs::read_dir(self.folder.join(&first))? {
                let entry = entry?;
                let Some(id) = Self::id(&first, &entry.file_name()) else { continue };
                match entry.metadata() {
                    Ok(found) if found.is_file() => {
                        all.push(Found { stored: found.modified()?, size: found.len(), id });
                    }
                    // Removed in the meantime, or not ours.
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(all)
    }

    /// Removes blobs that nobody keeps: those that are too old, then the oldest until all fit.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn sweep(&self, kept: &HashSet<BlobId>, limits: &Limits, now: SystemTime) -> Result<Swept, BlobError> {
        let mut loose = self.all()?;
        loose.retain(|found| {
            !kept.contains(&found.id) && now.duration_since(found.stored).is_ok_and(|age| age > limits.young)
        });
        loose.sort_by_key(|found| (found.stored, found.id));
        let mut swept = Swept::default();
        for found in loose {
            let old = now.duration_since(found.stored).is_ok_and(|age| age > limits.age);
            if old || self.bytes() > limits.bytes {
                self.remove(found.id)?;
                swept.blobs += 1;
                swept.bytes += found.size;
            }
        }
        Ok(swept)
    }

    /// Puts a blob aside that has another hash than it should.
    fn set_aside(&self, id: BlobId, size: u64) -> io::Result<()> {
        match fs::rename(self.path(id), self.folder.join(DAMAGED).join(id.to_string())) {
            Ok(()) => self.forget(size),
            // Another thread was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn forget(&self, size: u64) {
        let less = |bytes: u64| Some(bytes.saturating_sub(size));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn write(&self, id: BlobId, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().tempfile_in(self.folder.join(INCOMING))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(self.path(id)) {
            Ok(_) => {
                self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            // Another thread stored the same.
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.error),
        }
        Ok(())
    }
}

impl BlobStore for FileBlobs {
    fn put(&self, bytes: &[u8]) -> Result<BlobId, BlobError> {
        let id = id_of(bytes);
        let path = self.path(id);
        match self.get(id) {
            // Its age begins anew.
            Ok(_) => File::options().append(true).open(&path)?.set_modified(SystemTime::now())?,
            Err(BlobError::Missing(_) | BlobError::Damaged(_)) => self.write(id, bytes)?,
            Err(error) => return Err(error),
        }
        // Also if another thread stored it: it may not be durable yet.
        synchronise(path.parent().unwrap_or(&self.folder))?;
        Ok(id)
    }

    fn get(&self, id: BlobId) -> Result<Vec<u8>, BlobError> {
        let bytes = match fs::read(self.path(id)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(BlobError::Missing(id)),
            read => read?,
        };
        if id_of(&bytes) != id {
            self.set_aside(id, bytes.len() as u64)?;
            return Err(BlobError::Damaged(id));
        }
        Ok(bytes)
    }

    fn remove(&self, id: BlobId) -> Result<(), BlobError> {
        let path = self.path(id);
        let size = fs::metadata(&path).map_or(0, |found| found.len());
        match fs::remove_file(&path) {
            Ok(()) => self.forget(size),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
