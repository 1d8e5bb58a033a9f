//! Evaluates the float graph: the reference that calibration and accuracy are measured on.
//!
//! Sums run in a fixed order in `f64`, so results are the same bits on every machine.
use std::collections::BTreeMap;

use super::{Bias, Combine, Graph, Kind, Node, Term, View};
use crate::tensor::{elements, strides};

/// Evaluates all nodes. An input without values is all zeros.
pub fn evaluate(graph: &Graph, inputs: &BTreeMap<String, Vec<f64>>) -> Vec<Vec<f64>> {
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let value = node_value(node, &values, inputs);
        values.push(value);
    }
    values
}

/// Value of a node from those of earlier nodes.
pub(crate) fn node_value(node: &Node, values: &[Vec<f64>], inputs: &BTreeMap<String, Vec<f64>>) -> Vec<f64> {
    let count = elements(&node.dims).unwrap_or(0);
    match &node.kind {
        Kind::Input { name, .. } => inputs.get(name).cloned().unwrap_or_else(|| vec![0.0; count]),
        Kind::Constant(values) => values.clone(),
        Kind::Combine(combine) => combine_value(combine, values),
        Kind::Function { source, function } => values[*source as usize].iter().map(|&x| function.value(x)).collect(),
        Kind::Max(view) => max_value(view, values),
        Kind::Reshape(source) => values[*source as usize].clone(),
        Kind::Transpose { source, order } => transpose(&values[*source as usize], &node.dims, order),
    }
}

fn combine_value(combine: &Combine, values: &[Vec<f64>]) -> Vec<f64> {
    let count = elements(&combine.axes).unwrap_or(0);
    let mut result = vec![0.0; count];
    if let Some(Bias { over, values }) = &combine.bias {
        for_each_cell(&combine.axes, over, |cell, chosen| result[cell] += values[chosen]);
    }
    for term in &combine.terms {
        match term {
            Term::Plain { factor, view } => {
                let mut walk = Walk::new(view, &[]);
                walk.run(&values[view.source as usize], |cells, patch| {
                    let sum = patch.iter().flatten().fold(0.0, |sum, &x| sum + x);
                    cells.iter().for_each(|&(cell, _)| result[cell] += factor * sum);
                });
            }
            Term::Weighted { over, weights, view } => {
                let mut walk = Walk::new(view, over);
                walk.run(&values[view.source as usize], |cells, patch| {
                    for &(cell, chosen) in cells {
                        let weights = &weights[chosen * patch.len()..][..patch.len()];
                        result[cell] += weights.iter().zip(patch).fold(0.0, |sum, (w, x)| sum + w * x.unwrap_or(0.0));
                    }
                });
            }
            Term::Product { factor, left, right } => {
                let (a, b) = (read(left, values), read(right, values));
                result.iter_mut().zip(a.iter().zip(&b)).for_each(|(cell, (a, b))| *cell += factor * a * b);
            }
        }
    }
    result
}

/// The cells that a view without summed axes reads.
fn read(view: &View, values: &[Vec<f64>]) -> Vec<f64> {
    let mut result = vec![0.0; elements(&view.axes).unwrap_or(0)];
    Walk::new(view, &[]).run(&values[view.source as usize], |cells, patch| {
        cells.iter().for_each(|&(cell, _)| result[cell] = patch[0].unwrap_or(0.0));
    });
    result
}

fn max_value(view: &View, values: &[Vec<f64>]) -> Vec<f64> {
    let mut result = vec![0.0; elements(&view.axes).unwrap_or(0)];
    Walk::new(view, &[]).run(&values[view.source as usize], |cells, patch| {
        let largest = patch.iter().flatten().copied().reduce(|a, b| if b > a { b } else { a }).unwrap_or(0.0);
        cells.iter().for_each(|&(cell, _)| result[cell] = largest);
    });
    result
}

fn transpose(source: &[f64], dims: &[u32], order: &[usize]) -> Vec<f64> {
    let mut from = vec![0; dims.len()];
    for (axis, &source_axis) in order.iter().enumerate() {
        from[source_axis] = dims[axis];
    }
    let steps = strides(&from);
    let mut index = vec![0usize];
    for (axis, &source_axis) in order.iter().enumerate() {
        index = index
            .iter()
            .flat_map(|base| (0..dims[axis] as usize).map(move |i| (base, i)))
            .map(|(base, i)| base + i * steps[source_axis])
            .collect();
    }
    index.iter().map(|&at| source[at]).collect()
}

