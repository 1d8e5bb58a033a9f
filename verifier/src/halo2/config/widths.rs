//! The constraint system that shows the widths of private weights, once for a key.
//!
//! Its first columns are those of the weights, row for row as in the main system. On each row all weights `w` are of one width: with limbs `a` and `b`,
//! `active (offset + w - a - 2^8 b) = 0`, where `offset` is half the range of the width. Limbs are looked up as in `lookup`, by
//! `argument + eta tag`; rows without weights have the tag of the table that holds zero alone.
use alloc::vec::Vec;
use halo2_proofs::plonk::{Advice, Challenge, Column, ConstraintSystem, FirstPhase, Fixed, SecondPhase, VirtualCells};

use super::lookup::{Fraction, balance};
use super::{after, challenge, fixed, here, marked, number};
use crate::halo2::curve::Fr;

/// Limbs of one weight.
pub const LIMBS: usize = 2;
/// Width of the low limb.
pub const LIMB_BITS: u8 = 8;
/// Fractions that one running sum takes in at the highest degree that is used, 5.
const FRACTIONS: usize = 3;

/// All columns and challenges.
#[derive(Clone, Debug)]
pub struct WidthColumns {
    /// Weights.
    pub weights: Vec<Column<Advice>>,
    /// Limbs of each of them.
    pub limbs: Vec<[Column<Advice>; LIMBS]>,
    /// Counts of each table's entries.
    pub counts: Vec<Column<Advice>>,
    /// Each table's tags.
    pub entry_tags: Vec<Column<Fixed>>,
    /// Each table's arguments.
    pub arguments: Vec<Column<Fixed>>,
    /// Tables of the limbs.
    pub tags: [Column<Fixed>; LIMBS],
    /// Half the range.
    pub offset: Column<Fixed>,
    /// 1 on all rows that can be used.
    pub active: Column<Fixed>,
    /// 1 on the first row, 2 on the row after the last one that can be used.
    pub ends: Column<Fixed>,
    /// Running sums of lookups.
    pub sums: Vec<Column<Advice>>,
    /// Joins the columns of a table.
    pub eta: Challenge,
    /// What fractions are taken at.
    pub theta: Challenge,
}

impl WidthColumns {
    /// Allocates all columns and creates all gates.
    pub fn configure(meta: &mut ConstraintSystem<Fr>, weights: usize, tables: usize) -> Self {
        meta.set_minimum_degree(FRACTIONS.saturating_add(2));
        let advice = |meta: &mut ConstraintSystem<Fr>| meta.advice_column_in(FirstPhase);
        let fractions = weights.saturating_mul(LIMBS).saturating_add(tables);
        let columns = Self {
            weights: (0..weights).map(|_| advice(meta)).collect(),
            limbs: (0..weights).map(|_| core::array::from_fn(|_| advice(meta))).collect(),
            counts: (0..tables).map(|_| advice(meta)).collect(),
            entry_tags: (0..tables).map(|_| meta.fixed_column()).collect(),
            arguments: (0..tables).map(|_| meta.fixed_column()).collect(),
            tags: core::array::from_fn(|_| meta.fixed_column()),
            offset: meta.fixed_column(),
            active: meta.fixed_column(),
            ends: meta.fixed_column(),
            sums: (0..fractions.div_ceil(FRACTIONS)).map(|_| meta.advice_column_in(SecondPhase)).collect(),
            eta: meta.challenge_usable_after(FirstPhase),
            theta: meta.challenge_usable_after(FirstPhase),
        };
        columns.gates(meta);
        columns
    }

    fn gates(&self, meta: &mut ConstraintSystem<Fr>) {
        let base = number(1u64.checked_shl(LIMB_BITS.into()).unwrap_or(0));
        meta.create_gate("width", |cells| {
            let [active, offset] = [self.active, self.offset].map(|column| fixed(cells, column));
            let mut constraints = Vec::new();
            for (&weight, &[low, high]) in self.weights.iter().zip(&self.limbs) {
                let [weight, low, high] = [weight, low, high].map(|column| here(cells, column));
                constraints.push(active.clone() * (offset.clone() + weight - low - base.clone() * high));
            }
            constraints
        });
        meta.create_gate("lookup", |cells| {
            let fractions = self.fractions(cells);
            let active = fixed(cells, self.active);
            let [first, last] = marked(cells, self.ends);
            let mut constraints = Vec::new();
            let mut end = number(0);
            for (&column, share) in self.sums.iter().zip(fractions.chunks(FRACTIONS)) {
                let sum = here(cells, column);
                let step = after(cells, column) - sum.clone();
                constraints.push(active.clone() * balance(step, share));
                constraints.push(first.clone() * sum.clone());
                end = end + sum;
            }
            constraints.push(last * end);
            constraints
        });
    }

    /// Number of fractions in one running sum.
    pub fn fractions_per_sum() -> usize {
        FRACTIONS
    }

    fn fractions(&self, cells: &mut VirtualCells<'_, Fr>) -> Vec<Fraction> {
        let [eta, theta] = [self.eta, self.theta].map(|drawn| challenge(cells, drawn));
        let mut fractions = Vec::new();
        for limbs in &self.limbs {
            for (&limb, &tag) in limbs.iter().zip(&self.tags) {
                let denominator = theta.clone() + here(cells, limb) + eta.clone() * fixed(cells, tag);
                fractions.push(Fraction { numerator: number(1), denominator });
            }
        }
        for ((&tag, &argument), &count) in self.entry_tags.iter().zip(&self.arguments).zip(&self.counts) {
            let denominator = theta.clone() + fixed(cells, argument) + eta.clone() * fixed(cells, tag);
            fractions.push(Fraction { numerator: number(0) - here(cells, count), denominator });
        }
        fractions
    }
}
