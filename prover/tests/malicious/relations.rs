//! Provers that evaluate another circuit than the key's, or several at once.
use assay_verifier::circuit::{Circuit, Op, Term};
use assay_verifier::sumcheck::Step;

use crate::setting::Setting;

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
