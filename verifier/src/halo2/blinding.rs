//! Commitments of the blinding rows' Lagrange polynomials, shown to be those.
//!
//! The proof of hidden columns ([`super::hiding`]) rests on them, and a verifier has no powers of `tau` to make them of. So the key brings an
//! opening of all of them at a point `z` that is drawn after them: `L_i(z) = w^i (z^n - 1) / (n (z - w^i))`, for a random combination of them.
//!
//! # Soundness
//! `r` and `z` are drawn from the commitments and the string's digest. The scheme extracts polynomials `p_i` from the commitments; if any were not `L_i`,
//! `sum_i r^i (p_i - L_i)` would vanish for at most as many `r` as there are rows, or at no more `z` than its degree. Where nothing was
//! shown, a publisher could state commitments that do not vanish on all other rows, and change hidden weights from proof to proof.
#![allow(clippy::arithmetic_side_effects, reason = "arithmetic of a group and its field cannot overflow")]
use alloc::vec::Vec;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::{Curve, Group};
use halo2_proofs::halo2curves::pairing::{MillerLoopResult, MultiMillerLoop};
use halo2_proofs::transcript::{Transcript, TranscriptRead};
use serde::{Deserialize, Serialize};

use super::curve::{Bn256, Fr, G1, G1Affine, G2Affine, Point};
use super::domain::omega;
use super::transcript::Reader;
use crate::digest::SrsDigest;
use crate::wire;

/// What a key says of the blinding rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blinding {
    /// The commitments, in the order of the rows.
    pub rows: Vec<Point>,
    /// The opening of their combination.
    pub opening: Point,
}

/// The words that the transcript of the opening starts with.
pub fn prefix(srs: &SrsDigest, k: u8) -> Vec<[u8; 32]> {
    alloc::vec![srs.0, crate::digest::digest("assay blinding rows v1", &wire::bytes(&k))]
}

/// The values at `z` of the Lagrange polynomials of the last rows, of `2^k`; nothing if `z` is itself a row's point.
pub fn evaluate(z: Fr, k: u8, rows: usize) -> Option<Vec<Fr>> {
    let n = 1u64.checked_shl(k.into())?;
    let omega = omega(k.into())?;
    let first = omega.pow_vartime([n.checked_sub(u64::try_from(rows).ok()?)?]);
    let vanishing = z.pow_vartime([n]) - Fr::ONE;
    let mut point = first;
    let mut values = Vec::new();
    for _ in 0..rows {
        let divisor = Option::<Fr>::from((Fr::from(n) * (z - point)).invert())?;
        values.push(point * vanishing * divisor);
        point *= omega;
    }
    Some(values)
}

/// `sum_i r^i item_i`.
pub fn combination<T: Copy + Into<S>, S: Default + core::ops::Mul<Fr, Output = S> + core::ops::Add<Output = S>>(
    r: Fr,
    items: &[T],
) -> S {
    items.iter().rev().fold(S::default(), |sum, &item| sum * r + item.into())
}

impl Blinding {
    /// The commitments, if they are of the last rows of `2^k` under a string.
    pub fn check(&self, srs: &SrsDigest, tau_g2: &G2Affine, k: u8) -> Option<Vec<G1Affine>> {
        let messages: Vec<u8> = self.rows.iter().chain([&self.opening]).flat_map(|point| point.0).collect();
        let mut transcript = Reader::new(&prefix(srs, k), &messages);
        let rows = self.rows.iter().map(|_| transcript.read_point().ok()).collect::<Option<Vec<G1Affine>>>()?;
        let r = *transcript.squeeze_challenge_scalar::<()>();
        let z = *transcript.squeeze_challenge_scalar::<()>();
        let opening = transcript.read_point().ok()?;
        let value: Fr = combination(r, &evaluate(z, k, rows.len())?);
        let committed: G1 = combination(r, &rows);
        // e(F - v G + z W, G2) = e(W, tau G2)
        let left = (committed - G1::generator() * value + opening * z).to_affine();
        let terms = [(&left, &G2Affine::generator().into()), (&-opening, &(*tau_g2).into())];
        bool::from(Bn256::multi_miller_loop(&terms).final_exponentiation().is_identity()).then_some(rows)
    }
}
