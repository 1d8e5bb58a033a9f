//! Witnesses with one deviation each, everything that follows from it redone, the counts of looked-up entries too. The gate that must refuse is
//! asserted: `copy` is a relation's sum that is not zero, or a cell that differs from the one it is a copy of.
use std::collections::BTreeSet;

use assay_circuits::eval::{Evaluation, rescale};
use assay_prover::halo2::circuit::Setting;
use assay_prover::halo2::layout::{Line, vector_len};
use assay_prover::halo2::program::{Kind, Source};
use assay_prover::halo2::witness::First;
use assay_verifier::circuit::{Circuit, Op, Term};

use crate::common::attention::{
    BELOW, EMBEDDED, EXPONENTIALS, LARGEST, MIXED, NORM, POOLED, QUERIES, SCORES, SOFTMAX, SUMS, WORDS, attention,
};
use crate::common::{Numbers, inputs_of, kitchen_sink, weights_of};
use crate::complete::wide;
use crate::gates::{failures, refused};
use crate::samples::{Form, HIDDEN, OPEN, USUAL, evaluated, lay_out, mock_failures, up_to, witness};

/// A circuit laid out, and what it computes.
struct Case {
    setting: Setting,
    evaluation: Evaluation,
    /// The last node, which is the output.
    node: usize,
}

impl Case {
    fn new(circuit: Circuit, node: usize, form: Form) -> Self {
        let circuit = up_to(circuit, node);
        let mut numbers = Numbers(11);
        let weights = weights_of(&circuit, &mut numbers);
        let inputs = inputs_of(&circuit, &mut numbers);
        let setting = lay_out(&circuit, &weights, form);
        let evaluation = evaluated(&setting, &inputs);
        let case = Self { setting, evaluation, node };
        case.fails("honest", case.honest(), &[]);
        assert_eq!(mock_failures(&case.setting, case.honest()), BTreeSet::new());
        case
    }

    fn honest(&self) -> First {
        witness(&self.setting, &self.evaluation)
    }

    fn cells(&self) -> &[i64] {
        &self.evaluation.nodes[self.node]
    }

    /// The witness of an evaluation in which one accumulator differs, and the result follows from it.
    fn accumulated(&self, cell: usize, value: i64) -> First {
        let Op::Rescale { shift, low, bits, .. } = self.setting.checked.circuit().nodes[self.node].op else {
            panic!("the last node is rescaled")
        };
        let mut evaluation = self.evaluation.clone();
        evaluation.accumulators[self.node][cell] = value;
        evaluation.nodes[self.node][cell] = rescale(value, shift, low, bits);
        witness(&self.setting, &evaluation)
    }

    fn block(&self, source: Source) -> u32 {
        let found = self.setting.program.blocks.iter().position(|block| block.source == source);
        found.unwrap_or_else(|| panic!("no block of {source:?}")) as u32
    }

    /// Lane and row of a cell of the last node.
    fn place(&self, cell: usize) -> (usize, usize) {
        self.at(self.block(Source::Node(self.node as u32)), cell)
    }

    fn at(&self, block: u32, cell: usize) -> (usize, usize) {
        self.setting.layout.cell(&self.setting.program, block, cell)
    }

    /// Adds to a cell of a block. The limbs of a number follow as far as they are wide enough.
    fn add(&self, first: &mut First, source: Source, cell: usize, difference: i64) {
        let block = self.block(source);
        let (lane, row) = self.at(block, cell);
        let lane = &mut first.lanes[lane];
        lane.values[row] += difference;
        let Kind::Number { low, bits, .. } = self.setting.program.blocks[block as usize].kind else { return };
        let limb_bits = self.setting.layout.shape.limb_bits;
        let value = (lane.values[row] - low) & ((1 << bits) - 1);
        for (slot, limbs) in (0..).zip(&mut lane.limbs) {
            limbs[row] = value >> (slot * limb_bits) & ((1 << limb_bits) - 1);
        }
    }

