//! `ConvInteger`, `QLinearConv`, `MatMulInteger` and `QLinearMatMul`: layers on integers with zero points. Weights are
//! constants; sums of integers are exact.
use super::conv::convolution;
use super::quantize_linear::to_integers;
use super::{Call, Fault, Value};
use crate::graph::{Combine, Kind, NodeId, Term, View, unit};
use crate::tensor::{Tensor, strides};

/// The input without its zero point.
fn centred(call: &mut Call<'_>, x: NodeId, zero: Option<usize>) -> Result<NodeId, Fault> {
    let Some(zero) = zero.filter(|&zero| call.has(zero)) else { return Ok(x) };
    let zero = call.constant(zero)?.clone();
    match zero.single() {
        Some(0.0) => Ok(x),
        Some(zero) => call.linear(&[(1.0, x)], -zero),
        None => Err(Fault::Unsupported("a zero point for each row of the input".into())),
    }
}

/// Weights without their zero points: one for all, or one for each position along an axis.
fn centred_weights(call: &Call<'_>, input: usize, zero: usize, axis: usize) -> Result<Tensor, Fault> {
    let mut weights = call.constant(input)?.clone();
    let Some(zero) = call.optional(zero)? else { return Ok(weights) };
    let step = strides(&weights.dims).get(axis).copied().ok_or(Fault::InputValue(input))?;
    let length = weights.dims[axis] as usize;
    if zero.values.len() != 1 && zero.values.len() != length {
        return Err(Fault::Shapes(vec![weights.dims.clone(), zero.dims.clone()]));
    }
    for (at, value) in weights.values.iter_mut().enumerate() {
        *value -= zero.values[if zero.values.len() == 1 { 0 } else { at / step % length }];
    }
    Ok(weights)
}

/// `ConvInteger`.
pub(super) fn conv_integer(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let x = centred(call, x, Some(2))?;
    let weights = centred_weights(call, 1, 3, 0)?;
    Ok(vec![Value::Node(convolution(call, x, &weights, None)?)])
}

/// `QLinearConv`.
pub(super) fn q_linear_conv(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let x = centred(call, x, Some(2))?;
    let weights = centred_weights(call, 3, 5, 0)?;
    let bias = call.optional(8)?.map(|bias| bias.values.clone());
    let sums = convolution(call, x, &weights, bias)?;
    Ok(vec![Value::Node(requantised(call, sums, [1, 4, 6], 7, 1)?)])
}

/// `MatMulInteger`.
pub(super) fn matmul_integer(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let x = centred(call, x, Some(2))?;
    let columns = call.dims(1)?.len().saturating_sub(1);
    let weights = centred_weights(call, 1, 3, columns)?;
    Ok(vec![Value::Node(product(call, x, &weights)?)])
}

/// `QLinearMatMul`.
pub(super) fn q_linear_matmul(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let x = centred(call, x, Some(2))?;
    let columns = call.dims(3)?.len().saturating_sub(1);
    let weights = centred_weights(call, 3, 5, columns)?;
    let sums = product(call, x, &weights)?;
    let last = call.shape(sums).len().saturating_sub(1);
    Ok(vec![Value::Node(requantised(call, sums, [1, 4, 6], 7, last)?)])
}

/// Sums in the steps of the result: inputs name the step of the input, those of the weights, that of the result, and
/// its zero point.
fn requantised(
    call: &mut Call<'_>,
    sums: NodeId,
    [input, weights, output]: [usize; 3],
    zero: usize,
    axis: usize,
) -> Result<NodeId, Fault> {
    let single = |place: usize| {
        let value = call.constant(place)?.single();
        value.ok_or_else(|| Fault::Unsupported("a step for each row".into()))
    };
    let (input, output) = (single(input)?, single(output)?);
    let zeros = vec![single(zero)?];
    if output <= 0.0 {
        return Err(Fault::InputValue(6));
    }
    let factors: Vec<f64> = call.constant(weights)?.values.iter().map(|size| input * size / output).collect();
    if factors.len() != 1 && factors.len() != call.shape(sums)[axis] as usize {
        return Err(Fault::InputValue(weights));
    }
    let scaled = call.scaled(sums, &[axis], factors, None)?;
    let kind = call.kind(zero);
    to_integers(call, scaled, &[], zeros, kind)
}

/// `y[.., i, o] = sum_k x[.., i, k] W[.., k, o]`; leading axes of the weights are the input's or missing.
fn product(call: &mut Call<'_>, x: NodeId, weights: &Tensor) -> Result<NodeId, Fault> {
    let from = call.shape(x);
    let fail = || Fault::Shapes(vec![from.clone(), weights.dims.clone()]);
    let (&[ref batch @ .., _, inputs], &[ref leading @ .., rows, columns]) = (&from[..], &weights.dims[..]) else {
        return Err(fail());
    };
    if inputs != rows || !(leading.is_empty() || leading == batch) {
        return Err(fail());
    }
    let rank = from.len();
    let mut dims = from.clone();
    dims[rank - 1] = columns;
    let mut over: Vec<usize> = (0..leading.len()).collect();
    over.push(rank - 1);
    let (rows, columns) = (rows as usize, columns as usize);
    let mut values = Vec::with_capacity(weights.values.len());
    for matrix in weights.values.chunks_exact(rows * columns) {
        values.extend((0..columns).flat_map(|column| (0..rows).map(move |row| matrix[row * columns + column])));
    }
    let maps = (0..rank).map(|at| unit(rank + 1, if at + 1 == rank { rank } else { at })).collect();
    let view = View { source: x, axes: dims.clone(), sum: vec![inputs], dims: from.clone(), maps };
    let terms = vec![Term::Weighted { over, weights: values, view }];
    call.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}
