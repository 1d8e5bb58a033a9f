//! Masks of scores: constants such as `-1e9` become as small as they can be and still hide what they are added to.
//!
//! A sum of scores and `-1e9` has no scale that suits both. Behind a softmax all that counts is that a hidden score is
//! far below every other, so what is added is bounded by a multiple of the scores on the samples.
use super::{Interval, Ranges};
use crate::graph::{Combine, Graph, Kind, NodeId, Term};

/// A summand below this is a mask. Real scores are far smaller.
const NEVER: f64 = -1e3;
/// How far below the largest score a hidden one lies at least: multiples of the largest score, and a constant.
const FACTOR: f64 = 8.0;
const SUMMAND: f64 = 32.0;

/// Bounds the masks in front of every softmax.
pub fn soften(graph: &mut Graph, ranges: &mut Ranges) {
    let readers = graph.readers();
    let mut bounds = vec![None; graph.nodes.len()];
    for id in 0..graph.nodes.len() {
        if let Kind::Softmax { source, logarithm: false, .. } = graph.nodes[id].kind
            && ranges.values[source as usize].low < NEVER
            && readers[source as usize].len() == 1
        {
            bounds[source as usize] = Some(-(FACTOR * ranges.within[id].magnitude() + SUMMAND));
        }
    }
    // A node is bounded if all its readers hide scores with it; they come after it.
    for id in (0..graph.nodes.len()).rev() {
        if bounds[id].is_none() && ranges.values[id].low < NEVER {
            bounds[id] = shared(graph, &readers[id], &bounds, id as NodeId);
        }
        let Some(bound) = bounds[id] else { continue };
        if let Kind::Combine(combine) = &mut graph.nodes[id].kind {
            bounded(combine, &ranges.values[id], bound);
        }
        let Interval { low, high } = ranges.values[id];
        ranges.values[id] = Interval { low: if low < bound { bound } else { low }, high };
    }
}

/// The lowest bound of the readers, if each is bounded and adds the node as it is or passes it on.
fn shared(graph: &Graph, readers: &[NodeId], bounds: &[Option<f64>], id: NodeId) -> Option<f64> {
    let mut lowest = 0.0;
    for &reader in readers {
        let bound = (*bounds.get(reader as usize)?)?;
        let passes = match &graph.node(reader).kind {
            Kind::Reshape(_) | Kind::Transpose { .. } => true,
            Kind::Combine(combine) => combine.terms.iter().all(|term| match term {
                Term::Plain { factor, view } => view.source != id || (*factor == 1.0 && view.sum.is_empty()),
                other => other.views().iter().all(|view| view.source != id),
            }),
            _ => false,
        };
        passes.then_some(())?;
        lowest = if bound < lowest { bound } else { lowest };
    }
    (lowest < 0.0).then_some(lowest)
}

/// Bounds what a sum adds. A sum that is a mask as a whole (`(1 - allowed) * -1e9`) is made smaller as a whole.
fn bounded(combine: &mut Combine, range: &Interval, bound: f64) {
    let large = |term: &Term| matches!(term, Term::Plain { factor, .. } if *factor > -NEVER || *factor < NEVER);
    if combine.terms.iter().any(large) && combine.terms.iter().all(large) {
        let factor = bound / range.low;
        for term in &mut combine.terms {
            if let Term::Plain { factor: own, .. } = term {
                *own *= factor;
            }
        }
        combine.bias.iter_mut().flat_map(|bias| &mut bias.values).for_each(|value| *value *= factor);
        return;
    }
    let values = combine.bias.iter_mut().flat_map(|bias| &mut bias.values);
    values.filter(|value| **value < bound).for_each(|value| *value = bound);
}
