//! Where strings are kept between commands: files of the user's cache.
//!
//! Strings that are made here are `insecure-K.srs`, one for each size. They are made once and never replaced, since a key that
//! was made with one needs this very one for proving. Strings that were cut from longer ones are `DIGEST-K.srs`; they only save
//! time.
use std::path::{Path, PathBuf};

use anyhow::Result;
use assay_prover::halo2::srs::{ProvingSrs, SrsError, SrsFile};
use assay_verifier::wire;

use super::made;
use crate::cli::files;
use crate::cli::problem::problem;

/// The string of this machine with `2^k` powers and where it lies; it is made if there is none. It is insecure.
pub fn default_srs(k: u32) -> Result<(ProvingSrs, PathBuf)> {
    let path = folder()?.join(format!("insecure-{k}.srs"));
    if !path.exists() {
        let string = made(&path, k)?;
        // Another process may have been faster; then its string counts.
        files::write_new(&path, &wire::encode(&SrsFile::new(&string)))?;
    }
    let string = load(&path)?;
    if string.k() != k {
        let what = format!("{} has 2^{} powers instead of 2^{k}", path.display(), string.k());
        return Err(problem(what, format!("remove {}", path.display())));
    }
    Ok((string, path))
}

/// A string with its first `2^k` powers alone. What was cut before is kept.
pub fn cut(string: &ProvingSrs, k: u32) -> Result<ProvingSrs> {
    let path = folder()?.join(format!("{}-{k}.srs", string.srs().digest()));
    let kept = load(&path).ok().filter(|kept| kept.k() == k && kept.is_cut_of(string));
    if let Some(kept) = kept {
        return Ok(kept);
    }
    let cut = string.cut(k).map_err(|error| refused(&path, &error))?;
    files::write(&path, &wire::encode(&SrsFile::new(&cut)))?;
    Ok(cut)
}

/// Reads a string of our own format.
pub fn load(path: &Path) -> Result<ProvingSrs> {
    files::load::<SrsFile>(path)?.open().map_err(|error| refused(path, &error))
}

/// Says that a string is refused.
pub fn refused(path: &Path, error: &SrsError) -> anyhow::Error {
    let next = match error {
        SrsError::Io(_) => "check the path".into(),
        SrsError::K { k_max, .. } => format!("ask for --k {k_max} at most, or take a larger file"),
        SrsError::Checksum | SrsError::Size => "the file was damaged; make or import the string again".into(),
        _ => "take another file: powers of tau of snarkjs (.ptau) for BN254, or parameters of halo2".into(),
    };
    problem(format!("{}: {error}", path.display()), next)
}

fn folder() -> Result<PathBuf> {
    cache_folder("srs")
}

/// A folder of the user's cache, which is made if it is not there.
pub fn cache_folder(name: &str) -> Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    let cache = cache.ok_or_else(|| {
        let next = "set XDG_CACHE_HOME to a folder, or make a string with `assay srs make -o FILE.srs` and name it";
        problem("there is no cache folder: neither XDG_CACHE_HOME nor HOME is set", next)
    })?;
    let folder = cache.join("assay").join(name);
    std::fs::create_dir_all(&folder).map_err(|error| {
        let next = "check permissions, or set XDG_CACHE_HOME to another folder";
        problem(format!("cannot make the folder {}: {error}", folder.display()), next)
    })?;
    Ok(folder)
}
