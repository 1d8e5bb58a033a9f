//! Provers that follow the protocol and deviate in exactly one step.
//!
//! Each case starts from an honest evaluation, changes one value and carries the change through everything that follows from
//! it, so that only the changed step is wrong; the transcript is the changed proof's own. What must refuse it is asserted.
//! [`Step::LookupSum`] means that a range check or table lookup failed; [`Step::Stack`] that values are in range but do not
//! satisfy their relation, so that the batched claims on the witness do not hold.
//!
//! Faults that have been found in systems of this kind, and where they are covered:
//! - public input or model not absorbed in the transcript: `soundness/`, statements and fields of a key; here
//!   [`inputs_and_outputs`];
//! - a round's challenge not bound to its message, or coefficients drawn before the claims they combine: `soundness/`, where a
//!   change of any single message is refused; the verifier reads all messages through one channel that absorbs before it returns;
//! - a final claim that nobody opens: [`other_weights`], and the openings of `soundness/`;
//! - several consumers of one tensor collapsing into one claim: [`consumers_that_disagree`];
//! - a hint without a constraint: [`no_cell_is_free`] changes a cell of every committed column;
//! - a tolerance band instead of a unique value, only low bits constrained, signed division with a wrong range:
//!   [`rescaling`];
//! - malleable or non-canonical encodings and huge lengths: the verifier's own tests; there are no curve points;
//! - a predicted challenge: challenges are hashes of everything before them, and the first comes after root and statement;
//! - a proof for another request, key or version: `soundness/`.
#[path = "../common/mod.rs"]
mod common;
mod weights;

use assay_circuits::eval::{self, Evaluation, Weights};
use assay_prover::sumcheck::Prover;
use assay_prover::witness::Witness;
use assay_verifier::circuit::{CheckedCircuit, Circuit, Limits, Node, Op, Range, Term};
use assay_verifier::field::{F, signed};
use assay_verifier::key::CheckedKey;
use assay_verifier::statement::{Proof, Statement};
use assay_verifier::sumcheck::layout::{Block, Limb, NodeColumns, TableKind};
use assay_verifier::sumcheck::pcs::Purpose;
use assay_verifier::sumcheck::{Step, VerifyError, verify};
use assay_verifier::wire;
use common::{Numbers, inputs_of, kitchen_sink, port, weights_of};
use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};

/// A prover, its key as a verifier has it, and inputs with their evaluation.
struct Setting {
    weights: Weights,
    inputs: Vec<Vec<i64>>,
    prover: Prover,
    key: CheckedKey,
    evaluation: Evaluation,
}

impl Setting {
    fn new() -> Self {
        let mut numbers = Numbers(5);
        let circuit = kitchen_sink(7);
        let weights = weights_of(&circuit, &mut numbers);
        let inputs = inputs_of(&circuit, &mut numbers);
        let prover = Prover::new(circuit, weights.clone()).unwrap();
        let key = CheckedKey::new(&prover.prove_range().unwrap(), &Limits::default()).unwrap();
        let evaluation = prover.evaluate(&inputs).unwrap();
        Self { weights, inputs, prover, key, evaluation }
    }

    fn circuit(&self) -> &Circuit {
        self.key.circuit().circuit()
    }

    fn witness(&self, evaluation: &Evaluation) -> Witness {
        Witness::new(self.key.circuit(), self.key.layout(), evaluation)
    }

    fn statement(&self, evaluation: &Evaluation) -> Statement {
        Statement {
            key: self.key.digest(),
            inputs: self.inputs.clone(),
            outputs: self.prover.outputs(evaluation),
            context: b"context".to_vec(),
        }
    }

    /// Proves and verifies the outputs of an evaluation with a witness.
    fn run(&self, witness: &Witness, evaluation: &Evaluation) -> Result<(), VerifyError> {
        let proof = self.prover.argue(self.statement(evaluation), witness, evaluation).unwrap();
        verify(&self.key, &proof)
    }

    fn refused(&self, name: &str, witness: &Witness, evaluation: &Evaluation, step: Step) {
        assert_eq!(self.run(witness, evaluation), Err(VerifyError::Check(step)), "{name}");
    }

