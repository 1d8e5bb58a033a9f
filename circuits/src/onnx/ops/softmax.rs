//! `Softmax` and `LogSoftmax`. Up to operator set 12 they run over all axes from the given one on.
use super::{Call, Fault, Value, axis};
use crate::graph::Kind;
use crate::tensor::elements;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let source = call.node(0)?;
    let dims = call.dims(0)?;
    let logarithm = call.operator == "LogSoftmax";
    let flattens = call.opset < 13;
    let axis = axis(call.attributes.int("axis", if flattens { 1 } else { -1 })?, dims.len())?;
    if !flattens || axis + 1 == dims.len() {
        return call.result(dims, Kind::Softmax { source, axis, logarithm });
    }
    let size = |dims: &[u32]| elements(dims).map(|count| count as u32).ok_or_else(|| Fault::Size(dims.to_vec()));
    let flat = vec![size(&dims[..axis])?, size(&dims[axis..])?];
    let source = call.add(flat.clone(), Kind::Reshape(source))?;
    let node = call.add(flat, Kind::Softmax { source, axis: 1, logarithm })?;
    call.result(dims, Kind::Reshape(node))
}
