//! Membership of selected rows: `(index, sum of the selected row)` is one of the pairs of a weight's rows.
//!
//! The first two reads of a row are an index `x_0` and a numerator `x_1`: the constant 1 for a selection, and for a row of the weight the
//! negative of how often it is selected. With the row's sum in `left`, `right * (theta + x_0 + eta * left) = x_1` and
//! `sum = next * sum_before + right`. All fractions together are zero: the last sum is a copy of the constant zero.
use halo2_proofs::plonk::ConstraintSystem;

use super::{Columns, before, challenge, fixed, here};
use crate::halo2::curve::Fr;

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    let (Some(rows), [index, numerator, ..]) = (columns.members, columns.reads.as_slice()) else { return };
    meta.create_gate("member", |cells| {
        let [eta, theta] = [columns.eta, columns.theta].map(|drawn| challenge(cells, drawn));
        let [selected, next] = [rows.member, rows.next].map(|column| fixed(cells, column));
        let [index, numerator, left, right, sum] =
            [*index, *numerator, columns.left, columns.right, columns.dot].map(|column| here(cells, column));
        let last = before(cells, columns.dot);
        let fraction = selected.clone() * (right.clone() * (theta + index + eta * left) - numerator);
        [fraction, selected * (sum - right) - next * last]
    });
}
