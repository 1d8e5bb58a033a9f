//! `Cast`: between floating-point types it changes nothing here; to integers it is for constants only.
use super::{Call, Fault, Value};
use crate::onnx::tensor::kind;
use crate::tensor::Tensor;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let to = call.attributes.find("to").and_then(|to| to.i).ok_or(Fault::MissingAttribute("to"))? as i32;
    let value = call.value(0)?.clone();
    match (to, value) {
        (kind::FLOAT | kind::DOUBLE | kind::FLOAT16 | kind::BFLOAT16, value) => Ok(vec![value]),
        (kind::BOOL, Value::Constant(Tensor { dims, values })) => {
            let values = values.iter().map(|&value| f64::from(value != 0.0)).collect();
            Ok(vec![Value::Constant(Tensor { dims, values })])
        }
        (
            kind::INT64 | kind::INT32 | kind::INT16 | kind::INT8 | kind::UINT8,
            Value::Constant(Tensor { dims, values }),
        ) => {
            let values = values.iter().map(|&value| libm::trunc(value)).collect();
            Ok(vec![Value::Constant(Tensor { dims, values })])
        }
        _ => Err(Fault::Unsupported(format!("a cast of activations to element type {to}"))),
    }
}
