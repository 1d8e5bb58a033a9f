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
    const EMPTY: Self = Self { low: f64::INFINITY, high: f64::NEG_INFINITY };

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

/// The range of every node's tensor over the samples.
///
/// # Errors
/// A value that is not finite.
pub fn calibrate(graph: &Graph, samples: &[NamedTensors]) -> Result<Vec<Interval>, CompileError> {
    let each: Vec<Vec<Interval>> = samples
        .par_iter()
        .map(|sample| {
            let inputs: BTreeMap<String, Vec<f64>> =
                sample.iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
            let values = eval::evaluate(graph, &inputs);
            values
                .iter()
                .zip(&graph.nodes)
                .map(|(own, node)| {
                    if own.iter().all(|value| value.is_finite()) {
                        Ok(own.iter().fold(Interval::EMPTY, |interval, &value| interval.with(value)))
                    } else {
                        Err(not_finite(node, &values))
                    }
                })
                .collect()
        })
        .collect::<Result<_, _>>()?;
    let mut all = vec![Interval::EMPTY; graph.nodes.len()];
    for sample in each {
        for (interval, other) in all.iter_mut().zip(sample) {
            *interval = interval.with(other.low).with(other.high);
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

/// Samples of pseudo-random numbers, roughly normal with variance 1, always the same.
pub fn synthetic(inputs: &[Declaration]) -> Vec<NamedTensors> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut uniform = move || {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    };
    // The sum of 12 uniform numbers has variance 1.
    let mut normal = move || (0..12).fold(-6.0, |sum, _| sum + uniform());
    (0..SYNTHETIC_SAMPLES)
        .map(|_| {
            let mut tensor = |input: &Declaration| {
                let values = (0..elements(&input.dims).unwrap_or(0)).map(|_| fitted(normal(), input.element)).collect();
                (input.name.clone(), Tensor { dims: input.dims.clone(), values })
            };
            inputs.iter().map(&mut tensor).collect()
        })
        .collect()
}

/// A random number as a value of some type: whole ones are small.
fn fitted(value: f64, element: Element) -> f64 {
    match element {
        Element::Real => value,
        Element::Whole { low, high } => libm::floor(libm::fabs(value) + 0.5).clamp(low as f64, high as f64),
    }
}