    /// Evaluates another circuit of the same shapes on the same inputs.
    fn evaluate(&self, circuit: Circuit, extra: Option<Vec<i64>>) -> Evaluation {
        let checked = CheckedCircuit::new(circuit, &Limits::default()).unwrap();
        let ordered = self
            .circuit()
            .inputs
            .iter()
            .zip(&self.inputs)
            .map(|(port, values)| port.model_order().iter().map(|&at| values[at as usize]).collect());
        let ordered: Vec<Vec<i64>> = ordered.chain(extra).collect();
        eval::evaluate(&checked, &self.weights, &ordered).unwrap()
    }

    /// The evaluation in which one node has other cells, and everything after it follows from them.
    fn with_cells(&self, node: usize, cells: Vec<i64>) -> Evaluation {
        let mut circuit = self.circuit().clone();
        let Range { low, high } = self.key.circuit().range(node as u32).unwrap();
        let Node { rows, inner, .. } = circuit.nodes[node];
        let forced = Node { rows, inner, op: Op::Input(Range { low, high }) };
        // The node's own relation stays at the end, so that its weights are still used.
        let own = std::mem::replace(&mut circuit.nodes[node], forced);
        circuit.nodes.push(own);
        circuit.inputs.push(port("forced", node as u32, &[rows, inner], &[0, 1]));
        let mut evaluation = self.evaluate(circuit, Some(cells));
        evaluation.nodes.pop();
        evaluation.accumulators[node] = evaluation.accumulators.pop().unwrap();
        evaluation
    }

    fn rescale(&self, node: usize) -> Rescale<'_> {
        let layout = self.key.layout();
        let NodeColumns::Rescale { sign, offset, remainder, lanes, .. } = &layout.nodes[node] else {
            panic!("not rescaled")
        };
        let Op::Rescale { shift, low, bits, .. } = self.circuit().nodes[node].op else { panic!("not rescaled") };
        let column = |limb: &Limb| (layout.columns[limb.column].clone(), limb.shift);
        Rescale {
            shift,
            low,
            bits,
            accumulators: &self.evaluation.accumulators[node],
            sign: layout.columns[*sign].clone(),
            offset: offset.iter().map(column).collect(),
            remainder: remainder.iter().map(column).collect(),
            lanes: lanes.clone(),
        }
    }

    /// Counts anew how often each table entry is looked up; lookups that miss count nowhere.
    fn recount(&self, witness: &mut Witness, evaluation: &Evaluation) {
        let layout = self.key.layout();
        let mut counts: Vec<Vec<u64>> = layout.tables.iter().map(|table| vec![0; 1 << table.bits]).collect();
        let position = |tag: u64| layout.tables.iter().position(|table| table.tag == tag).unwrap();
        let mut count = |tag: u64, entry: u64| {
            if let Some(count) = counts[position(tag)].get_mut(entry as usize) {
                *count += 1;
            }
        };
        for limb in &layout.limbs {
            let block = &layout.columns[limb.column];
            for cell in 0..block.rows * block.inner {
                count(limb.tag, witness.stack[at(block, cell)].as_canonical_u64());
            }
        }
        for (id, node) in self.circuit().nodes.iter().enumerate() {
            match &node.op {
                Op::Rescale { shift, low, bits, .. } => {
                    let width = self.key.circuit().saturation(id).unwrap().bits;
                    for &value in &evaluation.accumulators[id] {
                        let excess = parts(value, *shift, *low, *bits).2;
                        count(layout.tag(TableKind::Saturation(width)), (excess + (1 << (width - 1))) as u64);
                    }
                }
                Op::Lookup { source, table } => {
                    let low = self.circuit().tables[*table as usize].low;
                    for &argument in &evaluation.nodes[*source as usize] {
                        count(layout.tag(TableKind::Function(*table)), (argument - low) as u64);
                    }
                }
                _ => {}
            }
        }
        for (table, counts) in layout.tables.iter().zip(counts) {
            let start = layout.columns[table.multiplicity].offset;
            for (cell, count) in witness.stack[start..].iter_mut().zip(counts) {
                *cell = F::from_u64(count);
            }
        }
    }
}

/// Where a rescaled tensor's witness lies.
struct Rescale<'a> {
    shift: u8,
    low: i64,
    bits: u8,
    accumulators: &'a [i64],
    sign: Block,
    offset: Vec<(Block, u32)>,
    remainder: Vec<(Block, u32)>,
    lanes: Block,
}

