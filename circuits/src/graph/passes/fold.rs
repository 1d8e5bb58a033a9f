//! Folds scales, shifts and sums into neighbouring linear layers, where they cost nothing.
use crate::graph::{AxisMap, Bias, Combine, Graph, Kind, Term, View, is_identity};
use crate::tensor::strides;

/// Folds a combination that reads another one cell by cell into it: `BatchNormalization` after `Conv`, `Add` of two
/// layers, a bias after `MatMul`. The inner combination must have no other reader.
pub(super) fn into_source(graph: &mut Graph) -> usize {
    let mut changes = 0;
    let mut readers = graph.readers();
    for id in 0..graph.nodes.len() {
        while let Some(merged) = merge_one(graph, &readers, id) {
            let before = graph.nodes[id].kind.sources();
            graph.nodes[id].kind = Kind::Combine(merged);
            for source in before {
                readers[source as usize].retain(|&reader| reader as usize != id);
            }
            for source in graph.nodes[id].kind.sources() {
                readers[source as usize].push(id as u32);
            }
            changes += 1;
        }
    }
    changes
}

/// Replaces the first term that can be by the terms of its source.
fn merge_one(graph: &Graph, readers: &[Vec<u32>], id: usize) -> Option<Combine> {
    let Kind::Combine(outer) = &graph.nodes[id].kind else { return None };
    outer.terms.iter().enumerate().find_map(|(place, term)| {
        let view = term.views()[0];
        let Kind::Combine(inner) = &graph.node(view.source).kind else { return None };
        let alone = readers[view.source as usize].len() == 1;
        let same = view.sum.is_empty() && is_identity(view) && graph.node(view.source).dims == graph.nodes[id].dims;
        if !(alone || is_free(graph, inner)) || !same || !worthwhile(outer, inner) {
            return None;
        }
        let scale = Scale::of(term)?;
        merge(outer, place, inner, &scale)
    })
}

/// Whether every reader may as well compute it itself: scale and shift of a normalisation.
fn is_free(graph: &Graph, inner: &Combine) -> bool {
    let [term] = &inner.terms[..] else { return false };
    let view = term.views()[0];
    Scale::of(term).is_some() && is_identity(view) && matches!(graph.node(view.source).kind, Kind::Normalize { .. })
}

/// Sums of several unscaled tensors (concatenations and the like) are left alone: nothing is saved by scaling their
/// parts.
fn worthwhile(outer: &Combine, inner: &Combine) -> bool {
    let light = |combine: &Combine| combine.terms.iter().all(|term| matches!(term, Term::Plain { .. }));
    inner.terms.len() == 1 || light(outer) || !light(inner)
}

/// What a term does with each cell that it reads: a factor, or one for each position along some axes.
struct Scale<'a> {
    over: &'a [usize],
    factors: &'a [f64],
}

impl<'a> Scale<'a> {
    fn of(term: &'a Term) -> Option<Self> {
        match term {
            Term::Plain { factor, .. } => Some(Self { over: &[], factors: core::slice::from_ref(factor) }),
            Term::Weighted { over, weights, view } if view.sum.is_empty() => Some(Self { over, factors: weights }),
            _ => None,
        }
    }
}

fn merge(outer: &Combine, place: usize, inner: &Combine, scale: &Scale<'_>) -> Option<Combine> {
    // Only the inner combination may have its axes split further (groups); it must be the only one then.
    let groups = refinement(&outer.axes, &inner.axes)?;
    if inner.axes != outer.axes && outer.terms.len() > 1 {
        return None;
    }
    let refine = |over: &[usize]| -> Vec<usize> { over.iter().flat_map(|&axis| groups[axis].clone()).collect() };
    let refined = refine(scale.over);
    let fits = |term: &Term| match term {
        // Weights of a layer are not repeated for positions that they do not depend on.
        Term::Weighted { over, view, .. } => view.sum.is_empty() || refined.iter().all(|axis| over.contains(axis)),
        // A plain sum over a window stays one.
        Term::Plain { view, .. } => view.sum.is_empty() || refined.is_empty(),
        // These take one factor for all positions.
        Term::Product { .. } | Term::Selected { .. } => refined.is_empty(),
    };
    if !inner.terms.iter().all(fits) {
        return None;
    }
    let mut terms: Vec<Term> = outer.terms[..place].to_vec();
    for term in &inner.terms {
        terms.push(scaled(term, &inner.axes, &refined, scale.factors)?);
    }
    terms.extend_from_slice(&outer.terms[place + 1..]);
    let inner_bias = inner.bias.as_ref().map(|bias| product(&inner.axes, bias, &refined, scale.factors));
    let outer_bias = outer.bias.as_ref().map(|bias| Bias { over: refine(&bias.over), values: bias.values.clone() });
    let bias = match (inner_bias, outer_bias) {
        (Some(a), Some(b)) => Some(sum(&inner.axes, &a, &b)),
        (a, b) => a.or(b),
    };
    Some(Combine { axes: inner.axes.clone(), terms, bias })
}

