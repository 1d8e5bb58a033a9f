//! Engine `sumcheck`, the proving side. File for file the mirror of the verifier's.
pub mod activation;
pub mod channel;
pub mod claims;
pub mod contraction;
pub mod eq;
pub mod leaves;
pub mod lookup;
pub mod packed;
pub mod pcs;
pub mod range;
pub mod rounds;
pub mod stack;

use assay_circuits::eval::{self, EvalError, Evaluation, Weights};
use assay_verifier::circuit::{CheckedCircuit, Circuit, Limits, Port};
use assay_verifier::field::{EF, F, signed};
use assay_verifier::statement::{Argument, Inputs, Proof, Statement};
use assay_verifier::sumcheck::claims::{Claim, batch, complete, evaluate};
use assay_verifier::sumcheck::contraction::{Reduced, padded_positions};
use assay_verifier::sumcheck::key::{CheckedKey, Key, KeyError, WeightCommitment};
use assay_verifier::sumcheck::layout::{Layout, NodeColumns};
use assay_verifier::sumcheck::leaves::{Challenges, Leaves};
use assay_verifier::sumcheck::pcs::{ColumnOpening, Opening, Purpose, StackShape, observe_root};
use assay_verifier::sumcheck::weights::{WeightClaim, WeightStacks};
use assay_verifier::sumcheck::{self, ExpressionTerms, Public, VerifyError, lane_claims, transcript};
use assay_verifier::transcript::Transcript;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

use crate::witness::Witness;
use channel::Channel;
use contraction::Sources;
use pcs::{CommitError, Committed};

/// Why nothing was proven.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The inputs do not fit the circuit.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The key is not one.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Sizes are outside what the security parameters allow.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The statement does not fit the key.
    #[error(transparent)]
    Statement(#[from] VerifyError),
}

/// A circuit with its weights, committed and ready to prove any number of statements.
pub struct Prover {
    key: CheckedKey,
    weights: Weights,
    committed: Vec<Committed>,
}

/// Weight tensors as committed columns.
pub struct WeightColumns<'a> {
    circuit: &'a Circuit,
    weights: &'a Weights,
}

impl WeightColumns<'_> {
    /// Writes a tensor's padded cells.
    fn fill(&self, weight: usize, cells: &mut [F]) {
        let spec = &self.circuit.weights[weight];
        let summed = (spec.taps * spec.channels) as usize;
        let positions: Vec<usize> = padded_positions(spec).collect();
        let rows = cells.par_chunks_mut(spec.padded_row() as usize).zip(self.weights[weight].par_chunks(summed));
        rows.for_each(|(cells, values)| {
            positions.iter().zip(values).for_each(|(&position, &value)| cells[position] = signed(value.into()));
        });
    }
}

impl Prover {
    /// Commits to the weights of a circuit. The key that results has no range proof yet; see [`Prover::prove_range`].
    ///
    /// # Errors
    /// The circuit or its weights are malformed.
    pub fn new(circuit: Circuit, weights: Weights) -> Result<Self, ProveError> {
        let limits = Limits::default();
        let checked = CheckedCircuit::new(circuit, &limits).map_err(KeyError::Circuit)?;
        eval::check_weights(&checked, &weights)?;
        let circuit = checked.circuit();
        let stacks = WeightStacks::new(circuit);
        let columns = WeightColumns { circuit, weights: &weights };
        let committed = stacks
            .shapes
            .iter()
            .zip(&stacks.members)
            .map(|(shape, members)| Committed::new(shape.clone(), |column, cells| columns.fill(members[column], cells)))
            .collect::<Result<Vec<_>, _>>()?;
        let roots: Vec<[u8; 32]> = committed.iter().map(Committed::root).collect();
        let point = stacks.stated_point(&checked.digest().0, &roots);
        let commitments = stacks
            .members
            .iter()
            .zip(&stacks.shapes)
            .zip(roots)
            .map(|((members, shape), root)| {
                let at = |variables: usize| &point[point.len() - variables..];
                let stated = members
                    .iter()
                    .zip(&shape.columns)
                    .map(|(&weight, &variables)| columns.evaluate(weight, at(variables)));
                WeightCommitment { root, stated: stated.collect() }
            })
            .collect();
        let key = Key { circuit: circuit.clone(), weights: commitments, range: None };
        let key = CheckedKey::without_range(&key, &limits)?;
        Ok(Self { key, weights, committed })
    }

    /// A prover of parts that need not belong together, for tests of what verifiers refuse.
    #[doc(hidden)]
    pub fn from_parts(key: CheckedKey, weights: Weights, committed: Vec<Committed>) -> Self {
        Self { key, weights, committed }
    }

    /// The weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The key's contents that proofs depend on.
    pub fn key(&self) -> &CheckedKey {
        &self.key
    }

