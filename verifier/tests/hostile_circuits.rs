//! Hostile descriptions: an error for each, no panic, and no more memory than they justify.
mod support;

use assay_verifier::circuit::{AxisMap, CheckedCircuit, Circuit, CircuitError, Expr, Limits, Node, Op, Port, Range};
use assay_verifier::circuit::{Indices, Term, View, Weight};
use assay_verifier::sumcheck::key::{CheckedKey, Key, KeyError};
use support::{allocated, alone};

/// One input that is read by one affine node.
fn reading(view: View, [rows, inner]: [u32; 2]) -> Circuit {
    let expr = Expr { constant: 0, terms: vec![Term::Linear { coefficient: 1, view }] };
    let port = |name: &str, node, dims: Vec<u32>| Port { name: name.into(), node, dims, order: vec![0, 1], scale: 0 };
    Circuit {
        limb_bits: 8,
        weights: Vec::new(),
        tables: Vec::new(),
        nodes: vec![
            Node { rows: 1, inner: 1, op: Op::Input(Range { low: 0, high: 1 }) },
            Node { rows, inner, op: Op::Affine(expr) },
        ],
        inputs: vec![port("x", 0, vec![1, 1])],
        outputs: vec![port("y", 1, vec![rows, inner])],
    }
}

/// A view on the input cell, with all coefficients zero.
fn view(axes: Vec<u32>, sum: Vec<u32>, dims: Vec<u32>) -> View {
    let coefficients = vec![0; axes.len() + sum.len()];
    let maps = dims.iter().map(|_| AxisMap::affine(0, coefficients.clone())).collect();
    View { source: 0, axes, sum, dims, maps }
}

fn check(circuit: Circuit) -> Result<(), CircuitError> {
    let (result, used) = allocated(|| CheckedCircuit::new(circuit, &Limits::default()).map(|_| ()));
    assert!(used < 64 << 20, "{used} bytes");
    result
}

/// Descriptions of a few bytes that ask for much.
#[test]
fn hostile_circuits() {
    let _alone = alone();
    let unfit = Err(CircuitError::Node { node: 1, reason: "a view does not fit its shapes, or is too large" });
    assert_eq!(check(reading(view(vec![2, 2], vec![], vec![1]), [2, 2])), Ok(()), "the tests' circuits are circuits");
    assert_eq!(check(reading(view(vec![1, 1], vec![u32::MAX, 0], vec![1]), [1, 1])), unfit, "an empty axis");
    assert_eq!(check(reading(view(vec![1, 1], vec![0, u32::MAX], vec![1]), [1, 1])), unfit, "an empty axis");
    assert_eq!(check(reading(view(vec![1, 1], vec![u32::MAX; 4], vec![1]), [1, 1])), unfit, "a huge sum");
    assert_eq!(check(reading(view(vec![1, 1], vec![], vec![1; 100_000]), [1, 1])), unfit, "many axes of the source");
    assert_eq!(check(reading(view(vec![1; 1000], vec![], vec![1]), [1, 1])), unfit, "many axes of the result");
    assert_eq!(check(reading(view(vec![1], vec![1; 1000], vec![1]), [1, 1])), unfit, "many summed axes");
    let many = view(vec![1 << 23, 1], vec![], vec![1; 16]);
    assert_eq!(check(reading(many, [1 << 23, 1])), unfit, "coordinates of many rows");
    let cells = Err(CircuitError::Limit { what: "cells", limit: 1 << 25 });
    assert_eq!(check(reading(view(vec![u32::MAX, 2], vec![], vec![1]), [u32::MAX, 2])), cells);
    assert_eq!(check(reading(view(vec![u32::MAX, u32::MAX], vec![], vec![1]), [u32::MAX, u32::MAX])), cells);

    // Each term costs little memory but reads a whole tensor.
    let mut circuit = reading(view(vec![1, 1 << 20], vec![], vec![1]), [1, 1 << 20]);
    let Op::Affine(expr) = &mut circuit.nodes[1].op else { panic!("affine") };
    expr.terms = vec![expr.terms[0].clone(); 300];
    assert_eq!(check(circuit), Err(CircuitError::Node { node: 1, reason: "views read too many cells" }));

    // Weights as large as a description can say.
    for [outputs, taps, channels] in [[u32::MAX; 3], [1, u32::MAX, 3], [1 << 31, 1, 1], [1, 1, u32::MAX]] {
        let mut circuit = reading(view(vec![1, 1], vec![], vec![1]), [1, 1]);
        circuit.weights = vec![Weight { outputs, taps, channels, bits: 8 }];
        assert_eq!(check(circuit), Err(CircuitError::Limit { what: "weights", limit: 1 << 28 }));
    }

    // More items than the limits.
    let mut circuit = reading(view(vec![1, 1], vec![], vec![1]), [1, 1]);
    circuit.nodes.resize(20_000, circuit.nodes[1].clone());
    assert_eq!(check(circuit), Err(CircuitError::Limit { what: "nodes", limit: 1 << 14 }));

    // Numbers at the ends of their types.
    for offset in [i64::MIN, i64::MAX, (1 << 31) + 1] {
        let mut circuit = reading(view(vec![1, 1], vec![], vec![1]), [1, 1]);
        let Op::Affine(Expr { terms, .. }) = &mut circuit.nodes[1].op else { panic!("affine") };
        let Term::Linear { view, .. } = &mut terms[0] else { panic!("linear") };
        view.maps[0].offset = offset;
        assert_eq!(check(circuit), unfit, "offset {offset}");
    }
    for coefficient in [i64::MIN, i64::MAX, 1 << 61] {
        let mut circuit = reading(view(vec![1, 1], vec![], vec![1]), [1, 1]);
        let Op::Affine(Expr { terms, .. }) = &mut circuit.nodes[1].op else { panic!("affine") };
        let Term::Linear { coefficient: factor, .. } = &mut terms[0] else { panic!("linear") };
        *factor = coefficient;
        assert_eq!(check(circuit), Err(CircuitError::Overflow { node: 1 }), "coefficient {coefficient}");
    }
}

