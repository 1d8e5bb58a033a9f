//! The running sum of copied cells.
//!
//! With multiplier `m` (a copy of a power of `beta`, the same on all rows of a run) and cells `x_0 .. x_(r-1)` on a row,
//! `sum = next * sum_before * m^r + sum_j m^(r-1-j) x_j`.
use alloc::vec::Vec;
use halo2_proofs::plonk::ConstraintSystem;

use super::{Columns, Poly, before, fixed, here, horner, power};
use crate::halo2::curve::Fr;

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    meta.create_gate("reads", |cells| {
        let multiplier = here(cells, columns.power);
        let read: Vec<Poly> = columns.reads.iter().map(|&column| here(cells, column)).collect();
        let step = power(&multiplier, read.len());
        let [selected, next] = [columns.machine.read, columns.machine.read_next].map(|column| fixed(cells, column));
        let sum = here(cells, columns.left);
        let last = before(cells, columns.left);
        [selected * (sum - horner(&multiplier, read)) - next * last * step]
    });
}
