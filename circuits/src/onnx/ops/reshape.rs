//! `Reshape`.
use super::{Call, Fault, Value};
use crate::graph::Kind;
use crate::tensor::elements;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let wanted = call.constant(1)?.integers();
    let keep_zero = call.attributes.flag("allowzero", false)?;
    let count = elements(&from).ok_or_else(|| Fault::Size(from.clone()))?;
    let mut dims = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (axis, &value) in wanted.iter().enumerate() {
        dims.push(match value {
            -1 if open.replace(axis).is_none() => 1,
            0 if !keep_zero => *from.get(axis).ok_or(Fault::InputValue(1))?,
            value => u32::try_from(value).map_err(|_| Fault::InputValue(1))?,
        });
    }
    if let Some(axis) = open {
        let rest = elements(&dims).filter(|&rest| rest > 0 && count % rest == 0).ok_or(Fault::InputValue(1))?;
        dims[axis] = (count / rest) as u32;
    }
    if elements(&dims) != Some(count) {
        return Err(Fault::Shapes(vec![from, dims]));
    }
    call.result(dims, Kind::Reshape(x))
}
