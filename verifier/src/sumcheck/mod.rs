//! Engine `sumcheck`: transparent proofs from sumchecks, one lookup argument and WHIR commitments.
//!
//! The order of the protocol is the order of [`verify`]; `PROTOCOL.md` writes it down to the byte.
pub mod activation;
pub mod channel;
pub mod claims;
pub mod contraction;
pub mod eq;
pub mod key;
pub mod layout;
pub mod leaves;
pub mod lookup;
pub mod pcs;
pub mod range;
pub mod rounds;
pub mod security;
pub mod stack;
pub mod weights;

use alloc::borrow::Cow;
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::circuit::{CheckedCircuit, Circuit, Node, Port, Term};
use crate::field::{EF, F, signed};
use crate::statement::{CONTEXT_LEN_MAX, Statement};
use crate::transcript::Transcript;
use crate::wire;
use channel::Channel;
use claims::{Claim, Values, batch, complete, evaluate, expression_claims};
use contraction::Selections;
use key::CheckedKey;
use layout::{Layout, Limb, NodeColumns};
use leaves::{Challenges, ExpressionClaim, Leaves};
use pcs::{ColumnOpening, Opening, Purpose, StackShape};
use stack::{ColumnClaim, Inner};
use weights::WeightClaim;

/// Why a statement holds.
#[derive(Clone, Serialize, Deserialize)]
pub struct Argument {
    /// Root of the witness.
    pub root: [u8; 32],
    /// Messages in the order of the protocol.
    pub messages: Vec<EF>,
    /// Opening of the witness.
    pub witness: Opening,
    /// Openings of the weights, stack by stack.
    pub weights: Vec<Opening>,
}

