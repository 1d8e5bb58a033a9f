//! Weights outside the model file. A location may only name a file inside the model's folder.
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use crate::error::ExternalFault;

/// Where a model's external data comes from.
pub trait ExternalData {
    /// `length` bytes from `offset` of the file that the model calls `location`.
    ///
    /// # Errors
    /// The file is missing, too short or not one that the model may read.
    fn read(&self, location: &str, offset: u64, length: usize) -> Result<Vec<u8>, ExternalFault>;
}

/// No external data: models must be one file.
pub struct NoExternalData;

impl ExternalData for NoExternalData {
    fn read(&self, location: &str, _: u64, _: usize) -> Result<Vec<u8>, ExternalFault> {
        Err(ExternalFault::Missing(location.into()))
    }
}

/// The folder that holds the model.
pub struct Folder(pub PathBuf);

impl ExternalData for Folder {
    fn read(&self, location: &str, offset: u64, length: usize) -> Result<Vec<u8>, ExternalFault> {
        let missing = |_| ExternalFault::Missing(location.into());
        let inside =
            Path::new(location).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if location.is_empty() || !inside {
            return Err(ExternalFault::Escapes(location.into()));
        }
        let folder = self.0.canonicalize().map_err(missing)?;
        // A symbolic link may lead out of the folder although its name does not.
        let path = folder.join(location).canonicalize().map_err(missing)?;
        if !path.starts_with(&folder) {
            return Err(ExternalFault::Escapes(location.into()));
        }
        let mut file = File::open(&path).map_err(missing)?;
        let available = file.metadata().map_err(missing)?.len();
        if offset.checked_add(length as u64).is_none_or(|end| end > available) {
            return Err(ExternalFault::Short(location.into()));
        }
        file.seek(SeekFrom::Start(offset)).map_err(missing)?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).map_err(missing)?;
        Ok(bytes)
    }
}
