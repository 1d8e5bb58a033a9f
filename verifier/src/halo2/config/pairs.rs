//! The running sum of products of copied cells.
//!
//! With multiplier `m` and cells `x_0, y_0 .. x_(h-1), y_(h-1)` on a row, `h` being half the number of reads,
//! `sum = next * sum_before * m^h + sum_j m^(h-1-j) x_j y_j`. Cells are copies of the first phase, like those of `reads`; a last one without a partner is not read.
use alloc::vec::Vec;
use halo2_proofs::plonk::ConstraintSystem;

use super::reads::{to_the, weighted};
use super::{Columns, Poly, before, fixed, here};
use crate::halo2::curve::Fr;

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    let Some(rows) = columns.pairs else { return };
    meta.create_gate("pairs", |cells| {
        let multiplier = here(cells, columns.power);
        let square = columns.squared.map(|column| here(cells, column));
        let products: Vec<Poly> = columns
            .reads
            .chunks_exact(2)
            .flat_map(|pair| pair.iter().map(|&column| here(cells, column)).reduce(|left, right| left * right))
            .collect();
        let step = to_the(&multiplier, square.as_ref(), products.len());
        let all = weighted(&multiplier, square.as_ref(), products);
        let [selected, next] = [rows.pair, rows.next].map(|column| fixed(cells, column));
        let sum = here(cells, columns.left);
        let last = before(cells, columns.left);
        [selected * (sum - all) - next * last * step]
    });
}
