//! Rescaled tensors: wrong remainders, offsets and signs.
use assay_prover::witness::Witness;
use assay_verifier::circuit::Op;
use assay_verifier::field::{F, signed};
use assay_verifier::sumcheck::Step;
use assay_verifier::sumcheck::layout::{Block, NodeColumns};
use p3_field::PrimeCharacteristicRing;

use crate::setting::{Setting, at, blocks, changed, parts, write_limbs};

/// Where a rescaled tensor's witness lies.
pub struct Rescale<'a> {
    pub shift: u8,
    low: i64,
    bits: u8,
    accumulators: &'a [i64],
    sign: Block,
    offset: Vec<(Block, u32)>,
    remainder: Vec<(Block, u32)>,
    lanes: Block,
}

impl Rescale<'_> {
    /// The first cell whose remainder, offset and excess satisfy a condition.
    pub fn find(&self, condition: impl Fn(i64, i64, i64) -> bool) -> usize {
        let fits = |&value: &i64| {
            let (remainder, offset, excess) = parts(value, self.shift, self.low, self.bits);
            condition(remainder, offset, excess)
        };
        self.accumulators.iter().position(fits).expect("the inputs have such a cell")
    }

    pub fn parts(&self, cell: usize) -> (i64, i64, i64) {
        parts(self.accumulators[cell], self.shift, self.low, self.bits)
    }

    pub fn set_sign(&self, witness: &mut Witness, cell: usize, sign: i8) {
        witness.stack[at(&self.sign, cell)] = signed(sign.into());
        witness.signs[at(&self.lanes, cell)] = sign;
    }

    pub fn set_offset(&self, witness: &mut Witness, cell: usize, offset: i64) {
        write_limbs(&self.offset, witness, cell, offset);
        witness.offsets[at(&self.lanes, cell)] = offset.try_into().unwrap();
    }

    pub fn set_remainder(&self, witness: &mut Witness, cell: usize, remainder: i64) {
        write_limbs(&self.remainder, witness, cell, remainder);
    }
}

impl Setting {
    pub fn rescale(&self, node: usize) -> Rescale<'_> {
        let layout = self.key.layout();
        let NodeColumns::Rescale { sign, offset, remainder, lanes, .. } = &layout.nodes[node] else {
            panic!("not rescaled")
        };
        let Op::Rescale { shift, low, bits, .. } = self.circuit().nodes[node].op else { panic!("not rescaled") };
        Rescale {
            shift,
            low,
            bits,
            accumulators: &self.evaluation.accumulators[node],
            sign: layout.columns[*sign].clone(),
            offset: blocks(self, offset),
            remainder: blocks(self, remainder),
            lanes: lanes.clone(),
        }
    }
}

/// Nodes that are rescaled with a shift, in the circuit.
const RESCALED: [usize; 5] = [1, 2, 4, 6, 9];

#[test]
fn rescaling() {
    let setting = Setting::new();
    for node in RESCALED {
        let rescale = setting.rescale(node);
        let cells = &setting.evaluation.nodes[node];
        let one = 1i64 << rescale.shift;

        // A wrong remainder, in range: the relation fails, or already the count of lookups.
        let cell = rescale.find(|remainder, _, _| remainder + 1 < one);
        let mut witness = setting.witness(&setting.evaluation);
        rescale.set_remainder(&mut witness, cell, rescale.parts(cell).0 + 1);
        setting.refused("remainder, not counted", &witness, &setting.evaluation, Step::LookupSum);
        setting.recount(&mut witness, &setting.evaluation);
        setting.refused("remainder", &witness, &setting.evaluation, Step::Stack);

        // One less with a remainder that is too large, one more with a negative one: a tolerance band of one.
        for step in [-1, 1] {
            let cell = rescale.find(|_, offset, excess| excess == 0 && offset > 0 && offset + 2 < 1 << rescale.bits);
            let (remainder, offset, _) = rescale.parts(cell);
            let evaluation = setting.with_cells(node, changed(cells, cell, cells[cell] + step));
            let mut witness = setting.witness(&evaluation);
            rescale.set_offset(&mut witness, cell, offset + step);
            rescale.set_remainder(&mut witness, cell, remainder - step * one);
            setting.recount(&mut witness, &evaluation);
            setting.refused("remainder out of range", &witness, &evaluation, Step::LookupSum);

            // The same value with an honest witness: the consumers read what was not rescaled.
            let witness = setting.witness(&evaluation);
            setting.refused("value without witness", &witness, &evaluation, Step::Stack);

            // The same value with a witness for another accumulator.
            let mut evaluation = evaluation;
            evaluation.accumulators[node][cell] += step * one;
            let witness = setting.witness(&evaluation);
            setting.refused("accumulator", &witness, &evaluation, Step::Stack);
        }

        // Truncated towards zero instead of down: for a negative value with a remainder, one more.
        if let Some(cell) = (0..cells.len()).find(|&cell| {
            let (remainder, offset, excess) = rescale.parts(cell);
            cells[cell] < -1 && excess == 0 && remainder > 0 && offset > 0
        }) {
            let (remainder, offset, _) = rescale.parts(cell);
            let evaluation = setting.with_cells(node, changed(cells, cell, cells[cell] + 1));
            let mut witness = setting.witness(&evaluation);
            rescale.set_offset(&mut witness, cell, offset + 1);
            rescale.set_remainder(&mut witness, cell, remainder - one);
            setting.recount(&mut witness, &evaluation);
            setting.refused("truncated", &witness, &evaluation, Step::LookupSum);
        }

        // A borrow between limbs leaves the value as it is, but is another witness for it.
        if let [(low, _), (high, width), ..] = &rescale.offset[..] {
            let cell = rescale.find(|_, offset, _| offset >> width > 0);
            let mut witness = setting.witness(&setting.evaluation);
            witness.stack[at(low, cell)] += F::from_u64(1 << width);
            witness.stack[at(high, cell)] -= F::ONE;
            setting.recount(&mut witness, &setting.evaluation);
            setting.refused("borrow between limbs", &witness, &setting.evaluation, Step::LookupSum);
        }
    }
}

