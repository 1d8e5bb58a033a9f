//! `ArgMax`, `ArgMin` and `Hardmax`: of the cells that are as large as the largest, the first or the last.
use super::{Call, Fault, Value, axis};
use crate::graph::NodeId;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let along = axis(call.attributes.int("axis", 0)?, from.len())?;
    let x = if call.operator == "ArgMin" { call.linear(&[(-1.0, x)], 0.0)? } else { x };
    let last = call.attributes.flag("select_last_index", false)?;
    let chosen = leader(call, x, along, last)?;
    let places = (0..from[along]).map(f64::from).collect();
    let result = call.weighted(chosen, along, places)?;
    if call.attributes.flag("keepdims", true)? {
        return Ok(vec![Value::Node(result)]);
    }
    let mut dims = from;
    dims.remove(along);
    Ok(vec![Value::Node(call.reshaped(result, dims)?)])
}

/// One where the first of the largest cells is. Up to operator set 12 the axes from `axis` on are one.
pub(super) fn hardmax(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let old = call.opset < 13;
    let along = axis(call.attributes.int("axis", if old { 1 } else { -1 })?, from.len())?;
    if !old {
        return Ok(vec![Value::Node(leader(call, x, along, false)?)]);
    }
    let size = |dims: &[u32]| dims.iter().product::<u32>();
    let flat = call.reshaped(x, vec![size(&from[..along]), size(&from[along..])])?;
    let result = leader(call, flat, 1, false)?;
    Ok(vec![Value::Node(call.reshaped(result, from)?)])
}

/// One at the first (or last) of the largest cells along an axis, else zero.
pub(super) fn leader(call: &mut Call<'_>, x: NodeId, axis: usize, last: bool) -> Result<NodeId, Fault> {
    let most = call.largest(x, &[axis])?;
    let below = call.linear(&[(1.0, most), (-1.0, x)], 0.0)?;
    let below = call.step(below)?;
    let leads = call.linear(&[(-1.0, below)], 1.0)?;
    let before = call.accumulated(leads, axis, (true, last))?;
    let first = call.linear(&[(1.0, leads), (-1.0, before)], 0.0)?;
    call.step(first)
}