/// A check of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The sum of all fractions is zero.
    LookupSum,
    /// No fraction has a zero denominator.
    LookupPole,
    /// A round of a lookup layer.
    LookupRound,
    /// The end of a lookup layer.
    LookupLayer,
    /// The end of the contraction.
    Contraction,
    /// The end of the activation sumcheck.
    Activation,
    /// The end of the stack sumcheck.
    Stack,
    /// Numerators of a range proof's leaves.
    RangeNumerator,
    /// Denominators of a range proof's leaves.
    RangeDenominator,
}

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The proof names another key.
    #[error("the proof is for another key")]
    OtherKey,
    /// The inputs are not stated.
    #[error("this engine hides nothing: inputs must be public")]
    PrivateInputs,
    /// A different number of inputs or outputs than the circuit has.
    #[error("{0}: wrong number of tensors")]
    PortCount(&'static str),
    /// A tensor of another length.
    #[error("{kind} {index}: wrong number of values")]
    PortLength {
        /// Input or output.
        kind: &'static str,
        /// Which.
        index: usize,
    },
    /// A value that the tensor cannot take.
    #[error("{kind} {index}: value at position {position} is out of range")]
    PortRange {
        /// Input or output.
        kind: &'static str,
        /// Which.
        index: usize,
        /// Position in the model's order.
        position: usize,
    },
    /// The context is too long.
    #[error("context of more than {CONTEXT_LEN_MAX} bytes")]
    Context,
    /// The key is inconsistent.
    #[error("key: {0}")]
    Key(&'static str),
    /// Sizes outside what the security parameters allow.
    #[error("sizes outside of the security parameters")]
    Parameters,
    /// The proof holds too few messages.
    #[error("too few messages")]
    MessagesTooFew,
    /// The proof holds too many messages.
    #[error("too many messages")]
    MessagesTooMany,
    /// A check of the protocol failed.
    #[error("check failed: {0:?}")]
    Check(Step),
    /// Another number of openings than stacks of weights.
    #[error("wrong number of openings")]
    OpeningCount,
    /// An opening proof is wrong.
    #[error("opening of {0:?} does not verify")]
    Opening(Purpose),
    /// A commitment opens to another value than was claimed.
    #[error("{0:?} opens to another value than claimed")]
    OpenedValue(Purpose),
}

/// Starts the transcript of a statement's proof.
pub fn transcript(statement: &Statement) -> Transcript {
    let mut transcript = Transcript::new("assay sumcheck v1");
    transcript.bytes(&wire::bytes(statement));
    transcript
}

/// Verifies the argument for a statement against a key.
///
/// # Errors
/// The first check that fails.
pub fn verify(key: &CheckedKey, statement: &Statement, proof: &Argument) -> Result<(), VerifyError> {
    let (checked, layout) = (key.circuit(), key.layout());
    let public = Public::new(key, statement)?;
    let mut transcript = transcript(statement);
    pcs::observe_root(&proof.root, &mut transcript);
    let mut channel = Channel::new(&mut transcript, &proof.messages);

    // The witness root may leave several polynomials open: its value at a fresh point pins one.
    let pinned_point = channel.transcript.sample_point(layout.stack_variables);
    let pinned = channel.receive()?;

    let (alpha, beta) = (channel.sample(), channel.sample());
    let leaf = lookup::verify(&mut channel, layout.leaf_variables)?;
    let challenges = Challenges { alpha, beta, eta: channel.sample() };
    let Leaves { columns, tensors, expressions, total } = Leaves::new(checked, layout, &leaf, challenges);

    let mut terms = ExpressionTerms::new(checked, &public.selections, &expressions);
    let mut total = total - terms.constant;
    let mut reduced = contraction::Reduced::default();
    if !terms.instances.is_empty() {
        let products = channel.receive()?;
        total -= products;
        reduced = contraction::verify(&mut channel, checked, &terms.instances, products)?;
    }
    for (weight, point, coefficient) in terms.biases {
        let value = channel.receive()?;
        total -= coefficient * value;
        reduced.weights.push(WeightClaim { weight, point, value });
    }

    let mut tensor_claims = tensors;
    tensor_claims.append(&mut terms.linear);
    let outputs = public.output_claims(checked, channel.transcript);
    let challenge = channel.sample();
    total += batch(&mut tensor_claims, reduced.tensors.into_iter().chain(outputs), challenge);
    let on = |values: &[Values]| -> EF {
        tensor_claims.iter().filter_map(|claim| Some(evaluate(claim, values.get(claim.source)?))).sum()
    };
    total -= on(&complete(checked, public.known_values(checked), EF::ONE));

    let mut column_claims = columns;
    let mut lane = None;
    if layout.lanes_len() > 0 {
        let rescaled = channel.receive()?;
        total -= rescaled;
        let (claim, end) = activation::verify(&mut channel, layout, rescaled)?;
        let weights = on(&complete(checked, lane_values(layout, &claim.point), EF::ZERO));
        activation::finish(&channel, checked, layout, &claim, weights, end)?;
        lane = Some(claim);
    }
    let batch = channel.sample();
    if let Some(claim) = lane {
        total += batch * claim.sign + batch.square() * claim.offset;
        column_claims.extend(lane_claims(layout, &claim.point, batch));
    }
    let pin_weight = batch.cube();
    total += pin_weight * pinned;

    let (point, end) = rounds::verify(&mut channel, layout.stack_variables, stack::DEGREE, total)?;
    let value = channel.receive()?;
    let weights = stack::evaluate(layout, &column_claims, &point)
        + on(&complete(checked, committed_values(layout, &point), EF::ZERO))
        + pin_weight * eq::eq_points(&pinned_point, &point);
    channel.assert_zero(weights * value - end, Step::Stack)?;
    channel.finish()?;

    let shape = StackShape::witness(layout.stack_variables);
    shape.verify(&proof.root, &[ColumnOpening { column: 0, point, value }], &proof.witness, &mut transcript)?;
    verify_weights(key, &reduced.weights, &proof.weights, &mut transcript)
}

/// Opens all stacks of weights at the claims and at the key's stated point.
fn verify_weights(
    key: &CheckedKey,
    claims: &[WeightClaim],
    openings: &[Opening],
    transcript: &mut Transcript,
) -> Result<(), VerifyError> {
    if openings.len() != key.weights().len() {
        return Err(VerifyError::OpeningCount);
    }
    for (stack, ((commitment, shape), opening)) in
        key.weights().iter().zip(&key.stacks().shapes).zip(openings).enumerate()
    {
        let claims = key.stacks().openings(stack, &commitment.stated, key.stated_point(), claims)?;
        pcs::observe_root(&commitment.root, transcript);
        shape.verify(&commitment.root, &claims, opening, transcript)?;
    }
    Ok(())
}

/// Public inputs and outputs in the nodes' order.
pub struct Public {
    inputs: Vec<(usize, Vec<EF>)>,
    outputs: Vec<(usize, Vec<EF>)>,
    /// The inputs as indices, as far as they are such.
    pub selections: Selections,
}

impl Public {
    /// Checks a statement against a key.
    ///
    /// # Errors
    /// It is for another key, or a tensor has a wrong length or values out of range.
    pub fn new(key: &CheckedKey, statement: &Statement) -> Result<Self, VerifyError> {
        if statement.key != key.digest() {
            return Err(VerifyError::OtherKey);
        }
        if statement.context.len() > CONTEXT_LEN_MAX {
            return Err(VerifyError::Context);
        }
        let tensors = statement.inputs.public().ok_or(VerifyError::PrivateInputs)?;
        let Circuit { inputs, outputs, .. } = key.circuit().circuit();
        let indices = |(port, tensor): (&Port, &Vec<i64>)| {
            let indices = port.to_node_order(tensor).into_iter().map(u32::try_from).collect::<Result<_, _>>();
            Some((port.node, indices.ok()?))
        };
        Ok(Self {
            selections: inputs.iter().zip(tensors).filter_map(indices).collect(),
            inputs: check_ports(key.circuit(), "input", inputs, tensors)?,
            outputs: check_ports(key.circuit(), "output", outputs, &statement.outputs)?,
        })
    }

    /// Claims that outputs have their values at fresh points, with the public values there.
    pub fn output_claims(&self, checked: &CheckedCircuit, transcript: &mut Transcript) -> Vec<(Claim<'static>, EF)> {
        let claim = |(node, cells): &(usize, Vec<EF>)| -> Option<(Claim<'static>, EF)> {
            let shape = checked.circuit().nodes.get(*node)?;
            let rows = transcript.sample_point(contraction::log2(shape.rows.into()));
            let inner = transcript.sample_point(contraction::log2(shape.inner.into()));
            let claim = Claim {
                source: *node,
                gather: None,
                coefficient: EF::ONE,
                rows: Cow::Owned(eq::eq_range(&rows, 0, shape.rows as usize)),
                inner: Cow::Owned(eq::eq_range(&inner, 0, shape.inner as usize)),
                taps: Cow::Borrowed(&[]),
            };
            let value = evaluate(&claim, &Values::Cells { cells: cells.clone(), inner: shape.inner as usize });
            Some((claim, value))
        };
        self.outputs.iter().filter_map(claim).collect()
    }

    /// Values of the inputs, and what quotients and roots are above.
    pub fn known_values(&self, checked: &CheckedCircuit) -> Vec<Values> {
        let lowest = |(id, node): (usize, &Node)| match checked.bracket(id) {
            Some(bracket) => Values::Outer {
                rows: alloc::vec![signed(bracket.low).into(); node.rows as usize],
                inner: alloc::vec![EF::ONE; node.inner as usize],
            },
            None => Values::Zero,
        };
        let mut values: Vec<Values> = checked.circuit().nodes.iter().enumerate().map(lowest).collect();
        for (node, cells) in &self.inputs {
            let inner = checked.circuit().nodes.get(*node).map_or(1, |node| node.inner as usize);
            if let Some(slot) = values.get_mut(*node) {
                *slot = Values::Cells { cells: cells.clone(), inner };
            }
        }
        values
    }
}

fn check_ports(
    checked: &CheckedCircuit,
    kind: &'static str,
    ports: &[Port],
    tensors: &[Vec<i64>],
) -> Result<Vec<(usize, Vec<EF>)>, VerifyError> {
    if ports.len() != tensors.len() {
        return Err(VerifyError::PortCount(kind));
    }
    let check = |(index, (port, tensor)): (usize, (&Port, &Vec<i64>))| {
        let range = checked.range(port.node).ok_or(VerifyError::PortLength { kind, index })?;
        if crate::circuit::product(&port.dims) != tensor.len() as u64 {
            return Err(VerifyError::PortLength { kind, index });
        }
        if let Some(position) = tensor.iter().position(|&value| !range.contains(value)) {
            return Err(VerifyError::PortRange { kind, index, position });
        }
        let cells = port.to_node_order(tensor).into_iter().map(|value| signed(value).into());
        Ok((port.node as usize, cells.collect()))
    };
    ports.iter().zip(tensors).enumerate().map(check).collect()
}

/// The terms of claimed expressions.
pub struct ExpressionTerms<'a> {
    /// Contractions and products.
    pub instances: Vec<contraction::Instance<'a>>,
    /// Claims on tensors.
    pub linear: Vec<Claim<'a>>,
    /// Biases: weight, point and multiplier.
    pub biases: Vec<(usize, Vec<EF>, EF)>,
    /// What constants add up to.
    pub constant: EF,
}

