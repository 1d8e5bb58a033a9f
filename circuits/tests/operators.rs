//! Do single operators compute what onnxruntime computes, in floats and in integers?
mod support;

use std::collections::BTreeMap;

use assay_circuits::Model;
use assay_circuits::compile::float_graph;
use assay_circuits::graph::{eval, passes};

/// Largest float difference as a share of the output range: onnxruntime computes in 32 bits.
const FLOAT_BOUND: f64 = 1e-5;
/// Largest mean difference of the integers at 16 bits as a share of the output range.
const MEAN_BOUND: f64 = 0.001;
/// Largest single difference of the integers at 16 bits as a share of the output range.
const MAX_BOUND: f64 = 0.01;

/// Names of all operator cases.
fn cases() -> Vec<String> {
    let folder = support::fixtures().join("operators");
    let files = std::fs::read_dir(folder).expect("the fixtures have operator cases");
    let name = |file: std::fs::DirEntry| Some(file.path().file_name()?.to_str()?.strip_suffix(".onnx")?.to_owned());
    let mut names: Vec<String> = files.filter_map(|file| name(file.expect("a readable folder"))).collect();
    names.sort();
    assert!(names.len() >= 160, "only {} operator cases", names.len());
    names
}

#[test]
fn float_graph_agrees_with_onnxruntime() {
    let mut faults = Vec::new();
    for case in cases() {
        let path = format!("operators/{case}");
        let check = || -> Result<f64, String> {
            let file = support::fixtures().join(format!("{path}.onnx"));
            let model = Model::open(&file).map_err(|error| error.to_string())?;
            let mut graph = float_graph(&model, 1).map_err(|error| error.to_string())?;
            passes::run(&mut graph);
            let expected = support::array(&path, "outputs");
            let samples = support::samples(&model, &path);
            let length = expected.values.len() / samples.len();
            let mut worst = 0f64;
            for (sample, expected) in samples.iter().zip(expected.values.chunks_exact(length)) {
                let inputs: BTreeMap<_, _> =
                    sample.iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
                let values = eval::evaluate(&graph, &inputs);
                let actual = &values[graph.outputs[0].1 as usize];
                if actual.len() != expected.len() {
                    return Err(format!("{} values instead of {}", actual.len(), expected.len()));
                }
                worst = actual.iter().zip(expected).fold(worst, |worst, (a, b)| worst.max((a - b).abs()));
            }
            let range = expected.values.iter().fold(0f64, |range, value| range.max(value.abs()));
            Ok(worst / range)
        };
        match check() {
            Ok(error) if error <= FLOAT_BOUND => {}
            Ok(error) => faults.push(format!("{case}: off by {error:.2e}")),
            Err(fault) => faults.push(format!("{case}: {fault}")),
        }
    }
    assert!(faults.is_empty(), "{} cases:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn integers_agree_with_onnxruntime() {
    let mut faults = Vec::new();
    for case in cases() {
        let path = format!("operators/{case}");
        let model = support::model(&path);
        let samples = support::samples(&model, &path);
        let outcome = std::panic::catch_unwind(|| {
            let compiled = support::compiled(&model, 16, samples.clone());
            support::compare(&compiled, &samples, &support::array(&path, "outputs"))
        });
        let Ok(accuracy) = outcome else {
            faults.push(format!("{case}: panicked"));
            continue;
        };
        let (mean, max) = (accuracy.relative_mean_error(), accuracy.max_error / accuracy.output_range);
        if mean > MEAN_BOUND || max > MAX_BOUND {
            faults.push(format!("{case}: mean error {mean:.2e}, largest {max:.2e} of the range"));
        }
    }
    assert!(faults.is_empty(), "{} cases:\n{}", faults.len(), faults.join("\n"));
}
