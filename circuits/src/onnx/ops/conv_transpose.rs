//! `ConvTranspose`: an output cell reads the cells whose windows it lies in; a table says which those are.
use super::index::{NOTHING, tabled};
use super::{Call, Fault, Value};
use crate::graph::{Bias, Combine, Kind, Term, View, mapped, unit};
use crate::tensor::elements;

/// One spatial axis.
struct Axis {
    input: u32,
    stride: u32,
    dilation: u32,
    before: i64,
    output: u32,
}

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let weight = call.constant(1)?.clone();
    let from = call.shape(x);
    let fail = || Fault::Shapes(vec![from.clone(), weight.dims.clone()]);
    let (&[batch, channels, ref spatial @ ..], &[inputs, in_group, ref kernel @ ..]) = (&from[..], &weight.dims[..])
    else {
        return Err(fail());
    };
    let groups = u32::try_from(call.attributes.int("group", 1)?).ok().filter(|&groups| groups > 0);
    let groups = groups.ok_or(Fault::AttributeValue("group"))?;
    let outputs = in_group.checked_mul(groups).ok_or_else(fail)?;
    if spatial.is_empty() || spatial.len() != kernel.len() || channels != inputs || channels % groups != 0 {
        return Err(fail());
    }
    let axes = axes(call, spatial, kernel)?;
    let per_group = channels / groups;
    let mut result = vec![batch, groups, in_group];
    result.extend(axes.iter().map(|axis| axis.output));
    let mut sum = vec![per_group];
    sum.extend(kernel);
    let all = result.len() + sum.len();
    let channel = result.len();
    let mut maps = vec![unit(all, 0), mapped(all, 0, &[(1, per_group.into()), (channel, 1)])];
    for (at, axis) in axes.iter().enumerate() {
        let parts = [(3 + at, 1), (channel + 1 + at, -i64::from(axis.dilation))];
        maps.push(tabled(all, axis.before, &parts, axis.table()));
    }
    // Weights are by input channel first; here by output.
    let taps = elements(kernel).ok_or_else(fail)?;
    let mut weights = Vec::with_capacity(weight.values.len());
    for group in 0..groups as usize {
        for output in 0..in_group as usize {
            for input in 0..per_group as usize {
                let start = ((group * per_group as usize + input) * in_group as usize + output) * taps;
                weights.extend_from_slice(weight.values.get(start..start + taps).ok_or_else(fail)?);
            }
        }
    }
    let bias = match call.optional(2)? {
        None => None,
        Some(bias) if bias.values.len() == outputs as usize => {
            Some(Bias { over: vec![1, 2], values: bias.values.clone() })
        }
        Some(bias) => return Err(Fault::Shapes(vec![weight.dims.clone(), bias.dims.clone()])),
    };
    let view = View { source: x, axes: result.clone(), sum, dims: from.clone(), maps };
    let terms = vec![Term::Weighted { over: vec![1, 2], weights, view }];
    let mut dims = vec![batch, outputs];
    dims.extend(axes.iter().map(|axis| axis.output));
    call.result(dims, Kind::Combine(Combine { axes: result, terms, bias }))
}

impl Axis {
    /// For each place between the cells, spread by the stride, the cell that lies there.
    fn table(&self) -> Vec<u32> {
        let length = (self.input - 1) * self.stride + 1;
        (0..length).map(|at| if at % self.stride == 0 { at / self.stride } else { NOTHING }).collect()
    }
}

fn axes(call: &Call<'_>, spatial: &[u32], kernel: &[u32]) -> Result<Vec<Axis>, Fault> {
    let count = spatial.len();
    let list = |name: &'static str, default: i64, length: usize| -> Result<Vec<i64>, Fault> {
        let values = call.attributes.ints(name).map_or_else(|| vec![default; length], <[i64]>::to_vec);
        let small = values.len() == length && values.iter().all(|&value| (0..1 << 20).contains(&value));
        small.then_some(values).ok_or(Fault::AttributeValue(name))
    };
    let (strides, dilations) = (list("strides", 1, count)?, list("dilations", 1, count)?);
    let (pads, extra) = (list("pads", 0, 2 * count)?, list("output_padding", 0, count)?);
    let auto = call.attributes.word("auto_pad", "NOTSET")?;
    let given = call.attributes.ints("output_shape").map(|shape| &shape[shape.len().saturating_sub(count)..]);
    if strides.contains(&0)
        || dilations.contains(&0)
        || kernel.contains(&0)
        || given.is_some_and(|shape| shape.len() != count)
    {
        return Err(Fault::AttributeValue("strides, dilations or output_shape"));
    }
    (0..count)
        .map(|at| {
            let (input, size) = (i64::from(spatial[at]), i64::from(kernel[at]));
            let full = strides[at] * (input - 1) + extra[at] + (size - 1) * dilations[at] + 1;
            let same = matches!(auto, "SAME_UPPER" | "SAME_LOWER").then_some(input * strides[at]);
            let (before, output) = match given.map(|shape| shape[at]).or(same) {
                Some(output) => {
                    let total = (full - output).max(0);
                    (if auto == "SAME_UPPER" { total / 2 } else { total - total / 2 }, output)
                }
                None => (pads[at], full - pads[at] - pads[at + count]),
            };
            let output = u32::try_from(output).ok().filter(|&output| (1..1 << 24).contains(&output));
            Ok(Axis {
                input: spatial[at],
                stride: strides[at] as u32,
                dilation: dilations[at] as u32,
                before,
                output: output.ok_or(Fault::AttributeValue("pads"))?,
            })
        })
        .collect()
}
