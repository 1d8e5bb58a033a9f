//! `Gather`, `GatherElements` and `GatherND` by constant indices.
use super::index::{places, tabled};
use super::{Call, Fault, Value, axis, embedding};
use crate::graph::{Kind, View, unit};
use crate::onnx::call::CELLS_MAX;
use crate::tensor::{Tensor, elements, strides};

/// The constant indices.
fn indices(call: &Call<'_>) -> Result<Tensor, Fault> {
    match call.value(1)? {
        Value::Constant(tensor) => Ok(tensor.clone()),
        Value::Node(_) => Err(Fault::Unsupported("indices that depend on the input".into())),
    }
}

/// Whole slices along an axis.
pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    if let (Value::Constant(_), Value::Node(_)) = (call.value(0)?, call.value(1)?) {
        return embedding::import(call);
    }
    let indices = indices(call)?;
    let x = call.node(0)?;
    let from = call.shape(x);
    let along = axis(call.attributes.int("axis", 0)?, from.len())?;
    let table = places(&indices.values, from[along], 1)?;
    let mut dims = from[..along].to_vec();
    dims.extend(&indices.dims);
    dims.extend(&from[along + 1..]);
    let steps = strides(&indices.dims);
    let parts: Vec<(usize, i64)> = steps.iter().enumerate().map(|(at, &step)| (along + at, step as i64)).collect();
    let mut table = Some(table);
    let mut map = |at: usize| match table.take_if(|_| at == along) {
        Some(table) => tabled(dims.len(), 0, &parts, table),
        None => unit(dims.len(), if at < along { at } else { at + indices.dims.len() - 1 }),
    };
    let maps = (0..from.len()).map(&mut map).collect();
    let view = View { source: x, axes: dims.clone(), sum: Vec::new(), dims: from, maps };
    call.result(dims, Kind::plain(1.0, view))
}

/// Single cells: the index replaces the coordinate along an axis.
pub(super) fn elements_along(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let indices = indices(call)?;
    let x = call.node(0)?;
    let from = call.shape(x);
    let along = axis(call.attributes.int("axis", 0)?, from.len())?;
    let table = replaced(&indices, &from, along, 1)?;
    Ok(vec![Value::Node(call.picked(x, table, indices.dims)?)])
}

/// For each index, the flat place in a tensor where it replaces the coordinate along an axis.
pub(super) fn replaced(indices: &Tensor, from: &[u32], along: usize, input: usize) -> Result<Vec<u32>, Fault> {
    let fits =
        indices.dims.len() == from.len() && (0..from.len()).all(|at| at == along || indices.dims[at] <= from[at]);
    if !fits {
        return Err(Fault::Shapes(vec![from.to_vec(), indices.dims.clone()]));
    }
    let (own, steps) = (strides(&indices.dims), strides(from));
    let places = places(&indices.values, from[along], input)?;
    let flat = |(cell, &place): (usize, &u32)| {
        let coordinate = |at: usize| cell / own[at] % indices.dims[at] as usize;
        let others = (0..from.len()).filter(|&at| at != along).map(|at| coordinate(at) * steps[at]);
        (others.sum::<usize>() + place as usize * steps[along]) as u32
    };
    Ok(places.iter().enumerate().map(flat).collect())
}

/// Slices by tuples of indices.
pub(super) fn by_tuples(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let indices = indices(call)?;
    let x = call.node(0)?;
    let from = call.shape(x);
    let batch =
        usize::try_from(call.attributes.int("batch_dims", 0)?).map_err(|_| Fault::AttributeValue("batch_dims"))?;
    let (table, dims) = tuples(&indices, &from, batch)?;
    Ok(vec![Value::Node(call.picked(x, table, dims)?)])
}

/// For each cell of what tuples of indices pick, its flat place in a tensor; and the shape of that.
pub(super) fn tuples(indices: &Tensor, from: &[u32], batch: usize) -> Result<(Vec<u32>, Vec<u32>), Fault> {
    let fail = || Fault::Shapes(vec![from.to_vec(), indices.dims.clone()]);
    let (&length, outer) = indices.dims.split_last().ok_or_else(fail)?;
    let length = length as usize;
    if batch + length > from.len() || batch > outer.len() || from[..batch] != outer[..batch] || length == 0 {
        return Err(fail());
    }
    let slice = &from[batch + length..];
    let size = elements(slice).ok_or_else(fail)?;
    let steps = strides(from);
    let dims: Vec<u32> = outer.iter().chain(slice).copied().collect();
    elements(&dims).filter(|&count| count as u64 <= CELLS_MAX).ok_or_else(|| Fault::Size(dims.clone()))?;
    let per_batch = outer[batch..].iter().product::<u32>() as usize;
    // Batch axes are the slowest of both.
    let batch_step = if batch == 0 { 0 } else { steps[batch - 1] };
    let mut table = Vec::new();
    for (number, tuple) in indices.values.chunks_exact(length).enumerate() {
        let mut start = number / per_batch.max(1) * batch_step;
        for (at, index) in tuple.iter().enumerate() {
            let place = places(core::slice::from_ref(index), from[batch + at], 1)?[0];
            start += place as usize * steps[batch + at];
        }
        table.extend((start..start + size).map(|place| place as u32));
    }
    Ok((table, dims))
}
