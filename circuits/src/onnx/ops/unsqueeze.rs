//! `Unsqueeze`.
use super::{Call, Fault, Value, axes};
use crate::graph::Kind;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let given = call.ints("axes", 1)?.ok_or(Fault::MissingAttribute("axes"))?;
    let rank = from.len() + given.len();
    let new = axes(&given, rank)?;
    let mut old = from.iter();
    let dims = (0..rank).map(|axis| if new.contains(&axis) { 1 } else { old.next().copied().unwrap_or(1) }).collect();
    call.result(dims, Kind::Reshape(x))
}
