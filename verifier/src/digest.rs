//! Identities: SHA-256 with a domain tag.
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// SHA-256 of a tag's length, the tag and the bytes.
pub fn digest(tag: &str, bytes: &[u8]) -> [u8; 32] {
    let mut running = Running::new(tag);
    running.update(bytes);
    running.finish()
}

/// [`digest`] of bytes that come in pieces.
#[derive(Clone, Debug)]
pub struct Running(Sha256);

impl Running {
    /// The digest of no bytes yet.
    pub fn new(tag: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update((tag.len() as u64).to_le_bytes());
        hash.update(tag.as_bytes());
        Self(hash)
    }

    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
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

/// A digest of anything else: a request, inputs, outputs, a receipt, a proof.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest32(pub [u8; 32]);

macro_rules! hex_display {
    ($name:ident) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
        impl core::str::FromStr for $name {
            type Err = $crate::digest::NotHex;

            fn from_str(text: &str) -> Result<Self, $crate::digest::NotHex> {
                $crate::digest::parse_hex(text).map(Self)
            }
        }
    };
}
pub(crate) use hex_display;

/// A text that is not the 64 hexadecimal digits of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not 64 hexadecimal digits")]
pub struct NotHex;

/// Reads 32 bytes from hexadecimal digits of either case.
pub(crate) fn parse_hex(text: &str) -> Result<[u8; 32], NotHex> {
    let mut bytes = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return Err(NotHex);
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
        *byte = high.zip(low).map(|(high, low)| high << 4 | low).ok_or(NotHex)?;
    }
    Ok(bytes)
}

hex_display!(CircuitDigest);
hex_display!(KeyDigest);
hex_display!(SrsDigest);
hex_display!(Digest32);
