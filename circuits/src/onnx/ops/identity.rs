//! `Identity`, and `Dropout`, which does nothing at inference.
use super::{Call, Fault, Value};
use crate::tensor::{Tensor, elements};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let training = || Ok(call.optional(2)?.and_then(Tensor::single).is_some_and(|training| training != 0.0));
    if call.operator == "Dropout" && training()? {
        return Err(Fault::Unsupported("training mode, which is random".into()));
    }
    if call.outputs > 1 {
        // The mask of a Dropout that drops nothing.
        let dims = call.dims(0)?;
        let count = elements(&dims).ok_or_else(|| Fault::Size(dims.clone()))?;
        let mask = Value::Constant(Tensor { dims, values: vec![1.0; count] });
        return Ok(vec![call.value(0)?.clone(), mask]);
    }
    Ok(vec![call.value(0)?.clone()])
}