    /// The key for verifiers, with a proof that the weights are in range.
    ///
    /// # Errors
    /// Sizes are outside what the security parameters allow.
    pub fn prove_range(&self) -> Result<Key, ProveError> {
        let range = if self.committed.is_empty() {
            None
        } else {
            Some(range::prove(&self.key, &self.weights, &self.committed)?)
        };
        Ok(Key { circuit: self.key.circuit().circuit().clone(), weights: self.key.weights().to_vec(), range })
    }

    /// Evaluates the circuit on inputs, given for each port in the order of the model's own axes.
    ///
    /// # Errors
    /// The inputs do not fit the circuit.
    pub fn evaluate(&self, inputs: &[Vec<i64>]) -> Result<Evaluation, ProveError> {
        let ports = &self.key.circuit().circuit().inputs;
        if inputs.len() != ports.len() {
            return Err(EvalError::InputCount { expected: ports.len(), actual: inputs.len() }.into());
        }
        let order = |(port, values): (&Port, &Vec<i64>)| {
            let expected = port.dims.iter().map(|&dim| dim as usize).product();
            if values.len() == expected {
                Ok(port.to_node_order(values))
            } else {
                Err(EvalError::InputLength { name: port.name.clone(), expected, actual: values.len() })
            }
        };
        let ordered = ports.iter().zip(inputs).map(order).collect::<Result<Vec<_>, _>>()?;
        Ok(eval::evaluate(self.key.circuit(), &self.weights, &ordered)?)
    }

    /// The outputs of an evaluation, for each port in the order of the model's own axes.
    pub fn outputs(&self, evaluation: &Evaluation) -> Vec<Vec<i64>> {
        let ports = &self.key.circuit().circuit().outputs;
        ports.iter().map(|port| port.to_model_order(&evaluation.nodes[port.node as usize])).collect()
    }

    /// Proves the outputs of the given inputs, bound to context bytes.
    ///
    /// # Errors
    /// The inputs do not fit the circuit, or the context is too long.
    pub fn prove(&self, inputs: &[Vec<i64>], context: &[u8]) -> Result<Proof, ProveError> {
        on_pool(|| {
            let evaluation = self.evaluate(inputs)?;
            self.prove_evaluation(inputs, &evaluation, context)
        })
    }

    /// Proves an evaluation that was made before.
    ///
    /// # Errors
    /// The context is too long.
    pub fn prove_evaluation(
        &self,
        inputs: &[Vec<i64>],
        evaluation: &Evaluation,
        context: &[u8],
    ) -> Result<Proof, ProveError> {
        on_pool(|| {
            let witness = Witness::new(self.key.circuit(), self.key.layout(), evaluation);
            let statement = Statement {
                key: self.key.digest(),
                inputs: Inputs::Public(inputs.to_vec()),
                outputs: self.outputs(evaluation),
                context: context.to_vec(),
            };
            self.argue(statement, &witness, evaluation)
        })
    }