    /// Redoes copies and counts, and states the outputs that the cells say.
    fn follow(&self, first: &mut First) {
        let Setting { checked, program, layout, .. } = &self.setting;
        for (index, &output) in program.outputs.iter().enumerate() {
            first.instance[program.inputs + index] = first.at(layout, layout.place(program, output));
        }
        first.follow(checked, program, layout);
    }

    fn fails(&self, name: &str, first: First, gates: &[&str]) {
        let expected: BTreeSet<String> = gates.iter().map(|gate| (*gate).to_owned()).collect();
        assert_eq!(failures(&self.setting, &first), expected, "{name}");
    }

    /// Changes a witness, lets everything follow, and expects gates to fail.
    fn refused(&self, name: &str, gates: &[&str], change: impl Fn(&mut First)) {
        let mut first = self.honest();
        change(&mut first);
        self.follow(&mut first);
        self.fails(name, first, gates);
    }

    /// The same without anything following.
    fn refused_alone(&self, name: &str, gates: &[&str], change: impl Fn(&mut First)) {
        let mut first = self.honest();
        change(&mut first);
        self.fails(name, first, gates);
    }

    /// A cell whose value has room on both sides.
    fn inside(&self) -> usize {
        let range = self.setting.checked.range(self.node as u32).unwrap();
        let inside = |&value: &i64| value > range.low && value < range.high;
        let found = self.cells().iter().position(inside);
        found.unwrap_or_else(|| panic!("all cells of node {} are saturated: {:?}", self.node, self.cells()))
    }
}

/// Results and remainders of dense and depthwise contractions, selected rows, products, sums, and of a wide remainder.
#[test]
fn rescaled() {
    let hidden = Form { visibility: HIDDEN, ..USUAL };
    // With small biases, so that cells are not saturated.
    let mut convolutions = kitchen_sink(7);
    convolutions.weights[1].bits = 6;
    let mut narrow_values = wide();
    if let Op::Rescale { expr, .. } = &mut narrow_values.nodes[1].op
        && let Term::Linear { coefficient, .. } = &mut expr.terms[0]
    {
        *coefficient = 1 << 12;
    }
    let cases = [
        ("selections", Case::new(attention(7), EMBEDDED, USUAL)),
        ("dense", Case::new(attention(7), QUERIES, hidden)),
        ("scores", Case::new(attention(7), SCORES, USUAL)),
        ("few results", Case::new(attention(7), SUMS, USUAL)),
        ("mixed", Case::new(attention(7), MIXED, USUAL)),
        ("convolution", Case::new(convolutions.clone(), 1, USUAL)),
        ("depthwise", Case::new(convolutions.clone(), 2, hidden)),
        ("elementwise", Case::new(convolutions.clone(), 4, USUAL)),
        ("wide", Case::new(narrow_values, 1, USUAL)),
    ];
    for (name, case) in cases {
        let Op::Rescale { shift, .. } = case.setting.checked.circuit().nodes[case.node].op else { panic!() };
        let cell = case.inside();
        let accumulator = case.evaluation.accumulators[case.node][cell];
        let (lane, row) = case.place(cell);
        for difference in [1, -1] {
            let first = case.accumulated(cell, accumulator + (difference << shift));
            case.fails(&format!("{name}: result"), first, &["copy"]);
            case.fails(&format!("{name}: remainder"), case.accumulated(cell, accumulator + difference), &["copy"]);
            case.refused(&format!("{name}: value alone"), &["rescale"], |first| {
                first.lanes[lane].values[row] += difference;
            });
        }
        case.refused(&format!("{name}: limb"), &["rescale", "copy"], |first| {
            let limbs = &mut first.lanes[lane].limbs;
            let slot = if name == "wide" { 0 } else { 2 };
            limbs[slot][row] ^= 1;
        });
    }
}