impl<'a> ExpressionTerms<'a> {
    /// Takes claimed expressions apart.
    pub fn new(checked: &'a CheckedCircuit, selections: &'a Selections, claims: &'a [ExpressionClaim<'a>]) -> Self {
        let mut terms = Self { instances: Vec::new(), linear: Vec::new(), biases: Vec::new(), constant: EF::ZERO };
        for claim in claims {
            let Some(expression) = checked.expressions(claim.node).get(claim.expression) else { continue };
            let ExpressionClaim { coefficient, rows, inner, inner_point, .. } = claim;
            let over_rows: EF = rows.iter().copied().sum();
            let mass = over_rows * inner.iter().copied().sum::<EF>();
            terms.constant += *coefficient * mass * signed(expression.expr.constant);
            terms.linear.extend(expression_claims(expression, *coefficient, rows, inner));
            let circuit = checked.circuit();
            terms.instances.extend(contraction::expression_instances(circuit, expression, selections, claim));
            for term in &expression.expr.terms {
                if let Term::Bias { coefficient: factor, weight } = term {
                    let coefficient = *coefficient * over_rows * signed(*factor);
                    terms.biases.push((*weight as usize, inner_point.clone(), coefficient));
                }
            }
        }
        terms
    }
}

/// Equality weights of all lanes at a point, as values of the rescaled tensors.
pub fn lane_values(layout: &Layout, point: &[EF]) -> Vec<Values> {
    let values = |columns: &NodeColumns| match columns {
        NodeColumns::Rescale { lanes, .. } => {
            let (rows, inner) = activation::lane_weights(lanes, point);
            Values::Outer { rows, inner }
        }
        _ => Values::Zero,
    };
    layout.nodes.iter().map(values).collect()
}

