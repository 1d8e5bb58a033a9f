//! Inputs whose features differ by orders of magnitude: a table's raw columns.
//!
//! One scale for all columns would round the small ones to nothing. Such an input is taken at a fine scale (its range
//! is checked by the verifier itself, so its width is free) and cut into *bands*: each band is the whole input minus
//! each column's centre, rescaled to activations at a scale that suits some of the columns; the others saturate there
//! and are not used. The layer that reads the input becomes a sum of layers, one for each band, with weights for that
//! band's columns.
use std::collections::BTreeMap;

use super::{Interval, Ranges, finest_scale, power_of_two};
use crate::graph::{Bias, Combine, Element, Graph, Kind, Node, NodeId, Term, View, identity, summed_values};
use crate::io::NamedTensors;

/// Widest input in bits, sign apart. It also bounds the saturation table of the finest band.
const INPUT_BITS_MAX: i32 = 26;
/// Columns of a band differ in width by at most this many bits.
const BAND_BITS: i32 = 4;

/// The columns of an input.
struct Columns {
    centres: Vec<f64>,
    /// Largest minus smallest value of each column; something positive where it is constant.
    spreads: Vec<f64>,
}

/// Cuts inputs into bands where one scale does not do, and returns the scales of those inputs.
pub fn cut(graph: &mut Graph, ranges: &mut Ranges, samples: &[NamedTensors], bits: u8) -> BTreeMap<NodeId, i32> {
    let mut scales = BTreeMap::new();
    for id in (0..graph.nodes.len() as NodeId).rev() {
        let Kind::Input { name, channels_last: false, element: Element::Real } = &graph.node(id).kind else { continue };
        let Some(columns) = columns(samples, name, &graph.node(id).dims) else { continue };
        let magnitude = ranges.values[id as usize].magnitude();
        let narrowest = -columns.spreads.iter().map(|spread| -spread).fold(f64::NEG_INFINITY, larger);
        let plain = finest_scale(magnitude, power_of_two(i32::from(bits) - 1) - 1.0, 30);
        if narrowest * power_of_two(plain) >= power_of_two(i32::from(bits) / 2 - 2) || !readers_can(graph, id) {
            continue;
        }
        let scale = finest_scale(narrowest, power_of_two(bits.into()), 30);
        let scale = finest_scale(magnitude, power_of_two(INPUT_BITS_MAX), scale);
        // Later inputs have larger positions, which grow by the nodes that are inserted here.
        let bands = assign(&columns, scale, bits);
        let count = bands.len() as NodeId;
        insert(graph, ranges, id, &columns, &bands);
        scales = scales.into_iter().map(|(other, scale)| (other + count, scale)).collect();
        scales.insert(id, scale);
    }
    scales
}

/// Centre and spread of each position along the last axis.
fn columns(samples: &[NamedTensors], name: &str, dims: &[u32]) -> Option<Columns> {
    let count = *dims.get(1..)?.last()? as usize;
    let mut intervals = vec![Interval { low: f64::INFINITY, high: f64::NEG_INFINITY }; count];
    for value in
        samples.iter().filter_map(|sample| sample.get(name)).flat_map(|tensor| tensor.values.chunks_exact(count))
    {
        for (interval, &value) in intervals.iter_mut().zip(value) {
            *interval = interval.with(value);
        }
    }
    let spread = |interval: &Interval| match interval.high - interval.low {
        spread if spread > 0.0 => spread,
        _ if interval.magnitude() > 0.0 => interval.magnitude(),
        _ => 1.0,
    };
    let centres = intervals.iter().map(|interval| (interval.low + interval.high) / 2.0).collect();
    Some(Columns { centres, spreads: intervals.iter().map(spread).collect() })
}

/// The columns of each band, finest band first.
fn assign(columns: &Columns, scale: i32, bits: u8) -> Vec<Vec<usize>> {
    let mut bands: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (column, spread) in columns.spreads.iter().enumerate() {
        let fits = finest_scale(*spread, power_of_two(i32::from(bits) - 1), scale);
        let band = (scale - fits + BAND_BITS - 1) / BAND_BITS;
        bands.entry(band).or_default().push(column);
    }
    bands.into_values().collect()
}

