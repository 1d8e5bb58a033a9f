//! `Gather` of rows of a constant table by whole numbers of the input: embeddings.
use super::{Call, Fault, Value, axis};
use crate::graph::{Combine, Element, Graph, Kind, NodeId, Term, View, unit};
use crate::tensor::Tensor;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let along = axis(call.attributes.int("axis", 0)?, call.dims(0)?.len())?;
    match (call.value(0)?.clone(), call.value(1)?.clone()) {
        (Value::Constant(table), Value::Node(indices)) if along == 0 => embedding(call, &table, indices),
        _ => Err(Fault::Unsupported("anything but rows of a constant chosen by an input".into())),
    }
}

/// `y[i.., c..] = table[x[i..], c..]`.
fn embedding(call: &mut Call<'_>, table: &Tensor, indices: NodeId) -> Result<Vec<Value>, Fault> {
    let shape = call.graph.node(indices).dims.clone();
    let source = origin(call.graph, indices)
        .ok_or_else(|| Fault::Unsupported("rows that are chosen by computed numbers".into()))?;
    let (&rows, columns) = table.dims.split_first().ok_or_else(|| Fault::Shapes(vec![table.dims.clone()]))?;
    let mut dims = shape.clone();
    dims.extend(columns);
    let maps = (0..shape.len()).map(|axis| unit(dims.len(), axis)).collect();
    let over = (shape.len()..dims.len()).collect();
    let view = View { source, axes: dims.clone(), sum: Vec::new(), dims: shape, maps };
    let terms = vec![Term::Selected { rows, over, table: table.values.clone(), view }];
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}

/// The input of whole numbers that a node is, apart from its shape.
fn origin(graph: &Graph, mut node: NodeId) -> Option<NodeId> {
    loop {
        match graph.node(node).kind {
            Kind::Reshape(source) => node = source,
            Kind::Input { element: Element::Whole { .. }, .. } => return Some(node),
            _ => return None,
        }
    }
}
