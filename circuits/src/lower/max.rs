//! Maxima over windows, by pairs: `max(a, b) = a + relu(b - a)`, one rescale for each pair.
//!
//! Windows are taken one axis after another. Along an axis the cells of a window are halved again and again: the first
//! half against the second, all windows at once, so a window of `k` cells takes about `log2 k` nodes and `k - 1`
//! cells. Padding reads zero, so values are first made non-negative; then a padded cell never exceeds a real one.
use assay_verifier::circuit::{Range, View};

use super::terms::Sum;
use super::{Lowering, Placed};
use crate::error::CompileError;
use crate::graph::{self, AxisMap, NodeId};

/// Widest values in bits.
const WIDTH_MAX: u8 = 24;

/// The windows along one axis.
struct Axis {
    /// Which axis of the source.
    coordinate: usize,
    /// Number of windows.
    windows: u32,
    /// Cells in a window.
    cells: u32,
    /// The coordinate's offset, step from window to window, and step within a window.
    map: (i64, i64, i64),
}

impl Lowering<'_> {
    /// The largest cell of each window.
    pub(super) fn max(&mut self, id: NodeId, view: &View) -> Result<Placed, CompileError> {
        let source = self.source(view.source)?;
        let source = self.narrow(id, view.source, source)?;
        let low = self.builder.range(source.node).low;
        let mut current = source;
        if low != 0 {
            let raised = Sum::identity(&self.builder, &current).plus(-low);
            current = raised.ok_or_else(|| self.fail(id, "values too large"))?.affine(&mut self.builder);
        }
        let bits = self.width(id, &current)?;
        if Self::prefers_maximum(view, bits) {
            let most = self.maximum(id, view, &current)?;
            return self.lowered(id, most, low);
        }
        let mut dims = view.dims.clone();
        let mut axes = axes_of(view);
        // The axis that shrinks most comes first: later ones have less to do.
        axes.sort_by_key(|axis| u64::from(axis.windows) * 1024 / u64::from(dims[axis.coordinate]));
        for axis in axes {
            current = self.along(id, current, &mut dims, &axis, bits)?;
        }
        self.lowered(id, current, low)
    }

    /// The maxima without what made the values non-negative.
    fn lowered(&mut self, id: NodeId, placed: Placed, low: i64) -> Result<Placed, CompileError> {
        if low == 0 {
            return Ok(placed);
        }
        let lowered = Sum::identity(&self.builder, &placed).plus(low);
        Ok(lowered.ok_or_else(|| self.fail(id, "values too large"))?.affine(&mut self.builder))
    }

    /// The tensor with not too many bits. A maximum that is compared with the values that it is of must be exact, so
    /// only what is very wide is rounded.
    fn narrow(&mut self, id: NodeId, source: NodeId, placed: Placed) -> Result<Placed, CompileError> {
        let Range { low, high } = self.builder.range(placed.node);
        if high - low < 1 << WIDTH_MAX {
            return Ok(placed);
        }
        let scale = self.scale_for(self.ranges[source as usize].magnitude(), self.bits - 1);
        let sum = Sum::identity(&self.builder, &placed);
        self.activation(id, sum, scale)
    }

    /// Bits of a non-negative tensor.
    fn width(&self, id: NodeId, placed: &Placed) -> Result<u8, CompileError> {
        let high = self.builder.range(placed.node).high;
        (1..=WIDTH_MAX).find(|&bits| high < 1 << bits).ok_or_else(|| self.fail(id, "values too large"))
    }

    /// The maxima of the windows along one axis.
    fn along(
        &mut self,
        id: NodeId,
        source: Placed,
        dims: &mut [u32],
        axis: &Axis,
        bits: u8,
    ) -> Result<Placed, CompileError> {
        if axis.cells == 1 && axis.windows == dims[axis.coordinate] && axis.map.0 == 0 {
            return Ok(source);
        }
        // Cells of the windows as (tensor, its shape, its map for cell 0, step from cell to cell, number).
        let mut from = Cells { tensor: source, dims: dims.to_vec(), map: axis.map, cells: axis.cells };
        dims[axis.coordinate] = axis.windows;
        let mut left_over: Vec<(Cells, u32)> = Vec::new();
        while from.cells > 1 {
            let half = from.cells / 2;
            if from.cells % 2 == 1 {
                left_over.push((from.clone(), from.cells - 1));
            }
            let (first, second) = (from.view(axis, dims, 0, half), from.view(axis, dims, half, half));
            let tensor = self.pair(id, (&from.tensor, first), (&from.tensor, second), bits)?;
            // The result has the windows' axis split into window and cell.
            let mut shape = dims.to_vec();
            shape[axis.coordinate] = axis.windows * half;
            from = Cells { tensor, dims: shape, map: (0, half.into(), 1), cells: half };
        }
        let mut result = match left_over.is_empty() && axis.cells > 1 {
            true => return Ok(from.tensor),
            false if axis.cells == 1 => {
                let view = from.view(axis, dims, 0, 1);
                return self.read(id, &from.tensor, view);
            }
            false => from.tensor,
        };
        for (cells, place) in left_over {
            let first = Cells { tensor: result.clone(), dims: dims.to_vec(), map: (0, 1, 1), cells: 1 };
            let first = (&first.tensor, first.view(axis, dims, 0, 1));
            result = self.pair(id, first, (&cells.tensor, cells.view(axis, dims, place, 1)), bits)?;
        }
        Ok(result)
    }

    /// A view as an affine node.
    fn read(&mut self, id: NodeId, placed: &Placed, view: View) -> Result<Placed, CompileError> {
        Ok(self.total(id, [(1.0, placed, view)])?.affine(&mut self.builder))
    }

    /// `a + relu(b - a)` for two views of one shape.
    fn pair(&mut self, id: NodeId, a: (&Placed, View), b: (&Placed, View), bits: u8) -> Result<Placed, CompileError> {
        let axes = a.1.axes.clone();
        let difference = self.total(id, [(1.0, b.0, b.1), (-1.0, a.0, a.1.clone())])?;
        let scale = difference.scale;
        let fail = self.fail(id, "values too large");
        let part = difference.rescaled(&mut self.builder, scale, 0, bits).ok_or(fail)?;
        let whole = graph::identity(0, &axes);
        Ok(self.total(id, [(1.0, a.0, a.1), (1.0, &part, whole)])?.affine(&mut self.builder))
    }
}

