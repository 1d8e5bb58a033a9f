//! Translates a view over logical axes into one over the axes that a node is really held in.
use super::layout::{Layout, groups, refine};
use crate::graph::{AxisMap, View};

/// A view whose axes are split as far as the source's layout asks for; `dims` are in the source node's order.
///
/// Returns nothing if a coordinate straddles digits of the layout in a way that no affine map expresses; a copy of the
/// source in logical order never does.
pub fn resolve(view: &View, layout: &Layout, inner: u32) -> Option<View> {
    attempt(view, &layout.with_inner(inner)).or_else(|| attempt(view, layout))
}

fn attempt(view: &View, layout: &Layout) -> Option<View> {
    let mut work = view.clone();
    drop_unit_axes(&mut work);
    let real: Vec<usize> = (0..work.dims.len()).filter(|&axis| work.dims[axis] != 1).collect();
    let lengths: Vec<u32> = real.iter().map(|&axis| work.dims[axis]).collect();
    let refined = refine(&lengths, &layout.factors)?;
    let digits = groups(&lengths, &refined)?;
    let mut maps = Vec::with_capacity(refined.len());
    for (place, &axis) in real.iter().enumerate() {
        let mut rest: u32 = lengths[place];
        for &digit in &refined[digits[place].clone()] {
            rest /= digit;
            maps.push((axis, rest));
        }
    }
    let tabled = |axis: usize| !view.maps[axis].table.is_empty();
    // Splitting a coordinate may split iteration axes, which changes all maps: first split, then take the parts.
    for &(axis, low) in maps.iter().filter(|(axis, low)| *low > 1 && !tabled(*axis)) {
        split_axes_at(&mut work, axis, low.into())?;
    }
    let mut coordinates = Vec::with_capacity(maps.len());
    let mut taken = AxisMap::affine(0, Vec::new());
    let mut current = usize::MAX;
    for (&(axis, low), &digit) in maps.iter().zip(&refined) {
        if tabled(axis) {
            coordinates.push(digit_of(&work.maps[axis], work.dims[axis], low, digit));
            continue;
        }
        if axis != current {
            taken = work.maps[axis].clone();
            current = axis;
        }
        let (high, rest) = divide(&taken, low.into(), &lengths_of(&work))?;
        coordinates.push(high);
        taken = rest;
    }
    let split = layout.split(&refined)?;
    // Axes of length 1 stay where a coordinate may leave them: that is padding.
    let fixed = |axis: &usize| {
        !tabled(*axis) && work.maps[*axis].offset == 0 && work.maps[*axis].coefficients.iter().all(|&c| c == 0)
    };
    let units: Vec<usize> = (0..work.dims.len()).filter(|axis| work.dims[*axis] == 1 && !fixed(axis)).collect();
    let mut dims: Vec<u32> = units.iter().map(|_| 1).collect();
    let mut all: Vec<AxisMap> = units.iter().map(|&axis| work.maps[axis].clone()).collect();
    for &digit in &split.order {
        dims.push(refined[digit]);
        all.push(coordinates[digit].clone());
    }
    Some(View { source: work.source, axes: work.axes, sum: work.sum, dims, maps: all })
}

/// One digit of a coordinate that is read from a table; padding stays padding.
fn digit_of(map: &AxisMap, dim: u32, low: u32, digit: u32) -> AxisMap {
    let part = |&at: &u32| if at < dim { at / low % digit } else { u32::MAX };
    AxisMap { table: map.table.iter().map(part).collect(), ..map.clone() }
}

/// Lengths of all iteration axes.
fn lengths_of(view: &View) -> Vec<u32> {
    view.axes.iter().chain(&view.sum).copied().collect()
}

/// Removes iteration axes of length 1, on which nothing depends.
fn drop_unit_axes(view: &mut View) {
    let keep: Vec<bool> = lengths_of(view).iter().map(|&length| length != 1).collect();
    view.axes.retain(|&length| length != 1);
    view.sum.retain(|&length| length != 1);
    for map in &mut view.maps {
        let mut keep = keep.iter();
        map.coefficients.retain(|_| *keep.next().unwrap_or(&true));
    }
}

/// Splits an iteration axis into one of the length divided by `low` and one of length `low`.
pub fn split_axis(view: &mut View, axis: usize, low: u32) {
    let free = view.axes.len();
    let list = if axis < free { &mut view.axes } else { &mut view.sum };
    let place = if axis < free { axis } else { axis - free };
    let high = list[place] / low;
    list.splice(place..=place, [high, low]);
    for map in &mut view.maps {
        let coefficient = map.coefficients[axis];
        map.coefficients.splice(axis..=axis, [coefficient * i64::from(low), coefficient]);
    }
}

/// Splits the iteration axes that move a coordinate both within and across blocks of `low` cells.
fn split_axes_at(view: &mut View, coordinate: usize, low: i64) -> Option<()> {
    let mut axis = 0;
    while axis < view.axes.len() + view.sum.len() {
        let coefficient = view.maps[coordinate].coefficients[axis];
        let length = i64::from(lengths_of(view)[axis]);
        if coefficient % low != 0 && coefficient * (length - 1) >= low {
            let inside = low / coefficient;
            (low % coefficient == 0 && length % inside == 0).then_some(())?;
            split_axis(view, axis, u32::try_from(inside).ok()?);
        }
        axis += 1;
    }
    Some(())
}

/// Divides a coordinate by `low`: quotient and remainder as maps; nothing if the remainder could carry.
fn divide(map: &AxisMap, low: i64, lengths: &[u32]) -> Option<(AxisMap, AxisMap)> {
    let mut high = AxisMap::affine(map.offset.div_euclid(low), vec![0; lengths.len()]);
    let mut rest = AxisMap::affine(map.offset.rem_euclid(low), vec![0; lengths.len()]);
    let mut largest = rest.offset;
    for (axis, &coefficient) in map.coefficients.iter().enumerate() {
        if coefficient % low == 0 {
            high.coefficients[axis] = coefficient / low;
        } else {
            (coefficient > 0).then_some(())?;
            rest.coefficients[axis] = coefficient;
            largest += coefficient * (i64::from(lengths[axis]) - 1);
        }
    }
    (largest < low).then_some((high, rest))
}
