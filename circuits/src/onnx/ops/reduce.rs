//! `ReduceSum` and `ReduceMean`.
use super::{Call, Fault, Value, axes};
use crate::graph::{Kind, reduction};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let given = call.ints("axes", 1)?.unwrap_or_default();
    let reduced = match given.is_empty() {
        true if call.attributes.flag("noop_with_empty_axes", false)? => return Ok(vec![call.value(0)?.clone()]),
        true => (0..from.len()).collect(),
        false => axes(&given, from.len())?,
    };
    let view = reduction(x, &from, &reduced);
    let mean = call.operator == "ReduceMean";
    let count: f64 = view.sum.iter().map(|&length| f64::from(length)).product();
    let kept = view.axes.clone();
    let node = call.add(kept, Kind::plain(if mean { 1.0 / count } else { 1.0 }, view))?;
    if call.attributes.flag("keepdims", true)? {
        return Ok(vec![Value::Node(node)]);
    }
    let dims = (0..from.len()).filter(|axis| !reduced.contains(axis)).map(|axis| from[axis]).collect();
    call.result(dims, Kind::Reshape(node))
}
