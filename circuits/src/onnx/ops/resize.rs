//! `Resize` and `Upsample`: along each axis every new cell is a weighted sum of a few old ones, as ONNX's reference
//! computes it.
use super::generate::lengths;
use super::index::tabled;
use super::{Call, Fault, Value, axis};
use crate::graph::{Bias, Combine, Kind, NodeId, Term, View, unit};

/// Longest axis of a result.
const LENGTH_MAX: u32 = 1 << 20;

/// How coordinates and weights are computed.
struct Rule<'a> {
    mode: &'a str,
    coordinates: &'a str,
    nearest: &'a str,
    cubic: f64,
    exclude_outside: bool,
    antialias: bool,
    outside: f64,
}

/// One axis: its lengths and the part of it that is taken.
#[derive(Clone, Copy)]
struct Axis {
    from: u32,
    to: u32,
    scale: f64,
    region: (f64, f64),
}

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let mut x = call.node(0)?;
    let from = call.shape(x);
    let old = call.opset < 11;
    let word = |name: &'static str, default: &'static str| call.attributes.word(name, default);
    let rule = Rule {
        mode: word("mode", "nearest")?,
        coordinates: if old { "asymmetric" } else { word("coordinate_transformation_mode", "half_pixel")? },
        nearest: if old { "floor" } else { word("nearest_mode", "round_prefer_floor")? },
        cubic: call.attributes.float("cubic_coeff_a", -0.75)?,
        exclude_outside: call.attributes.flag("exclude_outside", false)?,
        antialias: call.attributes.flag("antialias", false)?,
        outside: call.attributes.float("extrapolation_value", 0.0)?,
    };
    for (at, resized) in axes(call, &from)? {
        if resized.to != resized.from || resized.region != (0.0, 1.0) {
            x = along(call, x, at, &resized, &rule)?;
        }
    }
    Ok(vec![Value::Node(x)])
}

/// The axes that change.
fn axes(call: &Call<'_>, from: &[u32]) -> Result<Vec<(usize, Axis)>, Fault> {
    let given: Vec<usize> = match call.attributes.ints("axes") {
        Some(axes) => axes.iter().map(|&at| axis(at, from.len())).collect::<Result<_, _>>()?,
        None => (0..from.len()).collect(),
    };
    let list = |input: usize| -> Result<Option<Vec<f64>>, Fault> {
        Ok(call.optional(input)?.map(|tensor| tensor.values.clone()).filter(|values| !values.is_empty()))
    };
    let (region, scales, sizes) = match (call.operator, call.opset) {
        ("Upsample", ..9) => (
            None,
            call.attributes.find("scales").map(|scales| scales.floats.iter().map(|&scale| scale.into()).collect()),
            None,
        ),
        (_, ..11) => (None, list(1)?, None),
        _ => (list(1)?, list(2)?, list(3)?),
    };
    let count = given.len();
    let fits = |values: &Option<Vec<f64>>, length: usize| values.as_ref().is_none_or(|values| values.len() == length);
    if !fits(&scales, count) || !fits(&sizes, count) || !fits(&region, 2 * count) {
        return Err(Fault::InputValue(1));
    }
    let lengths_from = |at: usize| f64::from(from[given[at]]);
    let mut resized = Vec::with_capacity(count);
    for place in 0..count {
        let own = lengths_from(place);
        let (to, scale) = match (&sizes, &scales) {
            (Some(sizes), _) => {
                let ratios = (0..count).map(|at| sizes[at] / lengths_from(at));
                let scale = match call.attributes.word("keep_aspect_ratio_policy", "stretch")? {
                    "not_larger" => {
                        ratios.fold(f64::INFINITY, |least, ratio| if ratio < least { ratio } else { least })
                    }
                    "not_smaller" => ratios.fold(0.0, |most, ratio| if ratio > most { ratio } else { most }),
                    _ => sizes[place] / own,
                };
                (libm::round(scale * own), scale)
            }
            (None, Some(scales)) => (libm::floor(own * scales[place]), scales[place]),
            (None, None) => return Err(Fault::MissingInput(2)),
        };
        let to = lengths(&[to as i64])
            .filter(|to| (1..=LENGTH_MAX).contains(&to[0]) && scale.is_finite())
            .ok_or(Fault::InputValue(2))?[0];
        let region = region.as_ref().map_or((0.0, 1.0), |region| (region[place], region[place + count]));
        let region = if call.attributes.word("coordinate_transformation_mode", "")? == "tf_crop_and_resize" {
            region
        } else {
            (0.0, 1.0)
        };
        resized.push((given[place], Axis { from: from[given[place]], to, scale, region }));
    }
    Ok(resized)
}

/// Resizes one axis.
fn along(call: &mut Call<'_>, x: NodeId, at: usize, resized: &Axis, rule: &Rule<'_>) -> Result<NodeId, Fault> {
    let mut cells = Vec::with_capacity(resized.to as usize);
    for place in 0..resized.to {
        cells.push(rule.cells(resized, place)?);
    }
    let taps = cells.iter().map(|(taps, _)| taps.len()).max().unwrap_or(0).max(1);
    let outside: Vec<f64> = cells.iter().map(|(_, constant)| *constant).collect();
    if taps == 1 && cells.iter().all(|(taps, _)| matches!(taps[..], [(_, weight)] if weight == 1.0)) {
        return call.along(x, at, cells.iter().map(|(taps, _)| taps[0].0).collect());
    }
    let tap = |cell: &Vec<(u32, f64)>, tap: usize| cell.get(tap).copied().unwrap_or((super::index::NOTHING, 0.0));
    let all = || cells.iter().flat_map(|(cell, _)| (0..taps).map(move |place| tap(cell, place)));
    let (table, weights) = (all().map(|(place, _)| place).collect(), all().map(|(_, weight)| weight).collect());
    let from = call.shape(x);
    let rank = from.len();
    let mut dims = from.clone();
    dims[at] = resized.to;
    let mut maps: Vec<_> = (0..rank).map(|axis| unit(rank + 1, axis)).collect();
    maps[at] = tabled(rank + 1, 0, &[(at, taps as i64), (rank, 1)], table);
    let view = View { source: x, axes: dims.clone(), sum: vec![taps as u32], dims: from, maps };
    let terms = vec![Term::Weighted { over: vec![at], weights, view }];
    let bias = outside.iter().any(|&value| value != 0.0).then(|| Bias { over: vec![at], values: outside });
    call.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))
}

