//! Files of ceremonies, as snarkjs writes and reads them (`.ptau`).
//!
//! All integers are little-endian. A file starts with the tag `ptau`, a version (32 bits, 1) and the number of sections (32
//! bits). Each section is its number (32 bits), its size in bytes (64 bits) and its content; sections come in any order.
//!
//! | section | content |
//! |---|---|
//! | 1 | size of a coordinate in bytes (32 bits, 32), the curve's prime (32 bytes), power `p` (32 bits), power of the ceremony that the file was cut from (32 bits) |
//! | 2 | `tau^i G` in the first group, `i` from 0 to `2^(p+1) - 2` |
//! | 3 | `tau^i G` in the second group, `i` from 0 to `2^p - 1` |
//! | 4, 5, 6 | powers times two more secrets, for other proof systems |
//! | 7 | contributions: who took part, and hashes |
//! | 12 to 15 | sections 2 to 5 in Lagrange bases, for another choice of roots of unity |
//!
//! Points are affine coordinates in Montgomery form. Of all this the header, the first `2^k` points of section 2 and the first
//! two points of section 3 are read. Contributions are not checked: whether the ceremony took place as its file says is for
//! snarkjs to verify (`snarkjs powersoftau verify`).
use std::io::{Read, Seek};
use std::ops::Range;

use assay_verifier::halo2::curve::G2Affine;

use super::SrsError;
use super::import::Import;
use super::points::{self, G1_SIZE, G2_SIZE};
use super::source::Source;

/// The first bytes.
pub const MAGIC: [u8; 4] = *b"ptau";
/// The version.
const VERSION: u32 = 1;
/// The most sections that a file may have; those that are known are 15.
const SECTIONS_MAX: u32 = 64;
/// Largest power that a ceremony on this curve can have: there are no larger domains.
const POWER_MAX: u32 = 28;
/// The prime of the curve's coordinates, little-endian.
const PRIME: [u8; 32] = [
    0x47, 0xfd, 0x7c, 0xd8, 0x16, 0x8c, 0x20, 0x3c, 0x8d, 0xca, 0x71, 0x68, 0x91, 0x6a, 0x81, 0x97, 0x5d, 0x58, 0x81,
    0x81, 0xb6, 0x45, 0x50, 0xb8, 0x29, 0xa0, 0x31, 0xe1, 0x72, 0x4e, 0x64, 0x30,
];

/// Where the sections that are read lie in the file.
#[derive(Default)]
struct Sections {
    header: Option<Range<u64>>,
    tau_g1: Option<Range<u64>>,
    tau_g2: Option<Range<u64>>,
}

/// Reads `2^k` powers.
pub fn read<R: Read + Seek>(source: &mut Source<R>, k: u32) -> Result<Import, SrsError> {
    let sections = sections(source)?;
    let power = power(source, &required("1 (header)", sections.header)?)?;
    if k > power {
        return Err(SrsError::K { k, k_max: power });
    }
    let tau_g1 = required("2 (tauG1)", sections.tau_g1)?;
    let bytes = piece(source, "section 2 (tauG1)", &tau_g1, G1_SIZE << k)?;
    let powers = points::g1("section 2 (tauG1)", &bytes)?;
    let tau_g2 = required("3 (tauG2)", sections.tau_g2)?;
    let bytes = piece(source, "section 3 (tauG2)", &tau_g2, 2 * G2_SIZE)?;
    match points::g2("section 3 (tauG2)", &bytes)?.as_slice() {
        [first, tau_g2] if *first == G2Affine::generator() => Ok(Import { powers, tau_g2: *tau_g2, lagrange: None }),
        _ => Err(SrsError::Generator("the first point of section 3 (tauG2)")),
    }
}

/// Walks from section to section.
fn sections<R: Read + Seek>(source: &mut Source<R>) -> Result<Sections, SrsError> {
    let version = source.u32("version", 4)?;
    if version != VERSION {
        return Err(SrsError::Value { field: "version", value: version.into(), expected: "1" });
    }
    let count = source.u32("number of sections", 8)?;
    if count > SECTIONS_MAX {
        return Err(SrsError::Value { field: "number of sections", value: count.into(), expected: "at most 64" });
    }
    let mut sections = Sections::default();
    let mut start = 12;
    for _ in 0..count {
        let number = source.u32("number of a section", start)?;
        let size = source.u64("size of a section", start + 4)?;
        start += 12;
        let end = start.checked_add(size).filter(|&end| end <= source.len());
        let end = end.ok_or(SrsError::Truncated { field: "a section", start, size, len: source.len() })?;
        let (place, name) = match number {
            1 => (&mut sections.header, "1 (header)"),
            2 => (&mut sections.tau_g1, "2 (tauG1)"),
            3 => (&mut sections.tau_g2, "3 (tauG2)"),
            _ => {
                start = end;
                continue;
            }
        };
        if place.replace(start..end).is_some() {
            return Err(SrsError::SectionTwice(name));
        }
        start = end;
    }
    Ok(sections)
}

fn required(name: &'static str, section: Option<Range<u64>>) -> Result<Range<u64>, SrsError> {
    section.ok_or(SrsError::SectionAbsent(name))
}

/// The first bytes of a section.
fn piece<R: Read + Seek>(
    source: &mut Source<R>,
    field: &'static str,
    section: &Range<u64>,
    size: u64,
) -> Result<Vec<u8>, SrsError> {
    let len = section.end - section.start;
    if size > len {
        return Err(SrsError::SectionShort { field, size, len });
    }
    source.read(field, section.start, size)
}

/// The power that the header names, after a check of the curve.
fn power<R: Read + Seek>(source: &mut Source<R>, header: &Range<u64>) -> Result<u32, SrsError> {
    let len = header.end - header.start;
    if len != 44 {
        return Err(SrsError::Value { field: "size of section 1 (header)", value: len, expected: "44" });
    }
    let coordinate = source.u32("size of a coordinate", header.start)?;
    if coordinate != 32 {
        let expected = "32, as for BN254";
        return Err(SrsError::Value { field: "size of a coordinate", value: coordinate.into(), expected });
    }
    if source.array("prime", header.start + 4)? != PRIME {
        return Err(SrsError::Prime);
    }
    let power = source.u32("power", header.start + 36)?;
    if !(1..=POWER_MAX).contains(&power) {
        return Err(SrsError::Value { field: "power", value: power.into(), expected: "from 1 to 28" });
    }
    Ok(power)
}
