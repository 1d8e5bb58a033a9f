//! Recognises normalisations and softmax as exporters write them out where the operator set has no operator for them.
use super::pattern::{difference, function_like, is_broadcast, plain_sum, reduced_axes, square_of, sum_over};
use crate::graph::{Combine, Graph, Kind, NodeId, Term};

pub(super) fn run(graph: &mut Graph) -> usize {
    let mut changes = 0;
    for id in 0..graph.nodes.len() as NodeId {
        if let Some(kind) = softmax(graph, id).or_else(|| normalization(graph, id)) {
            graph.nodes[id as usize].kind = kind;
            changes += 1;
        }
    }
    changes
}

/// `exp(x - max x) / sum exp(x - max x)`.
fn softmax(graph: &Graph, id: NodeId) -> Option<Kind> {
    let (exponentials, sums) = quotient(graph, id)?;
    let argument = function_like(graph, exponentials, libm::exp)?;
    let (summed, axes, factor) = sum_over(graph, sums)?;
    let &[axis] = &axes[..] else { return None };
    (summed == exponentials && factor == 1.0).then_some(())?;
    let shifted = difference(graph, argument).filter(|(source, largest)| match &graph.node(*largest).kind {
        Kind::Max(view) => view.source == *source && reduced_axes(view, &graph.node(*source).dims) == Some(vec![axis]),
        _ => false,
    });
    let source = shifted.map_or(argument, |(source, _)| source);
    Some(Kind::Softmax { source, axis, logarithm: false })
}

/// `d / sqrt(mean(d^2) + epsilon)`, where `d` is `x` or `x - mean(x)`.
fn normalization(graph: &Graph, id: NodeId) -> Option<Kind> {
    let rooted = |(deviation, root)| Some((deviation, function_like(graph, root, libm::sqrt)?));
    let (deviation, raised) = quotient(graph, id).and_then(rooted).or_else(|| product_with_inverse(graph, id))?;
    let (terms, epsilon) = plain_sum(graph.node(raised))?;
    let (variance, epsilon) = match terms[..] {
        // A mean of squares itself, with nothing added.
        [(_, view)] if !view.sum.is_empty() => (raised, 0.0),
        [(factor, view)] if factor == 1.0 && is_broadcast(graph, view, &graph.node(raised).dims) => {
            (view.source, epsilon)
        }
        _ => return None,
    };
    let (squares, axes) = mean(graph, variance)?;
    (square_of(graph, squares)? == deviation && epsilon >= 0.0).then_some(())?;
    let centred = difference(graph, deviation)
        .filter(|&(source, average)| mean(graph, average).is_some_and(|(of, over)| of == source && over == axes));
    let source = centred.map_or(deviation, |(source, _)| source);
    Some(Kind::Normalize { source, axes, centred: centred.is_some(), epsilon })
}

/// The source of a mean and its axes.
fn mean(graph: &Graph, id: NodeId) -> Option<(NodeId, Vec<usize>)> {
    let (source, axes, factor) = sum_over(graph, id)?;
    let count: f64 = axes.iter().map(|&axis| f64::from(graph.node(source).dims[axis])).product();
    (libm::fabs(factor * count - 1.0) < 1e-12).then_some((source, axes))
}

/// Numerator and denominator, the second broadcast to the shape of the first.
fn quotient(graph: &Graph, id: NodeId) -> Option<(NodeId, NodeId)> {
    let node = graph.node(id);
    let Kind::Divide { numerator, denominator } = &node.kind else { return None };
    let whole = graph.node(numerator.source).dims == node.dims;
    let plain = is_broadcast(graph, numerator, &node.dims) && is_broadcast(graph, denominator, &node.dims);
    (whole && plain).then_some((numerator.source, denominator.source))
}

/// `a` and `b` of a node `a * (1 / sqrt(b))`.
fn product_with_inverse(graph: &Graph, id: NodeId) -> Option<(NodeId, NodeId)> {
    let node = graph.node(id);
    let Kind::Combine(Combine { axes, terms, bias: None }) = &node.kind else { return None };
    let [Term::Product { factor, left, right }] = &terms[..] else { return None };
    (*factor == 1.0 && *axes == node.dims).then_some(())?;
    [(left, right), (right, left)].into_iter().find_map(|(whole, inverse)| {
        let fits = graph.node(whole.source).dims == node.dims
            && is_broadcast(graph, whole, &node.dims)
            && is_broadcast(graph, inverse, &node.dims);
        let two_steps = || {
            let root = function_like(graph, inverse.source, |x| 1.0 / x)?;
            function_like(graph, root, libm::sqrt)
        };
        let raised = function_like(graph, inverse.source, |x| 1.0 / libm::sqrt(x)).or_else(two_steps)?;
        fits.then_some((whole.source, raised))
    })
}
