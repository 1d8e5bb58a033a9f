//! `Transpose`.
use super::{Call, Fault, Value, axes};
use crate::graph::Kind;
use crate::tensor::{Tensor, strides};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let from = call.dims(0)?;
    let order: Vec<usize> = match call.attributes.ints("perm") {
        None => (0..from.len()).rev().collect(),
        Some(perm) => {
            let all = axes(perm, from.len())?;
            if all.len() != from.len() || perm.iter().any(|&axis| axis < 0) {
                return Err(Fault::AttributeValue("perm"));
            }
            perm.iter().map(|&axis| axis as usize).collect()
        }
    };
    let dims: Vec<u32> = order.iter().map(|&axis| from[axis]).collect();
    if let Value::Constant(tensor) = call.value(0)? {
        // Weights may be too large to go through the graph.
        return Ok(vec![Value::Constant(Tensor { values: transposed(tensor, &order), dims })]);
    }
    let x = call.node(0)?;
    call.result(dims, Kind::Transpose { source: x, order })
}

/// The values with the axes in another order.
fn transposed(tensor: &Tensor, order: &[usize]) -> Vec<f64> {
    let steps = strides(&tensor.dims);
    let mut places = vec![0usize];
    for &axis in order {
        let (length, step) = (tensor.dims[axis] as usize, steps[axis]);
        places = places.iter().flat_map(|&base| (0..length).map(move |i| base + i * step)).collect();
    }
    places.into_iter().map(|place| tensor.values[place]).collect()
}
