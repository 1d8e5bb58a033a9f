//! `AffineGrid`, `Col2Im` and `Det`.
use super::generate::lengths;
use super::index::{NOTHING, tabled};
use super::{Call, Fault, Value};
use crate::graph::{Combine, Kind, NodeId, Term, View, unit};
use crate::tensor::elements;

/// Largest matrix of a determinant.
const DETERMINANT_MAX: u32 = 4;

/// Sampling places: a fixed grid times a matrix of the input.
pub(super) fn affine_grid(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let theta = call.node(0)?;
    let from = call.shape(theta);
    let size = lengths(&call.constant(1)?.integers()).ok_or(Fault::InputValue(1))?;
    let fail = || Fault::Shapes(vec![from.clone(), size.clone()]);
    let (&[batch, rows, columns], &[images, _, ref spatial @ ..]) = (&from[..], &size[..]) else { return Err(fail()) };
    if batch != images || rows as usize != spatial.len() || columns != rows + 1 || spatial.contains(&0) {
        return Err(fail());
    }
    let corners = call.attributes.flag("align_corners", false)?;
    let place = |at: u32, length: u32| match corners {
        true if length == 1 => 0.0,
        true => 2.0 * f64::from(at) / f64::from(length - 1) - 1.0,
        false => (2.0 * f64::from(at) + 1.0) / f64::from(length) - 1.0,
    };
    // Coordinates of each place, the fastest axis first, and a one.
    let mut points: Vec<Vec<f64>> = vec![vec![1.0]];
    elements(spatial).ok_or_else(fail)?;
    for &length in spatial {
        points = points
            .iter()
            .flat_map(|point| (0..length).map(move |at| [&[place(at, length)], &point[..]].concat()))
            .collect();
    }
    let mut dims = vec![batch];
    dims.extend(spatial);
    dims.push(rows);
    let last = dims.len();
    let maps = vec![unit(last + 1, 0), unit(last + 1, last - 1), unit(last + 1, last)];
    let view = View { source: theta, axes: dims.clone(), sum: vec![columns], dims: from, maps };
    let terms = vec![Term::Weighted { over: (1..last - 1).collect(), weights: points.concat(), view }];
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}

/// Overlapping blocks added up to an image: each pixel reads the blocks that it lies in.
pub(super) fn col2im(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let image = lengths(&call.constant(1)?.integers()).ok_or(Fault::InputValue(1))?;
    let block = lengths(&call.constant(2)?.integers()).ok_or(Fault::InputValue(2))?;
    let count = image.len();
    let fail = || Fault::Shapes(vec![from.clone(), image.clone(), block.clone()]);
    let list = |name: &'static str, default: i64, length: usize| -> Result<Vec<i64>, Fault> {
        let values = call.attributes.ints(name).map_or_else(|| vec![default; length], <[i64]>::to_vec);
        let small = values.len() == length && values.iter().all(|&value| (0..1 << 20).contains(&value));
        small.then_some(values).ok_or(Fault::AttributeValue(name))
    };
    let (strides, dilations) = (list("strides", 1, count)?, list("dilations", 1, count)?);
    let pads = list("pads", 0, 2 * count)?;
    let cells = elements(&block).filter(|&cells| cells > 0).ok_or_else(fail)? as u32;
    let &[batch, rows, positions] = &from[..] else { return Err(fail()) };
    if block.len() != count || strides.contains(&0) || rows % cells != 0 {
        return Err(fail());
    }
    let mut steps = Vec::with_capacity(count);
    for at in 0..count {
        let span = (i64::from(block[at]) - 1) * dilations[at] + 1;
        let room = i64::from(image[at]) + pads[at] + pads[at + count] - span;
        steps.push(u32::try_from(room / strides[at] + 1).ok().filter(|_| room >= 0).ok_or_else(fail)?);
    }
    if elements(&steps) != Some(positions as usize) {
        return Err(fail());
    }
    let mut split = vec![batch, rows / cells];
    split.extend(block.iter().chain(&steps));
    let source = call.reshaped(x, split.clone())?;
    let mut dims = vec![batch, rows / cells];
    dims.extend(&image);
    let all = dims.len() + count;
    let mut maps = vec![unit(all, 0), unit(all, 1)];
    maps.extend((0..count).map(|at| unit(all, dims.len() + at)));
    for at in 0..count {
        let stride = strides[at] as u32;
        let table = (0..(steps[at] - 1) * stride + 1).map(|v| if v % stride == 0 { v / stride } else { NOTHING });
        maps.push(tabled(all, pads[at], &[(2 + at, 1), (dims.len() + at, -dilations[at])], table.collect()));
    }
    let view = View { source, axes: dims.clone(), sum: block, dims: split, maps };
    call.result(dims, Kind::plain(1.0, view))
}

/// Determinants of small matrices, row by row.
pub(super) fn determinant(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let &[ref leading @ .., rows, columns] = &from[..] else { return Err(Fault::Shapes(vec![from])) };
    if rows != columns {
        return Err(Fault::Shapes(vec![from]));
    }
    if rows > DETERMINANT_MAX {
        return Err(Fault::Unsupported(format!("determinants of more than {DETERMINANT_MAX} rows")));
    }
    let all: Vec<u32> = (0..columns).collect();
    let result = expanded(call, x, 0, &all)?;
    Ok(vec![Value::Node(call.reshaped(result, leading.to_vec())?)])
}

/// The determinant of the rows from `row` on and some columns.
fn expanded(call: &mut Call<'_>, x: NodeId, row: u32, columns: &[u32]) -> Result<NodeId, Fault> {
    let rank = call.shape(x).len();
    let mut parts = Vec::with_capacity(columns.len());
    for (place, &column) in columns.iter().enumerate() {
        let line = call.part(x, rank - 2, (row.into(), 1, 1))?;
        let mut cell = call.part(line, rank - 1, (column.into(), 1, 1))?;
        let others: Vec<u32> = columns.iter().copied().filter(|&other| other != column).collect();
        if !others.is_empty() {
            let minor = expanded(call, x, row + 1, &others)?;
            cell = call.times(cell, minor)?;
        }
        parts.push((if place % 2 == 0 { 1.0 } else { -1.0 }, cell));
    }
    call.linear(&parts, 0.0)
}
