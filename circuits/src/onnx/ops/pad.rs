//! `Pad` with a constant: zeros are what a view reads outside a tensor; other values are added where padding is.
use super::{Call, Fault, Value, axis};
use crate::graph::{Bias, Combine, Kind, Term, View, mapped};
use crate::tensor::elements;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let mode = call.attributes.word("mode", "constant")?;
    if mode != "constant" {
        return Err(Fault::Unsupported(format!("padding mode {mode:?}")));
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
    let maps = (0..rank).map(|at| mapped(rank, -before[at], &[(at, 1)])).collect();
    let view = View { source: x, axes: dims.clone(), sum: Vec::new(), dims: from.clone(), maps };
    let bias = if value == 0.0 { None } else { Some(border(&from, &before, &dims, value)?) };
    let terms = vec![Term::Plain { factor: 1.0, view }];
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))
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
