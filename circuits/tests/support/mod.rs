//! Reads the fixtures and compares outputs; shared by the tests.
#![allow(dead_code)] // every test file uses its own part

use std::path::PathBuf;

use assay_circuits::compile::{Compared, accuracy, evaluate_model};
use assay_circuits::io::{self, Kind, NamedTensors};
use assay_circuits::report::Accuracy;
use assay_circuits::tensor::Tensor;
use assay_circuits::{CompileOptions, Compiled, Model, compile};

/// The folder of fixtures.
pub fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// A model of the fixtures.
pub fn model(name: &str) -> Model {
    Model::open(&fixtures().join(format!("{name}.onnx"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// An array of a fixture's archive.
pub fn array(archive: &str, name: &str) -> Tensor {
    let bytes = std::fs::read(fixtures().join(format!("{archive}.npz"))).expect("the fixture exists");
    let arrays = io::decode(&bytes, Kind::Npz).expect("the fixture is well-formed");
    let found = arrays.into_iter().find(|(other, _)| other.as_deref() == Some(name));
    found.unwrap_or_else(|| panic!("{archive} has no {name}")).1
}

/// The `inputs` of an archive as samples for a model.
pub fn samples(model: &Model, archive: &str) -> Vec<NamedTensors> {
    let inputs = model.inputs(1).expect("the fixture's shape is fixed");
    io::samples(vec![(Some("inputs".into()), array(archive, "inputs"))], &inputs).expect("the fixture fits its model")
}

/// Compiles with calibration samples.
pub fn compiled(model: &Model, bits: u8, calibration: Vec<NamedTensors>) -> Compiled {
    let options = CompileOptions { bits, calibration: Some(calibration), ..CompileOptions::default() };
    compile(model, &options, &|_, _| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// Integer outputs against expected ones, one row for each sample.
pub fn compare(compiled: &Compiled, samples: &[NamedTensors], expected: &Tensor) -> Accuracy {
    let outputs = evaluate_model(compiled, samples).unwrap_or_else(|error| panic!("{error}"));
    let length = expected.values.len() / samples.len();
    let classes = expected.dims.last().map_or(1, |&classes| classes as usize);
    let pairs: Vec<_> = outputs
        .iter()
        .zip(expected.values.chunks_exact(length))
        .map(|(outputs, expected)| {
            let actual = outputs.values().next().expect("one output").values.clone();
            assert_eq!(actual.len(), expected.len());
            vec![Compared { expected: expected.to_vec(), actual, classes }]
        })
        .collect();
    accuracy(&pairs)
}
