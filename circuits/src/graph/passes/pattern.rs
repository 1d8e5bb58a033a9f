//! Reads the parts of written-out operators off nodes: means, differences, functions.
use crate::graph::{Bias, Combine, Function, Graph, Kind, Node, NodeId, Term, View, broadcast, mapped, unit};

/// The node as a sum of plain tensors, with the constant that is added to all cells.
pub fn plain_sum(node: &Node) -> Option<(Vec<(f64, &View)>, f64)> {
    let Kind::Combine(Combine { terms, bias, axes }) = &node.kind else { return None };
    let constant = match bias {
        None => 0.0,
        Some(Bias { values, .. }) if values.len() == 1 => values[0],
        Some(_) => return None,
    };
    let plain = |term| match term {
        &Term::Plain { factor, ref view } => Some((factor, view)),
        _ => None,
    };
    let terms = terms.iter().map(plain).collect::<Option<_>>()?;
    (*axes == node.dims).then_some((terms, constant))
}

/// The source, the axes and the factor, if the node is a sum over axes that stay with length 1.
pub fn sum_over(graph: &Graph, id: NodeId) -> Option<(NodeId, Vec<usize>, f64)> {
    let (terms, constant) = plain_sum(graph.node(id))?;
    let &[(factor, view)] = &terms[..] else { return None };
    (constant == 0.0).then_some(())?;
    Some((view.source, reduced_axes(view, &graph.node(view.source).dims)?, factor))
}

/// The axes that a view runs over completely, leaving them with length 1, if it does nothing else.
pub fn reduced_axes(view: &View, dims: &[u32]) -> Option<Vec<usize>> {
    let rank = dims.len();
    (view.dims == dims && view.axes.len() == rank).then_some(())?;
    let summed = |axis: &usize| view.maps[*axis].coefficients[rank..].iter().any(|&c| c != 0);
    let axes: Vec<usize> = (0..rank).filter(summed).collect();
    let all = rank + axes.len();
    let expected = |axis: usize| match axes.iter().position(|&other| other == axis) {
        Some(place) => mapped(all, 0, &[(rank + place, 1)]),
        None => unit(all, axis),
    };
    let lengths: Vec<u32> = axes.iter().map(|&axis| dims[axis]).collect();
    let kept = |axis: usize| if axes.contains(&axis) { 1 } else { dims[axis] };
    let same = view.sum == lengths
        && !axes.is_empty()
        && (0..rank).all(|axis| view.maps[axis] == expected(axis) && view.axes[axis] == kept(axis));
    same.then_some(axes)
}

/// Whether the view reads the source as it broadcasts to the shape.
pub fn is_broadcast(graph: &Graph, view: &View, dims: &[u32]) -> bool {
    let from = &graph.node(view.source).dims;
    from.len() <= dims.len() && *view == broadcast(view.source, from, dims)
}

/// The source of a function that has the values of `reference`, however it is written.
pub fn function_like(graph: &Graph, id: NodeId, reference: impl Fn(f64) -> f64) -> Option<NodeId> {
    const PLACES: [f64; 4] = [0.3, 1.0, 2.5, 7.0];
    let Kind::Function { source, function } = &graph.node(id).kind else { return None };
    let close = |x: f64| libm::fabs(function.value(x) - reference(x)) <= 1e-12 * libm::fabs(reference(x));
    (Function::Argument != *function && PLACES.iter().all(|&x| close(x))).then_some(*source)
}

/// The tensor whose square the node is.
pub fn square_of(graph: &Graph, id: NodeId) -> Option<NodeId> {
    let node = graph.node(id);
    match &node.kind {
        Kind::Combine(Combine { terms, bias: None, axes }) if *axes == node.dims => match &terms[..] {
            [Term::Product { factor, left, right }] if *factor == 1.0 && left == right => {
                is_broadcast(graph, left, &node.dims).then_some(left.source)
            }
            _ => None,
        },
        _ => function_like(graph, id, |x| x * x),
    }
}

/// `a` and `b` of a node `a - b`, the second broadcast to the shape of the first.
pub fn difference(graph: &Graph, id: NodeId) -> Option<(NodeId, NodeId)> {
    let node = graph.node(id);
    let (terms, constant) = plain_sum(node)?;
    let &[(plus, a), (minus, b)] = &terms[..] else { return None };
    let fits = plus == 1.0 && minus == -1.0 && constant == 0.0 && graph.node(a.source).dims == node.dims;
    (fits && is_broadcast(graph, a, &node.dims) && is_broadcast(graph, b, &node.dims)).then_some((a.source, b.source))
}
