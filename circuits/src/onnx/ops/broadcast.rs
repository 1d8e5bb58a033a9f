//! Broadcasting of two operands, and arithmetic with a constant one.
use super::{Call, Fault, Value};
use crate::graph::{Bias, Combine, Kind, NodeId, Term, broadcast};
use crate::tensor::Tensor;

/// The two operands of an arithmetic operator.
pub enum Operands {
    /// Both depend on the model's inputs.
    Nodes(NodeId, NodeId),
    /// The second is a constant.
    ConstantRight(NodeId, Tensor),
    /// The first is a constant.
    ConstantLeft(Tensor, NodeId),
}

/// The operands and the shape of the result.
pub fn operands(call: &mut Call<'_>) -> Result<(Operands, Vec<u32>), Fault> {
    let dims = common(&call.dims(0)?, &call.dims(1)?)?;
    let operands = match (call.value(0)?.clone(), call.value(1)?.clone()) {
        (Value::Node(a), Value::Node(b)) => Operands::Nodes(a, b),
        (Value::Constant(a), Value::Node(b)) => Operands::ConstantLeft(a, b),
        (_, Value::Constant(b)) => Operands::ConstantRight(call.node(0)?, b),
    };
    Ok((operands, dims))
}

/// The shape that two shapes broadcast to.
pub fn common(a: &[u32], b: &[u32]) -> Result<Vec<u32>, Fault> {
    let rank = a.len().max(b.len());
    let at = |dims: &[u32], axis: usize| (axis + dims.len()).checked_sub(rank).map_or(1, |axis| dims[axis]);
    (0..rank)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (1, length) | (length, 1) => Ok(length),
            (length, other) if length == other => Ok(length),
            _ => Err(Fault::Shapes(vec![a.to_vec(), b.to_vec()])),
        })
        .collect()
}

/// `factor * x + sign * constant`.
pub fn add_constant(
    call: &mut Call<'_>,
    (factor, x): (f64, NodeId),
    (sign, constant): (f64, &Tensor),
    dims: Vec<u32>,
) -> Result<Vec<Value>, Fault> {
    let view = broadcast(x, &call.graph.node(x).dims.clone(), &dims);
    let mut bias = Bias::broadcast(constant, &dims);
    bias.values.iter_mut().for_each(|value| *value *= sign);
    let combine = Combine { axes: dims.clone(), terms: vec![Term::Plain { factor, view }], bias: Some(bias) };
    call.result(dims, Kind::Combine(combine))
}

/// `x * constant`.
pub fn scale(call: &mut Call<'_>, x: NodeId, constant: &Tensor, dims: Vec<u32>) -> Result<Vec<Value>, Fault> {
    let view = broadcast(x, &call.graph.node(x).dims.clone(), &dims);
    let Bias { over, values } = Bias::broadcast(constant, &dims);
    let term = match values[..] {
        [factor] => Term::Plain { factor, view },
        _ => Term::Weighted { over, weights: values, view },
    };
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms: vec![term], bias: None }))
}

/// `factor_a * a + factor_b * b`.
pub fn sum(call: &mut Call<'_>, parts: [(f64, NodeId); 2], dims: Vec<u32>) -> Result<Vec<Value>, Fault> {
    let term = |(factor, x): (f64, NodeId)| Term::Plain { factor, view: broadcast(x, &call.graph.node(x).dims, &dims) };
    let terms = parts.into_iter().map(term).collect();
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}

/// `a * b`.
pub fn product(call: &mut Call<'_>, [a, b]: [NodeId; 2], dims: Vec<u32>) -> Result<Vec<Value>, Fault> {
    let view = |x: NodeId| broadcast(x, &call.graph.node(x).dims, &dims);
    let terms = vec![Term::Product { factor: 1.0, left: view(a), right: view(b) }];
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}