/// Remainder, offset and excess of an accumulator.
fn parts(value: i64, shift: u8, low: i64, bits: u8) -> (i64, i64, i64) {
    let rounded = value + if shift == 0 { 0 } else { 1 << (shift - 1) };
    let above = (rounded >> shift) - low;
    (rounded & ((1 << shift) - 1), above & ((1 << bits) - 1), above >> bits)
}

fn at(block: &Block, cell: usize) -> usize {
    block.offset + ((cell / block.inner) << block.log_inner) + cell % block.inner
}

impl Rescale<'_> {
    /// The first cell whose remainder, offset and excess satisfy a condition.
    fn find(&self, condition: impl Fn(i64, i64, i64) -> bool) -> usize {
        let fits = |&value: &i64| {
            let (remainder, offset, excess) = parts(value, self.shift, self.low, self.bits);
            condition(remainder, offset, excess)
        };
        self.accumulators.iter().position(fits).expect("the inputs have such a cell")
    }

    fn parts(&self, cell: usize) -> (i64, i64, i64) {
        parts(self.accumulators[cell], self.shift, self.low, self.bits)
    }

    fn set_sign(&self, witness: &mut Witness, cell: usize, sign: i8) {
        witness.stack[at(&self.sign, cell)] = signed(sign.into());
        witness.signs[at(&self.lanes, cell)] = sign;
    }

    /// Writes an offset; what exceeds its width goes to the last limb.
    fn set_offset(&self, witness: &mut Witness, cell: usize, offset: i64) {
        write_limbs(&self.offset, witness, cell, offset);
        witness.offsets[at(&self.lanes, cell)] = offset.try_into().unwrap();
    }

    fn set_remainder(&self, witness: &mut Witness, cell: usize, remainder: i64) {
        write_limbs(&self.remainder, witness, cell, remainder);
    }
}

fn write_limbs(limbs: &[(Block, u32)], witness: &mut Witness, cell: usize, value: i64) {
    for (index, (block, shift)) in limbs.iter().enumerate() {
        let digit = match limbs.get(index + 1) {
            Some((_, next)) => (value >> shift) & ((1 << (next - shift)) - 1),
            None => value >> shift,
        };
        witness.stack[at(block, cell)] = signed(digit);
    }
}

fn changed(cells: &[i64], cell: usize, value: i64) -> Vec<i64> {
    let mut cells = cells.to_vec();
    cells[cell] = value;
    cells
}

/// Nodes that are rescaled with a shift, in the circuit.
const RESCALED: [usize; 5] = [1, 2, 4, 6, 9];

#[test]
fn honest() {
    let setting = Setting::new();
    let mut witness = setting.witness(&setting.evaluation);
    assert_eq!(setting.run(&witness, &setting.evaluation), Ok(()));
    let honest = witness.clone();
    setting.recount(&mut witness, &setting.evaluation);
    assert_eq!(witness.stack, honest.stack, "the tests count lookups as the prover does");
    for node in RESCALED {
        let same = setting.with_cells(node, setting.evaluation.nodes[node].clone());
        assert_eq!(same, setting.evaluation, "the tests carry changes through as the specification does");
    }
}

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

#[test]
fn tables() {
    let setting = Setting::new();
    let NodeColumns::Lookup { value, .. } = &setting.key.layout().nodes[3] else { panic!("no lookup") };
    let block = &setting.key.layout().columns[*value];
    let cells = &setting.evaluation.nodes[3];
    let Range { low, high } = setting.key.circuit().range(3).unwrap();
    for cell in [0, 17, cells.len() - 1] {
        // A neighbour, and a value at the range's other end.
        let neighbour = if cells[cell] < high { cells[cell] + 1 } else { cells[cell] - 1 };
        for value in [neighbour, if cells[cell] == low { high } else { low }] {
            // A wrong row; the next layers follow from it.
            let evaluation = setting.with_cells(3, changed(cells, cell, value));
            let witness = setting.witness(&evaluation);
            setting.refused("table row", &witness, &evaluation, Step::LookupSum);
            // The witness alone.
            let mut witness = setting.witness(&setting.evaluation);
            witness.stack[at(block, cell)] = signed(value);
            setting.refused("table row, witness alone", &witness, &setting.evaluation, Step::LookupSum);
            // The consumers alone.
            let mut witness = setting.witness(&evaluation);
            witness.stack[at(block, cell)] = signed(cells[cell]);
            setting.refused("table row, consumers alone", &witness, &evaluation, Step::Stack);
        }
    }
}

