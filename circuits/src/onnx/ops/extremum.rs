//! Variadic `Max`, `Min`, `Sum` and `Mean`.
use super::{Call, Fault, Value};
use crate::graph::NodeId;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let inputs = (0..call.input_count()).map(|input| call.node(input)).collect::<Result<Vec<NodeId>, Fault>>()?;
    let &[first, ref others @ ..] = &inputs[..] else { return Err(Fault::MissingInput(0)) };
    let result = match call.operator {
        "Sum" | "Mean" => {
            let factor = if call.operator == "Mean" { 1.0 / inputs.len() as f64 } else { 1.0 };
            let parts: Vec<(f64, NodeId)> = inputs.iter().map(|&input| (factor, input)).collect();
            call.linear(&parts, 0.0)?
        }
        operator => {
            let sign = if operator == "Max" { 1.0 } else { -1.0 };
            let mut result = first;
            for &other in others {
                result = extremum(call, result, other, sign)?;
            }
            result
        }
    };
    Ok(vec![Value::Node(result)])
}

/// The larger of two (`sign` 1) or the smaller (-1): `a + sign * relu(sign * (b - a))`.
pub(super) fn extremum(call: &mut Call<'_>, a: NodeId, b: NodeId, sign: f64) -> Result<NodeId, Fault> {
    let difference = call.linear(&[(sign, b), (-sign, a)], 0.0)?;
    let more = call.relu(difference)?;
    call.linear(&[(1.0, a), (sign, more)], 0.0)
}