    /// Follows the protocol for whatever witness and evaluation it is given. The proof verifies only if they are right; tests
    /// give it wrong ones.
    ///
    /// # Errors
    /// The statement does not fit the key.
    #[doc(hidden)]
    pub fn argue(&self, statement: Statement, witness: &Witness, evaluation: &Evaluation) -> Result<Proof, ProveError> {
        let (checked, layout) = (self.key.circuit(), self.key.layout());
        let public = Public::new(&self.key, &statement)?;
        let shape = StackShape { purpose: Purpose::Witness, columns: vec![layout.stack_variables] };
        let stack = &witness.stack;
        let committed = Committed::new(shape, |_, cells| cells[..stack.len()].copy_from_slice(stack))?;

        let mut transcript = transcript(&statement);
        observe_root(&committed.root(), &mut transcript);
        let mut channel = Channel::new(&mut transcript);
        let pinned_point = channel.transcript.sample_point(layout.stack_variables);
        // All of the space, zeros included: the verifier evaluates these weights in closed form.
        let pinning = eq::eq_table(&pinned_point, 1 << layout.stack_variables, EF::ONE);
        channel.send(pinning.par_iter().zip(stack).map(|(&weight, &cell)| weight * cell).sum());

        let (alpha, beta) = (channel.sample(), channel.sample());
        let leaves = leaves::fractions(checked, layout, witness, evaluation, alpha, beta);
        let leaf = lookup::prove(&mut channel, leaves, layout.leaf_variables);
        let challenges = Challenges { alpha, beta, eta: channel.sample() };
        let Leaves { columns, tensors, expressions, total } = Leaves::new(checked, layout, &leaf, challenges);

        let mut terms = ExpressionTerms::new(checked, &public.selections, &expressions);
        let mut total = total - terms.constant;
        let mut reduced = Reduced::default();
        if !terms.instances.is_empty() {
            let sources = Sources { checked, weights: &self.weights, nodes: &evaluation.nodes };
            let (products, left) = contraction::prove(&mut channel, sources, &terms.instances);
            total -= products;
            reduced = left;
        }
        let weight_columns = WeightColumns { circuit: checked.circuit(), weights: &self.weights };
        for (weight, point, coefficient) in terms.biases {
            let value = weight_columns.evaluate(weight, &point);
            channel.send(value);
            total -= coefficient * value;
            reduced.weights.push(WeightClaim { weight, point, value });
        }

        let mut tensor_claims = tensors;
        tensor_claims.append(&mut terms.linear);
        let outputs = public.output_claims(checked, channel.transcript);
        let challenge = channel.sample();
        total += batch(&mut tensor_claims, reduced.tensors.into_iter().chain(outputs), challenge);
        let weights = claims::scatter(checked, &tensor_claims);
        total -= known_part(checked, &tensor_claims, &public);

        let mut column_claims = columns;
        let mut lane = None;
        if layout.lanes_len() > 0 {
            let (rescaled, claim) = activation::prove(&mut channel, checked, layout, witness, lanes(layout, &weights));
            total -= rescaled;
            lane = Some(claim);
        }
        let batch = channel.sample();
        if let Some(claim) = lane {
            total += batch * claim.sign + batch.square() * claim.offset;
            column_claims.extend(lane_claims(layout, &claim.point, batch));
        }
        let pin_weight = batch.cube();
        let pinned = channel.messages[0];
        total += pin_weight * pinned;
        let mut stack_weights = pinning;
        stack_weights.par_iter_mut().for_each(|weight| *weight *= pin_weight);
        add_committed(layout, &weights, &mut stack_weights);
        stack::scatter(layout, &column_claims, &mut stack_weights);
        let (point, value) = stack::prove(&mut channel, layout.stack_variables, stack, stack_weights, total);

        let messages = channel.messages;
        let opening = committed.open(&[ColumnOpening { column: 0, point, value }], &mut transcript)?;
        let weights = open_weights(&self.key, &self.committed, &reduced.weights, &mut transcript)?;
        let argument = sumcheck::Argument { root: committed.root(), messages, witness: opening, weights };
        Ok(Proof { statement, argument: Argument::Sumcheck(Box::new(argument)) })
    }
}

/// Runs the whole of a long computation on the thread pool. From any other thread each of its many short parallel loops would
/// be handed over and waited for.
fn on_pool<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| run())
}

/// Opens all stacks of weights at the claims and at the key's stated point.
fn open_weights(
    key: &CheckedKey,
    committed: &[Committed],
    claims: &[WeightClaim],
    transcript: &mut Transcript,
) -> Result<Vec<Opening>, CommitError> {
    let open = |(stack, (commitment, committed)): (usize, (&WeightCommitment, &Committed))| {
        let claims = key.stacks().openings(stack, &commitment.stated, key.stated_point(), claims)?;
        observe_root(&commitment.root, transcript);
        committed.open(&claims, transcript)
    };
    key.weights().iter().zip(committed).enumerate().map(open).collect()
}

/// What constants and public inputs contribute to the claims.
fn known_part(checked: &CheckedCircuit, claims: &[Claim<'_>], public: &Public) -> EF {
    let values = complete(checked, public.known_values(checked), EF::ONE);
    claims.par_iter().map(|claim| evaluate(claim, &values[claim.source])).sum()
}

/// The weights of all rescaled tensors, by lane.
fn lanes(layout: &Layout, weights: &[Vec<EF>]) -> Vec<EF> {
    let mut lanes = EF::zero_vec(layout.lanes_len());
    for (columns, weights) in layout.nodes.iter().zip(weights) {
        let NodeColumns::Rescale { lanes: block, .. } = columns else { continue };
        let cells = &mut lanes[block.offset..block.offset + block.len()];
        for (row, weights) in cells.chunks_exact_mut(block.row_len()).zip(weights.chunks_exact(block.inner)) {
            row[..block.inner].copy_from_slice(weights);
        }
    }
    lanes
}

/// Adds the weights of tensors that are linear in committed columns to those columns.
fn add_committed(layout: &Layout, weights: &[Vec<EF>], stack: &mut [EF]) {
    for (columns, weights) in layout.nodes.iter().zip(weights) {
        for limb in columns.value_limbs() {
            let block = &layout.columns[limb.column];
            let unit = F::TWO.exp_u64(limb.shift.into());
            let cells = &mut stack[block.offset..block.offset + block.len()];
            for (row, weights) in cells.chunks_exact_mut(block.row_len()).zip(weights.chunks_exact(block.inner)) {
                row.iter_mut().zip(weights).for_each(|(cell, &weight)| *cell += weight * unit);
            }
        }
    }
}
