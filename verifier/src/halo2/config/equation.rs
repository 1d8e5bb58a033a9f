//! The running sum of accumulators.
//!
//! On a row the lanes hold consecutive cells of one node with accumulators `e_0 .. e_(L-1)`; then
//! `sum = next * sum_before * beta^L + sum_j beta^(L-1-j) e_j`. On rows that belong to no equation all accumulators are zero. Cells that
//! fill up a node's first row have exponents beyond those of all its terms, so that their accumulators must be zero too.
use alloc::vec::Vec;
use halo2_proofs::plonk::{ConstraintSystem, VirtualCells};

use super::{Columns, Lane, Poly, before, challenge, fixed, here, horner, lane, power};
use crate::halo2::curve::Fr;
use crate::halo2::shape::SLOTS;

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    meta.create_gate("equation", |cells| {
        let beta = challenge(cells, columns.beta);
        let terms: Vec<Poly> = columns.lanes.iter().map(|lane| accumulator(cells, columns, lane)).collect();
        let step = power(&beta, terms.len());
        let next = fixed(cells, columns.rows.next);
        let active = fixed(cells, columns.machine.active);
        let sum = here(cells, columns.equation);
        let last = before(cells, columns.equation);
        [active * (sum - horner(&beta, terms)) - next * last * step]
    });
}

/// The accumulator of a lane's cell.
fn accumulator(cells: &mut VirtualCells<'_, Fr>, columns: &Columns, lane: &Lane) -> Poly {
    let [_, _, third, last] = lane.limbs;
    let rows = &columns.rows;
    let [rescale, unit, top, constant] =
        [rows.rescale, rows.unit, rows.top, rows.constant].map(|column| fixed(cells, column));
    let remainder = lane::limbs(cells, columns, lane, 2);
    let [third, last] = [third, last].map(|limb| here(cells, limb));
    let mut sum = rescale * (remainder + unit.clone() * third) + top * last + constant;
    if let Some(wide) = rows.wide {
        sum = sum + fixed(cells, wide) * unit * lane::limbs(cells, columns, lane, SLOTS.saturating_sub(1));
    }
    if let Some(plain) = rows.plain {
        sum = sum + fixed(cells, plain) * here(cells, lane.value);
    }
    sum
}
