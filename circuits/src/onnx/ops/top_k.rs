//! `TopK`: every cell is compared with every other one, which gives its rank; equal cells rank by their index.
use super::{Call, Fault, Value, axis};
use crate::graph::{Bias, Combine, Kind, NodeId, Term, View, unit};

/// Most comparisons.
const COMPARISONS_MAX: u64 = 1 << 22;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let along = axis(call.attributes.int("axis", -1)?, from.len())?;
    let length = from[along];
    let k = match call.attributes.find("k") {
        Some(k) => k.i.map(|k| k as f64).ok_or(Fault::AttributeType("k"))?,
        None => call.constant(1)?.single().ok_or(Fault::InputValue(1))?,
    };
    if k < 1.0 || k > f64::from(length) {
        return Err(Fault::InputValue(1));
    }
    let comparisons = from.iter().map(|&dim| u64::from(dim)).product::<u64>().saturating_mul(length.into());
    if comparisons > COMPARISONS_MAX {
        return Err(Fault::Unsupported(format!("a ranking of {length} cells")));
    }
    let largest = call.attributes.flag("largest", true)?;
    let ranks = ranks(call, x, along, largest)?;
    let chosen = placed(call, ranks, along, k as u32)?;
    // The cells of the axis come last, after those of the result.
    let rank = from.len();
    let mut axes = from.clone();
    axes[along] = k as u32;
    let wide: Vec<u32> = axes.iter().copied().chain([length]).collect();
    let view = across(x, &from, along, &wide);
    let left = crate::graph::identity(chosen, &wide);
    let terms = vec![Term::Product { factor: 1.0, left, right: view }];
    let cells = call.add(wide.clone(), Kind::Combine(Combine { axes: wide, terms, bias: None }))?;
    let values = call.summed(cells, &[rank], 1.0)?;
    let places = (0..length).map(f64::from).collect();
    let indices = call.weighted(chosen, rank, places)?;
    Ok(vec![Value::Node(call.reshaped(values, axes.clone())?), Value::Node(call.reshaped(indices, axes)?)])
}

/// A tensor read with its own axis as the last one; the result does not depend on the axis in its place.
fn across(source: NodeId, from: &[u32], along: usize, axes: &[u32]) -> View {
    let last = axes.len() - 1;
    let maps = (0..from.len()).map(|at| unit(axes.len(), if at == along { last } else { at })).collect();
    View { source, axes: axes.to_vec(), sum: Vec::new(), dims: from.to_vec(), maps }
}

/// How many cells along the axis come before each one.
fn ranks(call: &mut Call<'_>, x: NodeId, along: usize, largest: bool) -> Result<NodeId, Fault> {
    let from = call.shape(x);
    let (rank, length) = (from.len(), from[along]);
    let wide: Vec<u32> = from.iter().copied().chain([length]).collect();
    let sign = if largest { 1.0 } else { -1.0 };
    let own = View { axes: wide.clone(), ..across(x, &from, along, &wide) };
    let maps = (0..rank).map(|at| unit(rank + 1, at)).collect();
    let here = View { maps, ..own.clone() };
    let terms = vec![Term::Plain { factor: sign, view: here }, Term::Plain { factor: -sign, view: own }];
    let difference = call.add(wide.clone(), Kind::Combine(Combine { axes: wide.clone(), terms, bias: None }))?;
    // Whether the cell comes strictly before the other.
    let ahead = call.step(difference)?;
    let all = rank + 1;
    let read = |swapped: bool| -> View {
        let coordinate = |at: usize| match (at == along, at == rank) {
            (true, _) if swapped => rank,
            (_, true) if swapped => along,
            _ => at,
        };
        let maps = (0..all).map(|at| unit(all, coordinate(at))).collect();
        View { source: ahead, axes: from.clone(), sum: vec![length], dims: wide.clone(), maps }
    };
    let mask = |earlier: bool| -> Vec<f64> {
        let cell = move |place: u32, other: u32| match earlier {
            true => -f64::from(other < place),
            false => f64::from(other > place),
        };
        (0..length).flat_map(|place| (0..length).map(move |other| cell(place, other))).collect()
    };
    // Of earlier cells those come before that are not behind; of later ones those that are ahead.
    let terms = vec![
        Term::Weighted { over: vec![along], weights: mask(true), view: read(false) },
        Term::Weighted { over: vec![along], weights: mask(false), view: read(true) },
    ];
    let bias = Some(Bias { over: vec![along], values: (0..length).map(f64::from).collect() });
    call.add(from.clone(), Kind::Combine(Combine { axes: from, terms, bias }))
}

/// For each place of the result, one at the cell that has this rank.
fn placed(call: &mut Call<'_>, ranks: NodeId, along: usize, k: u32) -> Result<NodeId, Fault> {
    let from = call.shape(ranks);
    let mut wide: Vec<u32> = from.iter().copied().chain([from[along]]).collect();
    wide[along] = k;
    let view = across(ranks, &from, along, &wide);
    let mut steps = Vec::new();
    for sign in [1.0, -1.0] {
        let bias = Some(Bias { over: vec![along], values: (0..k).map(|place| -sign * f64::from(place)).collect() });
        let terms = vec![Term::Plain { factor: sign, view: view.clone() }];
        let difference = call.add(wide.clone(), Kind::Combine(Combine { axes: wide.clone(), terms, bias }))?;
        steps.push((-1.0, call.step(difference)?));
    }
    call.linear(&steps, 1.0)
}