/// Saturated cells that claim to be inside of their range or on the other side.
#[test]
fn saturated() {
    let cases = [("narrow", Case::new(kitchen_sink(7), 1, USUAL)), ("wide", Case::new(wide(), 1, USUAL))];
    for (name, case) in cases {
        let Op::Rescale { shift, low, bits, .. } = case.setting.checked.circuit().nodes[case.node].op else { panic!() };
        let (unit, high) = (1i64 << shift, low + (1 << bits) - 1);
        for (bound, side, other) in [(low, 1, 2), (high, 2, 1)] {
            let quotient = |cell: usize| (case.evaluation.accumulators[case.node][cell] + unit / 2) >> shift;
            let outside = |cell: &usize| if side == 1 { quotient(*cell) < low } else { quotient(*cell) > high };
            let cell = (0..case.cells().len()).find(outside).expect("a cell saturates");
            assert_eq!(case.cells()[cell], bound);
            let (lane, row) = case.place(cell);
            case.refused(&format!("{name}: unsaturated"), &["lookup"], |first| {
                (first.lanes[lane].sides[row], first.lanes[lane].values[row]) = (0, quotient(cell));
            });
            case.refused(&format!("{name}: other side"), &["lookup"], |first| {
                (first.lanes[lane].sides[row], first.lanes[lane].values[row]) = (other, low + high - bound);
            });
            case.refused(&format!("{name}: one inside"), &["rescale"], |first| {
                first.lanes[lane].values[row] += if side == 1 { 1 } else { -1 };
            });
            let wrapped =
                case.evaluation.accumulators[case.node][cell] + if side == 1 { unit << bits } else { -unit << bits };
            case.fails(&format!("{name}: wrapped"), case.accumulated(cell, wrapped), &["copy"]);
        }
    }
}

/// A remainder or result with one limb too large and the next one less: the same accumulator from limbs outside of their tables.
#[test]
fn limbs_outside_of_their_tables() {
    let case = Case::new(attention(7), QUERIES, USUAL);
    let cell = case.inside();
    let (lane, row) = case.place(cell);
    for direction in [1, -1] {
        case.refused_alone("remainder", &["lookup"], |first| {
            let lane = &mut first.lanes[lane];
            lane.limbs[0][row] += direction * 16;
            lane.limbs[2][row] -= direction;
            lane.values[row] -= direction;
            let value = lane.values[row];
            let (mut redone, limbs) = (first.clone(), first.clone());
            redone.lanes[0].limbs.iter_mut().for_each(|limbs| limbs.fill(0));
            redone.lanes[1].limbs.iter_mut().for_each(|limbs| limbs.fill(0));
            case.follow(&mut redone);
            assert_eq!(redone.lanes[case.place(cell).0].values[row], value);
            // Reads and outputs follow; counts stay as they were.
            (first.reads, first.instance) = (redone.reads, redone.instance);
            first.lanes = limbs.lanes;
        });
    }
}

#[test]
fn functions() {
    let case = Case::new(attention(7), EXPONENTIALS, USUAL);
    let (lane, row) = case.place(5);
    for difference in [1, -1] {
        case.refused("value", &["lookup"], |first| first.lanes[lane].sides[row] += difference);
    }
    // Another entry of the table.
    case.refused("argument", &["copy"], |first| {
        let table = &case.setting.checked.circuit().tables[0];
        let argument = table.low + 3;
        first.lanes[lane].limbs[3][row] = argument;
        first.lanes[lane].sides[row] = table.values[3].into();
    });
}