/// For each axis of `coarse` the axes of `fine` that it is split into.
fn refinement(coarse: &[u32], fine: &[u32]) -> Option<Vec<Vec<usize>>> {
    let mut next = 0;
    let groups: Vec<Vec<usize>> = coarse
        .iter()
        .map(|&length| {
            let start = next;
            let mut product = 1;
            while product < length && next < fine.len() || next == start {
                product *= fine.get(next)?;
                next += 1;
            }
            (product == length).then(|| (start..next).collect())
        })
        .collect::<Option<_>>()?;
    (next == fine.len()).then_some(groups)
}

/// A term times a factor for each position along some of the result's axes.
fn scaled(term: &Term, axes: &[u32], over: &[usize], factors: &[f64]) -> Option<Term> {
    match (term, factors) {
        (Term::Plain { factor, view }, &[by]) if over.is_empty() => {
            Some(Term::Plain { factor: factor * by, view: view.clone() })
        }
        (Term::Plain { factor, view }, _) => {
            let repeat = view.sum.iter().map(|&length| length as usize).product();
            let weights = factors.iter().flat_map(|by| std::iter::repeat_n(factor * by, repeat)).collect();
            Some(Term::Weighted { over: over.to_vec(), weights, view: view.clone() })
        }
        (Term::Weighted { over: own, weights, view }, _) => {
            let all = union(own, over);
            let (own, by) = (places(axes, &all, own), places(axes, &all, over));
            let length: usize = view.sum.iter().map(|&length| length as usize).product();
            let row = |(own, by): (&usize, &usize)| {
                let factor = factors[*by];
                weights[own * length..(own + 1) * length]
                    .iter()
                    .map(move |weight| weight * factor)
                    .collect::<Vec<f64>>()
            };
            let weights = own.iter().zip(&by).flat_map(row).collect();
            Some(Term::Weighted { over: all, weights, view: view.clone() })
        }
        (Term::Product { factor, left, right }, &[by]) => {
            Some(Term::Product { factor: factor * by, left: left.clone(), right: right.clone() })
        }
        (Term::Selected { rows, over, table, view }, &[by]) => {
            let table = table.iter().map(|entry| entry * by).collect();
            Some(Term::Selected { rows: *rows, over: over.clone(), table, view: view.clone() })
        }
        (Term::Product { .. } | Term::Selected { .. }, _) => None,
    }
}

/// A bias times factors.
fn product(axes: &[u32], bias: &Bias, over: &[usize], factors: &[f64]) -> Bias {
    let all = union(&bias.over, over);
    let (own, by) = (places(axes, &all, &bias.over), places(axes, &all, over));
    let values = own.iter().zip(&by).map(|(&own, &by)| bias.values[own] * factors[by]).collect();
    Bias { over: all, values }
}

/// The sum of two biases.
pub(crate) fn sum(axes: &[u32], a: &Bias, b: &Bias) -> Bias {
    let all = union(&a.over, &b.over);
    let (from_a, from_b) = (places(axes, &all, &a.over), places(axes, &all, &b.over));
    let values = from_a.iter().zip(&from_b).map(|(&at_a, &at_b)| a.values[at_a] + b.values[at_b]).collect();
    Bias { over: all, values }
}