/// Equality weights of the stack at a point, as values of the tensors that are linear in committed columns.
pub fn committed_values(layout: &Layout, point: &[EF]) -> Vec<Values> {
    layout.nodes.iter().map(|columns| columns.values(layout, point)).collect()
}

impl NodeColumns {
    /// The tensor's value columns with what each counts: none if the tensor is not linear in committed columns.
    pub fn value_limbs(&self) -> Vec<Limb> {
        match self {
            Self::Lookup { value, .. } | Self::Max { value, .. } => alloc::vec![Limb { column: *value, shift: 0 }],
            Self::Bracket { value, .. } => value.clone(),
            Self::None | Self::Rescale { .. } => Vec::new(),
        }
    }

    fn values(&self, layout: &Layout, point: &[EF]) -> Values {
        let mut all: Option<(Vec<EF>, Vec<EF>)> = None;
        for limb in self.value_limbs() {
            let Some(block) = layout.columns.get(limb.column) else { continue };
            let unit = F::TWO.exp_u64(limb.shift.into());
            let rows = block.row_weights(point).into_iter().map(|row| row * unit);
            match &mut all {
                // The limbs' blocks have the same shape, so the inner factors are the same.
                Some((sum, _)) => sum.iter_mut().zip(rows).for_each(|(sum, row)| *sum += row),
                None => all = Some((rows.collect(), block.inner_weights(point))),
            }
        }
        all.map_or(Values::Zero, |(rows, inner)| Values::Outer { rows, inner })
    }
}

/// Claims on signs and offset limbs that come from the claims on all lanes.
pub fn lane_claims(layout: &Layout, point: &[EF], batch: EF) -> Vec<ColumnClaim<'static>> {
    let mut claims = Vec::new();
    for columns in &layout.nodes {
        let NodeColumns::Rescale { sign, offset, lanes, .. } = columns else { continue };
        let rows = lanes.row_weights(point);
        let mut claim = |column: usize, coefficient: EF| {
            claims.push(ColumnClaim {
                column,
                coefficient,
                rows: Cow::Owned(rows.clone()),
                inner: Inner::Point(lanes.inner_point(point).to_vec()),
            });
        };
        claim(*sign, batch);
        for limb in offset {
            claim(limb.column, batch.square() * F::TWO.exp_u64(limb.shift.into()));
        }
    }
    claims
}
