//! Evaluates the float graph: the reference that calibration and accuracy are measured on.
//!
//! Sums run in a fixed order in `f64`, so results are the same bits on every machine.
use std::collections::BTreeMap;

use super::{Bias, Combine, Graph, Kind, Node, Term, View};
use crate::tensor::{elements, strides};

/// Rows of weights that are summed at a time: a single sum would wait for each of its additions.
const ROWS: usize = 8;

/// Evaluates all nodes. An input without values is all zeros.
pub fn evaluate(graph: &Graph, inputs: &BTreeMap<String, Vec<f64>>) -> Vec<Vec<f64>> {
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let value = node_value(node, &values, inputs);
        values.push(value);
    }
    values
}

/// What the scales of a node rest on besides its values: the largest scores of a softmax, the variances of a
/// normalisation, the divisors of a quotient.
pub(crate) fn within(node: &Node, values: &[Vec<f64>]) -> Vec<f64> {
    match &node.kind {
        Kind::Softmax { source, axis, .. } => {
            grouped(&values[*source as usize], &node.dims, &[*axis], |group| group.fill(largest(group)))
        }
        Kind::Normalize { source, axes, centred, epsilon } => {
            grouped(&values[*source as usize], &node.dims, axes, |group| {
                group.fill(moments(group, *centred).1 + epsilon);
            })
        }
        Kind::Divide { denominator, .. } => read(denominator, values),
        _ => Vec::new(),
    }
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
        Kind::Divide { numerator, denominator } => {
            let (a, b) = (read(numerator, values), read(denominator, values));
            a.iter().zip(&b).map(|(a, b)| a / b).collect()
        }
        Kind::Softmax { source, axis, logarithm } => {
            grouped(&values[*source as usize], &node.dims, &[*axis], |group| softmax(group, *logarithm))
        }
        Kind::Normalize { source, axes, centred, epsilon } => {
            grouped(&values[*source as usize], &node.dims, axes, |group| normalize(group, *centred, *epsilon))
        }
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
                let mut read = Vec::new();
                walk.run(&values[view.source as usize], |cells, patch| {
                    read.clear();
                    read.extend(patch.iter().map(|x| x.unwrap_or(0.0)));
                    let mut groups = cells.chunks_exact(ROWS);
                    for group in &mut groups {
                        let rows: [&[f64]; ROWS] = std::array::from_fn(|row| weights_of(weights, group[row].1, &read));
                        let sums = dots(rows, &read);
                        group.iter().zip(sums).for_each(|(&(cell, _), sum)| result[cell] += sum);
                    }
                    for &(cell, chosen) in groups.remainder() {
                        let [sum] = dots([weights_of(weights, chosen, &read)], &read);
                        result[cell] += sum;
                    }
                });
            }
            Term::Selected { over, table, view, .. } => {
                let length = over.iter().map(|&axis| combine.axes[axis] as usize).product::<usize>();
                let rows = read(view, values);
                for_each_cell(&combine.axes, over, |cell, column| {
                    // A number that no row has reads nothing; samples are checked before they get here.
                    let row = Some(rows[cell]).filter(|&row| row >= 0.0).map(|row| row as usize);
                    let entry = row.and_then(|row| table.get(row * length + column));
                    result[cell] += entry.copied().unwrap_or(0.0);
                });
            }
            Term::Product { factor, left, right } => {
                let sums = products(left, right, values);
                result.iter_mut().zip(&sums).for_each(|(cell, sum)| *cell += factor * sum);
            }
        }
    }
    result
}

/// The weights of one result.
fn weights_of<'a>(weights: &'a [f64], chosen: usize, read: &[f64]) -> &'a [f64] {
    &weights[chosen * read.len()..][..read.len()]
}

/// Sums of products of several rows with the same numbers; each sum runs from the first to the last.
fn dots<const N: usize>(rows: [&[f64]; N], numbers: &[f64]) -> [f64; N] {
    let rows = rows.map(|row| &row[..numbers.len()]);
    let mut sums = [0.0; N];
    for (place, x) in numbers.iter().enumerate() {
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum += row[place] * x;
        }
    }
    sums
}

/// The cells that a view without summed axes reads.
fn read(view: &View, values: &[Vec<f64>]) -> Vec<f64> {
    let mut result = vec![0.0; elements(&view.axes).unwrap_or(0)];
    Walk::new(view, &[]).run(&values[view.source as usize], |cells, patch| {
        cells.iter().for_each(|&(cell, _)| result[cell] = patch[0].unwrap_or(0.0));
    });
    result
}

/// Sums of products of the cells that two views read. Each patch is held once, however many results share it.
fn products(left: &View, right: &View, values: &[Vec<f64>]) -> Vec<f64> {
    let length = elements(&left.sum).unwrap_or(0);
    let mut patches = Vec::new();
    let mut places = vec![0; elements(&right.axes).unwrap_or(0)];
    Walk::new(right, &[]).run(&values[right.source as usize], |cells, patch| {
        cells.iter().for_each(|&(cell, _)| places[cell] = patches.len());
        patches.extend(patch.iter().map(|x| x.unwrap_or(0.0)));
    });
    let mut result = vec![0.0; places.len()];
    Walk::new(left, &[]).run(&values[left.source as usize], |cells, patch| {
        for &(cell, _) in cells {
            let right = &patches[places[cell]..][..length];
            result[cell] = patch.iter().zip(right).fold(0.0, |sum, (a, b)| sum + a.unwrap_or(0.0) * b);
        }
    });
    result
}

/// Applies a function to each group of cells that differ in some axes only.
fn grouped(source: &[f64], dims: &[u32], axes: &[usize], apply: impl Fn(&mut [f64])) -> Vec<f64> {
    let others: Vec<usize> = (0..dims.len()).filter(|axis| !axes.contains(axis)).collect();
    let (starts, offsets) = (positions(dims, &others, &[]), positions(dims, axes, &[]));
    let mut result = vec![0.0; source.len()];
    let mut group = vec![0.0; offsets.len()];
    for (start, _) in starts {
        group.iter_mut().zip(&offsets).for_each(|(cell, (offset, _))| *cell = source[start + offset]);
        apply(&mut group);
        group.iter().zip(&offsets).for_each(|(cell, (offset, _))| result[start + offset] = *cell);
    }
    result
}

fn softmax(group: &mut [f64], logarithm: bool) {
    let most = largest(group);
    let sum = group.iter().fold(0.0, |sum, x| sum + libm::exp(x - most));
    for x in group {
        *x = if logarithm { *x - most - libm::log(sum) } else { libm::exp(*x - most) / sum };
    }
}

fn largest(group: &[f64]) -> f64 {
    group.iter().copied().fold(f64::NEG_INFINITY, |most, x| if x > most { x } else { most })
}

/// The mean that is subtracted, and the mean square of what is left.
fn moments(group: &[f64], centred: bool) -> (f64, f64) {
    let count = group.len() as f64;
    let mean = if centred { group.iter().fold(0.0, |sum, x| sum + x) / count } else { 0.0 };
    (mean, group.iter().fold(0.0, |sum, x| sum + (x - mean) * (x - mean)) / count)
}

fn normalize(group: &mut [f64], centred: bool, epsilon: f64) {
    let (mean, variance) = moments(group, centred);
    let root = libm::sqrt(variance + epsilon);
    group.iter_mut().for_each(|x| *x = (*x - mean) / root);
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
