//! Proving keys on disk, by the digest of their verification key.
//!
//! A proving key is made from the circuit in seconds and read in a fraction of that. A file holds it packed ([`Packed`]); its checksum guards
//! against damage, and its commitments are those of the verification key. Files are written beside their place and renamed, and the least
//! recently used ones are deleted when all together exceed a limit.
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use assay_verifier::halo2::curve::G1Affine;
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::wire;
use halo2_proofs::plonk::ProvingKey;

use super::packed::Packed;

/// A folder of proving keys.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    /// Most bytes of all files together.
    limit: u64,
}

impl Cache {
    /// A cache in a folder, which is made when something is stored.
    pub fn new(folder: impl Into<PathBuf>, limit: u64) -> Self {
        Self { folder: folder.into(), limit }
    }

    fn path(&self, key: &CheckedKey) -> PathBuf {
        self.folder.join(format!("{}.pk", key.digest()))
    }

    /// The proving key of a verification key, if it is here and whole. A file that is not is deleted.
    pub fn load(&self, key: &CheckedKey) -> Option<ProvingKey<G1Affine>> {
        let path = self.path(key);
        let bytes = fs::read(&path).ok()?;
        let loaded = wire::decode::<Packed>(&bytes).ok().and_then(|packed| packed.unpack(key));
        match loaded {
            Some(_) => touch(&path),
            None => drop(fs::remove_file(&path)),
        }
        loaded
    }

    /// Stores a proving key, unless it alone exceeds the limit.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn store(&self, key: &CheckedKey, pk: &ProvingKey<G1Affine>) -> io::Result<bool> {
        let bytes = wire::encode(&Packed::new(key, pk));
        let size = bytes.len() as u64;
        if size > self.limit {
            return Ok(false);
        }
        self.make_folder()?;
        self.make_room(size)?;
        let path = self.path(key);
        let partial = path.with_extension(format!("{}.partial", std::process::id()));
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&partial)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&partial, &path)?;
        Ok(true)
    }

    /// A folder for its owner alone: a key of private weights holds them.
    fn make_folder(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder)
    }

    /// Deletes files, those first that were used longest ago, until so many bytes fit.
    fn make_room(&self, size: u64) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_file() {
                files.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, len, _)| len).sum();
        for (_, len, path) in files {
            if total + size <= self.limit {
                break;
            }
            fs::remove_file(path)?;
            total -= len;
        }
        Ok(())
    }
}

fn touch(path: &Path) {
    // Only the order of deletion depends on it.
    if let Ok(file) = File::options().append(true).open(path) {
        drop(file.set_modified(SystemTime::now()));
    }
}
