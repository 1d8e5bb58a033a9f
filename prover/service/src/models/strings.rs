//! Reference strings for keys of the engine `halo2`: one file that the operator names, or one that is made here and marked insecure.
//!
//! A chain allows strings by digest from its genesis on, so the string that is made here is made before the chain is.
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use assay_prover::halo2::Params;
use assay_prover::halo2::srs::{ProvingSrs, SrsError, SrsFile, make};
use assay_verifier::digest::SrsDigest;
use assay_verifier::halo2::srs::Srs;
use assay_verifier::wire;
use rand_core::OsRng;
use thiserror::Error;

use crate::storage::private;

/// Rows of the string that is made here: `2^k`. Enough for small models, and made in about a second.
const LOCAL_K: u32 = 13;

/// Why there is no string.
#[derive(Debug, Error)]
pub enum StringError {
    /// The file.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The string is too short for a circuit.
    #[error(
        "the circuit needs a string of 2^{needed} powers, and there are 2^{there}: configure `srs` with a longer one"
    )]
    TooShort {
        /// What is needed.
        needed: u32,
        /// What there is.
        there: u32,
    },
    /// Cutting it.
    #[error(transparent)]
    Srs(#[from] SrsError),
}

/// A string that was cut to `2^k` powers.
pub type Cut = (u32, Arc<(Params, Srs)>);

/// The string of this service.
pub struct Strings {
    string: ProvingSrs,
    cuts: Mutex<Vec<Cut>>,
}

impl Strings {
    /// Reads the string that is configured, and checks that it is one; or the one of the data folder, which is made if there is none.
    ///
    /// # Errors
    /// The file cannot be read or is not a string.
    pub fn open(configured: Option<&Path>, data: &Path) -> Result<Self, StringError> {
        let local = data.join("insecure.srs");
        let path = configured.unwrap_or(&local);
        let file = |reason: String| StringError::File { path: path.into(), reason };
        if configured.is_none() && !local.exists() {
            let made = make(LOCAL_K, OsRng, |_| {})?;
            private::write(&local, &wire::encode(&SrsFile::new(&made))).map_err(|error| file(error.to_string()))?;
        }
        let bytes = std::fs::read(path).map_err(|error| file(error.to_string()))?;
        let stored: SrsFile = wire::decode(&bytes).map_err(|error| file(error.to_string()))?;
        let string = stored.open().map_err(|error| file(error.to_string()))?;
        if configured.is_some() {
            string.check().map_err(|error| file(error.to_string()))?;
        }
        Ok(Self { string, cuts: Mutex::new(Vec::new()) })
    }

    /// Its digest, which a chain must allow.
    pub fn digest(&self) -> SrsDigest {
        self.string.srs().digest()
    }

    /// The string with its first `2^k` powers alone.
    ///
    /// # Errors
    /// It is too short.
    pub fn cut(&self, k: u32) -> Result<(Params, Srs), StringError> {
        let there = self.string.k();
        if k > there {
            return Err(StringError::TooShort { needed: k, there });
        }
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cut)) = cuts.iter().find(|(size, _)| *size == k) {
            return Ok((cut.0.clone(), cut.1));
        }
        let cut = self.string.cut(k)?;
        let srs = *cut.srs();
        let made = Arc::new((cut.into_params(), srs));
        cuts.push((k, Arc::clone(&made)));
        Ok((made.0.clone(), made.1))
    }
}
