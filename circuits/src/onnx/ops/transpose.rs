//! `Transpose`.
use super::{Call, Fault, Value, axes};
use crate::graph::Kind;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
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
    let dims = order.iter().map(|&axis| from[axis]).collect();
    call.result(dims, Kind::Transpose { source: x, order })
}
