//! `CumSum`.
use super::{Call, Fault, Value, axis};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let along = call.constant(1)?.single().ok_or(Fault::InputValue(1))?;
    let along = axis(along as i64, call.shape(x).len())?;
    let how = (call.attributes.flag("exclusive", false)?, call.attributes.flag("reverse", false)?);
    Ok(vec![Value::Node(call.accumulated(x, along, how)?)])
}
