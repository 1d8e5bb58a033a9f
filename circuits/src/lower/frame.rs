//! The axes of a result: which are rows, which are the inner axis, and how views are arranged to fit.
use core::ops::Range;

use assay_verifier::circuit::{AxisMap, View};

use super::combine::Resolved;
use crate::graph::passes::{places, union};
use crate::graph::{Combine, Term};
use crate::tensor::strides;

/// The axes of a result.
pub struct Frame {
    /// Lengths, in logical order.
    pub axes: Vec<u32>,
    /// The axes in the node's order.
    pub order: Vec<usize>,
    /// How many of them, from the end, are the inner axis.
    inner: usize,
    /// For each axis of the combination, those that it is split into.
    fine: Vec<Range<usize>>,
}

impl Frame {
    /// Decides the order. The inner axis is what weights depend on; without weights the one that is `wanted`, what the
    /// bias depends on, or the one in which the first source is read along its own inner axis.
    pub fn new(
        axes: Vec<u32>,
        combine: &Combine,
        resolved: &[Resolved<'_>],
        fine: Vec<Range<usize>>,
        wanted: Option<usize>,
    ) -> Self {
        let refined = |over: &[usize]| -> Vec<usize> { over.iter().flat_map(|&axis| fine[axis].clone()).collect() };
        let mut inner = Vec::new();
        let mut weighted = false;
        for term in resolved {
            if let Term::Weighted { over, .. } | Term::Selected { over, .. } = term.term {
                inner = union(&inner, &refined(over));
                weighted = true;
            }
        }
        let wanted = wanted.map(|axis| refined(&[axis]));
        if let Some(wanted) = wanted.filter(|wanted| inner.iter().all(|axis| wanted.contains(axis))) {
            inner = wanted;
        } else if inner.is_empty() {
            let bias = combine.bias.as_ref().map_or_else(Vec::new, |bias| refined(&bias.over));
            let passing = if weighted { None } else { passing_axis(&axes, resolved) };
            inner = match passing {
                Some(axis) if bias.is_empty() || bias.contains(&axis) => vec![axis],
                _ if bias.is_empty() && !weighted => axes.len().checked_sub(1).into_iter().collect(),
                _ => bias,
            };
        }
        let mut order: Vec<usize> = (0..axes.len()).filter(|axis| !inner.contains(axis)).collect();
        order.extend(&inner);
        Self { axes, order, inner: inner.len(), fine }
    }

    /// Rows and inner length.
    pub fn shape(&self) -> (u32, u32) {
        let (rows, inner) = self.split();
        let product = |axes: &[usize]| axes.iter().map(|&axis| self.axes[axis]).product();
        (product(rows), product(inner))
    }

    /// For each position of the inner axis, the flat position along some of the combination's axes.
    pub fn places(&self, over: &[usize]) -> Vec<usize> {
        places(&self.axes, self.split().1, &self.refined(over))
    }

    /// The axes of the rows and those of the inner axis.
    pub fn split(&self) -> (&[usize], &[usize]) {
        self.order.split_at(self.order.len() - self.inner)
    }

    /// What the combination's axes are split into.
    pub fn refined(&self, over: &[usize]) -> Vec<usize> {
        over.iter().flat_map(|&axis| self.fine[axis].clone()).collect()
    }

    /// A view with the result's axes in the node's order and the summed ones in the source's; and for each summed
    /// place in that order, its place in the old one.
    pub fn arrange(&self, view: &View) -> (View, Vec<usize>) {
        self.arrange_with(view, &summed_order(view))
    }

    /// The views of a product, with the summed ones in the first source's order.
    pub fn arrange_pair(&self, left: &View, right: &View) -> (View, View) {
        let sums = summed_order(left);
        (self.arrange_with(left, &sums).0, self.arrange_with(right, &sums).0)
    }

    fn arrange_with(&self, view: &View, sums: &[usize]) -> (View, Vec<usize>) {
        let free = view.axes.len();
        let steps = strides(&view.sum);
        let mut columns = vec![0];
        for &summed in sums {
            let (length, step) = (view.sum[summed] as usize, steps[summed]);
            columns = columns.iter().flat_map(|&base| (0..length).map(move |i| base + i * step)).collect();
        }
        let map = |map: &AxisMap| AxisMap {
            offset: map.offset,
            coefficients: (self.order.iter().copied().chain(sums.iter().map(|&summed| free + summed)))
                .map(|axis| map.coefficients[axis])
                .collect(),
            table: map.table.clone(),
        };
        let arranged = View {
            source: view.source,
            axes: self.order.iter().map(|&axis| view.axes[axis]).collect(),
            sum: sums.iter().map(|&summed| view.sum[summed]).collect(),
            dims: view.dims.clone(),
            maps: view.maps.iter().map(map).collect(),
        };
        (arranged, columns)
    }

    /// Taps and channels of a weight: the channels are the summed axis that runs along the source's inner one. A layer
    /// that reads everything at once has one tap, which pads least.
    pub fn taps(&self, view: &View) -> (u32, u32) {
        let total = view.sum.iter().product();
        if self.shape().0 == 1 {
            return (1, total);
        }
        let last = view.axes.len() + view.sum.len();
        let alone = |map: &AxisMap| {
            map.table.is_empty()
                && map.coefficients.iter().enumerate().all(|(axis, &c)| c == i64::from(axis + 1 == last))
        };
        let unused = |map: &AxisMap| map.coefficients.last() == Some(&0);
        let passes = view.maps.split_last().is_some_and(|(inner, others)| alone(inner) && others.iter().all(unused));
        match view.sum.last() {
            Some(&channels) if passes => (total / channels, channels),
            _ => (total, 1),
        }
    }
}

/// The summed axes of a view in the order in which the source's axes are.
fn summed_order(view: &View) -> Vec<usize> {
    let free = view.axes.len();
    let driven = |&summed: &usize| {
        let drives = |map: &AxisMap| map.coefficients[free + summed] != 0;
        view.maps.iter().position(drives).unwrap_or(view.maps.len())
    };
    let mut sums: Vec<usize> = (0..view.sum.len()).collect();
    sums.sort_by_key(driven);
    sums
}

/// The result's axis along which the first term reads the inner axis of its source.
fn passing_axis(axes: &[u32], resolved: &[Resolved<'_>]) -> Option<usize> {
    let view = resolved.first()?.views.first()?;
    let (last, others) = view.maps.split_last()?;
    (0..axes.len()).rev().find(|&axis| {
        let alone = last.table.is_empty()
            && last.coefficients.iter().enumerate().all(|(other, &c)| c == i64::from(other == axis));
        alone && others.iter().all(|map| map.coefficients[axis] == 0)
    })
}
