//! Exact integer evaluation of a circuit: the specification of every relation.
//!
//! What is written here in plain integers is what the proof proves; provers and verifiers are tested against it.
mod expression;

use assay_verifier::circuit::{CheckedCircuit, Maximum, Node, Op, Range, Table};
use thiserror::Error;

use expression::Scope;

/// Values of the weight tensors: for each, `outputs * taps * channels` integers, row-major.
pub type Weights = Vec<Vec<i16>>;

/// Why an evaluation was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvalError {
    /// A different number of inputs than the circuit has.
    #[error("the circuit has {expected} inputs, got {actual}")]
    InputCount {
        /// What the circuit has.
        expected: usize,
        /// What was given.
        actual: usize,
    },
    /// An input of another length.
    #[error("input {name:?} has {expected} values, got {actual}")]
    InputLength {
        /// Name of the input.
        name: String,
        /// What the circuit has.
        expected: usize,
        /// What was given.
        actual: usize,
    },
    /// A value outside the input's range.
    #[error("input {name:?}: value {value} at position {position} is not within {low} to {high}")]
    InputRange {
        /// Name of the input.
        name: String,
        /// Position in the node's order.
        position: usize,
        /// The value.
        value: i64,
        /// Smallest allowed value.
        low: i64,
        /// Largest allowed value.
        high: i64,
    },
    /// The weights do not have the shapes or widths that the description says.
    #[error("weight tensor {0} does not fit the description")]
    Weight(usize),
}

/// All integer values of one evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// For each node its cells, row-major, unpadded.
    pub nodes: Vec<Vec<i64>>,
    /// For each rescale node the value of its expression before rescaling; for each quotient or root the values of the two
    /// expressions that must not be negative, one after the other; empty for other nodes.
    pub accumulators: Vec<Vec<i64>>,
}

/// Checks that weights have the shapes and widths that the description says.
///
/// # Errors
/// The first tensor that does not.
pub fn check_weights(circuit: &CheckedCircuit, weights: &Weights) -> Result<(), EvalError> {
    let specs = &circuit.circuit().weights;
    if specs.len() != weights.len() {
        return Err(EvalError::Weight(specs.len().min(weights.len())));
    }
    for (id, (spec, values)) in specs.iter().zip(weights).enumerate() {
        let range = Range::signed(spec.bits).ok_or(EvalError::Weight(id))?;
        if values.len() as u64 != spec.len() || !values.iter().all(|&value| range.contains(value.into())) {
            return Err(EvalError::Weight(id));
        }
    }
    Ok(())
}

/// Evaluates a circuit. `inputs` are in the order of the circuit's input ports, cells in the nodes' order.
///
/// # Errors
/// Inputs that do not fit the circuit. Weights must have been checked by [`check_weights`].
pub fn evaluate(circuit: &CheckedCircuit, weights: &Weights, inputs: &[Vec<i64>]) -> Result<Evaluation, EvalError> {
    let ports = &circuit.circuit().inputs;
    if ports.len() != inputs.len() {
        return Err(EvalError::InputCount { expected: ports.len(), actual: inputs.len() });
    }
    let mut evaluation = Evaluation { nodes: Vec::new(), accumulators: Vec::new() };
    for (id, node) in circuit.circuit().nodes.iter().enumerate() {
        let mut accumulator = Vec::new();
        let scope = Scope { circuit, weights, nodes: &evaluation.nodes };
        let cells = match &node.op {
            Op::Input(range) => {
                let position =
                    ports.iter().position(|port| port.node as usize == id).expect("checked circuits name inputs");
                check_input(&ports[position].name, node.len(), *range, &inputs[position])?;
                inputs[position].clone()
            }
            Op::Affine(expr) => scope.expression(&circuit.expressions(id)[0], expr.terms.len(), node),
            Op::Rescale { expr, shift, low, bits } => {
                accumulator = scope.expression(&circuit.expressions(id)[0], expr.terms.len(), node);
                accumulator.iter().map(|&value| rescale(value, *shift, *low, *bits)).collect()
            }
            Op::Lookup { source, table } => {
                let table = &circuit.circuit().tables[*table as usize];
                evaluation.nodes[*source as usize].iter().map(|&argument| lookup(table, argument)).collect()
            }
            Op::Quotient { .. } | Op::Root(_) => {
                let (cells, checks) = bracket(&scope, id, node);
                accumulator = checks;
                cells
            }
            Op::Max { source } => {
                let inner = circuit.circuit().nodes[*source as usize].inner as usize;
                let facts = circuit.maximum(id).expect("checked maxima have one");
                maximum(&evaluation.nodes[*source as usize], inner, facts)
            }
        };
        evaluation.nodes.push(cells);
        evaluation.accumulators.push(accumulator);
    }
    Ok(evaluation)
}