/// Whether all readers are weighted terms whose column is fixed by a weight's position.
fn readers_can(graph: &Graph, id: NodeId) -> bool {
    let reads = |node: &Node| node.kind.sources().contains(&id);
    let splits =
        |term: &Term| term.views().iter().all(|view| view.source != id) || columns_of(graph, id, term).is_some();
    graph.outputs.iter().all(|(_, output)| *output != id)
        && graph.nodes.iter().filter(|node| reads(node)).all(|node| match &node.kind {
            Kind::Combine(combine) => combine.terms.iter().all(splits),
            _ => false,
        })
}

/// For each weight of a term, the input's column that it multiplies.
fn columns_of(graph: &Graph, id: NodeId, term: &Term) -> Option<Vec<usize>> {
    let Term::Weighted { over, weights, view } = term else { return None };
    let dims = &graph.node(id).dims;
    let last = dims.len() - 1;
    (view.dims == *dims).then_some(())?;
    let count = dims[last] as usize;
    let numbers: Vec<f64> = (0..count).map(|column| column as f64).collect();
    if view.sum.is_empty() {
        let direct = *over == [last]
            && view.axes == view.dims
            && view.maps[last].offset == 0
            && view.maps[last].table.is_empty()
            && view.maps[last].coefficients[last] == 1;
        return direct.then(|| (0..count).collect());
    }
    let summed = summed_values(view, &[last], &numbers)?;
    Some((0..weights.len()).map(|weight| summed[weight % summed.len()] as usize).collect())
}

/// Inserts the bands behind the input and splits the terms that read it.
fn insert(graph: &mut Graph, ranges: &mut Ranges, id: NodeId, columns: &Columns, bands: &[Vec<usize>]) {
    let count = bands.len() as NodeId;
    let moved = |node: NodeId| if node > id { node + count } else { node };
    graph.nodes.iter_mut().for_each(|node| node.kind.map_sources(&moved));
    graph.outputs.iter_mut().for_each(|(_, node)| *node = moved(*node));
    let Node { name, dims, .. } = graph.node(id).clone();
    let first = id as usize + 1;
    for (number, band) in bands.iter().enumerate() {
        let bias = Bias { over: vec![dims.len() - 1], values: columns.centres.iter().map(|centre| -centre).collect() };
        let terms = vec![Term::Plain { factor: 1.0, view: identity(id, &dims) }];
        let kind = Kind::Combine(Combine { axes: dims.clone(), terms, bias: Some(bias) });
        graph.nodes.insert(first + number, Node { name: name.clone(), dims: dims.clone(), kind });
        let widest = band.iter().map(|&column| columns.spreads[column]).fold(0.0, larger);
        // Half of the spread is to be expected on either side; half as much again is room.
        ranges.values.insert(first + number, Interval { low: -widest * 0.75, high: widest * 0.75 });
        ranges.within.insert(first + number, Interval::EMPTY);
    }
    for place in first + bands.len()..graph.nodes.len() {
        let Kind::Combine(mut combine) = graph.nodes[place].kind.clone() else { continue };
        if graph.nodes[place].kind.sources().contains(&id) {
            split_terms(graph, &mut combine, id, columns, bands);
            graph.nodes[place].kind = Kind::Combine(combine);
        }
    }
}

/// Replaces the terms that read the input by terms for each band, and adds what the centres contribute.
fn split_terms(graph: &Graph, combine: &mut Combine, id: NodeId, columns: &Columns, bands: &[Vec<usize>]) {
    let mut terms = Vec::with_capacity(combine.terms.len());
    for term in core::mem::take(&mut combine.terms) {
        let of = if term.views()[0].source == id { columns_of(graph, id, &term) } else { None };
        let (Term::Weighted { over, weights, view }, Some(of)) = (&term, of) else {
            terms.push(term);
            continue;
        };
        let length = view.sum.iter().product::<u32>() as usize;
        let shares: Vec<f64> =
            weights.iter().zip(&of).map(|(weight, &column)| weight * columns.centres[column]).collect();
        let values = shares.chunks_exact(length).map(|row| row.iter().fold(0.0, |sum, share| sum + share)).collect();
        combine.add_bias(Bias { over: over.clone(), values });
        for (number, band) in bands.iter().enumerate() {
            let kept = |(weight, column): (&f64, &usize)| if band.contains(column) { *weight } else { 0.0 };
            let weights = weights.iter().zip(&of).map(kept).collect();
            let view = View { source: id + 1 + number as NodeId, ..view.clone() };
            terms.push(Term::Weighted { over: over.clone(), weights, view });
        }
    }
    combine.terms = terms;
}

fn larger(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}