/// Node 7 is half of a pairwise maximum, `max(b - a, 0)`; node 8 adds `a`.
#[test]
fn maximum() {
    let setting = Setting::new();
    let rescale = setting.rescale(7);
    let cells = &setting.evaluation.nodes[7];
    let larger = cells.iter().position(|&cell| cell > 0 && cell < 511).unwrap();
    let smaller = rescale.find(|_, _, excess| excess < 0);
    for (name, cell, value) in [
        ("too large", larger, cells[larger] + 1),
        ("too small", larger, cells[larger] - 1),
        ("the smaller one", larger, 0),
        ("too large where the first is larger", smaller, 1),
    ] {
        let mut evaluation = setting.with_cells(7, changed(cells, cell, value));
        let mut witness = setting.witness(&evaluation);
        rescale.set_sign(&mut witness, cell, 0);
        rescale.set_offset(&mut witness, cell, value);
        setting.recount(&mut witness, &evaluation);
        // Where the sign says that the difference is negative it is no longer in the table; else the relation fails.
        let expected = if cell == smaller { Step::LookupSum } else { Step::Stack };
        setting.refused(name, &witness, &evaluation, expected);
        evaluation.accumulators[7][cell] = value;
        let witness = setting.witness(&evaluation);
        setting.refused(name, &witness, &evaluation, Step::Stack);
    }
}

type Change = fn(&mut Circuit);

/// The prover evaluates another circuit than the key's.
#[test]
fn relations() {
    fn expr(circuit: &mut Circuit, node: usize) -> &mut assay_verifier::circuit::Expr {
        match &mut circuit.nodes[node].op {
            Op::Affine(expr) | Op::Rescale { expr, .. } => expr,
            _ => panic!("no expression"),
        }
    }
    let setting = Setting::new();
    let cases: [(&str, Step, Change); 17] = [
        ("constant dropped", Step::Stack, |circuit| expr(circuit, 1).constant = 0),
        ("bias dropped", Step::Stack, |circuit| {
            let Term::Bias { coefficient, .. } = &mut expr(circuit, 1).terms[1] else { panic!("no bias") };
            *coefficient = 0;
        }),
        ("last bias dropped", Step::Stack, |circuit| {
            let Term::Bias { coefficient, .. } = &mut expr(circuit, 9).terms[1] else { panic!("no bias") };
            *coefficient = 0;
        }),
        ("contraction scaled", Step::Stack, |circuit| {
            let Term::Contract { coefficient, .. } = &mut expr(circuit, 1).terms[0] else { panic!("no contraction") };
            *coefficient = 2;
        }),
        ("convolution moved", Step::Stack, |circuit| {
            let Term::Contract { view, .. } = &mut expr(circuit, 1).terms[0] else { panic!("no contraction") };
            view.maps[0].offset = 0;
        }),
        ("depthwise channels exchanged", Step::Stack, |circuit| {
            let Term::Contract { view, .. } = &mut expr(circuit, 2).terms[0] else { panic!("no contraction") };
            view.maps[2].offset = 2;
            view.maps[2].coefficients[2] = -1;
        }),
        ("residual dropped", Step::Stack, |circuit| {
            expr(circuit, 2).terms.pop();
        }),
        ("product negated", Step::Stack, |circuit| {
            let Term::Product { coefficient, .. } = &mut expr(circuit, 4).terms[0] else { panic!("no product") };
            *coefficient = -3;
        }),
        ("square instead of a product", Step::Stack, |circuit| {
            let Term::Product { right, .. } = &mut expr(circuit, 4).terms[0] else { panic!("no product") };
            right.source = 2;
        }),
        ("product dropped", Step::Stack, |circuit| {
            expr(circuit, 4).terms.remove(0);
        }),
        ("affine constant", Step::Stack, |circuit| expr(circuit, 5).constant = -6),
        ("affine term dropped", Step::Stack, |circuit| {
            expr(circuit, 5).terms.pop();
        }),
        ("affine sign", Step::Stack, |circuit| {
            let Term::Linear { coefficient, .. } = &mut expr(circuit, 5).terms[1] else { panic!("not linear") };
            *coefficient = 1;
        }),
        ("layer skipped", Step::LookupSum, |circuit| {
            circuit.nodes[3].op = Op::Lookup { source: 2, table: 0 };
        }),
        ("layer skipped by an addition", Step::Stack, |circuit| {
            let Term::Linear { view, .. } = &mut expr(circuit, 6).terms[0] else { panic!("not linear") };
            view.source = 4;
        }),
        ("table changed", Step::LookupSum, |circuit| {
            circuit.tables[0].values.iter_mut().for_each(|value| *value += 1);
        }),
        ("pooling window moved", Step::Stack, |circuit| {
            let Term::Linear { view, .. } = &mut expr(circuit, 7).terms[0] else { panic!("not linear") };
            view.maps[0].offset = 0;
        }),
    ];
    for (name, expected, change) in cases {
        let mut circuit = setting.circuit().clone();
        change(&mut circuit);
        let evaluation = setting.evaluate(circuit, None);
        assert_ne!(evaluation, setting.evaluation, "{name}: changes nothing");
        setting.refused(name, &setting.witness(&evaluation), &evaluation, expected);
    }
}

