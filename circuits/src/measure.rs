//! Measures how well a circuit follows the float model: its outputs, and every tensor on the way to them.
use std::collections::BTreeMap;

use assay_verifier::circuit::{CheckedCircuit, Term};
use rayon::prelude::*;

use crate::compile::integers;
use crate::error::CompileError;
use crate::eval::{self, Evaluation, Weights};
use crate::graph::{self, Graph, Kind, NodeId};
use crate::io::{self, NamedTensors};
use crate::lower::Tensors;
use crate::quantize::{Interval, power_of_two};
use crate::report::{Accuracy, TensorError};

/// Number of tensors that are named as the worst.
const WORST: usize = 5;

/// Most samples that accuracy is measured on.
const SAMPLES_MAX: usize = 128;
/// Fewest of them, if there are that many.
const SAMPLES_MIN: usize = 8;
/// Products with weights from which on fewer samples are measured: seconds of work.
const PRODUCTS_MAX: u64 = 1 << 35;

/// Values of one output.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Those of the float model.
    pub expected: Vec<f64>,
    /// Those of the integers.
    pub actual: Vec<f64>,
    /// Length of the last axis, which holds classes: each row is an answer.
    pub classes: usize,
}

/// Number of classes of a tensor: the length of its last axis.
pub fn classes(graph: &Graph, node: NodeId) -> usize {
    graph.node(node).dims.last().map_or(1, |&length| length as usize)
}

/// The first of the samples, as many as are measured: fewer for a model with more products. Each is run twice.
pub fn measured<'a>(checked: &CheckedCircuit, samples: &'a [NamedTensors]) -> &'a [NamedTensors] {
    let circuit = checked.circuit();
    let terms = circuit.nodes.iter().filter_map(|node| Some((node.rows, node.op.expr()?)));
    let products: u64 = terms
        .flat_map(|(rows, expr)| expr.terms.iter().map(move |term| (rows, term)))
        .map(|(rows, term)| match term {
            Term::Contract { weight, .. } => u64::from(rows) * circuit.weights[*weight as usize].len(),
            _ => 0,
        })
        .sum();
    let affordable = (PRODUCTS_MAX / products.max(1)) as usize;
    &samples[..samples.len().min(affordable.clamp(SAMPLES_MIN, SAMPLES_MAX))]
}

/// What was added up over the cells of a tensor.
#[derive(Clone, Copy)]
struct Deviation {
    sum: f64,
    count: f64,
}

/// One sample: its outputs, and for each tensor the deviations.
type Sample = (Vec<Compared>, Vec<Option<Deviation>>);

/// The integers against the float graph: accuracy of the outputs, and the tensors that follow worst.
pub fn measure(
    checked: &CheckedCircuit,
    weights: &Weights,
    (graph, tensors, ranges): (&Graph, &Tensors, &[Interval]),
    samples: &[NamedTensors],
) -> Result<(Accuracy, Vec<TensorError>), CompileError> {
    let run = |sample: &NamedTensors| -> Result<Sample, CompileError> {
        let inputs: BTreeMap<String, Vec<f64>> =
            sample.iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
        let values = graph::eval::evaluate(graph, &inputs);
        let Evaluation { nodes, .. } = eval::evaluate(checked, weights, &integers(checked, sample)?)?;
        let outputs = checked.circuit().outputs.iter().zip(&graph.outputs).map(|(port, (_, node))| Compared {
            expected: values[*node as usize].clone(),
            actual: io::dequantize(port, &port.to_model_order(&nodes[port.node as usize])).values,
            classes: classes(graph, *node),
        });
        let deviations = (0..graph.nodes.len()).map(|id| {
            let (node, order, scale) = tensors.of(id)?;
            let unit = power_of_two(-scale);
            let off = order
                .iter()
                .zip(&nodes[node as usize])
                .map(|(&at, &cell)| libm::fabs(cell as f64 * unit - values[id][at as usize]));
            Some(Deviation { sum: off.fold(0.0, |sum, off| sum + off), count: order.len() as f64 })
        });
        Ok((outputs.collect(), deviations.collect()))
    };
    let all: Vec<Sample> = samples.par_iter().map(run).collect::<Result<_, _>>()?;
    let (outputs, deviations): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    Ok((accuracy(&outputs), worst(graph, ranges, &deviations)))
}

/// The tensors with the largest mean errors relative to their ranges.
fn worst(graph: &Graph, ranges: &[Interval], samples: &[Vec<Option<Deviation>>]) -> Vec<TensorError> {
    let computed = |kind: &Kind| !matches!(kind, Kind::Input { .. } | Kind::Reshape(_) | Kind::Transpose { .. });
    let mut all: Vec<TensorError> = (0..graph.nodes.len())
        .filter(|&id| computed(&graph.nodes[id].kind))
        .filter_map(|id| {
            let each = samples.iter().map(|sample| sample[id]).collect::<Option<Vec<_>>>()?;
            let (sum, count) = each.iter().fold((0.0, 0.0), |(sum, count), d| (sum + d.sum, count + d.count));
            let range = ranges[id].high - ranges[id].low;
            let share = sum / count / range;
            (range > 0.0 && share.is_finite()).then(|| TensorError { name: graph.nodes[id].name.clone(), share })
        })
        .collect();
    all.sort_by(|a, b| b.share.total_cmp(&a.share));
    all.truncate(WORST);
    all
}

/// Accuracy from the outputs of each sample.
pub fn accuracy(samples: &[Vec<Compared>]) -> Accuracy {
    let (mut low, mut high, mut largest, mut total, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0, 0u64);
    let (mut answers, mut agreeing) = (0u64, 0u64);
    for sample in samples {
        for Compared { expected, actual, .. } in sample {
            for (&expected, &actual) in expected.iter().zip(actual) {
                let error = libm::fabs(expected - actual);
                largest = if error > largest { error } else { largest };
                low = if expected < low { expected } else { low };
                high = if expected > high { expected } else { high };
                total += error;
                count += 1;
            }
        }
        if let Some(Compared { expected, actual, classes }) = sample.first().filter(|output| output.classes > 1) {
            for (expected, actual) in expected.chunks_exact(*classes).zip(actual.chunks_exact(*classes)) {
                answers += 1;
                agreeing += u64::from(top1(expected) == top1(actual));
            }
        }
    }
    Accuracy {
        samples: samples.len() as u64,
        max_error: largest,
        mean_error: if count > 0 { total / count as f64 } else { 0.0 },
        output_range: if high > low { high - low } else { 0.0 },
        top1_agreement: (answers > 0).then(|| agreeing as f64 / answers as f64),
    }
}

/// Place of the largest value, the first of equal ones.
fn top1(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, place| if values[place] > values[best] { place } else { best })
}
