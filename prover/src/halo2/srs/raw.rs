//! Parameters as halo2 writes them (`ParamsKZG::write_custom`).
//!
//! `k` (32 bits, little-endian), `2^k` powers, the Lagrange basis of as many, and in the second group the generator and `tau G`.
//! Points are either affine coordinates in Montgomery form (`RawBytes`) or compressed (`Processed`); which one follows from the
//! length of the file, which must be exact.
use std::io::{Read, Seek};

use assay_verifier::halo2::curve::{G1Affine, G2Affine};
use assay_verifier::halo2::srs::Point2;

use super::import::Import;
use super::points::{self, G1_SIZE, G2_SIZE};
use super::source::Source;
use super::{Fault, SrsError};

/// Largest size that is looked at.
const SIZE_MAX: u32 = 28;

/// Reads `2^k` powers, and the Lagrange basis if the file is of this very size.
pub fn read<R: Read + Seek>(source: &mut Source<R>, k: u32) -> Result<Import, SrsError> {
    let file_k = source.u32("k", 0)?;
    if !(1..=SIZE_MAX).contains(&file_k) {
        return Err(SrsError::Value { field: "k", value: file_k.into(), expected: "from 1 to 28" });
    }
    let n = 1u64 << file_k;
    let len = |scale: u64| 4 + (2 * n * G1_SIZE + 2 * G2_SIZE) / scale;
    let compressed = match source.len() {
        exact if exact == len(1) => false,
        exact if exact == len(2) => true,
        actual => return Err(SrsError::Length { k: file_k, raw: len(1), processed: len(2), actual }),
    };
    if k > file_k {
        return Err(SrsError::K { k, k_max: file_k });
    }
    let scale = if compressed { 2 } else { 1 };
    let (g1_size, g2_size) = (G1_SIZE / scale, G2_SIZE / scale);
    let mut g1 = |field, start| -> Result<Vec<G1Affine>, SrsError> {
        let bytes = source.read(field, start, g1_size << k)?;
        if compressed { points::g1_compressed(field, &bytes) } else { points::g1(field, &bytes) }
    };
    let powers = g1("powers", 4)?;
    let lagrange = if k == file_k { Some(g1("Lagrange basis", 4 + n * g1_size)?) } else { None };
    let mut g2 = |field, start| -> Result<G2Affine, SrsError> {
        let bytes = source.read(field, start, g2_size)?;
        if compressed { g2_compressed(field, &bytes) } else { Ok(points::g2(field, &bytes)?[0]) }
    };
    let first = g2("generator of the second group", 4 + 2 * n * g1_size)?;
    let tau_g2 = g2("tau in the second group", 4 + 2 * n * g1_size + g2_size)?;
    if first != G2Affine::generator() {
        return Err(SrsError::Generator("the generator of the second group"));
    }
    Ok(Import { powers, tau_g2, lagrange })
}

fn g2_compressed(field: &'static str, bytes: &[u8]) -> Result<G2Affine, SrsError> {
    let mut halves = [[0; 32]; 2];
    halves.as_flattened_mut().copy_from_slice(bytes);
    Point2(halves).decompress().ok_or(SrsError::Point { field, index: 0, fault: Fault::Encoding })
}