/// A circuit within all limits whose witness is larger than the security parameters carry.
#[test]
fn witness_beyond_the_parameters() {
    let _alone = alone();
    let [rows, inner] = [1 << 12; 2];
    let mut circuit = reading(view(vec![rows, inner], vec![], vec![1]), [rows, inner]);
    let Op::Affine(expr) = circuit.nodes[1].op.clone() else { panic!("affine") };
    // Thirteen columns of 2^24 cells.
    circuit.limb_bits = 4;
    circuit.nodes[1].op = Op::Rescale { expr, shift: 8, low: 0, bits: 40 };
    let key = Key { circuit, weights: Vec::new(), range: None };
    let (result, used) = allocated(|| CheckedKey::new(&key, &Limits::default()));
    assert_eq!(result.err(), Some(KeyError::Parameters));
    assert!(used < 128 << 20, "{used} bytes");
}

/// One output of a product with weights: as many tensors of `2^19` channels as asked, of some outputs each.
fn products(outputs: u32, tensors: u32) -> Key {
    let channels = 1 << 19;
    let mut circuit = reading(view(vec![1, 1], vec![], vec![1]), [1, outputs]);
    circuit.nodes[0] = Node { rows: 1, inner: channels, op: Op::Input(Range { low: 0, high: 1 }) };
    circuit.inputs[0].dims = vec![1, channels];
    circuit.weights = vec![Weight { outputs, taps: 1, channels, bits: 2 }; tensors as usize];
    let maps = vec![AxisMap::affine(0, vec![0, 0, 1])];
    let view = View { source: 0, axes: vec![1, outputs], sum: vec![channels], dims: vec![channels], maps };
    let term = |weight| Term::Contract { coefficient: 1, weight, view: view.clone() };
    let expr = Expr { constant: 0, terms: (0..tensors).map(term).collect() };
    circuit.nodes[1].op = Op::Rescale { expr, shift: 20, low: -128, bits: 8 };
    let stacks = assay_verifier::sumcheck::weights::WeightStacks::new(&circuit);
    let commitment = |members: &Vec<usize>| assay_verifier::sumcheck::key::WeightCommitment {
        root: [0; 32],
        stated: vec![Default::default(); members.len()],
    };
    Key { weights: stacks.members.iter().map(commitment).collect(), circuit, range: None }
}

/// Each stack of weights is opened with an error of its own; together they must leave enough.
#[test]
fn weights_beyond_the_parameters() {
    let _alone = alone();
    let check =
        |outputs, tensors| CheckedKey::without_range(&products(outputs, tensors), &Limits::default()).map(|_| ()).err();
    assert_eq!(check(8, 60), None, "fifteen stacks of the largest size");
    assert_eq!(check(8, 64), Some(KeyError::Soundness), "sixteen");
    assert_eq!(check(256, 1), Some(KeyError::Parameters), "a tensor larger than the largest stack");
}

