//! `Conv` over one or more spatial axes, with groups.
use super::window::{Window, windows};
use super::{Call, Fault, Value};
use crate::graph::{Bias, Combine, Kind, NodeId, Term, View, mapped, unit};
use crate::tensor::Tensor;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let weight = call.constant(1)?.clone();
    let bias = call.optional(2)?.map(|bias| bias.values.clone());
    Ok(vec![Value::Node(convolution(call, x, &weight, bias)?)])
}

/// A convolution with constant weights and bias, with the node's attributes.
pub(super) fn convolution(
    call: &mut Call<'_>,
    x: NodeId,
    weight: &Tensor,
    bias: Option<Vec<f64>>,
) -> Result<NodeId, Fault> {
    let from = call.shape(x);
    let fail = || Fault::Shapes(vec![from.clone(), weight.dims.clone()]);
    let (&[batch, channels, ref spatial @ ..], &[outputs, per_group, ref kernel @ ..]) = (&from[..], &weight.dims[..])
    else {
        return Err(fail());
    };
    let groups = u32::try_from(call.attributes.int("group", 1)?).ok().filter(|&group| group > 0);
    let groups = groups.ok_or(Fault::AttributeValue("group"))?;
    if spatial.len() != kernel.len()
        || spatial.is_empty()
        || per_group.checked_mul(groups) != Some(channels)
        || outputs % groups != 0
    {
        return Err(fail());
    }
    if call
        .attributes
        .ints("kernel_shape")
        .is_some_and(|shape| !shape.iter().copied().eq(kernel.iter().map(|&k| i64::from(k))))
    {
        return Err(Fault::AttributeValue("kernel_shape"));
    }
    let windows = windows(call, spatial, kernel)?;
    let shape = Shape { batch, groups, outputs, per_group };
    let (over, view) = shape.view(x, &from, &windows);
    let bias = match bias {
        None => None,
        Some(values) if values.len() == outputs as usize => Some(Bias { over: over.clone(), values }),
        Some(values) => return Err(Fault::Shapes(vec![weight.dims.clone(), vec![values.len() as u32]])),
    };
    let mut dims = vec![batch, outputs];
    dims.extend(windows.iter().map(|window| window.output));
    let axes = view.axes.clone();
    let terms = vec![Term::Weighted { over, weights: weight.values.clone(), view }];
    call.add(dims, Kind::Combine(Combine { axes, terms, bias }))
}

struct Shape {
    batch: u32,
    groups: u32,
    outputs: u32,
    per_group: u32,
}

impl Shape {
    /// Result axes are batch, outputs (or groups and outputs of a group), windows; summed are channels of a group and
    /// taps.
    fn view(&self, source: u32, from: &[u32], windows: &[Window]) -> (Vec<usize>, View) {
        let in_group = self.outputs / self.groups;
        let mut axes = vec![self.batch];
        match (self.groups, in_group) {
            (1, _) => axes.push(self.outputs),
            (_, 1) => axes.push(self.groups),
            _ => axes.extend([self.groups, in_group]),
        }
        let first = axes.len();
        axes.extend(windows.iter().map(|window| window.output));
        let mut sum = vec![self.per_group];
        sum.extend(windows.iter().map(|window| window.kernel));
        let (channel, all) = (axes.len(), axes.len() + sum.len());
        let channels = if self.groups == 1 {
            unit(all, channel)
        } else {
            mapped(all, 0, &[(1, self.per_group.into()), (channel, 1)])
        };
        let mut maps = vec![unit(all, 0), channels];
        maps.extend(windows.iter().enumerate().map(|(axis, window)| window.map(all, first + axis, channel + 1 + axis)));
        ((1..first).collect(), View { source, axes, sum, dims: from.to_vec(), maps })
    }
}
