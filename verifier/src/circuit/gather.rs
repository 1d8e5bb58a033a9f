//! A [`View`] worked out: for each place where the relation reads, the source row or cell.
//!
//! Most views leave the inner axis alone: a convolution reads all channels of a pixel, an addition reads the same feature.
//! Then only rows are gathered and the inner axis *passes*; claims on such views factor into a part over rows and a part over
//! the inner axis, which keeps verification far below the size of the tensors.
use alloc::vec::Vec;

use super::view::product;
use super::{AxisMap, Node, View};

/// Most axes of a source, and most axes of a result with those that are summed.
const AXES_MAX: usize = 16;

/// Marks a place that reads zero padding.
const PADDING: u32 = u32::MAX;

/// How the inner axis of the source is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Not apart from the rows: the index holds cells.
    None,
    /// Source inner index = result inner index + offset; the index holds rows.
    Output {
        /// First source index that is read.
        offset: usize,
    },
    /// Source inner index = last summed axis + offset; the index holds rows.
    Channel {
        /// First source index that is read.
        offset: usize,
    },
}

/// The index of a view.
#[derive(Clone, Debug)]
pub struct Gather {
    /// How the source's inner axis is addressed.
    pub pass: Pass,
    /// Rows of the result.
    pub rows: usize,
    /// Inner length of the result if the index depends on it, else 1.
    pub inner: usize,
    /// Number of summed cells, the passing channel axis apart.
    pub taps: usize,
    /// Length of the passing axis; 1 without one.
    pub channels: usize,
    /// `rows * inner * taps` entries, row-major.
    index: Vec<u32>,
}

impl Gather {
    /// Works out a view of a node's shape on a source's shape; nothing if the view does not fit them or has more than
    /// `places_max` places.
    pub(super) fn new(view: &View, node: &Node, source: &Node, places_max: u64) -> Option<Self> {
        let axes_len = view.axes.len();
        let all = axes_len.checked_add(view.sum.len())?;
        let fits = all <= AXES_MAX
            && view.dims.len() <= AXES_MAX
            // The other axes are not empty because nodes are not.
            && !view.sum.contains(&0)
            && product(&view.axes) == node.len()
            && product(&view.dims) == source.len()
            && view.maps.len() == view.dims.len()
            && view.maps.iter().all(|map| map.coefficients.len() == all && map.is_small());
        fits.then_some(())?;
        let split = split_inner(&view.axes, node.inner)?;
        let pass = detect_pass(view, split, source);
        let (inner_axes, sum_axes) = match pass {
            Pass::Output { .. } => (split..split, axes_len..all),
            Pass::Channel { .. } => (split..axes_len, axes_len..all.checked_sub(1)?),
            Pass::None => (split..axes_len, axes_len..all),
        };
        let inner_used = view
            .maps
            .iter()
            .any(|map| map.coefficients.get(inner_axes.clone()).is_some_and(|part| part.iter().any(|&c| c != 0)));
        let inner_axes = if inner_used { inner_axes } else { split..split };
        let lengths: Vec<u32> = view.axes.iter().chain(&view.sum).copied().collect();
        let coordinates = match pass {
            Pass::None => view.dims.len(),
            _ => view.dims.len().checked_sub(1)?,
        };
        let size = |range: core::ops::Range<usize>| usize::try_from(product(lengths.get(range)?)).ok();
        let (rows, inner, taps) = (size(0..split)?, size(inner_axes.clone())?, size(sum_axes.clone())?);
        let places = (rows as u64).checked_mul(inner as u64)?.checked_mul(taps as u64)?;
        (places <= places_max).then_some(())?;
        // The contributions to all coordinates are held at once.
        let contributions = (rows as u64).checked_add(inner as u64)?.checked_add(taps as u64)?;
        (contributions.checked_mul(coordinates as u64)? <= places_max).then_some(())?;

        let parts: Vec<Coordinate<'_>> = view
            .maps
            .iter()
            .zip(&view.dims)
            .take(coordinates)
            .map(|(map, &dim)| {
                Some(Coordinate {
                    dim: dim.into(),
                    table: &map.table,
                    rows: map.contributions(&lengths, 0..split, map.offset)?,
                    inner: map.contributions(&lengths, inner_axes.clone(), 0)?,
                    taps: map.contributions(&lengths, sum_axes.clone(), 0)?,
                })
            })
            .collect::<Option<_>>()?;
        let mut index = Vec::with_capacity(usize::try_from(places).ok()?);
        for row in 0..rows {
            for o in 0..inner {
                for tap in 0..taps {
                    index.push(
                        parts.iter().try_fold(0u32, |flat, part| part.step(flat, row, o, tap)).unwrap_or(PADDING),
                    );
                }
            }
        }
        let channels = match pass {
            Pass::None => 1,
            Pass::Output { .. } => usize::try_from(node.inner).ok()?,
            Pass::Channel { .. } => usize::try_from(*view.sum.last()?).ok()?,
        };
        Some(Self { pass, rows, inner, taps, channels, index })
    }

