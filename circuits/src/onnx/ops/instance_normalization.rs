//! `InstanceNormalization`: each channel of each image by itself.
use super::normalization::{normalized, per_channel, scaled};
use super::{Call, Fault, Value};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let dims = call.dims(0)?;
    if dims.len() < 3 {
        return Err(Fault::Shapes(vec![dims]));
    }
    let epsilon = call.attributes.float("epsilon", 1e-5)?;
    let (scale, shift) = (per_channel(call.constant(1)?, &dims)?, per_channel(call.constant(2)?, &dims)?);
    let node = normalized(call, x, (2..dims.len()).collect(), true, epsilon)?;
    scaled(call, node, &scale, Some(&shift))
}
