//! The structured reference string: what verifiers need of it.
//!
//! A string is the powers `G, tau G, tau^2 G, ...` in the first group and `tau G` in the second one, for a secret `tau` that
//! nobody may know: who knows it can open commitments to anything. Provers need the powers; verifiers only need the last
//! point, which is part of their key. The order of the first two generators is fixed, so that point determines `tau`, hence
//! the whole string, whatever its length.
use core::fmt;

use alloc::vec::Vec;
use halo2_proofs::SerdeFormat;
use halo2_proofs::halo2curves::bn256::Fq;
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::group::GroupEncoding;
use halo2_proofs::halo2curves::group::cofactor::CofactorGroup;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::halo2curves::serde::SerdeObject;
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::curve::{Bn256, Fr, G1Affine, G2Affine};
use crate::digest::{SrsDigest, digest};

/// Where a string comes from. Its owner says so; it cannot be seen from the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Made on one machine. Whoever made it can forge proofs.
    Insecure,
    /// Taken from elsewhere, as a rule a ceremony. Safe if one participant forgot their share of the secret.
    Imported,
}

/// The part of a string that a verification key carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Srs {
    /// `tau G` in the second group.
    pub tau_g2: Point2,
    /// Where the string comes from.
    pub origin: Origin,
}

/// A point of the second group as it is stored: compressed, 64 bytes in two halves.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point2(pub [[u8; 32]; 2]);

/// Why a string is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SrsError {
    /// The bytes are not the canonical encoding of a point of the curve.
    #[error("tau in the second group is not the encoding of a point")]
    Point,
    /// The point has a component outside of the group of prime order.
    #[error("tau in the second group is outside of the group of prime order")]
    Subgroup,
    /// The secret is 0 or 1.
    #[error("the secret is 0 or 1")]
    Trivial,
    /// There is no such domain.
    #[error("2^{0} rows are more than the field has roots of unity for")]
    Size(u32),
}

impl Point2 {
    /// Compresses a point.
    pub fn new(point: &G2Affine) -> Self {
        let mut halves = [[0u8; 32]; 2];
        for (to, from) in halves.iter_mut().flatten().zip(point.to_bytes().as_ref()) {
            *to = *from;
        }
        Self(halves)
    }

    /// The point of the curve, which may lie outside of the group of prime order; nothing if the bytes are not a canonical encoding.
    pub fn decompress(&self) -> Option<G2Affine> {
        let [c0, mut c1] = self.0;
        if let Some(flags) = c1.last_mut() {
            *flags &= 0x3f;
        }
        // The library panics on coordinates that are not less than the prime.
        Option::<Fq>::from(Fq::from_bytes(&c0)).zip(Option::<Fq>::from(Fq::from_bytes(&c1)))?;
        let mut encoded = <G2Affine as GroupEncoding>::Repr::default();
        for (to, from) in encoded.as_mut().iter_mut().zip(self.0.iter().flatten()) {
            *to = *from;
        }
        let point = Option::<G2Affine>::from(G2Affine::from_bytes(&encoded))?;
        (Self::new(&point) == *self).then_some(point)
    }
}

/// Whether a point of the curve of the second group is in the group of prime order and its secret not 0 or 1.
///
/// # Errors
/// It is not.
pub fn check_tau(tau_g2: &G2Affine) -> Result<(), SrsError> {
    if !bool::from(tau_g2.to_curve().is_torsion_free()) {
        return Err(SrsError::Subgroup);
    }
    if bool::from(tau_g2.is_identity()) || *tau_g2 == G2Affine::generator() {
        return Err(SrsError::Trivial);
    }
    Ok(())
}

impl Srs {
    /// The identity of the string. The origin is not part of it.
    pub fn digest(&self) -> SrsDigest {
        SrsDigest(digest("assay srs v1", self.tau_g2.0.as_flattened()))
    }

    /// The point, after all checks that can be made of it.
    ///
    /// # Errors
    /// It is not a point, outside of the group of prime order, or its secret is 0 or 1.
    pub fn decode(&self) -> Result<G2Affine, SrsError> {
        let point = self.tau_g2.decompress().ok_or(SrsError::Point)?;
        check_tau(&point)?;
        Ok(point)
    }

    /// What the engine's verifier takes, for proofs over `2^k` rows. It holds the generators and the point, but no further
    /// power and no other basis: the verifier reads none, and the size is not read from the number of powers.
    ///
    /// # Errors
    /// As [`Self::decode`], or there is no domain of `2^k` rows.
    pub fn params(&self, k: u32) -> Result<ParamsKZG<Bn256>, SrsError> {
        let tau_g2 = self.decode()?;
        if k > Fr::S {
            return Err(SrsError::Size(k));
        }
        let (g, g2) = (G1Affine::generator(), G2Affine::generator());
        // The engine only makes parameters from others; the least ones are read from their encoding.
        let mut encoded: Vec<u8> = 0u32.to_le_bytes().into();
        for point in [&g, &g] {
            encoded.extend(point.to_raw_bytes());
        }
        for point in [&g2, &tau_g2] {
            encoded.extend(point.to_raw_bytes());
        }
        let least = ParamsKZG::<Bn256>::read_custom(&mut encoded.as_slice(), SerdeFormat::RawBytes)
            .map_err(|_| SrsError::Point)?;
        Ok(least.from_parts(k, alloc::vec![g], Some(Vec::new()), g2, tau_g2))
    }
}

impl fmt::Debug for Point2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Point2(")?;
        self.0.iter().flatten().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ")")
    }
}
