//! `MatMul` with a constant matrix on one side.
use super::gemm::outputs_first;
use super::{Call, Fault, Value};
use crate::graph::{Combine, Kind, NodeId, Term, View, unit};
use crate::tensor::Tensor;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    match (call.value(0)?.clone(), call.value(1)?.clone()) {
        (Value::Node(x), Value::Constant(matrix)) => right(call, x, &matrix),
        (Value::Constant(matrix), Value::Node(x)) => left(call, x, &matrix),
        (Value::Constant(_), Value::Constant(matrix)) => {
            let x = call.node(0)?;
            right(call, x, &matrix)
        }
        (Value::Node(_), Value::Node(_)) => Err(Fault::Unsupported("a product of two activations".into())),
    }
}

/// The matrix with leading axes of length 1 removed.
fn matrix(constant: &Tensor, other: &[u32]) -> Result<Tensor, Fault> {
    let fail = || Fault::Unsupported(format!("a constant of shape {:?} with {other:?}", constant.dims));
    let (leading, last) = constant.dims.split_at_checked(constant.dims.len().wrapping_sub(2)).ok_or_else(fail)?;
    if leading.iter().any(|&dim| dim != 1) {
        return Err(fail());
    }
    Ok(Tensor { dims: last.to_vec(), values: constant.values.clone() })
}

/// `y[.., o] = sum_k x[.., k] W[k, o]`.
fn right(call: &mut Call<'_>, x: NodeId, constant: &Tensor) -> Result<Vec<Value>, Fault> {
    let from = call.graph.node(x).dims.clone();
    let w = matrix(constant, &from)?;
    let rank = from.len();
    if rank == 0 || from[rank - 1] != w.dims[0] {
        return Err(Fault::Shapes(vec![from, w.dims]));
    }
    let mut dims = from.clone();
    dims[rank - 1] = w.dims[1];
    let maps = (0..rank).map(|axis| unit(rank + 1, if axis + 1 == rank { rank } else { axis })).collect();
    let view = View { source: x, axes: dims.clone(), sum: vec![w.dims[0]], dims: from, maps };
    result(call, dims, rank - 1, outputs_first(&w, [1, 0], 1.0), view)
}

/// `y[.., o, j] = sum_k W[o, k] x[.., k, j]`.
fn left(call: &mut Call<'_>, x: NodeId, constant: &Tensor) -> Result<Vec<Value>, Fault> {
    let from = call.graph.node(x).dims.clone();
    let w = matrix(constant, &from)?;
    let rank = from.len();
    if rank < 2 || from[rank - 2] != w.dims[1] {
        return Err(Fault::Shapes(vec![w.dims, from]));
    }
    let mut dims = from.clone();
    dims[rank - 2] = w.dims[0];
    let maps = (0..rank).map(|axis| unit(rank + 1, if axis + 2 == rank { rank } else { axis })).collect();
    let view = View { source: x, axes: dims.clone(), sum: vec![w.dims[1]], dims: from, maps };
    result(call, dims, rank - 2, w.values, view)
}

fn result(
    call: &mut Call<'_>,
    dims: Vec<u32>,
    over: usize,
    weights: Vec<f64>,
    view: View,
) -> Result<Vec<Value>, Fault> {
    let terms = vec![Term::Weighted { over: vec![over], weights, view }];
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}
