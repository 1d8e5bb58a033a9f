//! `Pad`: zeros are what a view reads outside a tensor; other values are added where padding is, and padding that
//! continues the tensor is picked by a table.
use super::{Call, Fault, Value, axis};
use crate::graph::{Bias, Combine, Kind, NodeId, Term, View, mapped};
use crate::onnx::call::CELLS_MAX;
use crate::tensor::elements;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let mode = call.attributes.word("mode", "constant")?;
    if !["constant", "reflect", "edge", "wrap"].contains(&mode) {
        return Err(Fault::AttributeValue("mode"));
    }
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let rank = from.len();
    let given = call.ints("pads", 1)?.ok_or(Fault::MissingAttribute("pads"))?;
    let along: Vec<usize> = match call.optional(3)? {
        None => (0..rank).collect(),
        Some(axes) => axes.integers().into_iter().map(|value| axis(value, rank)).collect::<Result<_, _>>()?,
    };
    if given.len() != 2 * along.len() || given.iter().any(|&pad| pad.unsigned_abs() > 1 << 24) {
        return Err(Fault::InputValue(1));
    }
    let value = match call.optional(2)? {
        Some(value) => value.single().ok_or(Fault::InputValue(2))?,
        None => call.attributes.float("value", 0.0)?,
    };
    let (mut before, mut dims) = (vec![0i64; rank], from.clone());
    for (place, &at) in along.iter().enumerate() {
        before[at] = given[place];
        let length = i64::from(from[at]) + given[place] + given[place + along.len()];
        dims[at] = u32::try_from(length).map_err(|_| Fault::InputValue(1))?;
    }
    if mode != "constant" {
        return Ok(vec![Value::Node(continued(call, x, mode, &before, &dims)?)]);
    }
    let maps = (0..rank).map(|at| mapped(rank, -before[at], &[(at, 1)])).collect();
    let view = View { source: x, axes: dims.clone(), sum: Vec::new(), dims: from.clone(), maps };
    let bias = if value == 0.0 { None } else { Some(border(&from, &before, &dims, value)?) };
    let terms = vec![Term::Plain { factor: 1.0, view }];
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))
}

/// Padding that continues the tensor: mirrored at its ends, its end repeated, or from the start again.
fn continued(call: &mut Call<'_>, x: NodeId, mode: &str, before: &[i64], dims: &[u32]) -> Result<NodeId, Fault> {
    elements(dims).filter(|&count| count as u64 <= CELLS_MAX).ok_or_else(|| Fault::Size(dims.to_vec()))?;
    let from = call.shape(x);
    let mut result = x;
    for axis in 0..dims.len() {
        let length = i64::from(from[axis]);
        if before[axis] == 0 && dims[axis] == from[axis] {
            continue;
        }
        let period = (2 * (length - 1)).max(1);
        let place = |at: u32| {
            let at = i64::from(at) - before[axis];
            let place = match mode {
                "edge" => at.clamp(0, length - 1),
                "wrap" => at.rem_euclid(length),
                _ => {
                    let at = at.rem_euclid(period);
                    if at < length { at } else { period - at }
                }
            };
            place as u32
        };
        result = call.along(result, axis, (0..dims[axis]).map(place).collect())?;
    }
    Ok(result)
}

/// The value at all padded cells, zero elsewhere.
fn border(from: &[u32], before: &[i64], dims: &[u32], value: f64) -> Result<Bias, Fault> {
    elements(dims).ok_or_else(|| Fault::Size(dims.to_vec()))?;
    let mut padding = vec![false];
    for (axis, &length) in dims.iter().enumerate() {
        let outside = |i: u32| !(0..i64::from(from[axis])).contains(&(i64::from(i) - before[axis]));
        padding = padding.iter().flat_map(|&so_far| (0..length).map(move |i| so_far || outside(i))).collect();
    }
    let values = padding.iter().map(|&padding| if padding { value } else { 0.0 }).collect();
    Ok(Bias { over: (0..dims.len()).collect(), values })
}