/// Cells of windows, as places of a tensor.
#[derive(Clone)]
struct Cells {
    tensor: Placed,
    /// Logical shape of the tensor.
    dims: Vec<u32>,
    /// Offset, step from window to window, step from cell to cell.
    map: (i64, i64, i64),
    /// Number of cells in a window.
    cells: u32,
}

impl Cells {
    /// The view of `count` cells from `start` of each window; the windows' axis is (window, cell).
    fn view(&self, axis: &Axis, dims: &[u32], start: u32, count: u32) -> View {
        let mut axes = dims.to_vec();
        axes.insert(axis.coordinate + 1, count);
        let (offset, step, inside) = self.map;
        let maps = (0..dims.len())
            .map(|coordinate| match coordinate.cmp(&axis.coordinate) {
                core::cmp::Ordering::Less => graph::unit(axes.len(), coordinate),
                core::cmp::Ordering::Greater => graph::unit(axes.len(), coordinate + 1),
                core::cmp::Ordering::Equal => {
                    let parts = [(coordinate, step), (coordinate + 1, inside)];
                    graph::mapped(axes.len(), offset + i64::from(start) * inside, &parts)
                }
            })
            .collect();
        View { source: self.tensor.node, axes, sum: Vec::new(), dims: self.dims.clone(), maps }
    }
}

/// The windowed axes of a view: those that a summed axis moves along.
fn axes_of(view: &View) -> Vec<Axis> {
    let free = view.axes.len();
    let axis = |(coordinate, map): (usize, &AxisMap)| {
        let summed = (0..view.sum.len()).find(|&place| map.coefficients[free + place] != 0);
        let window = (0..free).find(|&place| map.coefficients[place] != 0);
        let windows = window.map_or(1, |place| view.axes[place]);
        let step = window.map_or(0, |place| map.coefficients[place]);
        let (cells, inside) = summed.map_or((1, 1), |place| (view.sum[place], map.coefficients[free + place]));
        Axis { coordinate, windows, cells, map: (map.offset, step, inside) }
    };
    view.maps.iter().enumerate().map(axis).collect()
}