/// Nodes 2, 3 and 4 read node 1. One of them is given other cells than the rest.
#[test]
fn consumers_that_disagree() {
    let setting = Setting::new();
    let cells = &setting.evaluation.nodes[1];
    let other = setting.with_cells(1, cells.iter().map(|&cell| if cell > 0 { cell - 1 } else { cell + 1 }).collect());
    for consumer in [2, 3, 4] {
        let mut evaluation = setting.evaluation.clone();
        evaluation.accumulators[consumer] = other.accumulators[consumer].clone();
        let wrong = setting.with_cells(consumer, other.nodes[consumer].clone());
        // All after the consumer follows from what it says.
        for node in consumer..evaluation.nodes.len() {
            evaluation.nodes[node] = wrong.nodes[node].clone();
            if node > consumer {
                evaluation.accumulators[node] = wrong.accumulators[node].clone();
            }
        }
        let expected = if consumer == 3 { Step::LookupSum } else { Step::Stack };
        setting.refused("one consumer", &setting.witness(&evaluation), &evaluation, expected);
    }
}

#[test]
fn inputs_and_outputs() {
    let setting = Setting::new();
    let witness = setting.witness(&setting.evaluation);
    let prove = |change: &dyn Fn(&mut Statement)| {
        let mut statement = setting.statement(&setting.evaluation);
        change(&mut statement);
        verify(&setting.key, &setting.prover.argue(statement, &witness, &setting.evaluation).unwrap())
    };
    let refused = Err(VerifyError::Check(Step::Stack));
    let honest = setting.statement(&setting.evaluation);
    for (port, cells) in honest.outputs.iter().enumerate() {
        for cell in 0..cells.len() {
            let change = |statement: &mut Statement| {
                let value = &mut statement.outputs[port][cell];
                *value += if *value < 255 { 1 } else { -1 };
            };
            assert_eq!(prove(&change), refused, "output {port}, cell {cell}");
        }
    }
    for cell in 0..honest.inputs[0].len() {
        let change = |statement: &mut Statement| statement.inputs[0][cell] ^= 1;
        assert_eq!(prove(&change), refused, "input cell {cell}");
    }
    let other = honest.outputs[0].iter().position(|&value| value != honest.outputs[0][0]).unwrap();
    assert_eq!(prove(&|statement| statement.outputs[0].swap(0, other)), refused, "outputs swapped");
    let other = honest.inputs[0].iter().position(|&value| value != honest.inputs[0][0]).unwrap();
    assert_eq!(prove(&|statement| statement.inputs[0].swap(0, other)), refused, "inputs swapped");
    assert_eq!(prove(&|statement| statement.context.clear()), Ok(()), "the context is the caller's choice");

    // An output that the last layer's witness supports, but not its accumulators.
    let rescale = setting.rescale(9);
    let cells = &setting.evaluation.nodes[9];
    let cell = rescale.find(|_, offset, excess| excess == 0 && offset > 0);
    let mut evaluation = setting.with_cells(9, changed(cells, cell, cells[cell] - 1));
    let mut witness = setting.witness(&evaluation);
    rescale.set_offset(&mut witness, cell, rescale.parts(cell).1 - 1);
    setting.recount(&mut witness, &evaluation);
    setting.refused("output and its offset", &witness, &evaluation, Step::Stack);
    evaluation.accumulators[9][cell] -= 1 << rescale.shift;
    setting.refused("output, offset, accumulator", &setting.witness(&evaluation), &evaluation, Step::Stack);
}

