//! `Split`: slices one after another.
use super::slice::{Part, sliced};
use super::{Call, Fault, Value, axis};
use crate::graph::Kind;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let along = axis(call.attributes.int("axis", 0)?, from.len())?;
    let sizes: Vec<u32> = match call.ints("split", 1)? {
        Some(sizes) => sizes
            .into_iter()
            .map(|size| u32::try_from(size).map_err(|_| Fault::InputValue(1)))
            .collect::<Result<_, _>>()?,
        None => {
            // All parts are equal, the last may be smaller.
            let count = call.outputs as u32;
            let size = from[along].div_ceil(count.max(1));
            (0..count).map(|part| size.min(from[along].saturating_sub(part.saturating_mul(size)))).collect()
        }
    };
    if sizes.len() != call.outputs || sizes.iter().map(|&size| u64::from(size)).sum::<u64>() != u64::from(from[along]) {
        return Err(Fault::InputValue(1));
    }
    let mut parts: Vec<Part> = from.iter().map(|&length| Part { start: 0, step: 1, length }).collect();
    let mut results = Vec::with_capacity(sizes.len());
    let mut start = 0;
    for length in sizes {
        parts[along] = Part { start, step: 1, length };
        start += i64::from(length);
        let (dims, view) = sliced(x, &from, &parts);
        results.push(Value::Node(call.add(dims, Kind::plain(1.0, view))?));
    }
    Ok(results)
}
