//! Identities: SHA-256 with a domain tag.
use core::fmt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// SHA-256 of a tag's length, the tag and the bytes.
pub fn digest(tag: &str, bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((tag.len() as u64).to_le_bytes());
    hash.update(tag.as_bytes());
    hash.update(bytes);
    hash.finalize().into()
}

/// Identity of a circuit description.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CircuitDigest(pub [u8; 32]);

/// Identity of a verification key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyDigest(pub [u8; 32]);

/// Identity of a structured reference string. All sizes that are cut from one string share it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SrsDigest(pub [u8; 32]);

macro_rules! hex_display {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}
hex_display!(CircuitDigest);
hex_display!(KeyDigest);
hex_display!(SrsDigest);
