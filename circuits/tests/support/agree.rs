//! Compares a model's float graph, the graph after all passes and its circuit on samples.
#![allow(dead_code)] // every test file uses its own part

use std::collections::BTreeMap;

use assay_circuits::compile::{Compared, accuracy, classes, evaluate_model, float_graph};
use assay_circuits::graph::{Graph, eval, passes};
use assay_circuits::tensor::Tensor;
use assay_circuits::{CompileOptions, Model, NamedTensors, compile};

/// Pseudo-random numbers between -1 and 1.
pub fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 23) - 1.0
    }
}

/// Samples for a model: each value of an input is drawn by a function of the input's name.
pub fn samples(model: &Model, count: usize, draw: &mut dyn FnMut(&str) -> f64) -> Vec<NamedTensors> {
    let inputs = model.inputs(1).expect("a fixed shape");
    let mut tensor = |name: &str, dims: &[u32]| {
        let values = (0..dims.iter().product::<u32>()).map(|_| draw(name)).collect();
        Tensor { dims: dims.to_vec(), values }
    };
    (0..count)
        .map(|_| inputs.iter().map(|input| (input.name.clone(), tensor(&input.name, &input.dims))).collect())
        .collect()
}

/// The graph after all passes.
pub fn rewritten(model: &Model) -> Graph {
    let mut graph = float_graph(model, 1).unwrap_or_else(|error| panic!("{error}"));
    passes::run(&mut graph);
    graph
}

/// The passes keep what the graph computes, and the circuit follows it: mean and largest error as a share of the range.
pub fn agree(name: &str, model: &Model, samples: &[NamedTensors], (mean, largest): (f64, f64)) {
    let before = float_graph(model, 1).unwrap_or_else(|error| panic!("{name}: {error}"));
    let after = rewritten(model);
    let options = CompileOptions { calibration: Some(samples.to_vec()), ..CompileOptions::default() };
    let compiled = compile(model, &options, &|_, _| {}).unwrap_or_else(|error| panic!("{name}: {error}"));
    let outputs = evaluate_model(&compiled, samples).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut pairs = Vec::new();
    for (sample, outputs) in samples.iter().zip(outputs) {
        let inputs: BTreeMap<_, _> =
            sample.iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
        let expected = eval::evaluate(&before, &inputs).swap_remove(before.outputs[0].1 as usize);
        let kept = eval::evaluate(&after, &inputs).swap_remove(after.outputs[0].1 as usize);
        let size = expected.iter().fold(1f64, |size, value| size.max(value.abs()));
        let worst = expected.iter().zip(&kept).fold(0f64, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst < 1e-9 * size, "{name}: passes change the result by {worst}");
        let actual = outputs.into_values().next().expect("an output").values;
        assert_eq!(expected.len(), actual.len(), "{name}");
        pairs.push(vec![Compared { expected, actual, classes: classes(&before, before.outputs[0].1) }]);
    }
    let found = accuracy(&pairs);
    let (mean_found, largest_found) = (found.relative_mean_error(), found.max_error / found.output_range.max(1e-9));
    assert!(mean_found <= mean && largest_found <= largest, "{name}: {mean_found:.2e} and {largest_found:.2e}");
}
