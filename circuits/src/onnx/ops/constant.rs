//! `Constant`.
use super::{Call, Fault, Value};
use crate::onnx::external::NoExternalData;
use crate::onnx::tensor::decode;
use crate::tensor::Tensor;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let find = |name: &str| call.attributes.find(name);
    let list = |values: Vec<f64>| Tensor { dims: vec![values.len() as u32], values };
    let tensor = if let Some(attribute) = find("value") {
        let proto = attribute.t.as_ref().ok_or(Fault::AttributeType("value"))?;
        decode(proto, &NoExternalData).map_err(|_| Fault::AttributeValue("value"))?
    } else if let Some(value) = find("value_float").and_then(|attribute| attribute.f) {
        Tensor::scalar(value.into())
    } else if let Some(value) = find("value_int").and_then(|attribute| attribute.i) {
        Tensor::scalar(value as f64)
    } else if let Some(attribute) = find("value_floats") {
        list(attribute.floats.iter().map(|&value| value.into()).collect())
    } else if let Some(attribute) = find("value_ints") {
        list(attribute.ints.iter().map(|&value| value as f64).collect())
    } else {
        return Err(Fault::Unsupported("a constant that is neither numbers nor a tensor of numbers".into()));
    };
    if tensor.values.iter().any(|value| !value.is_finite()) {
        return Err(Fault::AttributeValue("value"));
    }
    Ok(vec![Value::Constant(tensor)])
}
