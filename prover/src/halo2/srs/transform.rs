//! From the powers to the Lagrange basis, without the secret: an inverse Fourier transform of points.
use assay_verifier::halo2::curve::{Fr, G1, G1Affine};
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use rayon::prelude::*;

use super::endomorphism::Split;

/// Products that one task computes at least.
const TASK: usize = 16;

/// The Lagrange basis of `2^k` powers: `L_i = 1/n sum_j root^(-ij) P_j`.
pub fn lagrange(powers: &[G1Affine]) -> Vec<G1Affine> {
    let (n, k) = (powers.len(), powers.len().ilog2());
    let inverse_root = (k..Fr::S).fold(Fr::ROOT_OF_UNITY_INV, |root, _| root.square());
    let factors: Vec<Fr> =
        std::iter::successors(Some(Fr::ONE), |power| Some(power * inverse_root)).take(n / 2).collect();
    let factors: Vec<Split> = factors.par_iter().map(Split::new).collect();
    let reversed = |place: usize| place.reverse_bits() >> (usize::BITS - k);
    let mut points: Vec<G1> = (0..n).map(|place| powers[reversed(place)].to_curve()).collect();
    for stage in 0..k {
        let half = 1 << stage;
        let step = n >> (stage + 1);
        points.par_chunks_mut(2 * half).for_each(|points| {
            let (left, right) = points.split_at_mut(half);
            left.par_iter_mut().zip(right).enumerate().with_min_len(TASK).for_each(|(place, (left, right))| {
                let product = if place == 0 { *right } else { factors[place * step].multiply(right) };
                (*left, *right) = (*left + product, *left - product);
            });
        });
    }
    let size_inverse = Split::new(&Fr::TWO_INV.pow_vartime([u64::from(k)]));
    let mut affine = vec![G1Affine::identity(); n];
    points.par_chunks_mut(1 << 10).zip(affine.par_chunks_mut(1 << 10)).for_each(|(points, affine)| {
        points.iter_mut().for_each(|point| *point = size_inverse.multiply(point));
        G1::batch_normalize(points, affine);
    });
    affine
}
