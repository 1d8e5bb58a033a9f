//! Do softmax, normalisations and quotients follow the floats, at their extremes too?
#[path = "support/agree.rs"]
mod agree;
#[path = "support/onnx.rs"]
mod onnx;

use agree::{numbers, rewritten, samples};
use assay_circuits::error::CompileError;
use assay_circuits::graph::Kind;
use assay_circuits::{CompileOptions, Model, compile};
use onnx::{Builder, FLOAT, Value};

fn check(name: &str, builder: Builder, output: &str, scale: f64, bounds: (f64, f64)) {
    let model = builder.build(output);
    let mut next = numbers(5);
    let samples = samples(&model, 8, &mut |_| scale * next());
    agree::agree(name, &model, &samples, bounds);
}

/// One operator on the input.
fn single(dims: &[i64], operator: &str, attributes: &[(&str, Value<'_>)]) -> (Builder, String) {
    let mut b = Builder::new(dims);
    let y = b.node(operator, &["x"], attributes);
    (b, y)
}

#[test]
fn softmax_along_any_axis() {
    for (dims, axis) in [(&[1, 5][..], -1), (&[2, 3, 7], 2), (&[2, 3, 7], 1), (&[3, 4], 0), (&[1, 2, 9, 3], 2)] {
        let (b, y) = single(dims, "Softmax", &[("axis", Value::Int(axis))]);
        check(&format!("{dims:?} along {axis}"), b, &y, 4.0, (1e-3, 4e-3));
        let (b, y) = single(dims, "LogSoftmax", &[("axis", Value::Int(axis))]);
        check(&format!("logarithm, {dims:?} along {axis}"), b, &y, 4.0, (5e-4, 2e-3));
    }
}

#[test]
fn softmax_of_old_operator_sets_flattens() {
    let (mut b, y) = single(&[2, 3, 4], "Softmax", &[("axis", Value::Int(1))]);
    b.model.opset_import[0].version = 11;
    let model = b.build(&y);
    let mut next = numbers(5);
    let samples = samples(&model, 4, &mut |_| 3.0 * next());
    let first: f64 = {
        let graph = rewritten(&model);
        let inputs = samples[0].iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
        let values = assay_circuits::graph::eval::evaluate(&graph, &inputs);
        values[graph.outputs[0].1 as usize][..12].iter().sum()
    };
    assert!((first - 1.0).abs() < 1e-9, "the sum over both axes is {first}");
    agree::agree("flattened", &model, &samples, (1e-3, 4e-3));
}

#[test]
fn softmax_of_far_apart_scores_and_ties() {
    let (b, y) = single(&[4, 16], "Softmax", &[]);
    check("far apart", b, &y, 200.0, (1e-3, 0.02));
    let (b, y) = single(&[4, 16], "Softmax", &[]);
    check("close together", b, &y, 0.01, (2e-2, 0.1));
    let (b, y) = single(&[4, 16], "Softmax", &[]);
    let model = b.build(&y);
    let mut next = numbers(6);
    let samples = samples(&model, 8, &mut |_| if next() > 0.0 { 7.5 } else { -30.0 });
    agree::agree("ties", &model, &samples, (1e-3, 4e-3));
    let (b, y) = single(&[1, 1200], "LogSoftmax", &[]);
    check("many classes", b, &y, 6.0, (1e-3, 4e-3));
}

/// A normalisation with its parameters.
fn normalisation(b: &mut Builder, operator: &str, parameter: &[i64], attributes: &[(&str, Value<'_>)]) -> String {
    let (scale, shift) = (b.weight(parameter), b.weight(parameter));
    b.node(operator, &["x", &scale, &shift], attributes)
}

#[test]
fn layers_and_groups() {
    let bounds = (3e-4, 3e-3);
    let mut b = Builder::new(&[1, 6, 20]);
    let y = normalisation(&mut b, "LayerNormalization", &[20], &[]);
    check("a layer", b, &y, 3.0, bounds);

    let mut b = Builder::new(&[2, 3, 5]);
    let y = normalisation(&mut b, "LayerNormalization", &[3, 5], &[("axis", Value::Int(1))]);
    check("two axes", b, &y, 3.0, bounds);

    let mut b = Builder::new(&[1, 6, 20]);
    let scale = b.weight(&[20]);
    let y = b.node("SimplifiedLayerNormalization", &["x", &scale], &[]);
    check("without the mean", b, &y, 3.0, bounds);

    let mut b = Builder::new(&[1, 3, 4, 5]);
    let y = normalisation(&mut b, "InstanceNormalization", &[3], &[]);
    check("channels", b, &y, 3.0, bounds);

    let mut b = Builder::new(&[1, 6, 4, 5]);
    let y = normalisation(&mut b, "GroupNormalization", &[2], &[("num_groups", Value::Int(2))]);
    check("groups with their own parameters", b, &y, 3.0, bounds);

    let mut b = Builder::new(&[1, 6, 4, 5]);
    let y = normalisation(&mut b, "GroupNormalization", &[6], &[("num_groups", Value::Int(3))]);
    check("groups with channels' parameters", b, &y, 3.0, bounds);

    let (b, y) = single(&[2, 3, 4, 5], "MeanVarianceNormalization", &[]);
    check("mean and variance", b, &y, 3.0, bounds);

    for p in [1, 2] {
        let (b, y) = single(&[2, 3, 7], "LpNormalization", &[("axis", Value::Int(1)), ("p", Value::Int(p))]);
        check(&format!("norm {p}"), b, &y, 3.0, bounds);
    }
}

#[test]
fn variances_of_any_size() {
    // Rows whose deviations differ by a factor of a thousand, with means far from zero.
    let mut b = Builder::new(&[1, 8, 16]);
    let y = b.constant(&[16], &[1.0; 16]);
    let y = b.node("LayerNormalization", &["x", &y], &[]);
    let model = b.build(&y);
    let mut next = numbers(8);
    let mut place = 0usize;
    let samples = samples(&model, 8, &mut |_| {
        let row = place / 16 % 8;
        place += 1;
        5.0 * row as f64 + next() * 10f64.powi(-(row as i32 % 4)) * 20.0
    });
    // The smallest deviations are six steps of the input.
    agree::agree("rows of all sizes", &model, &samples, (4e-3, 0.04));
}

#[test]
fn rows_without_variance_stay_zero() {
    let mut b = Builder::new(&[1, 4, 8]);
    let scale = b.constant(&[8], &[1.0; 8]);
    let y = b.node("LayerNormalization", &["x", &scale], &[]);
    let model = b.build(&y);
    let mut next = numbers(8);
    let mut place = 0usize;
    let samples = samples(&model, 8, &mut |_| {
        place += 1;
        if (place - 1) / 8 % 4 == 2 { 0.75 } else { next() }
    });
    agree::agree("a constant row", &model, &samples, (3e-4, 3e-3));
}

fn kinds(model: &Model) -> (usize, usize, usize) {
    let graph = rewritten(model);
    let count = |is: fn(&Kind) -> bool| graph.nodes.iter().filter(|node| is(&node.kind)).count();
    (
        count(|kind| matches!(kind, Kind::Normalize { centred: true, .. })),
        count(|kind| matches!(kind, Kind::Normalize { centred: false, .. })),
        count(|kind| matches!(kind, Kind::Softmax { .. })),
    )
}

#[test]
fn written_out_normalisations_are_recognised() {
    let axes = [("axes", Value::Ints(&[-1]))];
    for squared in ["Pow", "Mul"] {
        let mut b = Builder::new(&[1, 6, 20]);
        let (two, epsilon) = (b.constant(&[], &[2.0]), b.constant(&[], &[1e-5]));
        let half = b.constant(&[], &[0.5]);
        let (scale, shift) = (b.weight(&[20]), b.weight(&[20]));
        let mean = b.node("ReduceMean", &["x"], &axes);
        let d = b.node("Sub", &["x", &mean], &[]);
        let square = match squared {
            "Pow" => b.node("Pow", &[&d, &two], &[]),
            _ => b.node("Mul", &[&d, &d], &[]),
        };
        let variance = b.node("ReduceMean", &[&square], &axes);
        let raised = b.node("Add", &[&variance, &epsilon], &[]);
        let root = b.node("Pow", &[&raised, &half], &[]);
        let y = b.node("Div", &[&d, &root], &[]);
        let y = b.node("Mul", &[&y, &scale], &[]);
        let y = b.node("Add", &[&y, &shift], &[]);
        let model = b.build(&y);
        assert_eq!(kinds(&model), (1, 0, 0), "{squared}");
        let mut next = numbers(5);
        let samples = samples(&model, 6, &mut |_| 3.0 * next());
        agree::agree(squared, &model, &samples, (3e-4, 3e-3));
    }
    let mut b = Builder::new(&[1, 6, 20]);
    let (one, epsilon, half) = (b.constant(&[], &[1.0]), b.constant(&[], &[1e-6]), b.constant(&[], &[0.5]));
    let square = b.node("Mul", &["x", "x"], &[]);
    let mean = b.node("ReduceMean", &[&square], &axes);
    let raised = b.node("Add", &[&mean, &epsilon], &[]);
    let root = b.node("Pow", &[&raised, &half], &[]);
    let inverse = b.node("Div", &[&one, &root], &[]);
    let y = b.node("Mul", &["x", &inverse], &[]);
    let model = b.build(&y);
    assert_eq!(kinds(&model), (0, 1, 0));
    let mut next = numbers(5);
    let samples = samples(&model, 6, &mut |_| 3.0 * next());
    agree::agree("a mean of squares", &model, &samples, (3e-4, 3e-3));
}

#[test]
fn quotients_of_activations() {
    for sign in [1.0, -1.0] {
        let mut b = Builder::with_inputs(&[("a", &[1, 4, 6], FLOAT), ("b", &[1, 4, 1], FLOAT)]);
        let y = b.node("Div", &["a", "b"], &[]);
        let model = b.build(&y);
        let mut next = numbers(4);
        let samples = samples(&model, 8, &mut |name| if name == "a" { next() } else { sign * (1.5 + next()) });
        agree::agree("a quotient", &model, &samples, (3e-4, 3e-3));
    }
}

#[test]
fn divisors_that_may_be_zero() {
    let mut b = Builder::with_inputs(&[("a", &[1, 4], FLOAT), ("b", &[1, 4], FLOAT)]);
    let y = b.node("Div", &["a", "b"], &[]);
    let model = b.build(&y);
    let mut next = numbers(4);
    let calibration = Some(samples(&model, 8, &mut |_| next()));
    let options = CompileOptions { calibration, ..CompileOptions::default() };
    match compile(&model, &options, &|_, _| {}) {
        Err(CompileError::DivisionByZero { node, low, high }) => {
            assert_eq!(node, y);
            assert!(low < 0.0 && high > 0.0);
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
}
