//! Makes masks of scores summands: `where(allowed, scores, -1e9)` in front of a softmax becomes `scores + mask`.
//!
//! Behind a softmax both are zero where the mask is, but the sum folds into the layer before it, and its mask is a bias.
use super::{places, union};
use crate::graph::{Combine, Graph, Kind, Term};

/// A score below this is never seen behind a softmax: the scores of a model that works are far closer together.
const NEVER: f64 = -1e3;

pub(super) fn run(graph: &mut Graph) -> usize {
    let mut changes = 0;
    for id in 0..graph.nodes.len() {
        let Kind::Softmax { source, logarithm: false, .. } = graph.nodes[id].kind else { continue };
        if graph.readers()[source as usize].len() > 1 {
            continue;
        }
        let Kind::Combine(combine) = &graph.node(source).kind else { continue };
        if let Some(sum) = summand(combine) {
            graph.nodes[source as usize].kind = Kind::Combine(sum);
            changes += 1;
        }
    }
    changes
}

/// The sum with unweighted scores, if each is weighted by 1, or by 0 where the bias hides it.
fn summand(combine: &Combine) -> Option<Combine> {
    let bias = combine.bias.as_ref()?;
    let [Term::Weighted { over, weights, view }] = &combine.terms[..] else { return None };
    view.sum.is_empty().then_some(())?;
    let all = union(over, &bias.over);
    let (from_weights, from_bias) = (places(&combine.axes, &all, over), places(&combine.axes, &all, &bias.over));
    let hidden = |(&at, &by): (&usize, &usize)| match weights[at] {
        1.0 => true,
        0.0 => bias.values[by] <= NEVER,
        _ => false,
    };
    let terms = vec![Term::Plain { factor: 1.0, view: view.clone() }];
    let fits = from_weights.iter().zip(&from_bias).all(hidden);
    fits.then(|| Combine { axes: combine.axes.clone(), terms, bias: combine.bias.clone() })
}
