//! Tensors in JSON: `{"input_data": [[..], ..]}`, one list for each input, or `{"name": nested lists}`.
use serde_json::Value;

use super::FileTensor;
use crate::error::InputError;
use crate::tensor::{Tensor, elements};

/// Deepest nesting of lists.
const DEPTH_MAX: usize = 8;

/// Decodes the file.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<FileTensor>, InputError> {
    let fail = |reason| InputError::Malformed { tensor: "file".into(), reason };
    let value: Value = serde_json::from_slice(bytes).map_err(|_| fail("not JSON"))?;
    let Value::Object(fields) = value else { return Err(fail("not an object")) };
    if let Some(data) = fields.get("input_data") {
        let Value::Array(inputs) = data else { return Err(fail("input_data is not a list")) };
        return inputs.iter().map(|input| Ok((None, tensor("input_data", input)?))).collect();
    }
    fields.iter().map(|(name, value)| Ok((Some(name.clone()), tensor(name, value)?))).collect()
}

/// Nested lists of one shape.
fn tensor(name: &str, value: &Value) -> Result<Tensor, InputError> {
    let fail = |reason| InputError::Malformed { tensor: name.into(), reason };
    let mut dims = Vec::new();
    let mut inner = value;
    while let Value::Array(items) = inner {
        if dims.len() == DEPTH_MAX {
            return Err(fail("nested too deeply"));
        }
        dims.push(u32::try_from(items.len()).map_err(|_| fail("too long"))?);
        inner = items.first().ok_or_else(|| fail("an empty list"))?;
    }
    let mut values = Vec::new();
    collect(value, &dims, &mut values).map_err(fail)?;
    if elements(&dims) != Some(values.len()) {
        return Err(fail("too large"));
    }
    Ok(Tensor { dims, values })
}

fn collect(value: &Value, dims: &[u32], values: &mut Vec<f64>) -> Result<(), &'static str> {
    match (dims.split_first(), value) {
        (None, Value::Number(number)) => {
            values.push(number.as_f64().filter(|value| value.is_finite()).ok_or("a number that is not finite")?);
            Ok(())
        }
        (None, Value::Bool(truth)) => {
            values.push(f64::from(u8::from(*truth)));
            Ok(())
        }
        (Some((&length, rest)), Value::Array(items)) if items.len() == length as usize => {
            items.iter().try_for_each(|item| collect(item, rest, values))
        }
        (_, Value::Array(_)) => Err("lists of different lengths"),
        _ => Err("something that is not a number"),
    }
}
