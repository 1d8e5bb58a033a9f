//! The running sum of a weight vector.
//!
//! Vectors fill rows from the end, so that their first row may begin with cells that hold none of their weights. In columns of the key these
//! are zero. Where weights are private they would weigh what belongs to other results: on rows with `n` of them
//! `sum_(j<n) eta^(n-1-j) w_j = 0`, with `eta` drawn after the weights were committed.
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
    if let WeightColumns::Private { columns: weights, pads } = &columns.weights {
        for &(pad, rows) in pads {
            meta.create_gate("padding of weights", |cells| {
                let eta = challenge(cells, columns.eta);
                let padding: Vec<Poly> = weights.iter().take(pad).map(|&column| here(cells, column)).collect();
                [fixed(cells, rows) * horner(&eta, padding)]
            });
        }
    }
    meta.create_gate("weights", |cells| {
        let beta = challenge(cells, columns.beta);
        let weights: Vec<Poly> = match &columns.weights {
            WeightColumns::Public(columns) => columns.iter().map(|&column| fixed(cells, column)).collect(),
            WeightColumns::Private { columns, .. } => columns.iter().map(|&column| here(cells, column)).collect(),
        };
        let step = power(&beta, weights.len());
        let [begins, next] = marked(cells, columns.machine.weight);
        let sum = here(cells, columns.right);
        let last = before(cells, columns.right);
        [(begins + next.clone()) * (sum - horner(&beta, weights)) - next * last * step]
    });
}
