//! Powers of the challenge: `p = p_before^2` or `p = p_before^2 * beta`, from a copy of the constant one.
use halo2_proofs::plonk::ConstraintSystem;

use super::{Columns, before, challenge, here, marked};
use crate::halo2::curve::Fr;

pub(super) fn configure(meta: &mut ConstraintSystem<Fr>, columns: &Columns) {
    meta.create_gate("power", |cells| {
        let beta = challenge(cells, columns.beta);
        let [square, times] = marked(cells, columns.machine.square);
        let power = here(cells, columns.power);
        let last = before(cells, columns.power);
        let factor = square.clone() + times.clone() * beta;
        [(square + times) * power - last.clone() * last * factor]
    });
}
