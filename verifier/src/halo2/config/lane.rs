//! Lanes: values cut into limbs.
//!
//! Write `a, b, c, d` for the limbs of a row, `B = 2^limb_bits`, `y` for the value and `z` for the side (0 within the range, 1 below,
//! 2 above; a function of `d` in the saturation table). With `inside = (1 - z)(2 - z) / 2` and `above = z (z - 1) / 2`:
//!
//! - number: `y = low + a + B b + B^2 c + B^3 d`; it is zero above `low` if it is flagged, `z (y - low) = 0`, and has accumulator `y - low`
//! - rescale: `unit (y - low) = inside (unit c + top d - offset) + above span`; its accumulator is
//!   `a + B b + unit c + top d + constant` (see `equation`), with the remainder in `a` and `b`
//! - wide: `unit (y - low) = inside (unit (a + B b + B^2 c) + top d - offset) + above span`; its accumulator is
//!   `unit (a + B b + B^2 c) + top d + constant`, and the remainder is a number elsewhere, of the same equation
//!
//! The limbs are in their tables, so all terms are bounded and the decomposition of an accumulator is unique: see
//! `relations/rescale.md`.
use alloc::vec::Vec;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::plonk::{ConstraintSystem, VirtualCells};

use super::{Columns, Lane, Poly, fixed, here, number};
use crate::halo2::curve::Fr;
use crate::halo2::shape::SLOTS;

/// The limbs of a lane with powers of `B`: the first so many of them as one number.
pub(super) fn limbs(cells: &mut VirtualCells<'_, Fr>, columns: &Columns, lane: &Lane, count: usize) -> Poly {
    let base = number(1u64.checked_shl(columns.shape.limb_bits.into()).unwrap_or(0));
    let limbs: Vec<Poly> = lane.limbs.iter().take(count).rev().map(|&limb| here(cells, limb)).collect();
    super::horner(&base, limbs)
}

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    for lane in &columns.lanes {
        if let Some(number) = columns.rows.number {
            meta.create_gate("number", |cells| {
                let selected = fixed(cells, number);
                let low = fixed(cells, columns.rows.low);
                let all = limbs(cells, columns, lane, SLOTS);
                let above = here(cells, lane.value) - low;
                let flag = here(cells, lane.side);
                [selected.clone() * (above.clone() - all), selected * flag * above]
            });
        }
        meta.create_gate("rescale", |cells| {
            let [_, _, third, last] = lane.limbs;
            let [third, last] = [third, last].map(|limb| here(cells, limb));
            let rows = &columns.rows;
            let [rescale, unit, top, offset, low, span] =
                [rows.rescale, rows.unit, rows.top, rows.offset, rows.low, rows.span]
                    .map(|column| fixed(cells, column));
            let y = here(cells, lane.value);
            let z = here(cells, lane.side);
            let half = Fr::from(2).invert().unwrap_or(Fr::ZERO);
            let inside = (number(1) - z.clone()) * (number(2) - z.clone()) * half;
            let above = z.clone() * (z - number(1)) * half;
            let result = unit.clone() * (y - low) - above * span;
            let high = top * last - offset;
            let narrow = inside.clone() * (unit.clone() * third + high.clone());
            let mut constraints = alloc::vec![rescale * (result.clone() - narrow)];
            if let Some(wide) = rows.wide {
                let low_limbs = limbs(cells, columns, lane, SLOTS.saturating_sub(1));
                let full = inside * (unit * low_limbs + high);
                constraints.push(fixed(cells, wide) * (result - full));
            }
            constraints
        });
    }
}