#[test]
fn saturation() {
    let setting = Setting::new();
    let mut saturated = 0;
    for (node, above) in [1, 2, 4, 6, 7, 9].into_iter().flat_map(|node| [(node, true), (node, false)]) {
        let rescale = setting.rescale(node);
        let cells = &setting.evaluation.nodes[node];
        let range = 1i64 << rescale.bits;
        let end = if above { 1 } else { -1 };
        let found = (0..cells.len()).find(|&cell| rescale.parts(cell).2.signum() == end);
        let Some(cell) = found else { continue };
        saturated += 1;
        let (_, offset, excess) = rescale.parts(cell);

        // The value wraps: the sign says that nothing exceeds the range.
        let evaluation = setting.with_cells(node, changed(cells, cell, rescale.low + offset));
        let mut witness = setting.witness(&evaluation);
        rescale.set_sign(&mut witness, cell, 0);
        setting.recount(&mut witness, &evaluation);
        setting.refused("wrapped", &witness, &evaluation, Step::LookupSum);

        // The excess is hidden in the offset.
        if above {
            let mut evaluation = evaluation.clone();
            evaluation.accumulators[node][cell] -= (excess * range) << rescale.shift;
            let mut witness = setting.witness(&evaluation);
            rescale.set_sign(&mut witness, cell, 0);
            rescale.set_offset(&mut witness, cell, offset + excess * range);
            setting.recount(&mut witness, &evaluation);
            setting.refused("offset out of range", &witness, &evaluation, Step::LookupSum);
        }

        // The other end of the range.
        let other = if above { rescale.low } else { rescale.low + range - 1 };
        let evaluation = setting.with_cells(node, changed(cells, cell, other));
        let mut witness = setting.witness(&evaluation);
        rescale.set_sign(&mut witness, cell, if above { -1 } else { 1 });
        setting.recount(&mut witness, &evaluation);
        setting.refused("wrong sign", &witness, &evaluation, Step::LookupSum);

        // No sign at all.
        let mut witness = setting.witness(&setting.evaluation);
        rescale.set_sign(&mut witness, cell, 2);
        setting.refused("not a sign", &witness, &setting.evaluation, Step::LookupSum);
    }
    assert!(saturated >= 6, "only {saturated} of the tensors' ends are reached");
    for node in RESCALED {
        // Saturation claimed where nothing exceeds the range.
        let rescale = setting.rescale(node);
        let range = 1i64 << rescale.bits;
        let cell = rescale.find(|_, offset, excess| excess == 0 && offset > 0 && offset < range - 1);
        for (sign, value) in [(1, rescale.low + range - 1), (-1, rescale.low)] {
            let evaluation = setting.with_cells(node, changed(&setting.evaluation.nodes[node], cell, value));
            let mut witness = setting.witness(&evaluation);
            rescale.set_sign(&mut witness, cell, sign);
            setting.recount(&mut witness, &evaluation);
            setting.refused("saturated without need", &witness, &evaluation, Step::LookupSum);
        }
    }
}