/// Both sets of axes, ascending.
pub(crate) fn union(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut all: Vec<usize> = a.iter().chain(b).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// For each position along the axes `all`, the flat position along the axes `part` of them.
pub(crate) fn places(axes: &[u32], all: &[usize], part: &[usize]) -> Vec<usize> {
    let lengths: Vec<u32> = part.iter().map(|&axis| axes[axis]).collect();
    let steps = strides(&lengths);
    let mut places = vec![0];
    for &axis in all {
        let step = part.iter().position(|&other| other == axis).map_or(0, |place| steps[place]);
        places = places.iter().flat_map(|&base| (0..axes[axis] as usize).map(move |i| base + i * step)).collect();
    }
    places
}

/// Folds factors and summands for each channel into the weights of the layer that reads them: standardised inputs,
/// `BatchNormalization` before a layer. Padding would see the summand, so a padded layer takes factors only.
pub(super) fn into_reader(graph: &mut Graph) -> usize {
    let mut changes = 0;
    for id in 0..graph.nodes.len() {
        while let Some(merged) = absorb_one(graph, id) {
            graph.nodes[id].kind = Kind::Combine(merged);
            changes += 1;
        }
    }
    changes
}

fn absorb_one(graph: &Graph, id: usize) -> Option<Combine> {
    let Kind::Combine(outer) = &graph.nodes[id].kind else { return None };
    outer.terms.iter().enumerate().find_map(|(place, term)| {
        let Term::Weighted { over, weights, view } = term else { return None };
        let source = graph.node(view.source);
        let Kind::Combine(inner) = &source.kind else { return None };
        let [inner_term] = &inner.terms[..] else { return None };
        let scale = Scale::of(inner_term)?;
        let inner_view = inner_term.views()[0];
        if view.sum.is_empty() || !is_identity(inner_view) || inner.axes != source.dims || view.dims != source.dims {
            return None;
        }
        let factors = summed_values(view, scale.over, scale.factors)?;
        let shifts = match &inner.bias {
            None => None,
            Some(_) if reads_padding(view) => return None,
            Some(bias) => Some(summed_values(view, &bias.over, &bias.values)?),
        };
        let bias = shifts.map(|shifts| shifted(over, weights, &shifts));
        let bias = match (bias, outer.bias.clone()) {
            (Some(a), Some(b)) => Some(sum(&outer.axes, &a, &b)),
            (a, b) => a.or(b),
        };
        let weights = weights
            .chunks_exact(factors.len())
            .flat_map(|row| row.iter().zip(&factors).map(|(w, factor)| w * factor))
            .collect();
        let mut view = view.clone();
        view.source = inner_view.source;
        let mut terms = outer.terms.clone();
        terms[place] = Term::Weighted { over: over.clone(), weights, view };
        Some(Combine { axes: outer.axes.clone(), terms, bias })
    })
}

/// What the summands of the layer's inputs add to each output.
fn shifted(over: &[usize], weights: &[f64], shifts: &[f64]) -> Bias {
    let values = weights
        .chunks_exact(shifts.len())
        .map(|row| row.iter().zip(shifts).fold(0.0, |sum, (w, shift)| sum + w * shift))
        .collect();
    Bias { over: over.to_vec(), values }
}

/// For each place that is summed, the value that belongs to the source's position along some axes; nothing if the
/// position depends on more than the summed axes.
pub(crate) fn summed_values(view: &View, over: &[usize], values: &[f64]) -> Option<Vec<f64>> {
    let free = view.axes.len();
    let lengths: Vec<u32> = over.iter().map(|&axis| view.dims[axis]).collect();
    let steps = strides(&lengths);
    let mut places = vec![0i64];
    for &axis in over {
        let map = &view.maps[axis];
        let fixed = map.coefficients[..free].iter().zip(&view.axes).all(|(&c, &length)| c == 0 || length == 1);
        if !fixed || leaves(map, &lengths_of(view), view.dims[axis]) {
            return None;
        }
    }
    for (summed, &length) in view.sum.iter().enumerate() {
        let step: i64 = over
            .iter()
            .zip(&steps)
            .map(|(&axis, &step)| view.maps[axis].coefficients[free + summed] * step as i64)
            .sum();
        places = places.iter().flat_map(|&base| (0..i64::from(length)).map(move |i| base + i * step)).collect();
    }
    let start: i64 = over.iter().zip(&steps).map(|(&axis, &step)| view.maps[axis].offset * step as i64).sum();
    places
        .iter()
        .map(|&place| usize::try_from(place + start).ok().and_then(|place| values.get(place)).copied())
        .collect()
}

/// Whether some place lies outside the source.
fn reads_padding(view: &View) -> bool {
    view.maps.iter().zip(&view.dims).any(|(map, &dim)| leaves(map, &lengths_of(view), dim))
}

/// Lengths of the iteration axes.
fn lengths_of(view: &View) -> Vec<u32> {
    view.axes.iter().chain(&view.sum).copied().collect()
}

/// Whether a coordinate leaves its axis; from a table it may.
fn leaves(map: &AxisMap, lengths: &[u32], dim: u32) -> bool {
    if !map.table.is_empty() {
        return true;
    }
    let ends = map.coefficients.iter().zip(lengths).map(|(&c, &length)| c * (i64::from(length) - 1));
    let (low, high) = ends.fold((map.offset, map.offset), |(low, high), end| (low + end.min(0), high + end.max(0)));
    low < 0 || high >= i64::from(dim)
}