/// `clamp(floor((value + 2^(shift-1)) / 2^shift), low, low + 2^bits - 1)`.
pub fn rescale(value: i64, shift: u8, low: i64, bits: u8) -> i64 {
    let half = if shift == 0 { 0 } else { 1i64 << (shift - 1) };
    ((value + half) >> shift).clamp(low, low + (1 << bits) - 1)
}

/// The value of a function table.
pub fn lookup(table: &Table, argument: i64) -> i64 {
    i64::from(table.values[(argument - table.low) as usize])
}

fn check_input(name: &str, expected: u64, range: Range, cells: &[i64]) -> Result<(), EvalError> {
    if cells.len() as u64 != expected {
        return Err(EvalError::InputLength { name: name.into(), expected: expected as usize, actual: cells.len() });
    }
    match cells.iter().enumerate().find(|&(_, &value)| !range.contains(value)) {
        None => Ok(()),
        Some((position, &value)) => {
            Err(EvalError::InputRange { name: name.into(), position, value, low: range.low, high: range.high })
        }
    }
}

/// Values of a quotient or root, and of the two expressions that must not be negative, one after the other.
fn bracket(scope: &Scope<'_>, id: usize, node: &Node) -> (Vec<i64>, Vec<i64>) {
    let check = &scope.circuit.expressions(id)[0];
    let own = node.op.expr().map_or(0, |expr| expr.terms.len());
    let values = scope.expression(check, own, node);
    let parts: Vec<[i64; 3]> = match &node.op {
        Op::Quotient { denominator, .. } => {
            let denominators = scope.cells(&check.gathers(own)[0], denominator, node);
            values.iter().zip(&denominators).map(|(&n, &d)| quotient(n, d)).collect()
        }
        _ => values.iter().map(|&n| root(n)).collect(),
    };
    let part = |at: usize| parts.iter().map(move |parts| parts[at]);
    (part(0).collect(), part(1).chain(part(2)).collect())
}

/// `floor(n / d)`, what `n` is above its multiple of `d`, and what it lacks to the last value before the next one.
pub fn quotient(n: i64, d: i64) -> [i64; 3] {
    [n.div_euclid(d), n.rem_euclid(d), d - 1 - n.rem_euclid(d)]
}

/// `floor(sqrt(n))`, what `n` is above its square, and what it lacks to the last value before the next square.
pub fn root(n: i64) -> [i64; 3] {
    let root = n.isqrt();
    [root, n - root * root, root * (root + 2) - n]
}

/// The largest cell of each group.
fn maximum(cells: &[i64], source_inner: usize, maximum: Maximum) -> Vec<i64> {
    let groups = cells.chunks_exact(maximum.window * source_inner);
    if maximum.across {
        return groups.map(|group| group.iter().copied().max().expect("groups are not empty")).collect();
    }
    let largest = |group: &[i64], o: usize| group.iter().skip(o).step_by(source_inner).copied().max();
    groups.flat_map(|group| (0..source_inner).map(move |o| largest(group, o).expect("groups are not empty"))).collect()
}