#[test]
fn multiplicities() {
    let setting = Setting::new();
    let layout = setting.key.layout();
    for table in &layout.tables {
        let entries = 1usize << table.bits;
        let start = layout.columns[table.multiplicity].offset;
        let honest = setting.witness(&setting.evaluation);
        let used = (0..entries).find(|&entry| honest.stack[start + entry] != F::ZERO).unwrap();
        let mut cases: Vec<(&str, Witness)> = Vec::new();
        for (name, count) in [("one more", F::ONE), ("one less", -F::ONE), ("half of one more", F::TWO.inverse())] {
            let mut witness = honest.clone();
            witness.stack[start + used] += count;
            cases.push((name, witness));
        }
        let mut witness = honest.clone();
        witness.stack[start + used] = -witness.stack[start + used];
        cases.push(("negated", witness));
        if entries > 1 {
            let mut witness = honest.clone();
            witness.stack[start + used] -= F::ONE;
            witness.stack[start + (used + 1) % entries] += F::ONE;
            cases.push(("moved", witness));
        }
        let mut witness = honest.clone();
        witness.stack[start..start + entries].fill(F::ZERO);
        cases.push(("none", witness));
        for (name, witness) in cases {
            setting.refused(&format!("{:?}: {name}", table.kind), &witness, &setting.evaluation, Step::LookupSum);
        }
    }
}

/// Every committed column is constrained: no cell of any can be changed by one, counted or not.
#[test]
fn no_cell_is_free() {
    let setting = Setting::new();
    let layout = setting.key.layout();
    for (column, block) in layout.columns.iter().enumerate() {
        let last = block.rows * block.inner - 1;
        for cell in [0, last / 2, last] {
            let mut witness = setting.witness(&setting.evaluation);
            witness.stack[at(block, cell)] += F::ONE;
            assert!(setting.run(&witness, &setting.evaluation).is_err(), "column {column}, cell {cell}");
            let multiplicity = layout.tables.iter().any(|table| table.multiplicity == column);
            if !multiplicity {
                setting.recount(&mut witness, &setting.evaluation);
                assert!(setting.run(&witness, &setting.evaluation).is_err(), "column {column}, cell {cell}, counted");
            }
        }
    }
}

/// Cells between the valid ones of a row and the next power of two are not read: every claim's weights are zero there,
/// because equality weights are only taken over valid cells. Whatever they hold, the same statement is proven.
#[test]
fn padding_is_not_read() {
    let setting = Setting::new();
    let layout = setting.key.layout();
    let mut witness = setting.witness(&setting.evaluation);
    let mut padded = 0;
    for (column, block) in layout.columns.iter().enumerate() {
        for row in 0..block.rows {
            for o in block.inner..block.row_len() {
                witness.stack[block.offset + (row << block.log_inner) + o] = F::from_usize(1000 + column);
                padded += 1;
            }
        }
    }
    assert!(padded > 0, "the circuit has rows that are not a power of two");
    assert_eq!(setting.run(&witness, &setting.evaluation), Ok(()));
    // Nor does it help: the same padding does not save a wrong cell.
    let rescale = setting.rescale(1);
    rescale.set_remainder(&mut witness, 0, rescale.parts(0).0 ^ 1);
    assert!(setting.run(&witness, &setting.evaluation).is_err());
}

/// The same bytes whatever the number of threads.
#[test]
fn determinism() {
    let bytes = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let setting = Setting::new();
            let proof: Proof = setting.prover.prove(&setting.inputs, b"context").unwrap();
            [wire::encode(&setting.prover.prove_range().unwrap()), wire::encode(&proof)]
        })
    };
    let once = bytes(1);
    for threads in [1, 2, 3] {
        assert!(bytes(threads) == once, "{threads} threads");
    }
}
