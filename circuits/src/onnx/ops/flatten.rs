//! `Flatten`.
use super::{Call, Fault, Value};
use crate::graph::Kind;
use crate::tensor::elements;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let (value, rank) = (call.attributes.int("axis", 1)?, from.len() as i64);
    // Unlike other axes this one may equal the rank: it is a place between axes.
    if !(-rank..=rank).contains(&value) {
        return Err(Fault::Axis(value));
    }
    let split = if value < 0 { value + rank } else { value } as usize;
    let size = |dims: &[u32]| elements(dims).map(|count| count as u32).ok_or_else(|| Fault::Size(dims.to_vec()));
    let dims = vec![size(&from[..split])?, size(&from[split..])?];
    call.result(dims, Kind::Reshape(x))
}