impl Rule<'_> {
    /// The old cells that a new one is made of with their weights, and a constant.
    fn cells(&self, axis: &Axis, place: u32) -> Result<(Vec<(u32, f64)>, f64), Fault> {
        let x = self.coordinate(axis, f64::from(place))?;
        let last = f64::from(axis.from) - 1.0;
        if self.coordinates == "tf_crop_and_resize" && !(0.0..=last).contains(&x) {
            return Ok((Vec::new(), self.outside));
        }
        let below = libm::floor(x);
        // The cell to the left is preferred.
        let ratio = if x == below { 1.0 } else { x - below };
        let mut weights = self.weights(ratio, axis.scale)?;
        let neighbours = neighbours(x, weights.len());
        let inside = |at: &i64| (0..i64::from(axis.from)).contains(at);
        if self.exclude_outside {
            for (weight, at) in weights.iter_mut().zip(&neighbours) {
                *weight = if inside(at) { *weight } else { 0.0 };
            }
            let total: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= total);
        }
        let mut cells: Vec<(u32, f64)> = Vec::new();
        for (&at, &weight) in neighbours.iter().zip(&weights).filter(|(_, weight)| **weight != 0.0) {
            let at = at.clamp(0, i64::from(axis.from) - 1) as u32;
            match cells.iter_mut().find(|(other, _)| *other == at) {
                Some((_, sum)) => *sum += weight,
                None => cells.push((at, weight)),
            }
        }
        Ok((cells, 0.0))
    }

    /// Where a new cell lies among the old ones.
    fn coordinate(&self, axis: &Axis, place: f64) -> Result<f64, Fault> {
        let (from, to) = (f64::from(axis.from), f64::from(axis.to));
        // Not rounded to a number of cells.
        let exact = axis.scale * from;
        let half_pixel = (place + 0.5) / axis.scale - 0.5;
        Ok(match self.coordinates {
            "half_pixel" => half_pixel,
            "half_pixel_symmetric" => from / 2.0 * (1.0 - to / exact) + half_pixel,
            "pytorch_half_pixel" => {
                if exact != 1.0 {
                    half_pixel
                } else {
                    -0.5
                }
            }
            "align_corners" => {
                if exact != 1.0 {
                    place * (from - 1.0) / (exact - 1.0)
                } else {
                    0.0
                }
            }
            "asymmetric" => place / axis.scale,
            "tf_crop_and_resize" => {
                let (start, end) = axis.region;
                if exact != 1.0 {
                    start * (from - 1.0) + place * (end - start) * (from - 1.0) / (exact - 1.0)
                } else {
                    (start + end) * (from - 1.0) / 2.0
                }
            }
            _ => return Err(Fault::AttributeValue("coordinate_transformation_mode")),
        })
    }

    /// Weights of the nearest cells, from left to right.
    fn weights(&self, ratio: f64, scale: f64) -> Result<Vec<f64>, Fault> {
        let scale = if self.antialias && scale < 1.0 { scale } else { 1.0 };
        let widened = |reach: f64, weight: &dyn Fn(f64) -> f64| {
            let start = libm::floor(-reach / scale) + 1.0;
            let count = (2.0 - 2.0 * start) as u32;
            let weights: Vec<f64> = (0..count).map(|at| weight((start + f64::from(at) - ratio) * scale)).collect();
            let total: f64 = weights.iter().sum();
            weights.into_iter().map(|weight| weight / total).collect()
        };
        Ok(match self.mode {
            "nearest" => {
                let left = match self.nearest {
                    _ if ratio == 1.0 => false,
                    "round_prefer_floor" => ratio <= 0.5,
                    "round_prefer_ceil" => ratio < 0.5,
                    "floor" => true,
                    "ceil" => false,
                    _ => return Err(Fault::AttributeValue("nearest_mode")),
                };
                vec![f64::from(left), f64::from(!left)]
            }
            "linear" => widened(1.0, &|x| {
                let height = 1.0 - libm::fabs(x);
                if height > 0.0 { height } else { 0.0 }
            }),
            "cubic" => widened(2.0, &|x| cubic(libm::fabs(x), self.cubic)),
            _ => return Err(Fault::AttributeValue("mode")),
        })
    }
}

/// The cubic kernel at a distance.
fn cubic(x: f64, a: f64) -> f64 {
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    } else {
        0.0
    }
}

/// The nearest places to a coordinate, ascending; of two as near the lower one.
fn neighbours(x: f64, count: usize) -> Vec<i64> {
    let (middle, reach) = (libm::floor(x) as i64, count as i64);
    let mut all: Vec<i64> = (middle - reach..=middle + reach).collect();
    let distance = |at: &i64| libm::fabs(x - *at as f64);
    all.sort_by(|a, b| distance(a).total_cmp(&distance(b)).then(a.cmp(b)));
    all.truncate(count);
    all.sort_unstable();
    all
}
