//! The model that is served: `digits_mlp`, compiled once, with its prover.
use std::path::Path;
use std::sync::LazyLock;

use assay_circuits::{CompileOptions, Model as Source, compile, io};
use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::{CheckedCircuit, Limits};
use assay_verifier::digest::CircuitDigest;
use assay_verifier::key::{Engine, Key};
use assay_verifier::receipt::{Program, Proving};
use assay_verifier::settlement::model::{Manifest, Visibility};
use assay_verifier::wire;

use crate::world::{Who, key};

/// The model with its prover.
pub struct Model {
    prover: Prover,
    key: Key,
    inputs: Vec<Vec<Vec<i64>>>,
}

/// The one of this process.
pub fn model() -> &'static Model {
    static MODEL: LazyLock<Model> = LazyLock::new(Model::new);
    &MODEL
}

impl Model {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        let source = Source::open(&folder.join("digits_mlp.onnx")).unwrap();
        let declared = source.inputs(1).unwrap();
        let samples = |name: &str| io::read_inputs(&folder.join(name), &declared).unwrap();
        let calibration = Some(samples("digits_mlp_calibration.npz"));
        let options = CompileOptions { calibration, ..CompileOptions::default() };
        let compiled = compile(&source, &options, &|_, _| {}).unwrap();
        let checked = CheckedCircuit::new(compiled.circuit.clone(), &Limits::default()).unwrap();
        let integers = |sample: &io::NamedTensors| {
            let ports = checked.circuit().inputs.iter();
            ports
                .map(|port| io::quantize(port, checked.range(port.node).unwrap(), &sample[&port.name]).unwrap())
                .collect()
        };
        let inputs = samples("digits_mlp_test.npz").iter().map(integers).collect();
        let prover = Prover::new(compiled.circuit, compiled.weights).unwrap();
        let key = Key::from(prover.prove_range().unwrap());
        Self { prover, key, inputs }
    }

    pub fn circuit(&self) -> CircuitDigest {
        self.key.circuit().digest()
    }

    pub fn key_file(&self) -> Vec<u8> {
        wire::encode(&self.key)
    }

    pub fn proving(&self) -> Proving {
        Proving { engine: Engine::Sumcheck, key: self.key.digest(), hiding: false }
    }

    /// The inputs of a request.
    pub fn inputs(&self, number: u64) -> &Vec<Vec<i64>> {
        &self.inputs[number as usize % self.inputs.len()]
    }

    pub fn outputs(&self, number: u64) -> Vec<Vec<i64>> {
        self.prover.outputs(&self.prover.evaluate(self.inputs(number)).unwrap())
    }

    /// A proof's file.
    pub fn prove(&self, number: u64, context: &[u8]) -> Vec<u8> {
        wire::encode(&self.prover.prove(self.inputs(number), context).unwrap())
    }
}

pub fn manifest() -> Manifest {
    Manifest {
        publisher: key(Who::Publisher),
        name: "digits".into(),
        version: "1".into(),
        program: Program::Circuit(model().circuit()),
        keys: vec![model().proving().key],
        price: 50,
        visibility: Visibility::Public,
    }
}
