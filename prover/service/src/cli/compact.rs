//! What the commands share for the engine `halo2`: reference strings cut to size, secrets beside the files they belong to, proving keys.
use std::path::{Path, PathBuf};

use anyhow::Result;
use assay_prover::file::CheckedFile;
use assay_prover::halo2::cache::Cache;
use assay_prover::halo2::keygen::KeygenError;
use assay_prover::halo2::secret::Secret;
use assay_prover::halo2::srs::ProvingSrs;
use assay_prover::halo2::{Params, Prover};
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::halo2::srs::Srs;
use assay_verifier::wire;

use super::files;
use super::problem::problem;
use super::srs::{cut, default_srs, load, refused};

/// Most bytes of proving keys that are kept.
const CACHE_BYTES: u64 = 4 << 30;

/// The file of the secret that belongs to another file.
pub fn secret_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".secret");
    PathBuf::from(name)
}

/// Writes the secret that belongs to a file, for its owner alone.
pub fn write_secret(path: &Path, secret: &Secret) -> Result<PathBuf> {
    let target = secret_path(path);
    files::write_private(&target, &wire::encode(secret))?;
    Ok(target)
}

/// Reads the secret that belongs to a file.
pub fn read_secret(path: &Path) -> Result<Secret> {
    files::load(&secret_path(path))
}

/// A string of `2^k` powers: from a file, or the one of this machine, which is insecure.
fn read_string(path: Option<&Path>, k: u8) -> Result<ProvingSrs> {
    match path {
        Some(path) => cut(path, load(path)?, k.into()),
        None => Ok(default_srs(k.into())?.0),
    }
}

/// A string for a new key. That the points of a file are powers is checked here, once for all proofs under the key.
pub fn string(path: Option<&Path>, k: u8) -> Result<(Params, Srs)> {
    let string = read_string(path, k)?;
    if let Some(path) = path {
        string.check().map_err(|error| refused(path, &error))?;
    }
    let srs = *string.srs();
    Ok((string.into_params(), srs))
}

/// The string of a key.
pub fn string_of(key: &CheckedKey, path: Option<&Path>) -> Result<Params> {
    let string = read_string(path, key.key().shape.k)?;
    if string.srs().digest() != key.key().srs.digest() {
        let what = format!("the key was made with the reference string {}", key.key().srs.digest());
        return Err(problem(what, "name its file with --srs"));
    }
    Ok(string.into_params())
}

/// What proofs under a key need.
pub fn prover(key: CheckedKey, file: &CheckedFile, srs: Option<&Path>, secret: Option<Secret>) -> Result<Prover> {
    let params = string_of(&key, srs)?;
    let cache = cache()?;
    Prover::of_key(key, file.file().weights.clone(), params, secret, Some(&cache)).map_err(|error| keygen(&error))
}

/// Proving keys of this user.
pub fn cache() -> Result<Cache> {
    Ok(Cache::new(super::srs::cache_folder("keys")?, CACHE_BYTES))
}

/// Says why there is no key.
pub fn keygen(error: &KeygenError) -> anyhow::Error {
    let next = match error {
        KeygenError::OtherKey => "name the circuit and the secret that the key was made with",
        KeygenError::Program(_) => "use the engine sumcheck, or make the weights public",
        _ => "make the key again with `assay key --engine halo2`",
    };
    problem(error.to_string(), next)
}
