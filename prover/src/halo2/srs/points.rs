//! Points as they lie in files: affine coordinates in Montgomery form, 32 bytes each, little-endian. The formats that are read
//! agree on that, and it is what the curve library computes with.
use assay_verifier::halo2::curve::{G1Affine, G2Affine, Point};
use halo2_proofs::halo2curves::bn256::{Fq, Fq2};
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::halo2curves::serde::SerdeObject;
use rayon::prelude::*;

use super::{Fault, SrsError};

/// Size of a point of the first group.
pub const G1_SIZE: u64 = 64;
/// Size of a point of the second group.
pub const G2_SIZE: u64 = 128;

/// Points of the first group, each canonical, on the curve and not at infinity. The group has no others.
pub fn g1(field: &'static str, bytes: &[u8]) -> Result<Vec<G1Affine>, SrsError> {
    every(field, bytes, G1_SIZE, |bytes| {
        let (x, y) = bytes.split_at(bytes.len() / 2);
        Fq::from_raw_bytes(x).zip(Fq::from_raw_bytes(y)).ok_or(Fault::Coordinate)?;
        G1Affine::from_raw_bytes(bytes).ok_or(Fault::Curve)
    })
}

/// Compressed points of the first group, as [`Point`].
pub fn g1_compressed(field: &'static str, bytes: &[u8]) -> Result<Vec<G1Affine>, SrsError> {
    every(field, bytes, G1_SIZE / 2, |bytes| {
        let point = Point(bytes.try_into().map_err(|_| Fault::Encoding)?);
        point.decode().ok_or(Fault::Encoding)
    })
}

/// Points of the second group, each canonical, on the curve and not at infinity. They may lie outside of the group of prime
/// order.
pub fn g2(field: &'static str, bytes: &[u8]) -> Result<Vec<G2Affine>, SrsError> {
    every(field, bytes, G2_SIZE, |bytes| {
        let (x, y) = bytes.split_at(bytes.len() / 2);
        Fq2::from_raw_bytes(x).zip(Fq2::from_raw_bytes(y)).ok_or(Fault::Coordinate)?;
        G2Affine::from_raw_bytes(bytes).ok_or(Fault::Curve)
    })
}

/// Decodes points of one size and refuses those at infinity.
fn every<P: PrimeCurveAffine>(
    field: &'static str,
    bytes: &[u8],
    size: u64,
    decode: impl Fn(&[u8]) -> Result<P, Fault> + Sync,
) -> Result<Vec<P>, SrsError> {
    let one = |(index, bytes): (usize, &[u8])| {
        let point = decode(bytes).and_then(|point| match bool::from(point.is_identity()) {
            true => Err(Fault::Infinity),
            false => Ok(point),
        });
        point.map_err(|fault| SrsError::Point { field, index, fault })
    };
    bytes.par_chunks(size as usize).enumerate().map(one).collect()
}

/// The bytes of points of the first group.
pub fn bytes(points: &[G1Affine]) -> Vec<u8> {
    let mut all = vec![0; points.len() * G1_SIZE as usize];
    all.par_chunks_mut(G1_SIZE as usize)
        .zip(points)
        .for_each(|(bytes, point)| bytes.copy_from_slice(&point.to_raw_bytes()));
    all
}
