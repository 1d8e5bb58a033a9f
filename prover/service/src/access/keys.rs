//! The file of API keys. A key is shown once, when it is made; the file has its SHA-256.
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::Scope;
use crate::storage::private;

/// What keys begin with, so that they are found where they do not belong.
const PREFIX: &str = "assay_";
/// Longest name.
const NAME_LEN_MAX: usize = 64;

/// What went wrong with the file.
#[derive(Debug, Error)]
pub enum AccessError {
    /// It cannot be read or written.
    #[error("the file of API keys: {0}")]
    Io(#[from] std::io::Error),
    /// It is not one.
    #[error("the file of API keys: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A name that cannot be one.
    #[error("a name has 1 to {NAME_LEN_MAX} letters, digits, dots, dashes and underscores")]
    Name,
    /// Two keys of one name.
    #[error("there is a key with the name {0:?} already")]
    Exists(String),
    /// No key of that name.
    #[error("there is no key with the name {0:?}")]
    Missing(String),
    /// A key that is good for nothing.
    #[error("name at least one scope")]
    NoScope,
}

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// What it is called; whatever is made with it belongs to this name.
    pub name: String,
    /// SHA-256 of the key.
    pub sha256: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// How many requests a second, as many at once.
    pub rate_per_s: u32,
}

/// A key as it is shown, once.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey(pub String);

/// All keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// The keys.
    pub keys: Vec<ApiKey>,
}

fn hashed(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}

impl KeyFile {
    /// Reads the file; no file is no keys.
    ///
    /// # Errors
    /// It cannot be read or is not one.
    pub fn read(path: &Path) -> Result<Self, AccessError> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the file, for its owner alone.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), AccessError> {
        Ok(private::write(path, &serde_json::to_vec_pretty(self)?)?)
    }

    /// The key that a caller shows. What is compared is a hash, so the time it takes says nothing of any key.
    pub fn find(&self, key: &str) -> Option<&ApiKey> {
        let hash = hashed(key);
        self.keys.iter().find(|known| known.sha256 == hash)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// The name is taken or cannot be one, or there is no scope.
    pub fn add(&mut self, name: &str, scopes: Vec<Scope>, rate_per_s: u32) -> Result<NewKey, AccessError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if !(1..=NAME_LEN_MAX).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(AccessError::Name);
        }
        if self.keys.iter().any(|key| key.name == name) {
            return Err(AccessError::Exists(name.into()));
        }
        if scopes.is_empty() {
            return Err(AccessError::NoScope);
        }
        let mut random = [0; 32];
        OsRng.fill_bytes(&mut random);
        let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
        self.keys.push(ApiKey { name: name.into(), sha256: hashed(&key), scopes, rate_per_s: rate_per_s.max(1) });
        Ok(NewKey(key))
    }

    /// Takes a key away.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn remove(&mut self, name: &str) -> Result<(), AccessError> {
        let before = self.keys.len();
        self.keys.retain(|key| key.name != name);
        if self.keys.len() == before { Err(AccessError::Missing(name.into())) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Denied, Door};
    use super::*;

    #[test]
    fn a_key_opens_what_it_was_made_for_and_is_not_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.json");
        let mut file = KeyFile::default();
        let NewKey(key) = file.add("reader", vec![Scope::Read], 1).unwrap();
        file.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(key.trim_start_matches(PREFIX)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let door = Door::keys(&path).unwrap();
        let caller = door.caller(Some(&key)).unwrap();
        assert!(caller.may(Scope::Read) && !caller.may(Scope::Infer));
        assert!(matches!(door.caller(Some(&key)), Err(Denied::TooFast(_))));
        assert_eq!(door.caller(None), Err(Denied::Unknown));
        assert_eq!(door.caller(Some("assay_other")), Err(Denied::Unknown));
    }

    #[test]
    fn names_are_checked_and_taken_once() {
        let mut file = KeyFile::default();
        file.add("a", vec![Scope::Read], 1).unwrap_or_else(|error| panic!("{error}"));
        assert!(matches!(file.add("a", vec![Scope::Read], 1), Err(AccessError::Exists(_))));
        assert!(matches!(file.add("", vec![Scope::Read], 1), Err(AccessError::Name)));
        assert!(matches!(file.add("../a", vec![Scope::Read], 1), Err(AccessError::Name)));
        assert!(matches!(file.add("b", vec![], 1), Err(AccessError::NoScope)));
        assert!(matches!(file.remove("b"), Err(AccessError::Missing(_))));
        assert!(file.remove("a").is_ok());
    }
}
