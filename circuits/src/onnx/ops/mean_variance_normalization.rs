//! `MeanVarianceNormalization`.
use super::normalization::normalized;
use super::{Call, Fault, Value, axes};

/// ONNX adds this to the deviation; here its square is added to the variance, which is the same where it matters.
const EPSILON: f64 = 1e-9;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let rank = call.dims(0)?.len();
    let along = axes(call.attributes.ints("axes").unwrap_or(&[0, 2, 3]), rank)?;
    Ok(vec![Value::Node(normalized(call, x, along, true, EPSILON * EPSILON)?)])
}
