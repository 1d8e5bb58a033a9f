//! Quotients, roots, maxima, selections and products with sums, against wide integers and the plainest loops.
use assay_circuits::eval::{quotient, root};
use assay_verifier::circuit::{
    CheckedCircuit, Circuit, Expr, Indices, Limits, Node, Op, Port, Range, Term, View, Weight,
};
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::{numbers, positions, read, run, views};

/// Values of all sizes up to the bound of expressions, its ends and zero among them.
fn values() -> impl Strategy<Value = i64> {
    let bound = 1i64 << 61;
    prop_oneof![
        Just(0),
        Just(bound - 1),
        Just(1 - bound),
        -9i64..10,
        -bound + 1..bound,
        (0u32..61).prop_map(|b| 1 << b)
    ]
}

/// A circuit of inputs, each of one range, and one relation, evaluated.
fn evaluate(inputs: &[(Range, &[i64])], node: Node, weights: &[(Weight, Vec<i16>)]) -> Vec<i64> {
    let port = |name: String, node: usize, len: u64| Port {
        name,
        node: node as u32,
        dims: vec![len as u32],
        order: vec![0],
        scale: 0,
    };
    let input = |(range, cells): &(Range, &[i64])| Node { rows: cells.len() as u32, inner: 1, op: Op::Input(*range) };
    let mut nodes: Vec<Node> = inputs.iter().map(input).collect();
    let ports = inputs.iter().enumerate().map(|(at, (_, cells))| port(format!("x{at}"), at, cells.len() as u64));
    let output = port("y".into(), nodes.len(), node.len());
    nodes.push(node);
    let circuit = Circuit {
        limb_bits: 8,
        weights: weights.iter().map(|(spec, _)| spec.clone()).collect(),
        tables: Vec::new(),
        nodes,
        inputs: ports.collect(),
        outputs: vec![output],
    };
    let checked = CheckedCircuit::new(circuit, &Limits::default()).expect("a valid circuit");
    let values = weights.iter().map(|(_, values)| values.clone()).collect();
    let cells: Vec<Vec<i64>> = inputs.iter().map(|(_, cells)| cells.to_vec()).collect();
    let mut evaluation = assay_circuits::eval::evaluate(&checked, &values, &cells).expect("inputs that fit");
    let (result, range) = (evaluation.nodes.pop().unwrap(), checked.range(inputs.len() as u32).unwrap());
    assert!(result.iter().all(|&cell| range.contains(cell)), "a value outside of what the check says");
    result
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(512) })]

    #[test]
    fn a_quotient_is_the_only_one(n in values(), d in prop_oneof![1i64..10, 1i64..1 << 40, Just(1 << 40)]) {
        let [q, above, lacking] = quotient(n, d).map(i128::from);
        let (n, d) = (i128::from(n), i128::from(d));
        prop_assert_eq!(n - d * q, above);
        prop_assert_eq!(d - 1 - (n - d * q), lacking);
        for (other, right) in [(q - 1, false), (q, true), (q + 1, false)] {
            let remainder = n - d * other;
            prop_assert_eq!(remainder >= 0 && d - 1 - remainder >= 0, right);
        }
    }

    #[test]
    fn a_root_is_the_only_one(n in values()) {
        let n = n.abs();
        let [r, above, lacking] = root(n).map(i128::from);
        let n = i128::from(n);
        prop_assert_eq!(n - r * r, above);
        prop_assert_eq!(r * r + 2 * r - n, lacking);
        for (other, right) in [(r - 1, false), (r, true), (r + 1, false)] {
            prop_assert_eq!(other >= 0 && n - other * other >= 0 && other * other + 2 * other - n >= 0, right);
        }
    }

    /// Next to squares, where a root in floating point goes wrong.
    #[test]
    fn roots_around_squares(r in 1i64..1 << 30) {
        prop_assert_eq!(root(r * r)[0], r);
        prop_assert_eq!(root(r * r - 1)[0], r - 1);
        prop_assert_eq!(root(r * r + 2 * r)[0], r);
    }

    #[test]
    fn quotients_of_cells(
        cells in prop::collection::vec((-1000i64..=1000, 1i64..=1000), 1..9),
        constant in -1i64 << 39..1 << 39,
        coefficient in -99i64..=99,
    ) {
        let (numerators, denominators): (Vec<i64>, Vec<i64>) = cells.iter().copied().unzip();
        let rows = cells.len() as u32;
        let view = View::identity(0, rows, 1);
        let numerator = Expr { constant, terms: vec![Term::Linear { coefficient, view }] };
        let op = Op::Quotient { numerator, denominator: View::identity(1, rows, 1) };
        let inputs = [
            (Range { low: -1000, high: 1000 }, &numerators[..]),
            (Range { low: 1, high: 1000 }, &denominators[..]),
        ];
        let floor = |(n, d): &(i64, i64)| {
            i64::try_from((i128::from(constant) + i128::from(coefficient * n)).div_euclid((*d).into())).unwrap()
        };
        let expected: Vec<i64> = cells.iter().map(floor).collect();
        prop_assert_eq!(evaluate(&inputs, Node { rows, inner: 1, op }, &[]), expected);
    }

    #[test]
    fn roots_of_cells(cells in prop::collection::vec(0i64..=1000, 1..9), coefficient in 0i64..1 << 40) {
        let rows = cells.len() as u32;
        let view = View::identity(0, rows, 1);
        let op = Op::Root(Expr { constant: 7, terms: vec![Term::Linear { coefficient, view }] });
        let result = evaluate(&[(Range { low: 0, high: 1000 }, &cells)], Node { rows, inner: 1, op }, &[]);
        for (cell, root) in cells.iter().zip(result) {
            let n = i128::from(coefficient) * i128::from(*cell) + 7;
            prop_assert!(i128::from(root).pow(2) <= n && n < (i128::from(root) + 1).pow(2));
        }
    }

    #[test]
    fn maxima_of_groups(
        rows in 1u32..5, window in 1u32..5, inner in 1u32..5, across: bool, seed in any::<u32>(), narrow: bool,
    ) {
        // Few values, so that there are ties.
        let cells = numbers(seed, rows * window * inner, if narrow { 1 } else { 1000 });
        let result = if across { 1 } else { inner };
        let node = Node { rows, inner: result, op: Op::Max { source: 0 } };
        let evaluation = run(rows * window, inner, node, Vec::new(), &Vec::new(), &cells);
        for row in 0..rows {
            for o in 0..result {
                let member = |k: u32, i: u32| cells[((row * window + k) * inner + i) as usize];
                let columns = if across { 0..inner } else { o..o + 1 };
                let members: Vec<i64> =
                    (0..window).flat_map(|k| columns.clone().map(move |i| (k, i))).map(|(k, i)| member(k, i)).collect();
                let largest = evaluation.nodes[1][(row * result + o) as usize];
                prop_assert!(members.contains(&largest) && members.iter().all(|&member| member <= largest));
            }
        }
    }

    #[test]
    fn selections_take_rows(
        words in prop::collection::vec(0i64..5, 1..7),
        inner in 1u32..5,
        coefficient in -9i64..=9,
        seed in any::<u32>(),
    ) {
        let table: Vec<i16> = numbers(seed, 5 * inner, 127).iter().map(|&weight| weight as i16).collect();
        let rows = words.len() as u32;
        let reversed: Vec<u32> = words.iter().rev().map(|&word| word as u32).collect();
        let select = |coefficient, indices| Term::Select { coefficient, weight: 0, indices };
        let terms = vec![select(coefficient, Indices::Input(0)), select(1, Indices::Constant(reversed.clone()))];
        let op = Op::Rescale { expr: Expr { constant: -3, terms }, shift: 0, low: -(1 << 30), bits: 32 };
        let weight = (Weight { outputs: 5, taps: 1, channels: inner, bits: 8 }, table.clone());
        let result = evaluate(&[(Range { low: 0, high: 4 }, &words)], Node { rows, inner, op }, &[weight]);
        let mut expected = Vec::new();
        for (&word, &other) in words.iter().zip(&reversed) {
            for o in 0..inner {
                let at = |row: u32| i64::from(table[(row * inner + o) as usize]);
                expected.push(coefficient * at(word as u32) + at(other) - 3);
            }
        }
        prop_assert_eq!(result, expected);
    }

    #[test]
    fn sums_of_products_follow_their_views(
        (rows, inner, left) in views(),
        offsets in (-2i64..3, -2i64..3),
        coefficient in -1i64 << 30..1 << 30,
        seed in any::<u32>(),
    ) {
        let cells = numbers(seed, rows * inner, 1000);
        let mut right = left.clone();
        right.maps[0].offset += offsets.0;
        right.maps[1].offset += offsets.1;
        right.maps[0].coefficients.reverse();
        let sums = |p: &Vec<i64>| -> i128 {
            let term = |s: u32| {
                let at = [p[0], p[1], s.into()];
                i128::from(read(&left, &cells, &at)) * i128::from(read(&right, &cells, &at))
            };
            (0..left.sum[0]).map(term).sum()
        };
        let expected: Vec<i64> = positions(&left.axes)
            .iter()
            .map(|p| i64::try_from(i128::from(coefficient) * sums(p) + 11).unwrap())
            .collect();
        let node = Node {
            rows: left.axes[0],
            inner: left.axes[1],
            op: Op::Rescale {
                expr: Expr { constant: 11, terms: vec![Term::Product { coefficient, left, right }] },
                shift: 20,
                low: -(1 << 32),
                bits: 33,
            },
        };
        let evaluation = run(rows, inner, node, Vec::new(), &Vec::new(), &cells);
        prop_assert_eq!(&evaluation.accumulators[1], &expected);
    }
}
