//! The circuit file: everything that a prover needs of one model, in one file.
//!
//! It holds the description, the integer weights, the commitment to them and the compiler's report. It serves all engines;
//! the commitment is the one of `sumcheck`, which needs no more than the weights. Nothing in it is taken on trust:
//! [`CheckedFile::new`] checks the description and the weights against it, and [`CheckedFile::prover`] commits to the weights
//! again and compares. The same model, options and samples give the same bytes.
use assay_circuits::eval::{self, EvalError, Weights};
use assay_circuits::report::Report;
use assay_verifier::circuit::{CheckedCircuit, Circuit, CircuitError, Limits};
use assay_verifier::digest::KeyDigest;
use assay_verifier::sumcheck::key::{Key, WeightCommitment};
use assay_verifier::wire;
use serde::{Deserialize, Serialize};

use crate::sumcheck::{ProveError, Prover};

/// A compiled model as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub struct CircuitFile {
    /// The description.
    pub circuit: Circuit,
    /// Values of its weights.
    pub weights: Weights,
    /// The commitment of the engine `sumcheck` to the weights, stack by stack.
    pub commitments: Vec<WeightCommitment>,
    /// What the compiler measured and predicted.
    pub report: Report,
}

impl wire::File for CircuitFile {
    const NAME: &'static str = "circuit";
    const MAGIC: [u8; 8] = *b"ASSAYCF1";
}

/// Why a circuit file is refused.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The description is not a circuit.
    #[error("the description is not a circuit: {0}")]
    Circuit(#[from] CircuitError),
    /// The weights do not fit the description.
    #[error("the weights do not fit the description: {0}")]
    Weights(EvalError),
    /// The stored commitment is to other weights.
    #[error("the stored commitment is not to the weights in the file")]
    Commitment,
    /// The weights cannot be committed.
    #[error(transparent)]
    Commit(#[from] ProveError),
}

impl CircuitFile {
    /// Commits to the weights of a compiled model.
    ///
    /// # Errors
    /// The circuit or its weights are malformed.
    pub fn new(circuit: Circuit, weights: Weights, report: Report) -> Result<Self, ProveError> {
        let prover = Prover::new(circuit, weights)?;
        Ok(Self {
            circuit: prover.key().circuit().circuit().clone(),
            weights: prover.weights().clone(),
            commitments: prover.key().weights().to_vec(),
            report,
        })
    }

    /// The identity of the key of `sumcheck` that belongs to the stored commitment.
    pub fn key_digest(&self) -> KeyDigest {
        Key { circuit: self.circuit.clone(), weights: self.commitments.clone(), range: None }.digest()
    }
}

/// A circuit file whose description is a circuit and whose weights fit it.
#[derive(Clone)]
pub struct CheckedFile {
    checked: CheckedCircuit,
    file: CircuitFile,
}

impl CheckedFile {
    /// Checks all but the commitment, which evaluation does not need.
    ///
    /// # Errors
    /// The description is not a circuit, or the weights do not fit it.
    pub fn new(file: CircuitFile) -> Result<Self, FileError> {
        let checked = CheckedCircuit::new(file.circuit.clone(), &Limits::default())?;
        eval::check_weights(&checked, &file.weights).map_err(FileError::Weights)?;
        Ok(Self { checked, file })
    }

    /// The circuit.
    pub fn circuit(&self) -> &CheckedCircuit {
        &self.checked
    }

    /// What is stored.
    pub fn file(&self) -> &CircuitFile {
        &self.file
    }

    /// Evaluates the circuit. Inputs and outputs are given for each port in the order of the model's own axes.
    ///
    /// # Errors
    /// The inputs do not fit the circuit.
    pub fn evaluate(&self, inputs: &[Vec<i64>]) -> Result<Vec<Vec<i64>>, EvalError> {
        let Circuit { inputs: ports, outputs, .. } = self.checked.circuit();
        if inputs.len() != ports.len() {
            return Err(EvalError::InputCount { expected: ports.len(), actual: inputs.len() });
        }
        let mut ordered = Vec::with_capacity(inputs.len());
        for (port, values) in ports.iter().zip(inputs) {
            let expected = port.dims.iter().map(|&dim| dim as usize).product();
            if values.len() != expected {
                return Err(EvalError::InputLength { name: port.name.clone(), expected, actual: values.len() });
            }
            ordered.push(port.to_node_order(values));
        }
        let evaluation = eval::evaluate(&self.checked, &self.file.weights, &ordered)?;
        Ok(outputs.iter().map(|port| port.to_model_order(&evaluation.nodes[port.node as usize])).collect())
    }

    /// Commits to the weights and compares with the stored commitment.
    ///
    /// # Errors
    /// The stored commitment is to other weights.
    pub fn prover(self) -> Result<Prover, FileError> {
        let CircuitFile { circuit, weights, commitments, .. } = self.file;
        let prover = Prover::new(circuit, weights)?;
        if prover.key().weights() == commitments { Ok(prover) } else { Err(FileError::Commitment) }
    }
}
