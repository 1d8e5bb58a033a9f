//! `Where`: one of two tensors cell by cell.
use super::broadcast::common;
use super::{Call, Fault, Value};
use crate::graph::passes::{places, union};
use crate::graph::{Bias, Combine, Kind, NodeId, Term, broadcast};
use crate::tensor::Tensor;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let dims = common(&common(&call.dims(0)?, &call.dims(1)?)?, &call.dims(2)?)?;
    match call.value(0)?.clone() {
        Value::Constant(mask) => masked(call, &mask, dims),
        Value::Node(condition) => chosen(call, condition, dims),
    }
}

/// A constant condition: tensors are weighted with ones and zeros, constants become the bias.
fn masked(call: &mut Call<'_>, mask: &Tensor, dims: Vec<u32>) -> Result<Vec<Value>, Fault> {
    let mut combine = Combine { axes: dims.clone(), terms: Vec::new(), bias: None };
    let Bias { over, values } = Bias::broadcast(mask, &dims);
    let some_node = [1, 2].iter().any(|&input| matches!(call.value(input), Ok(Value::Node(_))));
    for (input, wanted) in [(1, true), (2, false)] {
        let weights: Vec<f64> = values.iter().map(|&value| f64::from((value != 0.0) == wanted)).collect();
        match call.value(input)?.clone() {
            Value::Constant(constant) if some_node => {
                combine.add_bias(scaled(&dims, &over, &weights, &Bias::broadcast(&constant, &dims)));
            }
            _ => {
                let source = call.node(input)?;
                let view = broadcast(source, &call.graph.node(source).dims, &dims);
                combine.terms.push(match weights[..] {
                    [factor] => Term::Plain { factor, view },
                    _ => Term::Weighted { over: over.clone(), weights, view },
                });
            }
        }
    }
    call.result(dims, Kind::Combine(combine))
}

/// A bias times weights.
fn scaled(dims: &[u32], over: &[usize], weights: &[f64], bias: &Bias) -> Bias {
    let all = union(over, &bias.over);
    let (from, by) = (places(dims, &all, &bias.over), places(dims, &all, over));
    // A weight of zero hides whatever is there.
    let product = |(&at, &weight): (&usize, &usize)| if weights[weight] == 0.0 { 0.0 } else { bias.values[at] };
    let values = from.iter().zip(&by).map(product).collect();
    Bias { over: all, values }
}

/// `b + c * a - c * b`; a single constant makes its product a factor.
fn chosen(call: &mut Call<'_>, condition: NodeId, dims: Vec<u32>) -> Result<Vec<Value>, Fault> {
    let single = |value: &Value| match value {
        Value::Constant(tensor) => tensor.single(),
        Value::Node(_) => None,
    };
    let constants = (single(call.value(1)?), single(call.value(2)?));
    let view = |call: &Call<'_>, node: NodeId| broadcast(node, &call.graph.node(node).dims, &dims);
    let plain = |call: &Call<'_>, factor: f64, node: NodeId| Term::Plain { factor, view: view(call, node) };
    let product = |call: &Call<'_>, factor: f64, node: NodeId| Term::Product {
        factor,
        left: view(call, condition),
        right: view(call, node),
    };
    let (mut terms, mut constant) = (Vec::new(), 0.0);
    match constants {
        (Some(a), Some(b)) => {
            terms.push(plain(call, a - b, condition));
            constant = b;
        }
        (Some(a), None) => {
            let b = call.node(2)?;
            terms.extend([plain(call, 1.0, b), plain(call, a, condition), product(call, -1.0, b)]);
        }
        (None, Some(b)) => {
            let a = call.node(1)?;
            terms.extend([product(call, 1.0, a), plain(call, -b, condition)]);
            constant = b;
        }
        (None, None) => {
            let (a, b) = (call.node(1)?, call.node(2)?);
            terms.extend([plain(call, 1.0, b), product(call, 1.0, a), product(call, -1.0, b)]);
        }
    }
    let bias = (constant != 0.0).then(|| Bias { over: Vec::new(), values: vec![constant] });
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))
}
