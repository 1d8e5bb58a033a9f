//! Does the evaluation follow the definitions, cell by cell?
mod relations;

use assay_circuits::eval::{Evaluation, Weights, evaluate, rescale};
use assay_verifier::circuit::{
    AxisMap, CheckedCircuit, Circuit, Expr, Limits, Node, Op, Port, Range, Table, Term, View, Weight,
};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// `clamp(floor((value + 2^(shift-1)) / 2^shift))` in wide integers, by division.
fn rescale_by_definition(value: i64, shift: u8, low: i64, bits: u8) -> i64 {
    let (divisor, half) = (1i128 << shift, if shift == 0 { 0 } else { 1i128 << (shift - 1) });
    let quotient = (i128::from(value) + half).div_euclid(divisor);
    quotient.clamp(low.into(), i128::from(low) + (1i128 << bits) - 1) as i64
}

/// The cell that a view reads at some position of its axes; zero in the padding.
pub fn read(view: &View, source: &[i64], position: &[i64]) -> i64 {
    let mut flat = 0;
    for (map, &dim) in view.maps.iter().zip(&view.dims) {
        let mut at = map.coefficients.iter().zip(position).fold(map.offset, |at, (c, i)| at + c * i);
        if !map.table.is_empty() {
            let Some(&entry) = usize::try_from(at).ok().and_then(|at| map.table.get(at)) else { return 0 };
            at = entry.into();
        }
        if !(0..i64::from(dim)).contains(&at) {
            return 0;
        }
        flat = flat * i64::from(dim) + at;
    }
    source[flat as usize]
}

/// Pseudo-random integers up to a limit.
pub fn numbers(seed: u32, count: u32, limit: u32) -> Vec<i64> {
    let number = |i: u32| (seed.wrapping_mul(2 * i + 7) >> 12) % (2 * limit + 1);
    (0..count).map(|i| i64::from(number(i)) - i64::from(limit)).collect()
}

/// All positions of some axes, row-major.
pub fn positions(axes: &[u32]) -> Vec<Vec<i64>> {
    axes.iter().fold(vec![Vec::new()], |all, &axis| {
        let extend = |position: &Vec<i64>| {
            let position = position.clone();
            (0..i64::from(axis)).map(move |i| [&position[..], &[i]].concat()).collect::<Vec<_>>()
        };
        all.iter().flat_map(extend).collect()
    })
}

/// A small source, and a view on it with up to one summed axis.
pub fn views() -> impl Strategy<Value = (u32, u32, View)> {
    let lengths = (1u32..5, 1u32..5, 1u32..4, 1u32..4, 1u32..4);
    lengths.prop_flat_map(|(rows, inner, a, b, s)| {
        let map =
            || {
                let coefficient = prop_oneof![Just(0i64), Just(1), -2i64..3];
                let table = prop_oneof![Just(Vec::new()), prop::collection::vec(0u32..6, 1..6)];
                (-2i64..3, prop::collection::vec(coefficient, 3), table)
                    .prop_map(|(offset, coefficients, table)| AxisMap { offset, coefficients, table })
            };
        let channels = prop_oneof![
            (map(), map()).prop_map(|(row, column)| vec![row, column]),
            map().prop_map(|mut row| {
                row.coefficients[1] = 0;
                vec![row, AxisMap::affine(0, vec![0, 1, 0])]
            }),
            map().prop_map(|mut row| {
                row.coefficients[2] = 0;
                vec![row, AxisMap::affine(0, vec![0, 0, 1])]
            }),
        ];
        channels.prop_map(move |maps| {
            let view = View { source: 0, axes: vec![a, b], sum: vec![s], dims: vec![rows, inner], maps };
            (rows, inner, view)
        })
    })
}

