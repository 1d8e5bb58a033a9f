//! Signals: `DFT` and `STFT` are layers whose weights are sines and cosines; windows and `MelWeightMatrix` are
//! constants.
use core::f64::consts::PI;

use super::{Call, Fault, Value, axis};
use crate::graph::{Combine, Kind, NodeId, Term, View, mapped, unit};
use crate::tensor::{Tensor, elements};

/// `DFT`: real numbers have a last axis of length 1, complex ones of length 2.
pub(super) fn dft(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let rank = from.len();
    let along = match call.optional(2)? {
        Some(along) => along.single().ok_or(Fault::InputValue(2))? as i64,
        None if call.opset < 20 => call.attributes.int("axis", 1)?,
        None => -2,
    };
    let along = axis(along, rank)?;
    if along + 1 == rank {
        return Err(Fault::Axis(along as i64));
    }
    let length = match call.optional(1)? {
        Some(length) => length.single().ok_or(Fault::InputValue(1))? as i64,
        None => from[along].into(),
    };
    let length = u32::try_from(length).ok().filter(|&length| length > 0).ok_or(Fault::InputValue(1))?;
    let transform = Transform {
        length,
        results: if call.attributes.flag("onesided", false)? { length / 2 + 1 } else { length },
        taken: length.min(from[along]),
        channels: from[rank - 1],
        inverse: call.attributes.flag("inverse", false)?,
    };
    let mut dims = from.clone();
    dims[along] = transform.results;
    dims[rank - 1] = 2;
    let place = |at: usize| match at {
        _ if at == along => rank,
        _ if at + 1 == rank => rank + 1,
        _ => at,
    };
    let maps = (0..rank).map(|at| unit(rank + 2, place(at))).collect();
    let view = View { source: x, axes: dims, sum: vec![transform.taken, transform.channels], dims: from, maps };
    let result = transform.layer(call, view, along, &[])?;
    Ok(vec![Value::Node(result)])
}

/// `STFT`: a transform of each frame.
pub(super) fn stft(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let &[batch, samples, channels] = &from[..] else { return Err(Fault::Shapes(vec![from])) };
    let step = call.constant(1)?.single().filter(|&step| step >= 1.0).ok_or(Fault::InputValue(1))?;
    let window = call.optional(2)?.map_or_else(Vec::new, |window| window.values.clone());
    let length = match call.optional(3)? {
        Some(length) => length.single().ok_or(Fault::InputValue(3))? as u32,
        None => window.len() as u32,
    };
    if length == 0 || length > samples || !(window.is_empty() || window.len() == length as usize) {
        return Err(Fault::InputValue(3));
    }
    let frames = (samples - length) / step as u32 + 1;
    let onesided = call.attributes.flag("onesided", true)?;
    let results = if onesided { length / 2 + 1 } else { length };
    let transform = Transform { length, results, taken: length, channels, inverse: false };
    let maps = vec![unit(6, 0), mapped(6, 0, &[(1, step as i64), (4, 1)]), unit(6, 5)];
    let view = View { source: x, axes: vec![batch, frames, results, 2], sum: vec![length, channels], dims: from, maps };
    Ok(vec![Value::Node(transform.layer(call, view, 2, &window)?)])
}

/// A discrete Fourier transform.
struct Transform {
    length: u32,
    results: u32,
    taken: u32,
    channels: u32,
    inverse: bool,
}

impl Transform {
    /// The layer along one of the view's axes and its last; what is summed are samples and their parts.
    fn layer(&self, call: &mut Call<'_>, view: View, along: usize, window: &[f64]) -> Result<NodeId, Fault> {
        if !(1..=2).contains(&self.channels) {
            return Err(Fault::Shapes(vec![view.dims]));
        }
        let dims = view.axes.clone();
        let count = [self.results, 2, self.taken, self.channels];
        elements(&count).filter(|&count| count <= 1 << 24).ok_or_else(|| Fault::Size(count.to_vec()))?;
        let turn = if self.inverse { 2.0 * PI } else { -2.0 * PI } / f64::from(self.length);
        let size = if self.inverse { 1.0 / f64::from(self.length) } else { 1.0 };
        let mut weights = Vec::new();
        for result in 0..self.results {
            for part in 0..2 {
                for sample in 0..self.taken {
                    // Whole turns are taken out exactly.
                    let turns = u64::from(result) * u64::from(sample) % u64::from(self.length);
                    let angle = turn * turns as f64;
                    let weight = size * window.get(sample as usize).copied().unwrap_or(1.0);
                    let (sine, cosine) = (libm::sin(angle) * weight, libm::cos(angle) * weight);
                    let pair = if part == 0 { [cosine, -sine] } else { [sine, cosine] };
                    weights.extend_from_slice(&pair[..self.channels as usize]);
                }
            }
        }
        let over = vec![along, dims.len() - 1];
        let terms = vec![Term::Weighted { over, weights, view }];
        call.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
    }
}

/// `HannWindow`, `HammingWindow` and `BlackmanWindow`.
pub(super) fn window(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let size = call.constant(0)?.single().filter(|size| (1.0..1e7).contains(size)).ok_or(Fault::InputValue(0))?;
    let period = if call.attributes.flag("periodic", true)? { size } else { size - 1.0 };
    let [a, b, c] = match call.operator {
        "HannWindow" => [0.5, 0.5, 0.0],
        "HammingWindow" => [25.0 / 46.0, 21.0 / 46.0, 0.0],
        _ => [0.42, 0.5, 0.08],
    };
    let value = |place: u32| {
        let angle = 2.0 * PI * f64::from(place) / period;
        a - b * libm::cos(angle) + c * libm::cos(2.0 * angle)
    };
    let values: Vec<f64> = (0..size as u32).map(value).collect();
    Ok(vec![Value::Constant(Tensor { dims: vec![values.len() as u32], values })])
}

/// `MelWeightMatrix`: triangles over the frequencies, evenly spaced in mel.
pub(super) fn mel(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let number = |input: usize| call.constant(input)?.single().ok_or(Fault::InputValue(input));
    let (bands, length, rate) = (number(0)?, number(1)?, number(2)?);
    let in_mel = |hertz: f64| 2595.0 * libm::log10(1.0 + hertz / 700.0);
    let (low, high) = (in_mel(number(3)?), in_mel(number(4)?));
    let rows = libm::floor(length / 2.0) + 1.0;
    if !(1.0..1e5).contains(&bands) || !(1.0..1e6).contains(&length) || rows * bands > 1e7 || rate <= 0.0 {
        return Err(Fault::InputValue(0));
    }
    let step = (high - low) / (bands + 2.0);
    let edge = |place: u32| {
        let hertz = 700.0 * (libm::pow(10.0, (f64::from(place) * step + low) / 2595.0) - 1.0);
        libm::floor((length + 1.0) * hertz / rate)
    };
    let (rows, bands) = (rows as u32, bands as u32);
    let weight = |row: u32, band: u32| {
        let (row, start, middle, end) = (f64::from(row), edge(band), edge(band + 1), edge(band + 2));
        match () {
            () if row == middle => 1.0,
            () if start <= row && row < middle => (row - start) / (middle - start),
            () if middle < row && row < end => (end - row) / (end - middle),
            () => 0.0,
        }
    };
    let values = (0..rows).flat_map(|row| (0..bands).map(move |band| weight(row, band))).collect();
    Ok(vec![Value::Constant(Tensor { dims: vec![rows, bands], values })])
}