/// Quotients and roots off by one, with brackets that are adjusted in the integers or within their range.
#[test]
fn brackets() {
    for (name, case) in
        [("quotient", Case::new(attention(7), SOFTMAX, USUAL)), ("root", Case::new(attention(7), NORM, USUAL))]
    {
        let node = case.node as u32;
        let half = case.evaluation.accumulators[case.node].len() / 2;
        let cell = (0..half).find(|&cell| case.cells()[cell] > 2).expect("a cell is large");
        let [above, lacking] = [0, half].map(|at| case.evaluation.accumulators[case.node][at + cell]);
        let y = case.cells()[cell];
        for difference in [1, -1] {
            case.refused(&format!("{name}: alone"), &["copy"], |first| {
                case.add(first, Source::Node(node), cell, difference);
            });
            // What the relations ask for, of which one part is negative.
            let (to_above, to_lacking) = if name == "root" {
                let above_new = above + y * y - (y + difference) * (y + difference);
                (above_new - above, 2 * (y + difference) - above_new - lacking)
            } else {
                let divisor = above + lacking + 1;
                (-difference * divisor, difference * divisor)
            };
            assert!(above + to_above < 0 || lacking + to_lacking < 0);
            case.refused(&format!("{name}: negative"), &["number"], |first| {
                case.add(first, Source::Node(node), cell, difference);
                case.add(first, Source::Above(node), cell, to_above);
                case.add(first, Source::Lacking(node), cell, to_lacking);
            });
            case.refused(&format!("{name}: above and lacking"), &["copy"], |first| {
                let towards = if above == 0 { 1 } else { -1 };
                case.add(first, Source::Above(node), cell, towards);
                case.add(first, Source::Lacking(node), cell, -towards);
            });
        }
    }
}

/// A maximum that is a member but not the largest, one that is no member, and flags that are not on a cell that equals it.
#[test]
fn maxima() {
    for (name, node) in [("across", LARGEST), ("window", POOLED)] {
        let case = Case::new(attention(7), node, USUAL);
        let (largest, below) = (Source::Node(node as u32), Source::BelowLargest(node as u32));
        let block = case.block(below);
        let Kind::Number { flagged: count, .. } = case.setting.program.blocks[block as usize].kind else { panic!() };
        let count = count as usize;
        let honest = case.honest();
        let value = |cell: usize| {
            let (lane, row) = case.at(block, cell);
            honest.lanes[lane].values[row]
        };
        let flag = |first: &mut First, cell: usize, flag: i64| {
            let (lane, row) = case.at(block, cell);
            first.lanes[lane].sides[row] = flag;
        };
        // A group whose members differ.
        let group = (0..case.cells().len()).find(|group| (group * count..).take(count).any(|cell| value(cell) > 0));
        let group = group.expect("the cells of a group differ");
        let members = group * count..(group + 1) * count;
        let zero = members.clone().find(|&cell| value(cell) == 0).expect("one is the largest");
        let lower =
            members.clone().filter(|&cell| value(cell) > 0).min_by_key(|&cell| value(cell)).expect("they differ");
        let raise = |first: &mut First, difference: i64| {
            case.add(first, largest, group, difference);
            members.clone().for_each(|cell| case.add(first, below, cell, difference));
        };
        case.refused(&format!("{name}: alone"), &["copy"], |first| case.add(first, largest, group, 1));
        case.refused(&format!("{name}: above all"), &["copy"], |first| {
            raise(first, 1);
            flag(first, zero, 0);
        });
        case.refused(&format!("{name}: above all, still flagged"), &["number"], |first| raise(first, 1));
        case.refused(&format!("{name}: another member"), &["number"], |first| {
            raise(first, -value(lower));
            flag(first, zero, 0);
            flag(first, lower, 1);
        });
        case.refused(&format!("{name}: none flagged"), &["copy"], |first| flag(first, zero, 0));
        case.refused(&format!("{name}: another flagged"), &["number"], |first| {
            flag(first, zero, 0);
            flag(first, lower, 1);
        });
        case.refused(&format!("{name}: no flag"), &["lookup", "copy"], |first| flag(first, zero, 2));
    }
}

#[test]
fn sums() {
    for (name, case) in
        [("affine", Case::new(attention(7), BELOW, USUAL)), ("three terms", Case::new(kitchen_sink(7), 5, USUAL))]
    {
        for difference in [1, -1] {
            case.refused(name, &["copy"], |first| case.add(first, Source::Node(case.node as u32), 4, difference));
        }
    }
}

