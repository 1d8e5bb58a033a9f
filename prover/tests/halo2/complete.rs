//! Honest witnesses satisfy all constraints, whatever the shape, the visibility and the values.
use std::collections::BTreeSet;

use assay_verifier::circuit::{Circuit, Expr, Node, Op, Range, Term, View};
use assay_verifier::halo2::shape::Visibility;

use crate::builder::{Builder, Without};
use crate::common::attention::attention;
use crate::common::{Numbers, inputs_of, kitchen_sink, port, weights_of};
use crate::samples::{Form, HIDDEN, OPEN, USUAL, evaluated, lay_out, mock_failures, witness};

const PRIVATE_INPUT: Visibility = Visibility { private_input: true, private_weights: false };
const PRIVATE_WEIGHTS: Visibility = Visibility { private_input: false, private_weights: true };

const FORMS: [Form; 7] = [
    Form { limb_bits: 6, lanes: 1, reads: 2, degree: 5, columns: 1, visibility: OPEN },
    Form { limb_bits: 7, lanes: 2, reads: 3, degree: 5, columns: 4, visibility: HIDDEN },
    Form { limb_bits: 8, lanes: 3, reads: 4, degree: 6, columns: 2, visibility: PRIVATE_INPUT },
    Form { limb_bits: 6, lanes: 3, reads: 5, degree: 7, columns: 7, visibility: PRIVATE_WEIGHTS },
    Form { limb_bits: 7, lanes: 1, reads: 6, degree: 8, columns: 3, visibility: OPEN },
    Form { limb_bits: 8, lanes: 2, reads: 7, degree: 9, columns: 5, visibility: HIDDEN },
    Form { limb_bits: 9, lanes: 5, reads: 7, degree: 9, columns: 8, visibility: OPEN },
];

/// All inputs at one end of their range.
fn extreme(circuit: &Circuit, high: bool) -> Vec<Vec<i64>> {
    let cells = |node: u32| {
        let node = &circuit.nodes[node as usize];
        let Op::Input(range) = node.op else { panic!("ports name inputs") };
        vec![if high { range.high } else { range.low }; node.len() as usize]
    };
    circuit.inputs.iter().map(|port| cells(port.node)).collect()
}

fn satisfied(name: &str, circuit: &Circuit, form: Form, seed: u64) {
    let mut numbers = Numbers(seed);
    let weights = weights_of(circuit, &mut numbers);
    let setting = lay_out(circuit, &weights, form);
    let inputs = match seed % 3 {
        0 => inputs_of(circuit, &mut numbers),
        1 => extreme(circuit, false),
        _ => extreme(circuit, true),
    };
    let failed = mock_failures(&setting, witness(&setting, &evaluated(&setting, &inputs)));
    assert_eq!(failed, BTreeSet::new(), "{name} {seed} {form:?}");
}

#[test]
fn all_relations() {
    for (form, seed) in FORMS.into_iter().zip(1..) {
        satisfied("kitchen sink", &kitchen_sink(7), form, seed);
        satisfied("attention", &attention(7), form, seed + 1);
    }
}

/// Weights at the ends of their ranges.
#[test]
fn extreme_weights() {
    for circuit in [kitchen_sink(7), attention(7)] {
        for high in [false, true] {
            let end = |bits: u8| if high { (1 << (bits - 1)) - 1 } else { -(1i32 << (bits - 1)) };
            let weights = circuit.weights.iter().map(|spec| vec![end(spec.bits) as i16; spec.len() as usize]).collect();
            let setting = lay_out(&circuit, &weights, USUAL);
            for inputs in [extreme(&circuit, false), extreme(&circuit, true)] {
                let failed = mock_failures(&setting, witness(&setting, &evaluated(&setting, &inputs)));
                assert_eq!(failed, BTreeSet::new(), "{high}");
            }
        }
    }
}

#[test]
fn random_circuits() {
    for seed in 0..6 {
        let circuit = Builder::new(seed, Without::default()).finish();
        let form = FORMS[seed as usize % FORMS.len()];
        satisfied("random", &circuit, Form { limb_bits: 9, visibility: OPEN, ..form }, seed);
        satisfied("random", &circuit, Form { limb_bits: 9, ..USUAL }, seed + 1);
    }
}

fn input(rows: u32, inner: u32, low: i64, high: i64) -> Node {
    Node { rows, inner, op: Op::Input(Range { low, high }) }
}

/// One input and one node after it.
fn single(first: Node, op: Op) -> Circuit {
    let Node { rows, inner, .. } = first;
    Circuit {
        limb_bits: 8,
        weights: Vec::new(),
        tables: Vec::new(),
        nodes: vec![first, Node { rows, inner, op }],
        inputs: vec![port("x", 0, &[rows, inner], &[0, 1])],
        outputs: vec![port("y", 1, &[rows, inner], &[0, 1])],
    }
}

/// A rescaled node with a remainder in more limbs than a lane has for it, saturated on both sides.
pub fn wide() -> Circuit {
    let terms = vec![Term::Linear { coefficient: 1 << 14, view: View::identity(0, 2, 3) }];
    let op = Op::Rescale { expr: Expr { constant: -77_777, terms }, shift: 20, low: -16, bits: 5 };
    single(input(2, 3, -2048, 2047), op)
}

#[test]
fn wide_remainders() {
    for (form, seed) in FORMS.into_iter().zip(0..) {
        satisfied("wide", &wide(), form, seed);
    }
}

/// Values far from the constant of their expression, which is the accumulator of cells that fill up a row.
#[test]
fn constants_out_of_range() {
    let terms = vec![Term::Linear { coefficient: 3, view: View::identity(0, 2, 2) }];
    for (constant, shift) in [(-30_000, 3), (-30_000, 0), (30_000, 6)] {
        let source = if constant < 0 { input(2, 2, 10_000, 10_010) } else { input(2, 2, -10_010, -10_000) };
        let op = Op::Rescale { expr: Expr { constant, terms: terms.clone() }, shift, low: -8, bits: 4 };
        for (form, seed) in FORMS.into_iter().zip(0..) {
            satisfied("constant", &single(source.clone(), op.clone()), form, seed);
        }
    }
}

/// Outputs that are inputs, moved inputs, and places outside of the source; an input of one value.
#[test]
fn outputs_that_are_not_computed() {
    let reversed =
        View { source: 0, axes: vec![4], sum: vec![], dims: vec![4], maps: vec![crate::common::map(4, &[-1])] };
    let moved = Op::Affine(Expr { constant: 0, terms: vec![Term::Linear { coefficient: 1, view: reversed }] });
    for high in [0, 1, 6, 255] {
        let mut circuit = single(input(1, 4, 0, high), moved.clone());
        circuit.outputs.push(port("same", 0, &[4, 1], &[0, 1]));
        circuit.outputs.push(port("again", 0, &[4, 1], &[0, 1]));
        for visibility in [OPEN, PRIVATE_INPUT] {
            for seed in 0..3 {
                satisfied("outputs", &circuit, Form { visibility, ..USUAL }, seed);
            }
        }
    }
}
