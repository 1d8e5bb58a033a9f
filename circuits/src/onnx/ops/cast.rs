//! `Cast` and `CastLike`: between types of real numbers nothing changes; towards whole numbers the fraction is cut off,
//! and what does not fit the type wraps around.
use super::{Call, Fault, Value};
use crate::graph::{Element, Function, NodeId, Primitive, Whole};
use crate::onnx::tensor::kind;
use crate::onnx::types;
use crate::tensor::Tensor;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let to = match call.operator {
        "CastLike" => call.kind(1),
        _ => call.attributes.find("to").and_then(|to| to.i).ok_or(Fault::MissingAttribute("to"))? as i32,
    };
    let unsupported = || Fault::Unsupported(format!("element type {to}"));
    let element = types::element(to).ok_or_else(unsupported)?;
    let from = types::element(call.kind(0)).ok_or_else(|| Fault::Unsupported("an element type".into()))?;
    let value = call.value(0)?.clone();
    match (value, element) {
        (value, Element::Real) => Ok(vec![value]),
        (Value::Constant(Tensor { dims, values }), element) => {
            let cast = |&value: &f64| match element {
                Element::BOOLEAN => f64::from(value != 0.0),
                _ => libm::trunc(value),
            };
            Ok(vec![Value::Constant(Tensor { dims, values: values.iter().map(cast).collect() })])
        }
        (Value::Node(x), Element::BOOLEAN) => {
            let negative = call.linear(&[(-1.0, x)], 0.0)?;
            let (above, below) = (call.step(x)?, call.step(negative)?);
            Ok(vec![Value::Node(call.linear(&[(1.0, above), (1.0, below)], 0.0)?)])
        }
        (Value::Node(x), element) if from.is_whole() => Ok(vec![Value::Node(wrapped(call, x, from, element, to)?)]),
        (Value::Node(x), _) => Ok(vec![Value::Node(truncated(call, x)?)]),
    }
}

/// Whole numbers in a type that may be narrower. Types of 32 bits and more are taken as wide enough.
fn wrapped(call: &mut Call<'_>, x: NodeId, from: Element, element: Element, to: i32) -> Result<NodeId, Fault> {
    let (Element::Whole { low, high }, Element::Whole { low: from_low, high: from_high }) = (element, from) else {
        return Ok(x);
    };
    let narrow = matches!(to, kind::UINT8 | kind::INT8 | kind::UINT16 | kind::INT16);
    if !narrow || low <= from_low && from_high <= high {
        return Ok(x);
    }
    // The lowest bits of the distance to the smallest value.
    let distance = call.linear(&[(1.0, x)], -low as f64)?;
    let bits = call.apply(distance, Function::call(Primitive::Whole(Whole::And, high - low)))?;
    call.linear(&[(1.0, bits)], low as f64)
}

/// Real numbers without their fractions, towards zero.
pub(super) fn truncated(call: &mut Call<'_>, x: NodeId) -> Result<NodeId, Fault> {
    let negative = call.linear(&[(-1.0, x)], 0.0)?;
    let mut parts = Vec::new();
    for (sign, side) in [(1.0, x), (-1.0, negative)] {
        let floor = call.apply(side, Function::call(Primitive::Floor))?;
        parts.push((sign, call.relu(floor)?));
    }
    call.linear(&parts, 0.0)
}
