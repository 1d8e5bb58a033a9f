//! The running sum of copied cells.
//!
//! With multiplier `m` (a copy of a power of `beta`, the same on all rows of a run) and cells `x_0 .. x_(r-1)` on a row,
//! `sum = next * sum_before * m^r + sum_j m^(r-1-j) x_j`. Where that would exceed the degree, powers are written with a column that holds
//! `m^2`.
use alloc::vec::Vec;
use halo2_proofs::plonk::ConstraintSystem;

use super::{Columns, Poly, before, fixed, here, number, power};
use crate::halo2::curve::Fr;

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    meta.create_gate("reads", |cells| {
        let multiplier = here(cells, columns.power);
        let read: Vec<Poly> = columns.reads.iter().map(|&column| here(cells, column)).collect();
        let square = columns.squared.map(|column| here(cells, column));
        let to_the = |exponent: usize| match &square {
            None => power(&multiplier, exponent),
            Some(square) => power(square, exponent >> 1) * power(&multiplier, exponent & 1),
        };
        let step = to_the(read.len());
        let weighted = read.into_iter().rev().enumerate().map(|(exponent, cell)| to_the(exponent) * cell);
        let all = weighted.reduce(|sum, cell| sum + cell).unwrap_or(number(0));
        let [selected, next] = [columns.machine.read, columns.machine.read_next].map(|column| fixed(cells, column));
        let sum = here(cells, columns.left);
        let last = before(cells, columns.left);
        let mut constraints = alloc::vec![selected.clone() * (sum - all) - next * last * step];
        if let Some(square) = square {
            constraints.push(selected * (square - multiplier.clone() * multiplier));
        }
        constraints
    });
}
