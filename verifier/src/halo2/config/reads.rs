//! The running sum of copied cells.
//!
//! With multiplier `m` (a copy of a power of `beta`, the same on all rows of a run) and cells `x_0 .. x_(r-1)` on a row,
//! `sum = next * sum_before * m^r + sum_j m^(r-1-j) x_j`. Where that would exceed the degree, powers are written with a column that holds
//! `m^2`, on rows of `pairs` too.
use alloc::vec::Vec;
use halo2_proofs::plonk::ConstraintSystem;

use super::{Columns, Poly, before, fixed, here, number, power};
use crate::halo2::curve::Fr;

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    meta.create_gate("reads", |cells| {
        let multiplier = here(cells, columns.power);
        let read: Vec<Poly> = columns.reads.iter().map(|&column| here(cells, column)).collect();
        let square = columns.squared.map(|column| here(cells, column));
        let step = to_the(&multiplier, square.as_ref(), read.len());
        let all = weighted(&multiplier, square.as_ref(), read);
        let [selected, next] = [columns.machine.read, columns.machine.read_next].map(|column| fixed(cells, column));
        let sum = here(cells, columns.left);
        let last = before(cells, columns.left);
        let mut constraints = alloc::vec![selected.clone() * (sum - all) - next * last * step];
        if let Some(square) = square {
            let selected = columns.pairs.iter().fold(selected, |all, rows| all + fixed(cells, rows.pair));
            constraints.push(selected * (square - multiplier.clone() * multiplier));
        }
        constraints
    });
}

/// A power of the multiplier.
pub(super) fn to_the(multiplier: &Poly, square: Option<&Poly>, exponent: usize) -> Poly {
    match square {
        None => power(multiplier, exponent),
        Some(square) => power(square, exponent >> 1) * power(multiplier, exponent & 1),
    }
}

/// The sum of a row's terms, the last of which has weight one.
pub(super) fn weighted(multiplier: &Poly, square: Option<&Poly>, terms: Vec<Poly>) -> Poly {
    let weighted =
        terms.into_iter().rev().enumerate().map(|(exponent, term)| to_the(multiplier, square, exponent) * term);
    weighted.reduce(|sum, term| sum + term).unwrap_or(number(0))
}
