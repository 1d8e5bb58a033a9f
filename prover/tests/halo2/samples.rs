//! Circuits laid out, and the mock prover.
use std::collections::BTreeSet;

use assay_circuits::eval::{Evaluation, Weights, evaluate};
use assay_prover::halo2::circuit::{Setting, Synthesis};
use assay_prover::halo2::field;
use assay_prover::halo2::keygen::KeygenError;
use assay_prover::halo2::witness::First;
use assay_verifier::circuit::{CheckedCircuit, Circuit, Limits, Op, Term};
use assay_verifier::halo2::curve::Fr;
use assay_verifier::halo2::instance_columns;
use assay_verifier::halo2::shape::{K_MIN, Shape, Visibility};
use halo2_proofs::dev::{MockProver, VerifyFailure};

use crate::common::port;

/// What of a shape is chosen; the number of rows follows.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub limb_bits: u8,
    pub lanes: u8,
    pub reads: u8,
    pub degree: u8,
    /// Columns of weights, tables and private inputs.
    pub columns: u8,
    pub visibility: Visibility,
}

pub const OPEN: Visibility = Visibility { private_input: false, private_weights: false };
pub const HIDDEN: Visibility = Visibility { private_input: true, private_weights: true };

/// The form of most tests.
pub const USUAL: Form = Form { limb_bits: 6, lanes: 2, reads: 3, degree: 7, columns: 3, visibility: OPEN };

/// Lays a circuit out over the fewest rows.
pub fn lay_out(circuit: &Circuit, weights: &Weights, form: Form) -> Setting {
    let Form { limb_bits, lanes, reads, degree, columns, visibility } = form;
    let checked = CheckedCircuit::new(circuit.clone(), &Limits::default()).unwrap();
    let mut k = K_MIN;
    loop {
        let shape = Shape {
            k,
            limb_bits,
            lanes,
            reads,
            weights: if circuit.weights.is_empty() { 0 } else { columns },
            tables: columns,
            inputs: if visibility.private_input { columns } else { 0 },
            degree,
        };
        match Setting::new(checked.clone(), weights.clone(), visibility, shape) {
            Ok(setting) => return setting,
            Err(KeygenError::Rows { .. }) => k += 1,
            Err(error) => panic!("{form:?}: {error}"),
        }
    }
}

pub fn evaluated(setting: &Setting, inputs: &[Vec<i64>]) -> Evaluation {
    evaluate(&setting.checked, &setting.weights, inputs).unwrap()
}

/// The witness of an evaluation, be it right or wrong.
pub fn witness(setting: &Setting, evaluation: &Evaluation) -> First {
    First::new(&setting.checked, &setting.program, &setting.layout, &setting.weights, evaluation)
}

/// Names of the gates that a witness fails, by the library's mock prover; `copy` if cells differ that are copies.
pub fn mock_failures(setting: &Setting, first: First) -> BTreeSet<String> {
    let instance: Vec<Fr> = first.instance.iter().map(|&value| field(value)).collect();
    let instance = instance_columns(&instance).into_iter().map(<[Fr]>::to_vec).collect();
    let k = setting.layout.shape.k.into();
    let mock = MockProver::run(k, &Synthesis::both(setting, first), instance).unwrap();
    let name = |failure: &VerifyFailure| match failure {
        VerifyFailure::Permutation { .. } => "copy".to_owned(),
        VerifyFailure::ConstraintNotSatisfied { constraint, .. } => {
            constraint.to_string().split('\'').nth(1).expect("gates have names").to_owned()
        }
        other => format!("{other:?}"),
    };
    mock.verify_par().err().unwrap_or_default().iter().map(name).collect()
}

/// The first nodes of a circuit, the last of which is the output.
pub fn up_to(mut circuit: Circuit, node: usize) -> Circuit {
    circuit.nodes.truncate(node + 1);
    let (mut weights, mut tables) = (0, 0);
    for node in &circuit.nodes {
        if let Op::Lookup { table, .. } = node.op {
            tables = tables.max(table as usize + 1);
        }
        for term in node.op.expr().iter().flat_map(|expr| &expr.terms) {
            if let Term::Contract { weight, .. } | Term::Bias { weight, .. } | Term::Select { weight, .. } = term {
                weights = weights.max(*weight as usize + 1);
            }
        }
    }
    circuit.weights.truncate(weights);
    circuit.tables.truncate(tables);
    let [rows, inner] = [circuit.nodes[node].rows, circuit.nodes[node].inner];
    circuit.outputs = vec![port("y", node as u32, &[rows, inner], &[0, 1])];
    circuit
}
