//! Products with sums, and views by index tables: other cells, other factors, terms left out.
use assay_verifier::circuit::{AxisMap, Circuit, Expr, Op, Term, View};
use assay_verifier::sumcheck::Step;

use crate::common::attention::{EMBEDDED, MIXED, NORMALISED, PERMUTED, QUERIES, SCORES, SOFTMAX, SQUARES};
use crate::setting::Setting;

fn product(circuit: &mut Circuit, node: usize) -> (&mut i64, &mut View, &mut View) {
    let Op::Rescale { expr: Expr { terms, .. }, .. } = &mut circuit.nodes[node].op else { panic!("not rescaled") };
    let Term::Product { coefficient, left, right } = &mut terms[0] else { panic!("no product") };
    (coefficient, left, right)
}

/// A map of one of the product's axes alone.
fn along(axis: usize, offset: i64) -> AxisMap {
    AxisMap::affine(offset, (0..4).map(|other| i64::from(other == axis)).collect())
}

type Change = fn(&mut Circuit);

/// The prover multiplies other cells than the description says; all else follows from what it got.
#[test]
fn other_products() {
    let cases: [(&str, usize, Change); 17] = [
        ("scores negated", SCORES, |circuit| *product(circuit, SCORES).0 = -1),
        ("factors exchanged: keys by queries", SCORES, |circuit| {
            let (_, left, right) = product(circuit, SCORES);
            left.maps[0] = along(2, 0);
            right.maps[0] = along(1, 0);
        }),
        ("queries with themselves", SCORES, |circuit| product(circuit, SCORES).2.source = QUERIES as u32),
        ("keys with themselves", SCORES, |circuit| product(circuit, SCORES).1.source = EMBEDDED as u32),
        ("the same query for all", SCORES, |circuit| {
            product(circuit, SCORES).1.maps[0] = AxisMap::affine(0, vec![0; 4]);
        }),
        ("the next key", SCORES, |circuit| product(circuit, SCORES).2.maps[0] = along(2, 1)),
        ("heads confused", SCORES, |circuit| {
            product(circuit, SCORES).2.maps[1] = AxisMap::affine(1, vec![-1, 0, 0, 0]);
        }),
        ("one head for both", SCORES, |circuit| {
            product(circuit, SCORES).1.maps[1] = AxisMap::affine(0, vec![0; 4]);
        }),
        ("a feature skipped", SCORES, |circuit| product(circuit, SCORES).1.maps[2] = along(3, 1)),
        ("features out of step", SCORES, |circuit| {
            product(circuit, SCORES).1.maps[2] = AxisMap::affine(2, vec![0, 0, 0, -1]);
        }),
        ("attention transposed", MIXED, |circuit| {
            let (_, left, _) = product(circuit, MIXED);
            left.maps[1] = along(3, 0);
            left.maps[2] = along(0, 0);
        }),
        ("the other head's attention", MIXED, |circuit| {
            product(circuit, MIXED).1.maps[0] = AxisMap::affine(1, vec![0, -1, 0, 0]);
        }),
        ("a word left out", MIXED, |circuit| product(circuit, MIXED).2.maps[0] = along(3, 1)),
        ("words in reverse", MIXED, |circuit| {
            product(circuit, MIXED).2.maps[0] = AxisMap::affine(3, vec![0, 0, 0, -1]);
        }),
        ("queries for values", MIXED, |circuit| product(circuit, MIXED).2.source = QUERIES as u32),
        ("a factor that is no square", SQUARES, |circuit| product(circuit, SQUARES).2.source = EMBEDDED as u32),
        ("one feature of the square", SQUARES, |circuit| {
            product(circuit, SQUARES).1.maps[1] = AxisMap::affine(5, vec![0, 0, 1]);
        }),
    ];
    let setting = Setting::attention();
    for (name, node, change) in cases {
        let mut circuit = setting.circuit().clone();
        change(&mut circuit);
        let evaluation = setting.evaluate(circuit, None);
        let honest = &setting.evaluation.accumulators[node];
        assert_ne!(&evaluation.accumulators[node], honest, "{name}: changes nothing");
        setting.refused(name, &setting.witness(&evaluation), &evaluation, Step::Stack);
    }
}

/// The cells of an index table are read elsewhere.
#[test]
fn other_index_tables() {
    fn table(circuit: &mut Circuit) -> &mut AxisMap {
        let Op::Affine(expr) = &mut circuit.nodes[PERMUTED].op else { panic!("not affine") };
        let Term::Linear { view, .. } = &mut expr.terms[0] else { panic!("not linear") };
        &mut view.maps[1]
    }
    let cases: [(&str, Change); 6] = [
        ("another cell", |circuit| table(circuit).table[0] = 2),
        ("two exchanged", |circuit| table(circuit).table.swap(0, 1)),
        ("padding in place of a cell", |circuit| table(circuit).table[1] = 6),
        ("a cell in place of padding", |circuit| table(circuit).table[4] = 0),
        ("the table shifted", |circuit| table(circuit).offset = 1),
        ("no table", |circuit| table(circuit).table.clear()),
    ];
    let setting = Setting::attention();
    for (name, change) in cases {
        let mut circuit = setting.circuit().clone();
        change(&mut circuit);
        let evaluation = setting.evaluate(circuit, None);
        assert_ne!(evaluation.nodes[PERMUTED], setting.evaluation.nodes[PERMUTED], "{name}: changes nothing");
        setting.refused(name, &setting.witness(&evaluation), &evaluation, Step::Stack);
    }
}

/// Numerators and denominators of other cells; each quotient is right for what the prover divided.
#[test]
fn other_quotients() {
    fn quotient(circuit: &mut Circuit, node: usize) -> (&mut Expr, &mut View) {
        let Op::Quotient { numerator, denominator } = &mut circuit.nodes[node].op else { panic!("no quotient") };
        (numerator, denominator)
    }
    let cases: [(&str, usize, Change); 6] = [
        ("another scale", SOFTMAX, |circuit| {
            let Term::Linear { coefficient, .. } = &mut quotient(circuit, SOFTMAX).0.terms[0] else { panic!() };
            *coefficient = 255;
        }),
        ("rounded to nearest", SOFTMAX, |circuit| quotient(circuit, SOFTMAX).0.constant = 300),
        ("the sum of another row", SOFTMAX, |circuit| {
            quotient(circuit, SOFTMAX).1.maps[0] = AxisMap::affine(7, vec![-1, 0]);
        }),
        ("one sum for all", SOFTMAX, |circuit| {
            quotient(circuit, SOFTMAX).1.maps[0] = AxisMap::affine(0, vec![0, 0]);
        }),
        ("a dropped constant", NORMALISED, |circuit| quotient(circuit, NORMALISED).0.constant = 0),
        ("the norm of another word", NORMALISED, |circuit| {
            quotient(circuit, NORMALISED).1.maps[0] = AxisMap::affine(3, vec![-1, 0]);
        }),
    ];
    let setting = Setting::attention();
    for (name, node, change) in cases {
        let mut circuit = setting.circuit().clone();
        change(&mut circuit);
        let evaluation = setting.evaluate(circuit, None);
        let honest = &setting.evaluation.accumulators[node];
        assert_ne!(&evaluation.accumulators[node], honest, "{name}: changes nothing");
        setting.refused(name, &setting.witness(&evaluation), &evaluation, Step::Stack);
    }
}
