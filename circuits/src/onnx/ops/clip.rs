//! `Clip`: bounds are attributes up to operator set 10, inputs after.
use super::{Call, Fault, Value};
use crate::graph::{Function, Kind, Primitive};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let bound = |name: &'static str, input: usize, default: f64| -> Result<f64, Fault> {
        if call.opset < 11 {
            return call.attributes.float(name, default);
        }
        match call.optional(input)? {
            None => Ok(default),
            Some(tensor) => tensor.single().ok_or(Fault::InputValue(input)),
        }
    };
    let (low, high) = (bound("min", 1, f64::NEG_INFINITY)?, bound("max", 2, f64::INFINITY)?);
    if low > high {
        return Err(Fault::Unsupported(format!("a lower bound {low} above the upper bound {high}")));
    }
    if low == f64::NEG_INFINITY && high == f64::INFINITY {
        return Ok(vec![Value::Node(x)]);
    }
    let dims = call.dims(0)?;
    let primitive = if low == 0.0 && high == f64::INFINITY { Primitive::Relu } else { Primitive::Clip(low, high) };
    call.result(dims, Kind::Function { source: x, function: Function::call(primitive) })
}
