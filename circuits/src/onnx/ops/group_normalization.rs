//! `GroupNormalization`: some channels of each image together. Up to operator set 20 scale and shift are one for each
//! group, after that one for each channel.
use super::normalization::{normalized, per_channel, scaled};
use super::{Call, Fault, Value};
use crate::graph::Kind;
use crate::tensor::{Tensor, elements};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let dims = call.dims(0)?;
    let fail = || Fault::Shapes(vec![dims.clone()]);
    let (&[batch, channels], count) = (dims.get(..2).ok_or_else(fail)?, elements(&dims).ok_or_else(fail)?) else {
        return Err(fail());
    };
    let groups = call.attributes.find("num_groups").and_then(|groups| groups.i);
    let groups = groups.ok_or(Fault::MissingAttribute("num_groups"))?;
    let groups = u32::try_from(groups).ok().filter(|&groups| groups > 0 && channels.is_multiple_of(groups));
    let groups = groups.ok_or(Fault::AttributeValue("num_groups"))?;
    let epsilon = call.attributes.float("epsilon", 1e-5)?;
    let in_group = (channels / groups) as usize;
    let parameter = |constant: &Tensor| -> Result<Tensor, Fault> {
        if constant.values.len() != groups as usize || groups == channels {
            return per_channel(constant, &dims);
        }
        let values = constant.values.iter().flat_map(|&value| std::iter::repeat_n(value, in_group)).collect();
        per_channel(&Tensor { dims: vec![channels], values }, &dims)
    };
    let (scale, shift) = (parameter(call.constant(1)?)?, parameter(call.constant(2)?)?);
    let rest = count as u32 / batch / groups;
    let source = call.add(vec![batch, groups, rest], Kind::Reshape(x))?;
    let node = normalized(call, source, vec![2], true, epsilon)?;
    let node = call.add(dims.clone(), Kind::Reshape(node))?;
    scaled(call, node, &scale, Some(&shift))
}
