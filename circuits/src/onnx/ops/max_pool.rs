//! `MaxPool`, with the places of the maxima if they are asked for.
use super::window::{Window, windows};
use super::{Call, Fault, Value};
use crate::graph::{Bias, Combine, Kind, NodeId, Term, View, identity, unit};
use crate::tensor::strides;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let (view, dims) = pooled(call, x, &from)?;
    let most = call.add(dims, Kind::Max(view.clone()))?;
    if call.outputs < 2 {
        return Ok(vec![Value::Node(most)]);
    }
    let places = places(call, most, &view, &from)?;
    Ok(vec![Value::Node(most), Value::Node(places)])
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

/// For each window the flat place of its first largest cell.
fn places(call: &mut Call<'_>, most: NodeId, view: &View, from: &[u32]) -> Result<NodeId, Fault> {
    let windows = windows(call, &from[2..], &view.sum)?;
    let taps = view.sum.iter().product::<u32>();
    let rank = view.axes.len();
    // All cells of each window along a last axis.
    let mut axes = view.axes.clone();
    axes.extend(&view.sum);
    let laid_out = View { axes: axes.clone(), sum: Vec::new(), ..view.clone() };
    let cells = call.add(axes, Kind::plain(1.0, laid_out))?;
    let mut wide = view.axes.clone();
    wide.push(taps);
    let cells = call.reshaped(cells, wide.clone())?;
    let mut single = view.axes.clone();
    single.push(1);
    let most = call.reshaped(most, single)?;
    let below = call.linear(&[(1.0, most), (-1.0, cells)], 0.0)?;
    let below = call.step(below)?;
    let leads = call.linear(&[(-1.0, below)], 1.0)?;
    // Padding never leads.
    let spatial: Vec<usize> = (2..rank).collect();
    let steps =
        if call.attributes.flag("storage_order", false)? { columns_first(&from[2..]) } else { strides(&from[2..]) };
    let flat = flat_places(&windows, &steps);
    let real = flat.iter().map(|place| f64::from(place.is_some())).collect();
    let over: Vec<usize> = (2..=rank).collect();
    let leads = call.scaled(leads, &over, real, None)?;
    let before = call.accumulated(leads, rank, (true, false))?;
    let first = call.linear(&[(1.0, leads), (-1.0, before)], 0.0)?;
    let first = call.step(first)?;
    let weights = flat.into_iter().map(|place| place.unwrap_or(0) as f64).collect();
    let maps = (0..=rank).map(|at| unit(rank + 1, at)).collect();
    let sums = View { source: first, axes: view.axes.clone(), sum: vec![taps], dims: wide, maps };
    let image = from[2..].iter().map(|&length| f64::from(length)).product::<f64>();
    let starts = (0..from[0] * from[1]).map(|number| f64::from(number) * image).collect();
    let terms = vec![Term::Weighted { over: spatial, weights, view: sums }];
    let dims = view.axes.clone();
    let inside = call.add(dims.clone(), Kind::Combine(Combine { axes: dims.clone(), terms, bias: None }))?;
    let terms = vec![Term::Plain { factor: 1.0, view: identity(inside, &dims) }];
    let bias = Some(Bias { over: vec![0, 1], values: starts });
    call.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))
}

/// Distances between neighbours along each axis where the first axis is the fastest.
fn columns_first(dims: &[u32]) -> Vec<usize> {
    let mut step = 1;
    let next = |&length: &u32| {
        let own = step;
        step *= length as usize;
        own
    };
    dims.iter().map(next).collect()
}

/// For each window and each tap of it the flat place in an image; nothing in the padding.
fn flat_places(windows: &[Window], steps: &[usize]) -> Vec<Option<usize>> {
    let outputs: Vec<u32> = windows.iter().map(|window| window.output).collect();
    let own = strides(&outputs);
    let kernels: Vec<u32> = windows.iter().map(|window| window.kernel).collect();
    let inner = strides(&kernels);
    let taps = kernels.iter().product::<u32>() as usize;
    let cell = |position: usize, tap: usize| {
        let mut flat = 0;
        for (at, window) in windows.iter().enumerate() {
            let place = (position / own[at]) as u32 % window.output;
            let tap = (tap / inner[at]) as u32 % window.kernel;
            let coordinate = i64::from(place * window.stride + tap * window.dilation) - i64::from(window.before);
            flat += steps[at] * usize::try_from(coordinate).ok().filter(|&c| c < window.input as usize)?;
        }
        Some(flat)
    };
    let positions = outputs.iter().product::<u32>() as usize;
    (0..positions).flat_map(|position| (0..taps).map(move |tap| (position, tap))).map(|(p, t)| cell(p, t)).collect()
}