/// The row of another word than the input says, and forged counts of rows.
#[test]
fn selections() {
    let case = Case::new(attention(7), EMBEDDED, USUAL);
    let word = case.evaluation.nodes[0][1];
    let other = (word + 1) % i64::from(WORDS);
    let row = |word: i64| &case.setting.weights[0][word as usize * 6..][..6];
    let mut evaluation = case.evaluation.clone();
    let Op::Rescale { shift, low, bits, .. } = case.setting.checked.circuit().nodes[EMBEDDED].op else { panic!() };
    for o in 0..6 {
        let accumulator = &mut evaluation.accumulators[EMBEDDED][6 + o];
        *accumulator += i64::from(row(other)[o]) - i64::from(row(word)[o]);
        evaluation.nodes[EMBEDDED][6 + o] = rescale(*accumulator, shift, low, bits);
    }
    let mut first = witness(&case.setting, &evaluation);
    for o in 0..6 {
        let difference = i64::from(row(other)[o]) - i64::from(row(word)[o]);
        case.add(&mut first, Source::Selected { weight: 0, input: 0 }, 6 + o, difference);
    }
    case.follow(&mut first);
    case.fails("another row", first.clone(), &["copy"]);
    let counts = case.setting.layout.members[0] + 4;
    first.reads[1][counts + word as usize] += 1;
    first.reads[1][counts + other as usize] -= 1;
    case.fails("another row, counts forged", first, &["copy"]);
    for output in 0..WORDS as usize {
        case.refused_alone("counts", &["copy"], |first| first.reads[1][counts + output] -= 1);
    }
}

/// Public values, hidden columns and copies that differ from what they are copies of.
#[test]
fn copies() {
    for visibility in [OPEN, HIDDEN] {
        let case = Case::new(attention(7), QUERIES, Form { visibility, ..USUAL });
        for position in 0..case.honest().instance.len() {
            case.refused_alone("public value", &["copy"], |first| first.instance[position] += 1);
        }
        if visibility == HIDDEN {
            case.refused_alone("private input", &["copy"], |first| first.inputs[0][0] ^= 1);
            let (lane, row) = case.at(case.block(Source::Node(0)), 2);
            case.refused_alone("value of a private input", &["copy", "number"], |first| {
                first.lanes[lane].values[row] += 1;
            });
            for column in 0..case.setting.layout.shape.weights.into() {
                case.refused_alone("private weight", &["copy"], |first| first.weights[column][0] += 1);
            }
        }
        for column in 0..case.setting.layout.shape.reads.into() {
            for &row in case.setting.layout.runs.iter().step_by(5) {
                case.refused_alone("read", &["copy"], |first| first.reads[column][row] += 1);
            }
        }
    }
}

/// A private input outside of its range, which is no power of two.
#[test]
fn private_inputs_out_of_range() {
    let case = Case::new(attention(7), EMBEDDED, Form { visibility: HIDDEN, ..USUAL });
    let mut numbers = Numbers(1);
    for cell in 0..4 {
        let honest = case.evaluation.nodes[0][cell];
        let outside = if numbers.below(2) == 0 { i64::from(WORDS) } else { -1 };
        let mut first = case.honest();
        case.add(&mut first, Source::Node(0), cell, outside - honest);
        case.add(&mut first, Source::Below { node: 0, high: i64::from(WORDS) - 1 }, cell, honest - outside);
        let Setting { program, layout, .. } = &case.setting;
        // Members cannot be counted for a word that there is none of: only what is copied is redone.
        let (lane, row) = case.at(case.block(Source::Node(0)), cell);
        let value = first.lanes[lane].values[row];
        assert_eq!(value, outside);
        assert!(first.at(layout, layout.place(program, program.private[cell])) == outside);
        let failed = failures(&case.setting, &first);
        assert!(failed.contains("number"), "{cell}: {failed:?}");
    }
}

