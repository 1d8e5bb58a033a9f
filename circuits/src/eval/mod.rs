//! Exact integer evaluation of a circuit: the specification of every relation.
//!
//! What is written here in plain integers is what the proof proves; provers and verifiers are tested against it.
use assay_verifier::circuit::{CheckedCircuit, Gather, Op, Pass, Range, Table, Term, Weight};
use rayon::prelude::*;
use thiserror::Error;

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
    /// For each rescale node the value of its expression before rescaling; empty for other nodes.
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
        let cells = match &node.op {
            Op::Input(range) => {
                let position =
                    ports.iter().position(|port| port.node as usize == id).expect("checked circuits name inputs");
                check_input(&ports[position].name, node.len(), *range, &inputs[position])?;
                inputs[position].clone()
            }
            Op::Affine(_) => expression(circuit, weights, id, &evaluation.nodes),
            Op::Rescale { shift, low, bits, .. } => {
                accumulator = expression(circuit, weights, id, &evaluation.nodes);
                accumulator.iter().map(|&value| rescale(value, *shift, *low, *bits)).collect()
            }
            Op::Lookup { source, table } => {
                let table = &circuit.circuit().tables[*table as usize];
                evaluation.nodes[*source as usize].iter().map(|&argument| lookup(table, argument)).collect()
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

/// The value of a node's expression in every cell.
fn expression(circuit: &CheckedCircuit, weights: &Weights, id: usize, nodes: &[Vec<i64>]) -> Vec<i64> {
    let node = &circuit.circuit().nodes[id];
    let expr = node.op.expr().expect("only nodes with an expression are asked for it");
    let inner = node.inner as usize;
    let mut cells = vec![expr.constant; node.len() as usize];
    for (index, term) in expr.terms.iter().enumerate() {
        let gathers = circuit.gathers(id, index);
        cells.par_chunks_mut(inner).enumerate().for_each(|(row, cells)| match term {
            Term::Linear { coefficient, view } => {
                let source = Source::new(circuit, view.source, nodes);
                linear(&gathers[0], *coefficient, source, row, cells);
            }
            Term::Contract { coefficient, weight, view } => {
                let source = Source::new(circuit, view.source, nodes);
                let spec = &circuit.circuit().weights[*weight as usize];
                contract(&gathers[0], *coefficient, spec, &weights[*weight as usize], source, row, cells);
            }
            Term::Bias { coefficient, weight } => {
                for (cell, &bias) in cells.iter_mut().zip(&weights[*weight as usize]) {
                    *cell += coefficient * i64::from(bias);
                }
            }
            Term::Product { coefficient, left, right } => {
                let (a, b) = (Source::new(circuit, left.source, nodes), Source::new(circuit, right.source, nodes));
                for (o, cell) in cells.iter_mut().enumerate() {
                    *cell += coefficient * (a.single(&gathers[0], row, o) * b.single(&gathers[1], row, o));
                }
            }
        });
    }
    cells
}

/// A tensor that a view reads.
#[derive(Clone, Copy)]
struct Source<'a> {
    cells: &'a [i64],
    inner: usize,
}

impl<'a> Source<'a> {
    fn new(circuit: &CheckedCircuit, node: u32, nodes: &'a [Vec<i64>]) -> Self {
        Self { cells: &nodes[node as usize], inner: circuit.circuit().nodes[node as usize].inner as usize }
    }

    /// The cell at a gathered place.
    fn at(&self, gather: &Gather, place: usize, passing: usize) -> i64 {
        match gather.pass {
            Pass::None => self.cells[place],
            Pass::Output { offset } | Pass::Channel { offset } => self.cells[place * self.inner + offset + passing],
        }
    }

    /// The only cell of a view without summed axes.
    fn single(&self, gather: &Gather, row: usize, o: usize) -> i64 {
        let free = if gather.inner == 1 { 0 } else { o };
        gather.taps(row, free).flatten().map(|place| self.at(gather, place, o)).sum()
    }
}

fn linear(gather: &Gather, coefficient: i64, source: Source<'_>, row: usize, cells: &mut [i64]) {
    let channels = if matches!(gather.pass, Pass::Channel { .. }) { gather.channels } else { 1 };
    for (o, cell) in cells.iter_mut().enumerate() {
        let free = if gather.inner == 1 { 0 } else { o };
        let mut sum = 0;
        for place in gather.taps(row, free).flatten() {
            for channel in 0..channels {
                let passing = if matches!(gather.pass, Pass::Output { .. }) { o } else { channel };
                sum += source.at(gather, place, passing);
            }
        }
        *cell += coefficient * sum;
    }
}

fn contract(
    gather: &Gather,
    coefficient: i64,
    spec: &Weight,
    weights: &[i16],
    source: Source<'_>,
    row: usize,
    cells: &mut [i64],
) {
    let summed = (spec.taps * spec.channels) as usize;
    let channels = if matches!(gather.pass, Pass::Channel { .. }) { gather.channels } else { 1 };
    if !gather.uses_inner() {
        // All outputs read the same cells: gather them once.
        let mut read = Vec::with_capacity(summed);
        for place in gather.taps(row, 0) {
            read.extend((0..channels).map(|channel| place.map_or(0, |place| source.at(gather, place, channel))));
        }
        for (cell, weights) in cells.iter_mut().zip(weights.chunks_exact(summed)) {
            *cell += coefficient * weights.iter().zip(&read).map(|(&w, &x)| i64::from(w) * x).sum::<i64>();
        }
        return;
    }
    for ((o, cell), weights) in cells.iter_mut().enumerate().zip(weights.chunks_exact(summed)) {
        let free = if gather.inner == 1 { 0 } else { o };
        let mut sum = 0;
        for (place, weights) in gather.taps(row, free).zip(weights.chunks_exact(channels)) {
            let Some(place) = place else { continue };
            for (channel, &weight) in weights.iter().enumerate() {
                let passing = if matches!(gather.pass, Pass::Output { .. }) { o } else { channel };
                sum += i64::from(weight) * source.at(gather, place, passing);
            }
        }
        *cell += coefficient * sum;
    }
}
