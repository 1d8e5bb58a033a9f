//! Runs the float graph on samples and records the range of every tensor.
use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::error::CompileError;
use crate::graph::{Element, Graph, Kind, Node, eval};
use crate::io::NamedTensors;
use crate::onnx::Declaration;
use crate::tensor::{Tensor, elements};

/// Number of synthetic samples when none are given.
const SYNTHETIC_SAMPLES: usize = 32;

/// Smallest and largest value of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Smallest.
    pub low: f64,
    /// Largest.
    pub high: f64,
}

impl Interval {
    /// No value at all.
    pub const EMPTY: Self = Self { low: f64::INFINITY, high: f64::NEG_INFINITY };

    /// Largest absolute value.
    pub fn magnitude(&self) -> f64 {
        if -self.low > self.high { -self.low } else { self.high }
    }

    /// The interval extended to a value.
    pub fn with(self, value: f64) -> Self {
        Self {
            low: if value < self.low { value } else { self.low },
            high: if value > self.high { value } else { self.high },
        }
    }
}

/// What samples say about every node.
#[derive(Clone, Debug)]
pub struct Ranges {
    /// The values of its tensor.
    pub values: Vec<Interval>,
    /// What its scales rest on besides: for a softmax the largest score of each group, for a normalisation the variance
    /// (or mean square) of each group, with what is added to it, and for a quotient the divisors; else empty.
    pub within: Vec<Interval>,
}

/// The ranges of every node over the samples.
///
/// # Errors
/// A value that is not finite.
pub fn calibrate(graph: &Graph, samples: &[NamedTensors]) -> Result<Ranges, CompileError> {
    let each: Vec<Vec<[Interval; 2]>> = samples
        .par_iter()
        .map(|sample| {
            let inputs: BTreeMap<String, Vec<f64>> =
                sample.iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
            let all = eval::evaluate(graph, &inputs);
            let range = |values: &[f64]| values.iter().fold(Interval::EMPTY, |range, &value| range.with(value));
            let observed = |(values, node): (&Vec<f64>, &Node)| {
                let within = range(&eval::within(node, &all));
                if let Kind::Divide { .. } | Kind::Normalize { .. } = node.kind
                    && within.low <= 0.0
                    && within.high >= 0.0
                {
                    return Err(division_by_zero(node, within));
                }
                if values.iter().all(|value| value.is_finite()) {
                    Ok([range(values), within])
                } else {
                    Err(not_finite(node, &all))
                }
            };
            all.iter().zip(&graph.nodes).map(observed).collect()
        })
        .collect::<Result<_, _>>()?;
    let empty = || vec![Interval::EMPTY; graph.nodes.len()];
    let mut all = Ranges { values: empty(), within: empty() };
    for sample in each {
        for (id, [values, within]) in sample.into_iter().enumerate() {
            all.values[id] = all.values[id].with(values.low).with(values.high);
            all.within[id] = all.within[id].with(within.low).with(within.high);
        }
    }
    // Divisors of both signs in different samples.
    for (node, within) in graph.nodes.iter().zip(&all.within) {
        if matches!(node.kind, Kind::Divide { .. }) && within.low <= 0.0 && within.high >= 0.0 {
            return Err(division_by_zero(node, *within));
        }
    }
    Ok(all)
}

/// The error for a tensor that is not finite: where a function is to blame, it names the range of its argument.
fn not_finite(node: &Node, values: &[Vec<f64>]) -> CompileError {
    match &node.kind {
        Kind::Function { source, .. } => {
            let range = values[*source as usize].iter().fold(Interval::EMPTY, |interval, &value| interval.with(value));
            CompileError::Domain { node: node.name.clone(), low: range.low, high: range.high }
        }
        _ => CompileError::NotFinite { node: node.name.clone() },
    }
}

fn division_by_zero(node: &Node, Interval { low, high }: Interval) -> CompileError {
    CompileError::DivisionByZero { node: node.name.clone(), low, high }
}

/// Samples of pseudo-random numbers, always the same: roughly normal with variance 1, or any token that the table has
/// a row for. `rows` are the numbers of rows by input.
pub fn synthetic(inputs: &[Declaration], rows: &BTreeMap<String, u32>) -> Vec<NamedTensors> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut uniform = move || {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    };
    (0..SYNTHETIC_SAMPLES)
        .map(|_| {
            let mut tensor = |input: &Declaration| {
                let rows = rows.get(&input.name).copied().unwrap_or(2);
                let mut number = || match input.element {
                    // The sum of 12 uniform numbers has variance 1.
                    Element::Real => (0..12).fold(-6.0, |sum, _| sum + uniform()),
                    Element::Whole { .. } => libm::floor(uniform() * f64::from(rows)),
                };
                let values = (0..elements(&input.dims).unwrap_or(0)).map(|_| number()).collect();
                (input.name.clone(), Tensor { dims: input.dims.clone(), values })
            };
            inputs.iter().map(&mut tensor).collect()
        })
        .collect()
}
