//! Lookups: every limb, with the tag of its slot and for the last slot with its side, is an entry of a table (LogUp).
//!
//! An entry is one number, `argument + eta value + eta^2 tag`. Over all rows and slots,
//! `sum 1 / (theta + looked up) = sum count / (theta + entry)`. The fractions of a row are shared out over several running sums, each of
//! `sum_after - sum = its fractions`, with denominators multiplied out; all start at zero, and after the last row they are zero together.
//! Fewer fractions than the field has elements, so that a count cannot wrap.
use alloc::vec::Vec;
use halo2_proofs::plonk::{ConstraintSystem, VirtualCells};

use super::{Columns, Poly, after, challenge, fixed, here, marked, number};
use crate::halo2::curve::Fr;

/// A numerator over a denominator.
pub(super) struct Fraction {
    pub(super) numerator: Poly,
    pub(super) denominator: Poly,
}

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    meta.create_gate("lookup", |cells| {
        let fractions = fractions(cells, columns);
        let active = fixed(cells, columns.machine.active);
        let [first, last] = marked(cells, columns.machine.ends);
        let mut constraints = Vec::new();
        let mut end = number(0);
        for (&column, share) in columns.sums.iter().zip(fractions.chunks(columns.shape.fractions_per_sum())) {
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

/// `(step - sum of fractions) * product of denominators`.
pub(super) fn balance(step: Poly, share: &[Fraction]) -> Poly {
    // `(n, d)` is the sum of the fractions so far.
    let sum = share.iter().fold(None, |sum: Option<(Poly, Poly)>, fraction| {
        let Fraction { numerator, denominator } = fraction;
        Some(match sum {
            None => (numerator.clone(), denominator.clone()),
            Some((n, d)) => (n * denominator.clone() + numerator.clone() * d.clone(), d * denominator.clone()),
        })
    });
    match sum {
        None => step,
        Some((n, d)) => step * d - n,
    }
}

fn fractions(cells: &mut VirtualCells<'_, Fr>, columns: &Columns) -> Vec<Fraction> {
    let [eta, theta] = [columns.eta, columns.theta].map(|drawn| challenge(cells, drawn));
    let tag_weight = eta.clone() * eta.clone();
    let mut fractions = Vec::new();
    for lane in &columns.lanes {
        let [.., last] = lane.limbs;
        for (&limb, &tag) in lane.limbs.iter().zip(&columns.rows.tags) {
            let mut entry = theta.clone() + here(cells, limb) + tag_weight.clone() * fixed(cells, tag);
            if limb == last {
                entry = entry + eta.clone() * here(cells, lane.side);
            }
            fractions.push(Fraction { numerator: number(1), denominator: entry });
        }
    }
    for table in &columns.tables {
        let [tag, argument, value] = [table.tag, table.argument, table.value].map(|column| fixed(cells, column));
        fractions.push(Fraction {
            numerator: number(0) - here(cells, table.count),
            denominator: theta.clone() + argument + eta.clone() * value + tag_weight.clone() * tag,
        });
    }
    fractions
}
