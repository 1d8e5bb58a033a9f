//! The model that is served, and provers of both engines.
use std::path::Path;

use assay_circuits::eval::Evaluation;
use assay_circuits::io::{self, NamedTensors};
use assay_circuits::{CompileOptions, Model, compile};
use assay_prover::halo2::Committed;
use assay_prover::halo2::choose::choose;
use assay_prover::halo2::secret::Secret;
use assay_prover::halo2::srs::make;
use assay_prover::{halo2, sumcheck};
use assay_verifier::circuit::{CheckedCircuit, Limits};
use assay_verifier::digest::{CircuitDigest, KeyDigest, SrsDigest};
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::key::{Engine, Key};
use assay_verifier::receipt::Proving;
use assay_verifier::statement::{Inputs, Proof, Statement};
use assay_verifier::wire;
use rand_core::OsRng;

/// What keys of the engine `halo2` hide.
const HIDING: Visibility = Visibility { private_input: true, private_weights: true };

/// An answer and what proves it.
pub struct Answer {
    /// What is to be proven.
    pub statement: Statement,
    inputs: Vec<Vec<i64>>,
    evaluation: Evaluation,
    committed: Option<Committed>,
}

/// A model with its provers.
pub struct Service {
    sumcheck: sumcheck::Prover,
    halo2: halo2::Prover,
    keys: [Key; 2],
    inputs: Vec<Vec<Vec<i64>>>,
}

impl Service {
    /// Compiles `digits_mlp` and makes a key of each engine.
    pub fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        let model = Model::open(&folder.join("digits_mlp.onnx")).expect("the fixture is a model");
        let declared = model.inputs(1).expect("it declares its inputs");
        let samples = |name: &str| io::read_inputs(&folder.join(name), &declared).expect("the fixture has inputs");
        let calibration = Some(samples("digits_mlp_calibration.npz"));
        let options = CompileOptions { calibration, ..CompileOptions::default() };
        let compiled = compile(&model, &options, &|_, _| {}).expect("the fixture compiles");
        let checked = CheckedCircuit::new(compiled.circuit.clone(), &Limits::default()).expect("it is a circuit");
        let integers = |sample: &NamedTensors| -> Vec<Vec<i64>> {
            let ports = checked.circuit().inputs.iter();
            let quantized = ports.map(|port| {
                let range = checked.range(port.node).expect("an input has a range");
                io::quantize(port, range, &sample[&port.name]).expect("the sample fits")
            });
            quantized.collect()
        };
        let inputs = samples("digits_mlp_test.npz").iter().map(integers).collect();
        let shape = choose(&checked, HIDING).expect("it fits the engine");
        let string = make(shape.k.into(), OsRng, |_| {}).expect("strings of this size can be made");
        let string = (string.params(shape.k.into()).expect("it is as long"), *string.srs());
        let (weights, secret) = (compiled.weights.clone(), Some(Secret::random()));
        let halo2 = halo2::Prover::new(checked, weights, (shape, HIDING), string, secret);
        let halo2 = halo2.expect("the engine has a key");
        let sumcheck = sumcheck::Prover::new(compiled.circuit, compiled.weights).expect("weights can be committed");
        let range = sumcheck.prove_range().expect("weights are in range");
        let keys = [Key::from(range), Key::from(halo2.key().key().clone())];
        Self { sumcheck, halo2, keys, inputs }
    }

    pub fn circuit(&self) -> CircuitDigest {
        self.sumcheck.key().circuit().digest()
    }

    /// The reference string of the engine `halo2`.
    pub fn srs(&self) -> SrsDigest {
        self.halo2.key().key().srs.digest()
    }

    /// The keys by digest, with their files.
    pub fn keys(&self) -> Vec<(KeyDigest, Vec<u8>)> {
        self.keys.iter().map(|key| (key.digest(), wire::encode(key))).collect()
    }

    /// What proves by an engine.
    pub fn proving(&self, engine: Engine) -> Proving {
        let [sumcheck, halo2] = self.keys.each_ref().map(Key::digest);
        match engine {
            Engine::Sumcheck => Proving { engine, key: sumcheck, hiding: false },
            Engine::Halo2 => Proving { engine, key: halo2, hiding: true },
        }
    }

    fn input(&self, number: u64) -> &Vec<Vec<i64>> {
        &self.inputs[number as usize % self.inputs.len()]
    }

    /// The answer to request `number`, not proven yet.
    pub fn answer(&self, number: u64, engine: Engine) -> Answer {
        let inputs = self.input(number).clone();
        let evaluation = match engine {
            Engine::Sumcheck => self.sumcheck.evaluate(&inputs).expect("the sample fits"),
            Engine::Halo2 => {
                let ports = self.sumcheck.key().circuit().circuit().inputs.iter();
                let ordered: Vec<Vec<i64>> =
                    ports.zip(&inputs).map(|(port, values)| port.to_node_order(values)).collect();
                self.halo2.evaluate(&ordered).expect("the sample fits")
            }
        };
        let outputs = self.sumcheck.outputs(&evaluation);
        // The receipt names what the proof, which is made later, will show: inputs, or a commitment to them.
        let committed = if engine == Engine::Halo2 { self.halo2.commit(&evaluation) } else { None };
        let stated = match &committed {
            Some(committed) => Inputs::Private(committed.commitment.clone()),
            None => Inputs::Public(inputs.clone()),
        };
        let statement = Statement { key: self.proving(engine).key, inputs: stated, outputs, context: Vec::new() };
        Answer { statement, inputs, evaluation, committed }
    }

    /// A proof of an answer.
    pub fn prove(&self, answer: &Answer, engine: Engine, context: &[u8]) -> Proof {
        let Answer { inputs, evaluation, committed, .. } = answer;
        match engine {
            Engine::Sumcheck => self.sumcheck.prove(inputs, context).expect("it can be proven"),
            Engine::Halo2 => {
                let proven = self.halo2.prove_evaluation(evaluation, committed.as_ref(), context);
                proven.expect("it can be proven").proof
            }
        }
    }
}
