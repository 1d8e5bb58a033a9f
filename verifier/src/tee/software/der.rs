//! A writer of DER, for what [`crate::tee::der`] reads.
use alloc::vec;
use alloc::vec::Vec;

use crate::tee::der::{BIT_STRING, BOOLEAN, INTEGER, OCTET_STRING, OID, SEQUENCE};

/// An item.
pub fn item(tag: u8, value: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut all = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    all.extend_from_slice(value);
    all
}

/// A sequence of items.
pub fn sequence(items: &[Vec<u8>]) -> Vec<u8> {
    item(SEQUENCE, &items.concat())
}

/// An object identifier.
pub fn oid(value: &[u8]) -> Vec<u8> {
    item(OID, value)
}

/// A number that is not negative, big-endian.
pub fn unsigned(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(zeros..).unwrap_or_default();
    match digits.first() {
        Some(0..=0x7f) => item(INTEGER, digits),
        _ => item(INTEGER, &[&[0], digits].concat()),
    }
}

/// A bit string of whole bytes.
pub fn bits(bytes: &[u8]) -> Vec<u8> {
    item(BIT_STRING, &[&[0], bytes].concat())
}

/// Bytes.
pub fn octets(bytes: &[u8]) -> Vec<u8> {
    item(OCTET_STRING, bytes)
}

/// True.
pub fn truth() -> Vec<u8> {
    item(BOOLEAN, &[0xff])
}
