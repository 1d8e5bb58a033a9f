//! `Shape` and `Size`: shapes are known while a model is imported.
use super::{Call, Fault, Value};
use crate::tensor::Tensor;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let dims = call.dims(0)?;
    let rank = dims.len() as i64;
    if call.operator == "Size" {
        let count = dims.iter().map(|&dim| f64::from(dim)).product();
        return Ok(vec![Value::Constant(Tensor::scalar(count))]);
    }
    let place = |value: i64| if value < 0 { value.saturating_add(rank) } else { value }.clamp(0, rank) as usize;
    let (start, end) = (place(call.attributes.int("start", 0)?), place(call.attributes.int("end", rank)?));
    let values: Vec<f64> = dims.get(start..end).unwrap_or_default().iter().map(|&dim| dim.into()).collect();
    Ok(vec![Value::Constant(Tensor { dims: vec![values.len() as u32], values })])
}
