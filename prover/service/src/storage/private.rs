//! Files for their owner alone, whole or not at all: seeds, secrets, hashes of keys.
use std::fs;
use std::io::{Result, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file that only its owner may read, over what was there. Temporary files have mode 0600.
///
/// # Errors
/// The system's.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    fs::File::open(folder)?.sync_all()
}

/// Makes a folder that only its owner may enter.
///
/// # Errors
/// The system's.
pub fn folder(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
