//! Verification keys, whatever the engine. The engine is part of a key: a verifier that trusts a key trusts its engine.
use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::circuit::{CheckedCircuit, Circuit, Limits};
use crate::digest::KeyDigest;
use crate::{halo2, sumcheck, wire};

/// How statements of a circuit are proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Engine {
    /// Transparent proofs by sumchecks and hash-based commitments; nothing is hidden.
    Sumcheck,
    /// Compact zero-knowledge proofs by KZG commitments, under a common reference string.
    Halo2,
}

/// A name that no engine has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no engine of this name; there are sumcheck and halo2")]
pub struct UnknownEngine;

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sumcheck => "sumcheck",
            Self::Halo2 => "halo2",
        })
    }
}

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        match name {
            "sumcheck" => Ok(Self::Sumcheck),
            "halo2" => Ok(Self::Halo2),
            _ => Err(UnknownEngine),
        }
    }
}

/// A verification key.
#[derive(Clone, Serialize, Deserialize)]
pub enum Key {
    /// Of the engine `sumcheck`.
    Sumcheck(sumcheck::key::Key),
    /// Of the engine `halo2`.
    Halo2(halo2::key::Key),
}

impl wire::File for Key {
    const NAME: &'static str = "verification key";
    const MAGIC: [u8; 8] = *b"ASSAYKY2";
}

impl From<sumcheck::key::Key> for Key {
    fn from(key: sumcheck::key::Key) -> Self {
        Self::Sumcheck(key)
    }
}

impl From<halo2::key::Key> for Key {
    fn from(key: halo2::key::Key) -> Self {
        Self::Halo2(key)
    }
}

impl Key {
    /// The engine that proves under the key.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sumcheck(_) => Engine::Sumcheck,
            Self::Halo2(_) => Engine::Halo2,
        }
    }

    /// The description.
    pub fn circuit(&self) -> &Circuit {
        match self {
            Self::Sumcheck(key) => &key.circuit,
            Self::Halo2(key) => &key.circuit,
        }
    }

    /// Whether proofs under the key hide anything.
    pub fn is_hiding(&self) -> bool {
        match self {
            Self::Sumcheck(_) => false,
            Self::Halo2(key) => key.visibility.private_input || key.visibility.private_weights,
        }
    }

    /// The key of the engine `sumcheck`, if it is one.
    pub fn as_sumcheck(&self) -> Option<&sumcheck::key::Key> {
        match self {
            Self::Sumcheck(key) => Some(key),
            Self::Halo2(_) => None,
        }
    }

    /// The identity of the key. Engines' digests have different tags or contents, so it names the engine too.
    pub fn digest(&self) -> KeyDigest {
        match self {
            Self::Sumcheck(key) => key.digest(),
            Self::Halo2(key) => key.digest(),
        }
    }
}

/// Why a key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// By the engine `sumcheck`.
    #[error(transparent)]
    Sumcheck(#[from] sumcheck::key::KeyError),
    /// By the engine `halo2`.
    #[error(transparent)]
    Halo2(#[from] halo2::key::KeyError),
}

/// A key that passed all checks, with everything that verification needs worked out.
#[derive(Clone)]
pub enum CheckedKey {
    /// Of the engine `sumcheck`.
    Sumcheck(Box<sumcheck::key::CheckedKey>),
    /// Of the engine `halo2`.
    Halo2(Box<halo2::key::CheckedKey>),
}

impl From<sumcheck::key::CheckedKey> for CheckedKey {
    fn from(key: sumcheck::key::CheckedKey) -> Self {
        Self::Sumcheck(Box::new(key))
    }
}

impl From<halo2::key::CheckedKey> for CheckedKey {
    fn from(key: halo2::key::CheckedKey) -> Self {
        Self::Halo2(Box::new(key))
    }
}

impl CheckedKey {
    /// Checks a key. This is done once for a key, not for each proof.
    ///
    /// # Errors
    /// The first fault found.
    pub fn new(key: &Key, limits: &Limits) -> Result<Self, KeyError> {
        match key {
            Key::Sumcheck(key) => Ok(Self::Sumcheck(Box::new(sumcheck::key::CheckedKey::new(key, limits)?))),
            Key::Halo2(key) => Ok(Self::Halo2(Box::new(halo2::key::CheckedKey::new(key, limits)?))),
        }
    }

    /// The engine that proves under the key.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sumcheck(_) => Engine::Sumcheck,
            Self::Halo2(_) => Engine::Halo2,
        }
    }

    /// The circuit.
    pub fn circuit(&self) -> &CheckedCircuit {
        match self {
            Self::Sumcheck(key) => key.circuit(),
            Self::Halo2(key) => key.circuit(),
        }
    }

    /// The identity of the key.
    pub fn digest(&self) -> KeyDigest {
        match self {
            Self::Sumcheck(key) => key.digest(),
            Self::Halo2(key) => key.digest(),
        }
    }
}
