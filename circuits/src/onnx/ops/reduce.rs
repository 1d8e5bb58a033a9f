//! `ReduceSum` and `ReduceMean`.
use super::{Call, Fault, Value, axes};
use crate::graph::{Kind, NodeId, View, mapped, unit};

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

/// The view that sums over some axes and leaves them with length 1.
pub(super) fn reduction(source: NodeId, from: &[u32], reduced: &[usize]) -> View {
    let result: Vec<u32> = (0..from.len()).map(|axis| if reduced.contains(&axis) { 1 } else { from[axis] }).collect();
    let sum: Vec<u32> = reduced.iter().map(|&axis| from[axis]).collect();
    let all = from.len() + sum.len();
    let map = |axis: usize| match reduced.iter().position(|&other| other == axis) {
        Some(place) => mapped(all, 0, &[(from.len() + place, 1)]),
        None => unit(all, axis),
    };
    View { source, axes: result, sum, dims: from.to_vec(), maps: (0..from.len()).map(map).collect() }
}
