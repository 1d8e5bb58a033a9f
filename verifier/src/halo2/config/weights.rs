//! The running sum of a weight vector.
//!
//! With weights `w_0 .. w_(c-1)` on a row, `sum = next * sum_before * beta^c + sum_j beta^(c-1-j) w_j`.
use alloc::vec::Vec;
use halo2_proofs::plonk::ConstraintSystem;

use super::{Columns, Poly, WeightColumns, before, challenge, fixed, here, horner, marked, power};
use crate::halo2::curve::Fr;

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    if columns.shape.weights == 0 {
        return;
    }
    meta.create_gate("weights", |cells| {
        let beta = challenge(cells, columns.beta);
        let weights: Vec<Poly> = match &columns.weights {
            WeightColumns::Public(columns) => columns.iter().map(|&column| fixed(cells, column)).collect(),
            WeightColumns::Private(columns) => columns.iter().map(|&column| here(cells, column)).collect(),
        };
        let step = power(&beta, weights.len());
        let [begins, next] = marked(cells, columns.machine.weight);
        let sum = here(cells, columns.right);
        let last = before(cells, columns.right);
        [(begins + next.clone()) * (sum - horner(&beta, weights)) - next * last * step]
    });
}
