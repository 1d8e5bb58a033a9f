//! `LayerNormalization` and its form without mean and shift, which is also called `SimplifiedLayerNormalization`.
use super::normalization::{normalized, scaled};
use super::{Call, Fault, Value, axis};
use crate::graph::{Function, NodeId, Primitive};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let rank = call.dims(0)?.len();
    let first = axis(call.attributes.int("axis", -1)?, rank)?;
    let epsilon = call.attributes.float("epsilon", 1e-5)?;
    let centred = call.operator == "LayerNormalization";
    let scale = call.constant(1)?.clone();
    let shift = if centred { call.optional(2)?.cloned() } else { None };
    let axes: Vec<usize> = (first..rank).collect();
    let node = normalized(call, x, axes.clone(), centred, epsilon)?;
    let mut results = scaled(call, node, &scale, shift.as_ref())?;
    if call.outputs > 1 {
        results.extend(moments(call, x, &axes, epsilon)?.map(Value::Node));
    }
    Ok(results)
}

/// The mean and the inverse of the standard deviation, for models that read them.
fn moments(call: &mut Call<'_>, x: NodeId, axes: &[usize], epsilon: f64) -> Result<[NodeId; 2], Fault> {
    let count: f64 = axes.iter().map(|&axis| f64::from(call.shape(x)[axis])).product();
    let mean = call.summed(x, axes, 1.0 / count)?;
    let centred = call.linear(&[(1.0, x), (-1.0, mean)], 0.0)?;
    let squares = call.times(centred, centred)?;
    let variance = call.summed(squares, axes, 1.0 / count)?;
    let variance = call.linear(&[(1.0, variance)], epsilon)?;
    Ok([mean, call.apply(variance, Function::call(Primitive::Power(-0.5)))?])
}
