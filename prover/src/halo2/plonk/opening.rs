//! Openings of all polynomials at all points by two commitments (SHPLONK, [BDFG20] section 4).
//!
//! Polynomials that are opened at the same points are one set. With `P` a set's combination by powers of `y`, `R` the polynomial that agrees with it on
//! the set's points, and `Z` the one that is zero there, the first message commits to `h = sum v^i (P_i - R_i) / Z_i`. At `u` the
//! second shows that `sum v^i Z_(T-i)(u) (P_i - R_i(u)) - Z_T(u) h` is zero, scaled as the first set's factor is one.
use std::collections::BTreeSet;
use std::io;

use assay_verifier::halo2::curve::{Fr, G1Affine};
use assay_verifier::halo2::transcript::Writer;
use halo2_proofs::arithmetic::{Field, lagrange_interpolate};
use halo2_proofs::transcript::{Transcript, TranscriptWrite};
use rayon::prelude::*;

use super::lanes::{Eight, LANES};
use super::transform::{Coefficients, Poly, powers};
use super::{Elements, Plonk};

/// A polynomial and where it is opened: rows that the point is turned by, with the values there.
pub struct Opened<'a> {
    /// Coefficients.
    pub coefficients: Coefficients<'a, Elements>,
    /// Rotations and values.
    pub values: Vec<(i32, Fr)>,
}

/// Polynomials that are opened at the same points.
struct Set<'a> {
    rotations: BTreeSet<i32>,
    members: Vec<&'a Opened<'a>>,
}

/// A set's combination.
struct Combined {
    /// The points.
    points: Vec<Fr>,
    /// `P`.
    sum: Vec<Fr>,
    /// `R`.
    rest: Vec<Fr>,
}

impl Plonk {
    /// Opens polynomials, in the order in which the verifier names them, at turns of a point.
    pub(super) fn open(
        &self,
        all: &[Opened<'_>],
        x: Fr,
        commit: impl Fn(&[Vec<Fr>]) -> Vec<G1Affine>,
        transcript: &mut Writer,
    ) -> io::Result<()> {
        let mut sets: Vec<Set<'_>> = Vec::new();
        for opened in all {
            let rotations: BTreeSet<i32> = opened.values.iter().map(|(rotation, _)| *rotation).collect();
            match sets.iter_mut().find(|set| set.rotations == rotations) {
                Some(set) => set.members.push(opened),
                None => sets.push(Set { rotations, members: vec![opened] }),
            }
        }
        let y = *transcript.squeeze_challenge_scalar::<()>();
        let v = *transcript.squeeze_challenge_scalar::<()>();
        let combined: Vec<Combined> = sets.par_iter().map(|set| self.combine(set, x, y)).collect();
        let quotients: Vec<Vec<Fr>> = combined.par_iter().map(Combined::quotient).collect();
        let mut h = vec![Fr::ZERO; self.transform.rows()];
        for quotient in quotients.iter().rev() {
            h.iter_mut().for_each(|coefficient| *coefficient *= v);
            h.iter_mut().zip(quotient).for_each(|(to, from)| *to += from);
        }
        let send = |column: &Vec<Fr>, transcript: &mut Writer| {
            commit(std::slice::from_ref(column)).into_iter().try_for_each(|point| transcript.write_point(point))
        };
        send(&h, transcript)?;
        let u = *transcript.squeeze_challenge_scalar::<()>();
        let rotations: BTreeSet<i32> = sets.iter().flat_map(|set| set.rotations.iter().copied()).collect();
        let vanishing = |rotations: &mut dyn Iterator<Item = &i32>| -> Fr {
            rotations.map(|&rotation| u - self.transform.rotate(x, rotation)).product()
        };
        let others = |set: &Set<'_>| vanishing(&mut rotations.difference(&set.rotations));
        let scale = sets.first().map_or(Fr::ONE, others).invert().unwrap_or(Fr::ZERO);
        let mut rest = vec![Fr::ZERO; self.transform.rows()];
        let mut factor = scale;
        for (set, Combined { sum, rest: low, .. }) in sets.iter().zip(&combined) {
            let weight = factor * others(set);
            rest.par_iter_mut().zip(sum).for_each(|(to, from)| *to += weight * from);
            rest[0] -= weight * evaluate(low, u);
            factor *= v;
        }
        let weight = scale * vanishing(&mut rotations.iter());
        rest.par_iter_mut().zip(&h).for_each(|(to, from)| *to -= weight * from);
        send(&divide(rest, u), transcript)
    }

    fn combine(&self, set: &Set<'_>, x: Fr, y: Fr) -> Combined {
        let points: Vec<Fr> = set.rotations.iter().map(|&rotation| self.transform.rotate(x, rotation)).collect();
        let weights: Vec<Fr> = powers(y).take(set.members.len()).collect();
        let mut sum = Poly(vec![Elements::zero(); self.transform.rows() / LANES]);
        for (member, weight) in set.members.iter().zip(&weights) {
            sum.add(Elements::factor(*weight), member.coefficients);
        }
        let sum = sum.coefficients();
        let value = |rotation: &i32| -> Fr {
            let value = |member: &&Opened<'_>| {
                member.values.iter().find(|(at, _)| at == rotation).map_or(Fr::ZERO, |(_, value)| *value)
            };
            set.members.iter().zip(&weights).map(|(member, weight)| value(member) * weight).sum()
        };
        let values: Vec<Fr> = set.rotations.iter().map(value).collect();
        Combined { rest: lagrange_interpolate(&points, &values), points, sum }
    }
}

impl Combined {
    /// `(P - R) / Z`.
    fn quotient(&self) -> Vec<Fr> {
        let mut difference = self.sum.clone();
        difference.iter_mut().zip(&self.rest).for_each(|(to, from)| *to -= from);
        self.points.iter().fold(difference, |difference, &point| divide(difference, point))
    }
}

/// `p / (X - point)`, without the rest.
fn divide(mut coefficients: Vec<Fr>, point: Fr) -> Vec<Fr> {
    let mut carry = Fr::ZERO;
    for coefficient in coefficients.iter_mut().rev() {
        let above = carry;
        carry = carry * point + *coefficient;
        *coefficient = above;
    }
    coefficients
}

/// A polynomial's value.
fn evaluate(coefficients: &[Fr], point: Fr) -> Fr {
    coefficients.iter().rev().fold(Fr::ZERO, |value, coefficient| value * point + coefficient)
}