/// Cells that fill up the first row of a vector of private weights would weigh what belongs to other rows of the result.
#[test]
fn padding_of_private_weights() {
    let hidden = Form { visibility: HIDDEN, ..USUAL };
    let mut tried = 0;
    for case in [Case::new(kitchen_sink(7), 1, hidden), Case::new(kitchen_sink(7), 2, hidden)] {
        let Setting { checked, program, layout, .. } = &case.setting;
        let columns = usize::from(layout.shape.weights);
        for (vector, &row) in program.vectors.iter().zip(&layout.vectors) {
            let len = vector_len(&checked.circuit().weights[vector.weight as usize], vector);
            for column in 0..len.next_multiple_of(columns) - len {
                let mut first = case.honest();
                first.weights[column][row] = 5;
                assert!(failures(&case.setting, &first).contains("padding of weights"), "{vector:?}, column {column}");
                tried += 1;
                if tried % 4 == 0 {
                    break;
                }
            }
            if tried > 12 {
                break;
            }
        }
    }
    assert!(tried > 0, "no vector has padding");
}

/// What is done to a column.
type Change = Box<dyn Fn(&mut First)>;

/// Any cell of a first-phase column, changed by itself, in any row that holds something.
#[test]
fn every_column() {
    let case = Case::new(kitchen_sink(7), 4, USUAL);
    let layout = &case.setting.layout;
    let used: Vec<usize> = layout.blocks.iter().map(|first| first + 1).collect();
    let mut changes: Vec<(String, Change)> = Vec::new();
    for lane in 0..usize::from(layout.shape.lanes) {
        for slot in 0..4 {
            let row = used[(lane + slot) % used.len()];
            changes.push((
                format!("limb {slot} of lane {lane}"),
                Box::new(move |first| first.lanes[lane].limbs[slot][row] += 1),
            ));
        }
        for &row in &used {
            changes.push((format!("side of {lane}, {row}"), Box::new(move |first| first.lanes[lane].sides[row] += 1)));
        }
    }
    for table in 0..usize::from(layout.shape.tables) {
        for row in [0, layout.rows / 2, layout.rows - 1] {
            changes.push((format!("count {table}, {row}"), Box::new(move |first| first.counts[table][row] += 1)));
        }
    }
    for (name, change) in changes {
        let mut first = case.honest();
        change(&mut first);
        assert!(refused(&case.setting, &first), "{name}");
    }
}

/// The mock prover finds the same gates.
#[test]
fn the_mock_prover_agrees() {
    let case = Case::new(kitchen_sink(7), 2, Form { visibility: HIDDEN, ..USUAL });
    let (lane, row) = case.place(case.inside());
    let changes: [Change; 7] = [
        Box::new(|_| {}),
        Box::new(move |first| first.lanes[lane].values[row] += 1),
        Box::new(move |first| first.lanes[lane].limbs[2][row] ^= 1),
        Box::new(move |first| first.lanes[lane].sides[row] += 1),
        Box::new(|first| first.reads[1][3] += 1),
        Box::new(|first| first.weights[0][1] += 1),
        Box::new(|first| first.counts[0][0] += 1),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut first = case.honest();
        change(&mut first);
        assert_eq!(failures(&case.setting, &first), mock_failures(&case.setting, first), "change {number}");
    }
}

/// Values are the only cells of a lane that are not looked up; those that are copied from are bound by their gates or equations.
#[test]
fn every_block() {
    let case = Case::new(attention(7), POOLED, USUAL);
    for (id, block) in case.setting.program.blocks.iter().enumerate() {
        let (lane, row) = case.at(id as u32, block.len - 1);
        let mut first = case.honest();
        let place = case.setting.layout.place(
            &case.setting.program,
            assay_prover::halo2::program::Value::Cell { block: id as u32, index: block.len as u32 - 1 },
        );
        match place.line {
            Line::Side(_) => first.lanes[lane].sides[row] += 1,
            _ => first.lanes[lane].values[row] += 1,
        }
        assert!(refused(&case.setting, &first), "{:?}", block.source);
    }
}
