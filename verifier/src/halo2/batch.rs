//! Proofs that are verified together: one pairing check for the openings of all.
//!
//! What a proof shows comes down to its openings: that `e(L, tau G2) = e(R, G2)` for two sums `L`, `R` over its commitments. Proofs under one
//! reference string are each verified as far as that, and then `e(sum r_i L_i, tau G2) = e(sum r_i R_i, G2)` is checked for all of them, with
//! weights `r_i` that nobody knew when the proofs were made.
//!
//! # Soundness
//! Let `d_i` be the number with `tau L_i - R_i = d_i G`; proof `i` holds if it is 0. If one of them is not, `sum r_i d_i = 0` holds for one in
//! `r` of the values of its weight, whatever the other weights are: below 2^-253, since weights are drawn by the system for each proof after it
//! was read. So what is accepted together is accepted alone, but for an event of that probability, for which no proof can be made on purpose.
//!
//! If the check of all fails, halves are checked, down to single proofs. Those that are left get their verdict from [`verify_statement`]. So each
//! verdict is that of the proof alone, errors included, and a proof that does not hold makes others slower and not refused.
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use halo2_proofs::plonk::Error;
use halo2_proofs::poly::VerificationStrategy;
use halo2_proofs::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_proofs::poly::kzg::msm::DualMSM;
use halo2_proofs::poly::kzg::multiopen::VerifierSHPLONK;
use halo2_proofs::poly::kzg::strategy::{AccumulatorStrategy, GuardKZG};

use super::curve::Bn256;
use super::key::CheckedKey;
use super::verify::{Argument, VerifyError, verify_by, verify_statement};
use crate::digest::SrsDigest;
use crate::statement::Statement;

/// Most proofs whose openings are held at once: some 20 kB each. More would save little.
const TOGETHER_MAX: usize = 64;

/// Verdicts on statements: of each what [`verify_statement`] says of it.
pub fn verify_all(items: &[(&CheckedKey, &Statement, &Argument)]) -> Vec<Result<(), VerifyError>> {
    let mut verdicts = Vec::new();
    for together in items.chunks(TOGETHER_MAX) {
        let holding = if together.len() > 1 { holding(together) } else { BTreeSet::new() };
        for (place, (key, statement, argument)) in together.iter().enumerate() {
            let holds = holding.contains(&place);
            verdicts.push(if holds { Ok(()) } else { verify_statement(key, statement, argument) });
        }
    }
    verdicts
}

/// A proof's place, and its openings with their weight.
type Opened<'a> = (usize, DualMSM<'a, Bn256>);

/// The places of those that hold together with others.
fn holding(items: &[(&CheckedKey, &Statement, &Argument)]) -> BTreeSet<usize> {
    let mut by_string: BTreeMap<SrsDigest, Vec<Opened<'_>>> = BTreeMap::new();
    for (place, (key, statement, argument)) in items.iter().enumerate() {
        if let Ok(opened) = verify_by(key, statement, argument, Weighed(AccumulatorStrategy::new(key.params()))) {
            by_string.entry(key.key().srs.digest()).or_default().push((place, opened));
        }
    }
    let mut holding = BTreeSet::new();
    by_string.values().for_each(|opened| check(opened, &mut holding));
    holding
}

/// Checks openings under one string together, then by halves.
fn check(opened: &[Opened<'_>], holding: &mut BTreeSet<usize>) {
    let Some(((_, first), others)) = opened.split_first() else { return };
    let mut sum = first.clone();
    others.iter().for_each(|(_, other)| sum.add_msm(other.clone()));
    if sum.check() {
        holding.extend(opened.iter().map(|(place, _)| *place));
    } else if !others.is_empty() {
        let (left, right) = opened.split_at(opened.len() / 2);
        check(left, holding);
        check(right, holding);
    }
}

/// Gives a proof's openings, weighed at random.
struct Weighed<'a>(AccumulatorStrategy<'a, Bn256>);

impl<'a> VerificationStrategy<'a, KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'a, Bn256>> for Weighed<'a> {
    type Output = DualMSM<'a, Bn256>;

    fn new(params: &'a ParamsKZG<Bn256>) -> Self {
        Self(AccumulatorStrategy::new(params))
    }

    fn process(
        self,
        openings: impl FnOnce(DualMSM<'a, Bn256>) -> Result<GuardKZG<'a, Bn256>, Error>,
    ) -> Result<Self::Output, Error> {
        type Library<'a> = VerifierSHPLONK<'a, Bn256>;
        let opened = VerificationStrategy::<_, Library<'a>>::process(self.0, openings)?;
        // The library weighs what it has at random before it takes the next proof. Here is none, and what it has is taken instead.
        let mut weighed = None;
        let next = |openings| {
            weighed = Some(openings);
            Err(Error::Opening)
        };
        let _ = VerificationStrategy::<_, Library<'a>>::process(opened, next);
        weighed.ok_or(Error::Opening)
    }

    fn finalize(self) -> bool {
        VerificationStrategy::<_, VerifierSHPLONK<'a, Bn256>>::finalize(self.0)
    }
}
