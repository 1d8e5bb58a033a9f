//! `Range`, `ConstantOfShape`, `EyeLike`, `NonZero`: tensors made from constants alone.
use super::{Call, Fault, Value};
use crate::onnx::external::NoExternalData;
use crate::onnx::tensor::decode;
use crate::tensor::{Tensor, elements, strides};

/// Most values that are made from nothing.
const GENERATED_MAX: usize = 1 << 24;

/// `start, start + step, ..` before `limit`.
pub(super) fn range(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let number = |input: usize| call.constant(input)?.single().ok_or(Fault::InputValue(input));
    let (start, limit, step) = (number(0)?, number(1)?, number(2)?);
    let count = libm::ceil((limit - start) / step);
    let count = if count > 0.0 { count } else { 0.0 };
    if !count.is_finite() || count > GENERATED_MAX as f64 {
        return Err(Fault::InputValue(2));
    }
    let values = (0..count as u32).map(|place| start + f64::from(place) * step).collect();
    Ok(vec![Value::Constant(Tensor { dims: vec![count as u32], values })])
}

/// One value everywhere.
pub(super) fn constant_of_shape(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let dims = lengths(&call.constant(0)?.integers()).ok_or(Fault::InputValue(0))?;
    let value = match call.attributes.find("value") {
        None => 0.0,
        Some(attribute) => {
            let proto = attribute.t.as_ref().ok_or(Fault::AttributeType("value"))?;
            let tensor = decode(proto, &NoExternalData).map_err(|_| Fault::AttributeValue("value"))?;
            tensor.single().ok_or(Fault::AttributeValue("value"))?
        }
    };
    let count = elements(&dims).filter(|&count| count <= GENERATED_MAX).ok_or_else(|| Fault::Size(dims.clone()))?;
    Ok(vec![Value::Constant(Tensor { dims, values: vec![value; count] })])
}

/// Ones on a diagonal, in the shape of the input.
pub(super) fn eye_like(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let dims = call.dims(0)?;
    let &[rows, columns] = &dims[..] else { return Err(Fault::Shapes(vec![dims])) };
    elements(&dims).filter(|&count| count <= GENERATED_MAX).ok_or_else(|| Fault::Size(dims.clone()))?;
    let above = call.attributes.int("k", 0)?;
    let cell = |row: u32, column: u32| f64::from(i64::from(column) - i64::from(row) == above);
    let values = (0..rows).flat_map(|row| (0..columns).map(move |column| cell(row, column))).collect();
    Ok(vec![Value::Constant(Tensor { dims, values })])
}

/// Where a constant is not zero: one row of coordinates for each axis.
pub(super) fn non_zero(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let Value::Constant(tensor) = call.value(0)? else {
        return Err(Fault::Unsupported("a shape that depends on the input's values".into()));
    };
    let places: Vec<usize> = (0..tensor.values.len()).filter(|&place| tensor.values[place] != 0.0).collect();
    let steps = strides(&tensor.dims);
    let coordinate = |axis: usize, place: usize| (place / steps[axis] % tensor.dims[axis] as usize) as f64;
    let values: Vec<f64> =
        (0..tensor.dims.len()).flat_map(|axis| places.iter().map(move |&place| coordinate(axis, place))).collect();
    Ok(vec![Value::Constant(Tensor { dims: vec![tensor.dims.len() as u32, places.len() as u32], values })])
}

/// Lengths of axes that are given as integers.
pub(super) fn lengths(values: &[i64]) -> Option<Vec<u32>> {
    values.iter().map(|&value| u32::try_from(value).ok()).collect()
}
