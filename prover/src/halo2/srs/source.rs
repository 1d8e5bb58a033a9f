//! A file that is read in pieces. Nothing that it says about its own size is believed: pieces lie within its length, or are not
//! read.
use std::io::{Read, Seek, SeekFrom};

use super::SrsError;

/// A file of known length.
pub struct Source<R> {
    reader: R,
    len: u64,
}

impl<R: Read + Seek> Source<R> {
    /// Finds out the length.
    pub fn new(mut reader: R) -> Result<Self, SrsError> {
        let len = reader.seek(SeekFrom::End(0))?;
        Ok(Self { reader, len })
    }

    /// The length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Reads a piece.
    pub fn read(&mut self, field: &'static str, start: u64, size: u64) -> Result<Vec<u8>, SrsError> {
        if start.checked_add(size).is_none_or(|end| end > self.len) {
            return Err(SrsError::Truncated { field, start, size, len: self.len });
        }
        let mut bytes = vec![0; usize::try_from(size).map_err(|_| SrsError::Size)?];
        self.reader.seek(SeekFrom::Start(start))?;
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads bytes of fixed number.
    pub fn array<const N: usize>(&mut self, field: &'static str, start: u64) -> Result<[u8; N], SrsError> {
        let mut array = [0; N];
        array.copy_from_slice(&self.read(field, start, N as u64)?);
        Ok(array)
    }

    /// Reads a little-endian integer.
    pub fn u32(&mut self, field: &'static str, start: u64) -> Result<u32, SrsError> {
        self.array(field, start).map(u32::from_le_bytes)
    }

    /// Reads a little-endian integer.
    pub fn u64(&mut self, field: &'static str, start: u64) -> Result<u64, SrsError> {
        self.array(field, start).map(u64::from_le_bytes)
    }
}
