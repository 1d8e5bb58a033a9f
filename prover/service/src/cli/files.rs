//! Reading and writing files: kinds are told by their first bytes, and what is written appears whole or not at all.
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use assay_prover::file::{CheckedFile, CircuitFile, FileError};
use assay_prover::halo2::secret::Secret;
use assay_prover::halo2::srs::SrsFile;
use assay_verifier::key::Key;
use assay_verifier::statement::Proof;
use assay_verifier::wire::{self, File as Kind, SIZE_MAX, WireError};
use tempfile::NamedTempFile;

use super::problem::problem;

/// Our own kinds of files: tag, name, and how to make one.
const KINDS: [([u8; 8], &str, &str); 5] = [
    (CircuitFile::MAGIC, CircuitFile::NAME, "assay compile MODEL.onnx"),
    (Key::MAGIC, Key::NAME, "assay key FILE.circuit"),
    (Proof::MAGIC, Proof::NAME, "assay prove FILE.circuit --input IN --proof OUT"),
    (Secret::MAGIC, Secret::NAME, "assay key FILE.circuit --engine halo2 --private-weights"),
    (SrsFile::MAGIC, SrsFile::NAME, "assay srs make --k K -o FILE.srs"),
];

/// Reads a file of acceptable size.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let size = size(path)?;
    if size > SIZE_MAX as u64 {
        let what = format!("{}: {size} bytes are more than the limit of {SIZE_MAX}", path.display());
        return Err(problem(what, "name another file"));
    }
    fs::read(path).map_err(|error| unreadable(path, &error))
}

/// The size of a file in bytes.
pub fn size(path: &Path) -> Result<u64> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.is_dir() {
        return Err(problem(format!("{} is a folder", path.display()), "name a file in it"));
    }
    Ok(metadata.len())
}

/// Whether a file, of any size, starts with a tag.
pub fn starts_with(path: &Path, tag: &[u8]) -> Result<bool> {
    size(path)?;
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(tag.len() as u64).read_to_end(&mut head));
    read.map_err(|error| unreadable(path, &error))?;
    Ok(head == tag)
}

fn unreadable(path: &Path, error: &std::io::Error) -> anyhow::Error {
    problem(format!("cannot read {}: {error}", path.display()), "check the path")
}

/// Reads a file of one of our kinds.
pub fn load<T: Kind>(path: &Path) -> Result<T> {
    decode(path, &read(path)?)
}

/// Decodes a file of one of our kinds.
pub fn decode<T: Kind>(path: &Path, bytes: &[u8]) -> Result<T> {
    let make = KINDS.iter().find(|(magic, ..)| *magic == T::MAGIC).map_or("", |(.., make)| make);
    wire::decode(bytes).map_err(|error| {
        let found = kind(bytes).map_or("another kind of file".into(), |(_, name, _)| format!("a {name}"));
        let what = match &error {
            WireError::Magic(expected) => format!("{} is not a {expected} but {found}", path.display()),
            _ => format!("{} is a damaged {}: {error}", path.display(), T::NAME),
        };
        problem(what, format!("make a {} with `{make}`", T::NAME))
    })
}

/// Which of our kinds a file is of.
pub fn kind(bytes: &[u8]) -> Option<&'static ([u8; 8], &'static str, &'static str)> {
    KINDS.iter().find(|(magic, ..)| bytes.starts_with(magic))
}

/// Reads and checks a circuit file, all but its commitment.
pub fn load_circuit(path: &Path) -> Result<CheckedFile> {
    check_circuit(path, load(path)?)
}

/// Checks a circuit file, all but its commitment.
pub fn check_circuit(path: &Path, file: CircuitFile) -> Result<CheckedFile> {
    CheckedFile::new(file).map_err(|error| refused(path, &error))
}

/// Says that a circuit file is refused.
pub fn refused(path: &Path, error: &FileError) -> anyhow::Error {
    problem(format!("{}: {error}", path.display()), "the file was changed; compile the model again")
}

/// A file of our kind, named like another one, in the current folder.
pub fn beside(path: &Path, extension: &str) -> PathBuf {
    Path::new(path.file_name().unwrap_or(path.as_os_str())).with_extension(extension)
}

/// Checks that a file can be written there, before any long work.
pub fn check_target(path: &Path) -> Result<()> {
    let folder = folder(path);
    if !folder.is_dir() {
        return Err(problem(
            format!("cannot write {}: there is no folder {}", path.display(), folder.display()),
            format!("mkdir -p {}", folder.display()),
        ));
    }
    if path.is_dir() {
        return Err(problem(format!("cannot write {}: it is a folder", path.display()), "name a file in it"));
    }
    Ok(())
}

/// Writes a file atomically: a temporary file in the same folder, synchronised, then renamed over the old one.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    temporary(path, bytes)?.persist(path).map_err(|error| unwritable(path, &error.error))?;
    synchronise(path);
    Ok(())
}

/// As [`write()`], for the owner alone.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    written(path, bytes, 0o600)?.persist(path).map_err(|error| unwritable(path, &error.error))?;
    synchronise(path);
    Ok(())
}

/// As [`write()`], but leaves a file alone that is already there.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    match temporary(path, bytes)?.persist_noclobber(path) {
        Err(error) if error.error.kind() != std::io::ErrorKind::AlreadyExists => Err(unwritable(path, &error.error)),
        _ => {
            synchronise(path);
            Ok(())
        }
    }
}

/// A file beside the one that is to be written, with its content.
fn temporary(path: &Path, bytes: &[u8]) -> Result<NamedTempFile> {
    // Temporary files are private by default; ours becomes an ordinary file, subject to the umask.
    written(path, bytes, 0o666)
}

fn written(path: &Path, bytes: &[u8], mode: u32) -> Result<NamedTempFile> {
    check_target(path)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".assay-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(folder(path)).map_err(|error| unwritable(path, &error))?;
    let written = file.write_all(bytes).and_then(|()| file.as_file().sync_all());
    written.map_err(|error| unwritable(path, &error))?;
    Ok(file)
}

/// A rename is durable once its folder is; not all systems can open folders.
fn synchronise(path: &Path) {
    if let Ok(folder) = File::open(folder(path)) {
        let _ = folder.sync_all();
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> anyhow::Error {
    problem(format!("cannot write {}: {error}", path.display()), "check permissions and space of the folder")
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