/// A circuit of one input that one other node reads.
fn relation(input: [u32; 2], range: Range, [rows, inner]: [u32; 2], op: Op) -> Circuit {
    let mut circuit = reading(view(vec![rows, inner], vec![], vec![1]), [rows, inner]);
    circuit.nodes[0] = Node { rows: input[0], inner: input[1], op: Op::Input(range) };
    circuit.inputs[0].dims = input.to_vec();
    circuit.nodes[1].op = op;
    circuit
}

fn rescale(terms: Vec<Term>) -> Op {
    Op::Rescale { expr: Expr { constant: 0, terms }, shift: 8, low: -128, bits: 8 }
}

fn fault(reason: &'static str) -> Result<(), CircuitError> {
    Err(CircuitError::Node { node: 1, reason })
}

/// Axes that a product's views share are worked out only once they are known to be those of the node.
#[test]
fn products_of_huge_axes() {
    let _alone = alone();
    let one = Range { low: 0, high: 1 };
    let unfit = fault("a view does not fit its shapes, or is too large");
    for axes in [vec![1 << 28, 1], vec![u32::MAX, 1], vec![1, 1 << 28, 1], vec![u32::MAX, u32::MAX, 1]] {
        let side = view(axes, vec![], vec![1]);
        let term = Term::Product { coefficient: 1, left: side.clone(), right: side };
        assert_eq!(check(relation([1, 1], one, [1, 1], rescale(vec![term]))), unfit);
    }
    // The first view fits, the other one does not say the same.
    let left = view(vec![1, 1], vec![2], vec![1]);
    let right = view(vec![1, 1], vec![1, 2], vec![1]);
    let term = Term::Product { coefficient: 1, left, right };
    let other = fault("a product of views with other axes");
    assert_eq!(check(relation([1, 1], one, [1, 1], rescale(vec![term]))), other);
}

/// Terms of a few bytes each that make claims with many weights: passing axes, selections by one input, index tables.
#[test]
fn many_terms_on_long_axes() {
    let _alone = alone();
    let too_many = fault("views read too many cells");
    let bits = Range { low: 0, high: 1 };

    let length = 1 << 20;
    let maps = vec![AxisMap::affine(0, vec![0, 0, 1])];
    let sum = View { source: 0, axes: vec![1, 1], sum: vec![length], dims: vec![length], maps };
    let terms = vec![Term::Linear { coefficient: 1, view: sum }; 256];
    assert_eq!(check(relation([1, length], bits, [1, 1], rescale(terms))), too_many, "summed axes that pass");

    let rows = 1 << 14;
    let term = Term::Select { coefficient: 1, weight: 0, indices: Indices::Input(0) };
    let mut circuit = relation([rows, 1], bits, [rows, 1], rescale(vec![term; 1 << 13]));
    circuit.weights = vec![Weight { outputs: 2, taps: 1, channels: 1, bits: 2 }];
    assert_eq!(check(circuit), too_many, "selections");

    let inner = 1 << 16;
    let side = View::identity(0, 1, inner);
    let term = Term::Product { coefficient: 1, left: side.clone(), right: side };
    let circuit = relation([1, inner], bits, [1, inner], rescale(vec![term; 1 << 10]));
    let (result, used) = allocated(|| CheckedCircuit::new(circuit, &Limits::default()).map(|_| ()));
    assert_eq!(result, too_many, "products that pass");
    assert!(used < 1 << 30, "{used} bytes");
}

