//! A circuit that is proven, and how a proof of something else is made: one value is changed, and all that follows from it.
use assay_circuits::eval::{self, Evaluation, Weights};
use assay_prover::sumcheck::Prover;
use assay_prover::witness::Witness;
use assay_verifier::circuit::{CheckedCircuit, Circuit, Limits, Node, Op, Range};
use assay_verifier::field::signed;
use assay_verifier::statement::{Inputs, Statement};
use assay_verifier::sumcheck::key::CheckedKey;
use assay_verifier::sumcheck::layout::{Block, Limb};
use assay_verifier::sumcheck::{Step, VerifyError};

use crate::common::attention::attention;
use crate::common::{Numbers, inputs_of, kitchen_sink, port, verify, weights_of};

/// A prover, its key as a verifier has it, and inputs with their evaluation.
pub struct Setting {
    pub weights: Weights,
    pub inputs: Vec<Vec<i64>>,
    pub prover: Prover,
    pub key: CheckedKey,
    pub evaluation: Evaluation,
}

impl Setting {
    /// Convolutions, tables, products of tensors, pools.
    pub fn new() -> Self {
        Self::of(kitchen_sink(7), 5)
    }

    /// Embeddings, attention, softmax, a norm.
    pub fn attention() -> Self {
        Self::of(attention(7), 3)
    }

    fn of(circuit: Circuit, seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let weights = weights_of(&circuit, &mut numbers);
        let inputs = inputs_of(&circuit, &mut numbers);
        let prover = Prover::new(circuit, weights.clone()).unwrap();
        let key = CheckedKey::new(&prover.prove_range().unwrap(), &Limits::default()).unwrap();
        let evaluation = prover.evaluate(&inputs).unwrap();
        Self { weights, inputs, prover, key, evaluation }
    }

    pub fn circuit(&self) -> &Circuit {
        self.key.circuit().circuit()
    }

    pub fn witness(&self, evaluation: &Evaluation) -> Witness {
        Witness::new(self.key.circuit(), self.key.layout(), evaluation)
    }

    pub fn statement(&self, evaluation: &Evaluation) -> Statement {
        Statement {
            key: self.key.digest(),
            inputs: Inputs::Public(self.inputs.clone()),
            outputs: self.prover.outputs(evaluation),
            context: b"context".to_vec(),
        }
    }

    /// Proves and verifies the outputs of an evaluation with a witness.
    pub fn run(&self, witness: &Witness, evaluation: &Evaluation) -> Result<(), VerifyError> {
        let proof = self.prover.argue(self.statement(evaluation), witness, evaluation).unwrap();
        verify(&self.key, &proof)
    }

    pub fn refused(&self, name: &str, witness: &Witness, evaluation: &Evaluation, step: Step) {
        assert_eq!(self.run(witness, evaluation), Err(VerifyError::Check(step)), "{name}");
    }

    /// Evaluates another circuit of the same shapes on the same inputs.
    pub fn evaluate(&self, circuit: Circuit, extra: Option<Vec<i64>>) -> Evaluation {
        self.evaluate_on(circuit, &self.inputs, extra)
    }

    /// Evaluates another circuit of the same shapes on other inputs.
    pub fn evaluate_on(&self, circuit: Circuit, inputs: &[Vec<i64>], extra: Option<Vec<i64>>) -> Evaluation {
        let checked = CheckedCircuit::new(circuit, &Limits::default()).unwrap();
        let ordered = self
            .circuit()
            .inputs
            .iter()
            .zip(inputs)
            .map(|(port, values)| port.model_order().iter().map(|&at| values[at as usize]).collect());
        let ordered: Vec<Vec<i64>> = ordered.chain(extra).collect();
        eval::evaluate(&checked, &self.weights, &ordered).unwrap()
    }

    /// The evaluation in which one node has other cells, and everything after it follows from them.
    pub fn with_cells(&self, node: usize, cells: Vec<i64>) -> Evaluation {
        let mut circuit = self.circuit().clone();
        let Range { low, high } = self.key.circuit().range(node as u32).unwrap();
        let Node { rows, inner, .. } = circuit.nodes[node];
        let forced = Node { rows, inner, op: Op::Input(Range { low, high }) };
        // The node's own relation stays at the end, so that its weights are still used.
        let own = std::mem::replace(&mut circuit.nodes[node], forced);
        circuit.nodes.push(own);
        circuit.inputs.push(port("forced", node as u32, &[rows, inner], &[0, 1]));
        let mut evaluation = self.evaluate(circuit, Some(cells));
        evaluation.nodes.pop();
        evaluation.accumulators[node] = evaluation.accumulators.pop().unwrap();
        evaluation
    }
}

/// Blocks of limb columns, with the positions of the limbs.
pub fn blocks(setting: &Setting, limbs: &[Limb]) -> Vec<(Block, u32)> {
    limbs.iter().map(|limb| (setting.key.layout().columns[limb.column].clone(), limb.shift)).collect()
}

/// Remainder, offset and excess of an accumulator.
pub fn parts(value: i64, shift: u8, low: i64, bits: u8) -> (i64, i64, i64) {
    let rounded = value + if shift == 0 { 0 } else { 1 << (shift - 1) };
    let above = (rounded >> shift) - low;
    (rounded & ((1 << shift) - 1), above & ((1 << bits) - 1), above >> bits)
}

pub fn at(block: &Block, cell: usize) -> usize {
    block.offset + ((cell / block.inner) << block.log_inner) + cell % block.inner
}

/// Writes a value as limbs; what exceeds their width goes to the last one.
pub fn write_limbs(limbs: &[(Block, u32)], witness: &mut Witness, cell: usize, value: i64) {
    for (index, (block, shift)) in limbs.iter().enumerate() {
        let digit = match limbs.get(index + 1) {
            Some((_, next)) => (value >> shift) & ((1 << (next - shift)) - 1),
            None => value >> shift,
        };
        witness.stack[at(block, cell)] = signed(digit);
    }
}

pub fn changed(cells: &[i64], cell: usize, value: i64) -> Vec<i64> {
    let mut cells = cells.to_vec();
    cells[cell] = value;
    cells
}
