//! The one binary encoding of everything that is hashed, stored or sent: bincode 2 with fixed-width little-endian integers.
//!
//! A file is a magic tag of eight bytes, which names kind and version, then the encoded value and nothing more. Decoding
//! then encoding must give the same bytes, so that a value has one encoding.
use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Largest file that is decoded.
pub const SIZE_MAX: usize = 1 << 31;

/// Why bytes were not decoded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WireError {
    /// The first eight bytes are not the expected tag.
    #[error("not a {0} of a supported version")]
    Magic(&'static str),
    /// Larger than what is decoded.
    #[error("{0} bytes are more than the limit of {SIZE_MAX}")]
    TooLarge(usize),
    /// The bytes end early or hold an impossible value.
    #[error("malformed encoding")]
    Malformed,
    /// There are bytes after the value.
    #[error("{0} trailing bytes")]
    Trailing(usize),
    /// The value has another, canonical encoding.
    #[error("not the canonical encoding")]
    NotCanonical,
}

/// Bytes that are encoded as a list of them, and moved as one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Block;
        impl Visitor<'_> for Block {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Block)
    }
}

/// A kind of file.
pub trait File: Serialize + DeserializeOwned {
    /// What it is, for people.
    const NAME: &'static str;
    /// The tag: kind and version.
    const MAGIC: [u8; 8];
}

fn config<const LIMIT: usize>() -> impl bincode::config::Config {
    bincode::config::standard().with_fixed_int_encoding().with_little_endian().with_limit::<LIMIT>()
}

/// Decodes with a limit in proportion to the input: the decoder allocates a text of as many bytes as its length says, up to the
/// limit, before it looks for them.
fn decode_prefix<T: DeserializeOwned>(body: &[u8]) -> Option<(T, usize)> {
    fn within<T: DeserializeOwned, const LIMIT: usize>(body: &[u8]) -> Option<(T, usize)> {
        bincode::serde::decode_from_slice::<T, _>(body, config::<LIMIT>()).ok()
    }
    match body.len() {
        0..0x1000 => within::<T, 0x1000>(body),
        0x1000..0x1_0000 => within::<T, 0x1_0000>(body),
        0x1_0000..0x10_0000 => within::<T, 0x10_0000>(body),
        0x10_0000..0x100_0000 => within::<T, 0x100_0000>(body),
        0x100_0000..0x1000_0000 => within::<T, 0x1000_0000>(body),
        _ => within::<T, SIZE_MAX>(body),
    }
}

/// Encodes a value without a tag, for hashing. Values of this crate always encode.
pub fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, config::<SIZE_MAX>()).unwrap_or_default()
}

/// Encodes a file.
pub fn encode<T: File>(value: &T) -> Vec<u8> {
    let mut all = T::MAGIC.to_vec();
    all.extend(bytes(value));
    all
}

/// Decodes a file.
///
/// # Errors
/// Wrong tag, malformed, trailing or non-canonical bytes. Memory in use stays within a constant factor of the input.
pub fn decode<T: File>(file: &[u8]) -> Result<T, WireError> {
    if file.len() > SIZE_MAX {
        return Err(WireError::TooLarge(file.len()));
    }
    decode_untagged(file.strip_prefix(&T::MAGIC).ok_or(WireError::Magic(T::NAME))?)
}

/// Decodes a value without a tag, whose place says what it is.
///
/// # Errors
/// Malformed, trailing or non-canonical bytes. Memory in use stays within a constant factor of the input.
pub fn decode_untagged<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<T, WireError> {
    if body.len() > SIZE_MAX {
        return Err(WireError::TooLarge(body.len()));
    }
    let (value, used) = decode_prefix::<T>(body).ok_or(WireError::Malformed)?;
    match body.len().checked_sub(used) {
        Some(0) => {}
        rest => return Err(WireError::Trailing(rest.unwrap_or_default())),
    }
    if bytes(&value) != body {
        return Err(WireError::NotCanonical);
    }
    Ok(value)
}
