//! `Squeeze`.
use super::{Call, Fault, Value, axes};
use crate::graph::Kind;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let gone = match call.ints("axes", 1)? {
        None => (0..from.len()).filter(|&axis| from[axis] == 1).collect(),
        Some(given) => axes(&given, from.len())?,
    };
    if let Some(&axis) = gone.iter().find(|&&axis| from[axis] != 1) {
        return Err(Fault::Axis(axis as i64));
    }
    let dims = (0..from.len()).filter(|axis| !gone.contains(axis)).map(|axis| from[axis]).collect();
    call.result(dims, Kind::Reshape(x))
}
