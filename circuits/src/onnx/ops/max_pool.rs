//! `MaxPool`.
use super::window::windows;
use super::{Call, Fault, Value};
use crate::graph::{Kind, View, unit};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    if call.outputs > 1 {
        return Err(Fault::Unsupported("the indices of a MaxPool".into()));
    }
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let (view, dims) = pooled(call, x, &from)?;
    call.result(dims, Kind::Max(view))
}

/// The view of a pool: result axes are batch, channel, windows; summed are the taps.
pub(super) fn pooled(call: &Call<'_>, source: u32, from: &[u32]) -> Result<(View, Vec<u32>), Fault> {
    let spatial =
        from.get(2..).filter(|spatial| !spatial.is_empty()).ok_or_else(|| Fault::Shapes(vec![from.to_vec()]))?;
    let kernel = call.attributes.ints("kernel_shape").ok_or(Fault::MissingAttribute("kernel_shape"))?;
    let kernel: Vec<u32> = kernel.iter().map(|&k| u32::try_from(k).unwrap_or(0)).collect();
    let windows = windows(call, spatial, &kernel)?;
    // Where a window lies in padding alone, a maximum does not exist.
    if windows.iter().any(|window| (0..window.output).any(|position| window.real_cells(position) == 0)) {
        return Err(Fault::AttributeValue("pads"));
    }
    let axes: Vec<u32> = from[..2].iter().copied().chain(windows.iter().map(|window| window.output)).collect();
    let all = axes.len() + kernel.len();
    let mut maps = vec![unit(all, 0), unit(all, 1)];
    maps.extend(windows.iter().enumerate().map(|(axis, window)| window.map(all, 2 + axis, axes.len() + axis)));
    Ok((View { source, axes: axes.clone(), sum: kernel, dims: from.to_vec(), maps }, axes))
}
