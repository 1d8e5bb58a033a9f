//! The running sum of products.
//!
//! `sum = next * sum_before * m + coefficient * left * right`, with the multiplier `m` a copy of a power of `beta`. A relation holds
//! if the sum of all its terms is zero: its last sum is a copy of the constant zero.
use halo2_proofs::plonk::ConstraintSystem;

use super::{Columns, before, fixed, here, marked};
use crate::halo2::curve::Fr;

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    meta.create_gate("dot", |cells| {
        let machine = &columns.machine;
        let [begins, next] = marked(cells, machine.dot);
        let coefficient = fixed(cells, machine.coefficient);
        let [sum, left, right, multiplier] =
            [columns.dot, columns.left, columns.right, columns.power].map(|column| here(cells, column));
        let last = before(cells, columns.dot);
        [(begins + next.clone()) * sum - coefficient * left * right - next * last * multiplier]
    });
}