/// What quotients, roots, maxima and selections cannot be.
#[test]
fn relations_that_do_not_fit() {
    let _alone = alone();
    let positive = Range { low: 1, high: 100 };
    let cell = |coefficient| Term::Linear { coefficient, view: View::identity(0, 1, 1) };
    let expr = |constant, coefficient| Expr { constant, terms: vec![cell(coefficient)] };
    let quotient = |numerator, denominator| Op::Quotient { numerator, denominator };
    let one = |range, op| check(relation([1, 1], range, [1, 1], op));
    let identity = || View::identity(0, 1, 1);

    assert_eq!(one(positive, quotient(expr(0, 1), identity())), Ok(()), "the tests' quotients are quotients");
    let wide = fault("a quotient of values that are too wide, or a denominator that is not positive");
    for low in [0, -1, -100] {
        assert_eq!(one(Range { low, high: 100 }, quotient(expr(0, 1), identity())), wide, "denominators from {low} on");
    }
    assert_eq!(one(positive, quotient(expr(0, 1 << 41), identity())), wide, "a quotient of more than 40 bits");
    let top = Range { low: (1 << 41) + 1, high: (1 << 41) + 2 };
    assert_eq!(one(top, quotient(expr(0, 1), identity())), wide, "a remainder of more than 40 bits");
    let padded = View { maps: vec![AxisMap::affine(0, vec![1, 0]), AxisMap::affine(1, vec![0, 1])], ..identity() };
    let summed = view(vec![1, 1], vec![1], vec![1]);
    let table = View {
        maps: vec![AxisMap { table: vec![1], ..AxisMap::affine(0, vec![0, 0]) }, AxisMap::affine(0, vec![0, 1])],
        ..identity()
    };
    for denominator in [padded, summed, table] {
        let reason = fault("a denominator with summed axes or padding");
        assert_eq!(one(positive, quotient(expr(0, 1), denominator)), reason);
    }
    // The multiple of the denominator may pass the bound for a committed quotient that is not the right one.
    let denominators = Range { low: 1, high: 1 << 25 };
    let wrapped = one(denominators, quotient(expr((1 << 39) + 1, 1), identity()));
    assert_eq!(wrapped, Err(CircuitError::Overflow { node: 1 }), "2^25 times 2^40 passes the bound");

    assert_eq!(one(positive, Op::Root(expr(0, 1))), Ok(()), "the tests' roots are roots");
    let wide = fault("a root of values that are too wide, or negative");
    assert_eq!(one(positive, Op::Root(expr(-2, 1))), wide, "a negative radicand");
    let huge = Range { low: 0, high: (1 << 61) - 1 };
    assert_eq!(one(huge, Op::Root(expr(0, 1))), Err(CircuitError::Overflow { node: 1 }), "a square beyond the bound");

    let maximum = |input, result, range| check(relation(input, range, result, Op::Max { source: 0 }));
    let narrow = Range { low: -1, high: (1 << 16) - 2 };
    assert_eq!(maximum([6, 3], [2, 3], narrow), Ok(()), "the tests' maxima are maxima");
    assert_eq!(maximum([6, 3], [2, 1], narrow), Ok(()), "also across");
    let fit = fault("a maximum whose groups do not fit the source, or of values that are too wide");
    assert_eq!(maximum([6, 3], [2, 3], Range { low: -2, high: (1 << 16) - 2 }), fit, "a span of 2^16");
    for result in [[4, 3], [12, 3], [2, 2], [2, 4], [7, 1]] {
        assert_eq!(maximum([6, 3], result, narrow), fit, "{result:?}");
    }
    assert_eq!(maximum([1 << 15, 3], [1, 1], narrow), fit, "more than 2^16 in a group");
    let itself = Op::Max { source: 1 };
    assert_eq!(one(positive, itself), fault("source is not an earlier node"));

    let select = |outputs, taps, channels, indices| {
        let term = Term::Select { coefficient: 1, weight: 0, indices };
        let mut circuit = relation([2, 1], Range { low: 0, high: 3 }, [2, 3], rescale(vec![term]));
        circuit.weights = vec![Weight { outputs, taps, channels, bits: 4 }];
        check(circuit)
    };
    assert_eq!(select(4, 1, 3, Indices::Input(0)), Ok(()), "the tests' selections are selections");
    assert_eq!(select(4, 1, 3, Indices::Constant(vec![3, 0])), Ok(()));
    let fit = fault("a selection does not fit its weight");
    assert_eq!(select(3, 1, 3, Indices::Input(0)), fit, "indices beyond the table");
    assert_eq!(select(4, 3, 1, Indices::Input(0)), fit, "taps");
    assert_eq!(select(4, 1, 2, Indices::Input(0)), fit, "another inner length");
    assert_eq!(select(4, 1, 3, Indices::Input(1)), fit, "not an input");
    assert_eq!(select(4, 1, 3, Indices::Input(9)), fit, "no such node");
    assert_eq!(select(4, 1, 3, Indices::Constant(vec![0, 4])), fit, "a row that is not there");
    assert_eq!(select(4, 1, 3, Indices::Constant(vec![0])), fit, "too few rows");
    assert_eq!(select(4, 1, 3, Indices::Constant(vec![0; 3])), fit, "too many rows");

    let affine = Op::Affine(Expr {
        constant: 0,
        terms: vec![Term::Select { coefficient: 1, weight: 0, indices: Indices::Constant(vec![0]) }],
    });
    assert_eq!(one(positive, affine), fault("an affine node with terms that are not linear"));
}
