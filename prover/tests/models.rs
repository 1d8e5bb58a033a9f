//! Compiled models prove and verify: the trained fixtures at every width, and every one-operator model.
use std::path::{Path, PathBuf};

use assay_circuits::io::{self, Kind, NamedTensors};
use assay_circuits::{CompileOptions, Model, compile};
use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::{Limits, Port};
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::Proof;
use assay_verifier::sumcheck::security;
use assay_verifier::{verify, wire};

/// Least composed soundness in bits.
const SOUNDNESS_MIN: f64 = 96.0;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn samples(model: &Model, archive: &str) -> Vec<NamedTensors> {
    let arrays = io::decode(&std::fs::read(folder().join(archive)).unwrap(), Kind::Npz).unwrap();
    let inputs = arrays.into_iter().filter(|(name, _)| name.as_deref() == Some("inputs")).collect();
    io::samples(inputs, &model.inputs(1).unwrap()).unwrap()
}

/// Compiles a model, proves some samples and verifies them from encoded key and proofs.
fn prove_and_verify(model: &Model, bits: u8, calibration: Vec<NamedTensors>, tests: &[NamedTensors]) {
    let options = CompileOptions { bits, calibration: Some(calibration), ..CompileOptions::default() };
    let compiled = compile(model, &options, &|_, _| {}).unwrap();
    let prover = Prover::new(compiled.circuit, compiled.weights).unwrap();
    let key: Key = wire::decode(&wire::encode(&Key::from(prover.prove_range().unwrap()))).unwrap();
    let checked = CheckedKey::new(&key, &Limits::default()).unwrap();
    assert!(security::soundness(prover.key()).unwrap().1 >= SOUNDNESS_MIN);
    for sample in tests {
        let integers =
            |port: &Port| io::quantize(port, checked.circuit().range(port.node).unwrap(), &sample[&port.name]).unwrap();
        let inputs: Vec<Vec<i64>> = key.circuit().inputs.iter().map(integers).collect();
        let proof: Proof = wire::decode(&wire::encode(&prover.prove(&inputs, b"model").unwrap())).unwrap();
        verify(&checked, &proof).unwrap();
        assert_eq!(proof.statement.outputs, prover.outputs(&prover.evaluate(&inputs).unwrap()));
    }
}

#[test]
fn trained_models() {
    for name in ["digits_mlp", "digits_cnn", "digits_resnet", "cancer_tabular"] {
        let model = Model::open(&folder().join(format!("{name}.onnx"))).unwrap();
        let tests = samples(&model, &format!("{name}_test.npz"));
        for bits in [8, 12, 16] {
            let calibration = samples(&model, &format!("{name}_calibration.npz"));
            prove_and_verify(&model, bits, calibration, &tests[..2]);
        }
    }
}

#[test]
fn single_operators() {
    let mut cases = 0;
    let mut names: Vec<String> = std::fs::read_dir(folder().join("operators"))
        .unwrap()
        .filter_map(|file| Some(file.unwrap().file_name().to_str()?.strip_suffix(".onnx")?.to_owned()))
        .collect();
    names.sort();
    for name in names {
        println!("{name}");
        let model = Model::open(&folder().join(format!("operators/{name}.onnx"))).unwrap();
        let tests = samples(&model, &format!("operators/{name}.npz"));
        prove_and_verify(&model, 16, tests.clone(), &tests[..1]);
        cases += 1;
    }
    assert!(cases >= 160, "only {cases} cases");
}
