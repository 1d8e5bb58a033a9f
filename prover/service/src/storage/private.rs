//! Files for their owner alone, whole or not at all: seeds, secrets, hashes of keys.
use std::fs;
use std::io::{Error, ErrorKind, Result, Write};
use std::path::Path;

use rand_core::{OsRng, RngCore};
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

/// Makes an empty file that only its owner may read, if there is none: what is to become a database.
///
/// # Errors
/// The system's.
pub fn file(path: &Path) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
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

/// The secret seed in a file, as hexadecimal digits. It is drawn and written if the file is not there.
///
/// # Errors
/// The system's, or the file holds something else.
pub fn seed(path: &Path) -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    match fs::read_to_string(path) {
        Ok(text) => {
            let broken = |_| Error::new(ErrorKind::InvalidData, "not 64 hexadecimal digits");
            hex::decode_to_slice(text.trim(), &mut seed).map_err(broken)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            OsRng.fill_bytes(&mut seed);
            write(path, hex::encode(seed).as_bytes())?;
        }
        Err(error) => return Err(error),
    }
    Ok(seed)
}
