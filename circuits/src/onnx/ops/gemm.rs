//! `Gemm`: `alpha * A B + beta * C` with constant `B`.
use super::broadcast::common;
use super::{Call, Fault, Value};
use crate::graph::{Bias, Combine, Kind, Term, View, unit};
use crate::tensor::{Tensor, strides};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let a = call.node(0)?;
    let (alpha, beta) = (call.attributes.float("alpha", 1.0)?, call.attributes.float("beta", 1.0)?);
    let (trans_a, trans_b) = (call.attributes.flag("transA", false)?, call.attributes.flag("transB", false)?);
    let b = call.constant(1)?.clone();
    let from = call.dims(0)?;
    let fail = || Fault::Shapes(vec![from.clone(), b.dims.clone()]);
    let (&[first, second], &[rows, columns]) = (&from[..], &b.dims[..]) else { return Err(fail()) };
    let (n, k) = if trans_a { (second, first) } else { (first, second) };
    let (b_k, outputs) = if trans_b { (columns, rows) } else { (rows, columns) };
    if k != b_k {
        return Err(fail());
    }
    let weights = outputs_first(&b, if trans_b { [0, 1] } else { [1, 0] }, alpha);
    let maps = if trans_a { vec![unit(3, 2), unit(3, 0)] } else { vec![unit(3, 0), unit(3, 2)] };
    let view = View { source: a, axes: vec![n, outputs], sum: vec![k], dims: from.clone(), maps };
    let bias = call.optional(2)?.cloned().map(|c| bias(c, beta, &[n, outputs])).transpose()?;
    let dims = vec![n, outputs];
    let terms = vec![Term::Weighted { over: vec![1], weights, view }];
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))
}

fn bias(mut c: Tensor, beta: f64, dims: &[u32]) -> Result<Bias, Fault> {
    if common(&c.dims, dims)? != dims {
        return Err(Fault::Shapes(vec![c.dims, dims.to_vec()]));
    }
    c.values.iter_mut().for_each(|value| *value *= beta);
    Ok(Bias::broadcast(&c, dims))
}

/// A matrix with its axes in the given order, times a factor.
pub(super) fn outputs_first(matrix: &Tensor, order: [usize; 2], factor: f64) -> Vec<f64> {
    let steps = strides(&matrix.dims);
    let [rows, columns] = order.map(|axis| (matrix.dims[axis] as usize, steps[axis]));
    (0..rows.0)
        .flat_map(|row| (0..columns.0).map(move |column| row * rows.1 + column * columns.1))
        .map(|at| matrix.values[at] * factor)
        .collect()
}
