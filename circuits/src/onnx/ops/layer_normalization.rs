//! `LayerNormalization` and its form without mean and shift, which is also called `SimplifiedLayerNormalization`.
use super::normalization::{normalized, scaled};
use super::{Call, Fault, Value, axis};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    if call.outputs > 1 {
        return Err(Fault::Unsupported("the mean or the deviation as a result".into()));
    }
    let x = call.node(0)?;
    let rank = call.dims(0)?.len();
    let first = axis(call.attributes.int("axis", -1)?, rank)?;
    let epsilon = call.attributes.float("epsilon", 1e-5)?;
    let centred = call.operator == "LayerNormalization";
    let scale = call.constant(1)?.clone();
    let shift = if centred { call.optional(2)?.cloned() } else { None };
    let node = normalized(call, x, (first..rank).collect(), centred, epsilon)?;
    scaled(call, node, &scale, shift.as_ref())
}
