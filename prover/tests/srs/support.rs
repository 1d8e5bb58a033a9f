//! Strings of known secrets, and points that are wrong in one way.
use std::io::Cursor;

use assay_prover::halo2::srs::{ProvingSrs, SrsError, import, make};
use assay_verifier::halo2::curve::{Fr, G1Affine, G2Affine};
use assay_verifier::halo2::srs::Point2;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::halo2curves::group::cofactor::CofactorGroup;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// Random numbers that are the same each time.
pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// The secret that is drawn first.
pub fn secret(seed: u64) -> Fr {
    Fr::random(rng(seed))
}

/// The string of that secret.
pub fn string(k: u32, seed: u64) -> ProvingSrs {
    make(k, rng(seed), |_| {}).unwrap()
}

/// `factor tau^i G`.
pub fn powers<P: PrimeCurveAffine<Scalar = Fr>>(factor: Fr, secret: Fr, count: usize) -> Vec<P>
where
    P::Curve: Curve<AffineRepr = P>,
{
    let scalars = std::iter::successors(Some(factor), |power| Some(power * secret));
    scalars.take(count).map(|scalar| (P::generator() * scalar).to_affine()).collect()
}

/// Powers in the first group.
pub fn powers_g1(secret: Fr, count: usize) -> Vec<G1Affine> {
    powers(Fr::ONE, secret, count)
}

/// A point of the second curve that is outside of the group of prime order.
pub fn outside_subgroup() -> G2Affine {
    let candidates = (1..=u8::MAX).filter_map(|x| {
        let mut halves = [[0; 32]; 2];
        halves[0][0] = x;
        Point2(halves).decompress()
    });
    candidates.into_iter().find(|point| !bool::from(point.to_curve().is_torsion_free())).unwrap()
}

/// Imports a file.
pub fn imported(bytes: &[u8], k: u32) -> Result<ProvingSrs, SrsError> {
    import(Cursor::new(bytes), k, |_| {})
}

/// Whether a file is refused in the expected way; the message is checked, since that is what people see.
#[track_caller]
pub fn refuses(bytes: &[u8], k: u32, message: &str) {
    let error = imported(bytes, k).expect_err(message).to_string();
    assert!(error.contains(message), "{error:?} instead of {message:?}");
}

/// Bytes with some of them replaced.
pub fn with(bytes: &[u8], start: usize, patch: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[start..start + patch.len()].copy_from_slice(patch);
    bytes
}