    /// Number of places.
    pub fn places(&self) -> u64 {
        self.index.len() as u64
    }

    /// Number of cells that are read, padding included.
    pub fn reads(&self) -> u64 {
        self.places().saturating_mul(self.channels as u64)
    }

    /// Whether what is read depends on the inner index of the result.
    pub fn uses_inner(&self) -> bool {
        self.inner != 1 || matches!(self.pass, Pass::Output { .. })
    }

    /// Whether any place reads zero padding.
    pub fn reads_padding(&self) -> bool {
        self.index.contains(&PADDING)
    }

    /// For one row of the result and one inner index (0 where the index does not depend on it), the source rows or cells of
    /// all taps; `None` is zero padding.
    pub fn taps(&self, row: usize, inner: usize) -> impl Iterator<Item = Option<usize>> + '_ {
        let start = row.saturating_mul(self.inner).saturating_add(inner).saturating_mul(self.taps);
        let end = start.saturating_add(self.taps);
        let entries = self.index.get(start..end).unwrap_or_default();
        entries.iter().map(|&entry| (entry != PADDING).then_some(entry as usize))
    }
}

/// The contributions of rows, inner indices and taps to one coordinate.
struct Coordinate<'a> {
    dim: i64,
    table: &'a [u32],
    rows: Vec<i64>,
    inner: Vec<i64>,
    taps: Vec<i64>,
}

impl Coordinate<'_> {
    /// Extends a flat index by this coordinate; nothing if it is outside.
    fn step(&self, flat: u32, row: usize, inner: usize, tap: usize) -> Option<u32> {
        let at = self.rows.get(row)?.checked_add(*self.inner.get(inner)?)?.checked_add(*self.taps.get(tap)?)?;
        let at = if self.table.is_empty() { at } else { i64::from(*self.table.get(usize::try_from(at).ok()?)?) };
        (0 <= at && at < self.dim).then_some(())?;
        flat.checked_mul(u32::try_from(self.dim).ok()?)?.checked_add(u32::try_from(at).ok()?)
    }
}

impl AxisMap {
    /// Offsets and coefficients are small enough that no coordinate overflows 64 bits.
    fn is_small(&self) -> bool {
        let small = |value: i64| value.unsigned_abs() <= 1 << 31;
        small(self.offset) && self.coefficients.iter().all(|&c| small(c))
    }

    /// The contribution of some iteration axes to this coordinate, row-major over them.
    fn contributions(&self, lengths: &[u32], axes: core::ops::Range<usize>, start: i64) -> Option<Vec<i64>> {
        let mut all = alloc::vec![start];
        for (&length, &coefficient) in lengths.get(axes.clone())?.iter().zip(self.coefficients.get(axes)?) {
            all = all
                .iter()
                .flat_map(|&base| (0..i64::from(length)).map(move |i| base.checked_add(i.checked_mul(coefficient)?)))
                .collect::<Option<_>>()?;
        }
        Some(all)
    }
}

/// Where the inner axes begin: the shortest suffix of `axes` whose product is `inner`.
pub(super) fn split_inner(axes: &[u32], inner: u32) -> Option<usize> {
    let mut length = 1u64;
    let mut split = axes.len();
    for &axis in axes.iter().rev() {
        if length == u64::from(inner) {
            break;
        }
        length = length.saturating_mul(axis.into());
        split = split.saturating_sub(1);
    }
    (length == u64::from(inner)).then_some(split)
}

/// Whether the source's inner axis is addressed by one iteration axis alone.
fn detect_pass(view: &View, split: usize, source: &Node) -> Pass {
    let Some((last, others)) = view.maps.split_last() else { return Pass::None };
    if view.dims.last() != Some(&source.inner) || !last.table.is_empty() {
        return Pass::None;
    }
    let alone = |axis: usize, length: u32| -> Option<usize> {
        let only = last.coefficients.iter().enumerate().all(|(a, &c)| c == i64::from(a == axis));
        let unused = others.iter().all(|map| map.coefficients.get(axis) == Some(&0));
        let offset = u32::try_from(last.offset).ok()?;
        let inside = offset.checked_add(length)? <= source.inner;
        (only && unused && inside).then_some(offset as usize)
    };
    let axes_len = view.axes.len();
    if let (Some(axis), Some(&length)) = (axes_len.checked_sub(1), view.axes.last())
        && split == axis
        && let Some(offset) = alone(axis, length)
    {
        return Pass::Output { offset };
    }
    if let (Some(axis), Some(&length)) = (axes_len.saturating_add(view.sum.len()).checked_sub(1), view.sum.last())
        && let Some(offset) = alone(axis, length)
    {
        return Pass::Channel { offset };
    }
    Pass::None
}
