//! Who may do what: API keys with scopes and rates. Keys are random and long, so their hashes are kept and nothing else.
mod keys;
mod rate;

pub use keys::{AccessError, ApiKey, KeyFile, NewKey};
pub use rate::Rates;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::jobs::Owner;

/// How often the file of keys is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Models, and the caller's own jobs and evidence.
    Read,
    /// Inference.
    Infer,
    /// Models are published, blobs uploaded.
    Publish,
    /// Everybody's jobs.
    Admin,
    /// Proofs are made.
    Worker,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Read, Self::Infer, Self::Publish, Self::Admin, Self::Worker];
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let quoted = serde_json::Value::String(text.into());
        serde_json::from_value(quoted).map_err(|_| format!("{text:?} is not read, infer, publish, admin or worker"))
    }
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who owns what the caller makes.
    pub owner: Owner,
    /// What the caller may do.
    pub scopes: Vec<Scope>,
}

impl Caller {
    /// Whether the caller may do something.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whose jobs the caller sees: all of them if there is no owner.
    pub fn sees(&self) -> Option<&Owner> {
        if self.may(Scope::Admin) { None } else { Some(&self.owner) }
    }
}

/// Why a caller is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No key, or none that is known.
    Unknown,
    /// Too many requests; after so long the next one is let through.
    TooFast(Duration),
}

/// The door.
pub enum Door {
    /// Everybody on this machine may do everything, as one owner.
    Open,
    /// Keys of a file, which is read again when it changes.
    Keys(Box<Guard>),
}

/// The keys of a file.
pub struct Guard {
    path: PathBuf,
    known: RwLock<Known>,
    rates: Rates,
}

struct Known {
    file: Arc<KeyFile>,
    changed: Option<SystemTime>,
    looked: Instant,
}

impl Door {
    /// A door with the keys of a file.
    ///
    /// # Errors
    /// The file cannot be read or is not one of keys.
    pub fn keys(path: &Path) -> Result<Self, AccessError> {
        let file = Arc::new(KeyFile::read(path)?);
        let known = Known { file, changed: changed(path), looked: Instant::now() };
        Ok(Self::Keys(Box::new(Guard { path: path.into(), known: RwLock::new(known), rates: Rates::default() })))
    }

    /// Who calls, by the key that the request has.
    ///
    /// # Errors
    /// Nobody who is known, or too fast.
    pub fn caller(&self, key: Option<&str>) -> Result<Caller, Denied> {
        match self {
            Self::Open => Ok(Caller { owner: Owner("local".into()), scopes: Scope::ALL.to_vec() }),
            Self::Keys(guard) => {
                let file = guard.file();
                let found = key.and_then(|key| file.find(key)).ok_or(Denied::Unknown)?;
                guard.rates.pass(&found.name, found.rate_per_s, Instant::now()).map_err(Denied::TooFast)?;
                Ok(Caller { owner: Owner(found.name.clone()), scopes: found.scopes.clone() })
            }
        }
    }
}

impl Guard {
    /// The keys as the file has them now. A file that cannot be read leaves those of before.
    fn file(&self) -> Arc<KeyFile> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.looked.elapsed() < LOOK_INTERVAL {
            return Arc::clone(&known.file);
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.looked = Instant::now();
        let now = changed(&self.path);
        if now != known.changed {
            match KeyFile::read(&self.path) {
                Ok(file) => (known.file, known.changed) = (Arc::new(file), now),
                Err(error) => tracing::error!(%error, "the file of API keys cannot be read; those of before stay"),
            }
        }
        Arc::clone(&known.file)
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}
