//! Are the points what they should be? All of them at once, in a random combination.
//!
//! The coefficients come from a hash of all points, so that they cannot be known before the points are chosen: for other
//! points than powers the check holds with probability `2^-128`.
use assay_verifier::digest::digest;
use assay_verifier::halo2::curve::{Fr, G1, G1Affine, G2Affine};
use halo2_proofs::arithmetic::best_multiexp;
use halo2_proofs::halo2curves::bn256::pairing;
use halo2_proofs::halo2curves::group::{Curve, Group};
use halo2_proofs::halo2curves::serde::SerdeObject;
use halo2_proofs::poly::EvaluationDomain;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};

use super::{SrsError, points};

/// Whether points are the powers whose secret is in `tau_g2`: the first is the generator, and each is the secret times the one
/// before it, `e(sum r_i P_(i+1), G) = e(sum r_i P_i, tau G)`. There are at least two.
pub fn powers(powers: &[G1Affine], tau_g2: &G2Affine) -> Result<(), SrsError> {
    let (Some(first), Some((_, head)), Some((_, tail))) = (powers.first(), powers.split_last(), powers.split_first())
    else {
        return Err(SrsError::Size);
    };
    if *first != G1Affine::generator() {
        return Err(SrsError::Generator("the first power"));
    }
    let mut content = tau_g2.to_raw_bytes();
    content.extend(points::bytes(powers));
    let coefficients = coefficients("assay srs powers v1", &content, head.len());
    let (left, right) = rayon::join(|| best_multiexp(&coefficients, tail), || best_multiexp(&coefficients, head));
    let holds = pairing(&left.to_affine(), &G2Affine::generator()) == pairing(&right.to_affine(), tau_g2);
    if holds { Ok(()) } else { Err(SrsError::Powers) }
}

/// Whether points are the Lagrange basis that belongs to as many powers, a power of two: any polynomial's commitment is the same
/// from its values and from its coefficients.
pub fn lagrange(powers: &[G1Affine], lagrange: &[G1Affine]) -> Result<(), SrsError> {
    if powers.len() != lagrange.len() || !powers.len().is_power_of_two() {
        return Err(SrsError::Lagrange);
    }
    let values = coefficients(
        "assay srs lagrange v1",
        &[points::bytes(powers), points::bytes(lagrange)].concat(),
        lagrange.len(),
    );
    let domain = EvaluationDomain::<Fr>::new(1, powers.len().ilog2());
    let polynomial = domain.lagrange_to_coeff(domain.lagrange_from_vec(values.clone()));
    let difference: G1 = best_multiexp(&values, lagrange) - best_multiexp(&polynomial, powers);
    if bool::from(difference.is_identity()) { Ok(()) } else { Err(SrsError::Lagrange) }
}

/// Coefficients of 128 bits that depend on all of the content.
fn coefficients(tag: &str, content: &[u8], count: usize) -> Vec<Fr> {
    let mut stream = ChaCha20Rng::from_seed(digest(tag, content));
    std::iter::repeat_with(|| Fr::from_raw([stream.next_u64(), stream.next_u64(), 0, 0])).take(count).collect()
}