/// Calls with each cell and the flat index over the chosen axes.
fn for_each_cell(axes: &[u32], over: &[usize], mut each: impl FnMut(usize, usize)) {
    let all: Vec<usize> = (0..axes.len()).collect();
    for (cell, chosen) in positions(axes, &all, over) {
        each(cell, chosen);
    }
}

/// For each combination of the given axes: the flat index over all axes, and the one over the `over` axes.
fn positions(axes: &[u32], given: &[usize], over: &[usize]) -> Vec<(usize, usize)> {
    let steps = strides(axes);
    let over_dims: Vec<u32> = over.iter().map(|&axis| axes[axis]).collect();
    let over_steps = strides(&over_dims);
    let mut all = vec![(0, 0)];
    for &axis in given {
        let over_step = over.iter().position(|&other| other == axis).map_or(0, |place| over_steps[place]);
        all = all
            .iter()
            .flat_map(|&(cell, chosen)| (0..axes[axis] as usize).map(move |i| (cell, chosen, i)))
            .map(|(cell, chosen, i)| (cell + i * steps[axis], chosen + i * over_step))
            .collect();
    }
    all
}

/// Reads a tensor through a view: each patch of summed cells is gathered once for all results that share it.
struct Walk<'a> {
    view: &'a View,
    /// Result cells and weight indices, from the axes that the view depends on.
    outer: Vec<(usize, usize)>,
    /// The same from the axes that it does not depend on.
    shared: Vec<(usize, usize)>,
    /// For each coordinate of the source, the part from the axes that the view depends on.
    bases: Vec<Vec<i64>>,
    /// For each coordinate, the part from the summed axes.
    offsets: Vec<Vec<i64>>,
}

impl<'a> Walk<'a> {
    fn new(view: &'a View, over: &[usize]) -> Self {
        let used = |&axis: &usize| view.maps.iter().any(|map| map.coefficients[axis] != 0);
        let (reading, shared): (Vec<usize>, Vec<usize>) = (0..view.axes.len()).partition(used);
        let summed: Vec<usize> = (view.axes.len()..view.axes.len() + view.sum.len()).collect();
        let lengths: Vec<u32> = view.axes.iter().chain(&view.sum).copied().collect();
        let parts = |axes: &[usize], with_offset: bool| -> Vec<Vec<i64>> {
            view.maps
                .iter()
                .map(|map| {
                    let mut all = vec![if with_offset { map.offset } else { 0 }];
                    for &axis in axes {
                        let step = map.coefficients[axis];
                        let length = i64::from(lengths[axis]);
                        all = all.iter().flat_map(|&base| (0..length).map(move |i| base + i * step)).collect();
                    }
                    all
                })
                .collect()
        };
        Self {
            view,
            outer: positions(&view.axes, &reading, over),
            shared: positions(&view.axes, &shared, over),
            bases: parts(&reading, true),
            offsets: parts(&summed, false),
        }
    }

    /// Calls with the result cells (and weight indices) that share a patch, and the patch; `None` is padding.
    fn run(&mut self, source: &[f64], mut each: impl FnMut(&[(usize, usize)], &[Option<f64>])) {
        let sum_len = elements(&self.view.sum).unwrap_or(0);
        let steps = strides(&self.view.dims);
        let mut patch = vec![None; sum_len];
        let mut cells = Vec::with_capacity(self.shared.len());
        for (place, &(cell, chosen)) in self.outer.iter().enumerate() {
            for (position, value) in patch.iter_mut().enumerate() {
                let mut flat = Some(0);
                for (coordinate, &dim) in self.view.dims.iter().enumerate() {
                    let at = self.bases[coordinate][place] + self.offsets[coordinate][position];
                    let table = &self.view.maps[coordinate].table;
                    let at = match usize::try_from(at) {
                        _ if table.is_empty() => at,
                        Ok(place) => table.get(place).map_or(-1, |&entry| entry.into()),
                        Err(_) => -1,
                    };
                    let inside = 0 <= at && at < i64::from(dim);
                    flat = flat.filter(|_| inside).map(|flat| flat + at as usize * steps[coordinate]);
                }
                *value = flat.map(|flat| source[flat]);
            }
            cells.clear();
            cells.extend(self.shared.iter().map(|&(more, other)| (cell + more, chosen + other)));
            each(&cells, &patch);
        }
    }
}