/// A circuit of an input and one relation, evaluated.
pub fn run(rows: u32, inner: u32, node: Node, weights: Vec<Weight>, values: &Weights, cells: &[i64]) -> Evaluation {
    let range = Range { low: -1000, high: 1000 };
    let (dims, outputs) = (vec![rows * inner], vec![node.rows * node.inner]);
    let port = |name: &str, node, dims| Port { name: name.into(), node, dims, order: vec![0], scale: 0 };
    let circuit = Circuit {
        limb_bits: 8,
        weights,
        tables: Vec::new(),
        nodes: vec![Node { rows, inner, op: Op::Input(range) }, node],
        inputs: vec![port("x", 0, dims)],
        outputs: vec![port("y", 1, outputs)],
    };
    let checked = CheckedCircuit::new(circuit, &Limits::default()).expect("a valid circuit");
    evaluate(&checked, values, &[cells.to_vec()]).expect("inputs that fit")
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(512) })]

    #[test]
    fn rescale_follows_its_definition(
        value in -(1i64 << 60)..(1i64 << 60),
        shift in 0u8..=40,
        low in -70_000i64..70_000,
        bits in 1u8..=40,
    ) {
        prop_assert_eq!(rescale(value, shift, low, bits), rescale_by_definition(value, shift, low, bits));
    }

    #[test]
    fn rescale_is_right_at_its_edges(
        low in -70_000i64..70_000,
        bits in 1u8..=40,
        shift in 0u8..=20,
        place in -2i64..3,
    ) {
        for edge in [low, low + (1 << bits) - 1] {
            let value = (edge << shift) + place;
            prop_assert_eq!(rescale(value, shift, low, bits), rescale_by_definition(value, shift, low, bits));
        }
    }

    #[test]
    fn sums_follow_their_views((rows, inner, view) in views(), coefficient in -5i64..6, seed in any::<u32>()) {
        let cells = numbers(seed, rows * inner, 1000);
        let expected: Vec<i64> = positions(&view.axes)
            .iter()
            .map(|p| (0..i64::from(view.sum[0])).map(|s| read(&view, &cells, &[p[0], p[1], s])).sum::<i64>())
            .map(|sum| 3 + coefficient * sum)
            .collect();
        let node = Node {
            rows: view.axes[0],
            inner: view.axes[1],
            op: Op::Affine(Expr { constant: 3, terms: vec![Term::Linear { coefficient, view }] }),
        };
        prop_assert_eq!(&run(rows, inner, node, Vec::new(), &Vec::new(), &cells).nodes[1], &expected);
    }

    #[test]
    fn layers_follow_their_views((rows, inner, view) in views(), seed in any::<u32>()) {
        let cells = numbers(seed, rows * inner, 1000);
        let (outputs, summed) = (view.axes[1], view.sum[0]);
        let weights: Vec<i16> = numbers(!seed, outputs * summed, 127).iter().map(|&weight| weight as i16).collect();
        let biases: Vec<i16> = (0..outputs).map(|i| i as i16 - 1).collect();
        let product = |p: &Vec<i64>, s: u32| {
            let weight = weights[(p[1] as u32 * summed + s) as usize];
            i64::from(weight) * read(&view, &cells, &[p[0], p[1], s.into()])
        };
        let expected: Vec<i64> = positions(&view.axes)
            .iter()
            .map(|p| 2 * (0..summed).map(|s| product(p, s)).sum::<i64>() + 100 * i64::from(biases[p[1] as usize]))
            .collect();
        let weight = |channels| Weight { outputs, taps: 1, channels, bits: 8 };
        let node = Node {
            rows: view.axes[0],
            inner: outputs,
            op: Op::Rescale {
                expr: Expr {
                    constant: 0,
                    terms: vec![
                        Term::Contract { coefficient: 2, weight: 0, view },
                        Term::Bias { coefficient: 100, weight: 1 },
                    ],
                },
                shift: 7,
                low: -128,
                bits: 8,
            },
        };
        let (specs, values) = (vec![weight(summed), weight(1)], vec![weights.clone(), biases.clone()]);
        let evaluation = run(rows, inner, node, specs, &values, &cells);
        prop_assert_eq!(&evaluation.accumulators[1], &expected);
        let rescaled: Vec<i64> = expected.iter().map(|&value| rescale_by_definition(value, 7, -128, 8)).collect();
        prop_assert_eq!(&evaluation.nodes[1], &rescaled);
    }

    #[test]
    fn products_follow_their_views((rows, inner, mut view) in views(), seed in any::<u32>()) {
        let cells = numbers(seed, rows * inner, 1000);
        view.sum.clear();
        view.maps.iter_mut().for_each(|map| map.coefficients.truncate(2));
        let mut right = view.clone();
        right.maps[0].offset += 1;
        let expected: Vec<i64> = positions(&view.axes)
            .iter()
            .map(|p| -read(&view, &cells, p) * read(&right, &cells, p))
            .collect();
        let node = Node {
            rows: view.axes[0],
            inner: view.axes[1],
            op: Op::Rescale {
                expr: Expr { constant: 0, terms: vec![Term::Product { coefficient: -1, left: view, right }] },
                shift: 4,
                low: -32768,
                bits: 16,
            },
        };
        prop_assert_eq!(&run(rows, inner, node, Vec::new(), &Vec::new(), &cells).accumulators[1], &expected);
    }

    #[test]
    fn lookups_read_their_table(
        cells in prop::collection::vec(-8i64..8, 1..9),
        values in prop::collection::vec(-99i32..99, 16),
    ) {
        let table = Table { low: -8, values: values.clone() };
        for &cell in &cells {
            prop_assert_eq!(assay_circuits::eval::lookup(&table, cell), i64::from(values[(cell + 8) as usize]));
        }
    }
}
