//! Softmax: exponentials of the distances to the largest score, divided by their sum.
//!
//! Scores are rounded to the steps of a table for `exp(-d)`. The largest is among them, so the sum is at least 1, and one
//! reciprocal serves a whole group.
use assay_verifier::circuit::{Op, Range};

use super::layout::Layout;
use super::terms::Sum;
use super::{Lowering, Placed, SCALE_MAX};
use crate::error::CompileError;
use crate::graph::{self, Kind, NodeId};
use crate::quantize::{Interval, finest_scale, power_of_two, round};

/// Scores have steps of `2^-STEP_BITS`; finer ones while they have no more than `SCORE_BITS` bits, and coarser ones where
/// they would have more than `SCORE_BITS_MAX`: distances have one bit more, and tables at most `2^16` entries.
const STEP_BITS: i32 = 8;
const FINEST_STEP_BITS: i32 = 14;
const SCORE_BITS: u8 = 13;
const SCORE_BITS_MAX: u8 = 15;
/// Scores are made that many bits finer before they are rounded.
const EXTRA_BITS: i32 = 3;
/// Bits of an exponential; that of the largest score is `2^EXP_BITS`.
const EXP_BITS: i32 = 15;
/// Distance from which an exponential is zero: `(EXP_BITS + 1) * ln 2`.
const REACH: f64 = 11.1;
/// Room left at either end of the scores that matter, as a share of their range.
const ROOM: f64 = 0.2;
/// Bits of the smallest reciprocal of a sum.
const INVERSE_BITS: u32 = 9;

/// Bits of the smallest fourth root that a logarithm is looked up for.
const LOG_BITS: u32 = 11;

/// Exponentials of scores, what they add up to, and the largest scores.
struct Exponentials {
    /// The largest scores minus a constant, and the constant.
    largest: Placed,
    offset: f64,
    exponentials: Placed,
    /// At least 1.
    sums: Placed,
    /// Shape of what there is one of for each group.
    kept: Vec<u32>,
}

impl Lowering<'_> {
    /// A softmax along an axis.
    pub(super) fn softmax(&mut self, id: NodeId, source: NodeId, axis: usize) -> Result<Placed, CompileError> {
        let Exponentials { exponentials, sums, kept, .. } = self.exponentials(id, source, axis)?;
        let dims = &self.graph.node(id).dims;
        let fail = self.fail(id, "too many scores");
        let bits = EXP_BITS as u32 + INVERSE_BITS + bits_of(i64::from(dims[axis]) - 1);
        let inverse = self.reciprocal(&sums, bits).ok_or(fail)?;
        let (own, repeated) = (graph::identity(0, dims), graph::broadcast(0, &kept, dims));
        let sum = self.quotients(id, [(1.0, &exponentials, own)], (&inverse, &repeated))?;
        let bits = self.bits - 1;
        let fail = self.fail(id, "too many scores");
        let scale = sum.feasible(bits.into(), bits, |_| 0).ok_or(fail)?;
        let fail = self.fail(id, "too many scores");
        sum.rescaled(&mut self.builder, scale, 0, bits).ok_or(fail)
    }

    /// The logarithm of a softmax: scores minus the largest, minus the logarithm of the sum.
    pub(super) fn log_softmax(&mut self, id: NodeId, source: NodeId, axis: usize) -> Result<Placed, CompileError> {
        let Exponentials { largest, offset, sums, kept, .. } = self.exponentials(id, source, axis)?;
        let dims = &self.graph.node(id).dims;
        let logarithms = self.logarithm(id, &sums)?;
        let whole = self.source(source)?;
        let (own, repeated) = (graph::identity(0, dims), graph::broadcast(0, &kept, dims));
        let parts = [(1.0, &whole, own), (-1.0, &largest, repeated.clone()), (-1.0, &logarithms, repeated)];
        let sum = self.total(id, parts)?;
        let constant = round(-offset * power_of_two(sum.scale));
        let fail = self.fail(id, "the scores do not fit the circuit's bounds");
        let sum = sum.plus(constant).ok_or(fail)?;
        let scale = self.scale_for(self.ranges[id as usize].magnitude(), self.bits - 1);
        self.activation(id, sum, scale)
    }

    /// The logarithm of sums of exponentials, by a table for its fourth root, which spans a quarter of the bits.
    fn logarithm(&mut self, id: NodeId, sums: &Placed) -> Result<Placed, CompileError> {
        let mut root = sums.clone();
        let mut least = 1i64 << EXP_BITS;
        for _ in 0..2 {
            let fail = self.fail(id, "too many scores");
            let from = root;
            root = self.root(&from, 0, least, LOG_BITS).ok_or(fail)?;
            least = (least << (2 * root.scale - from.scale)).isqrt();
        }
        let Range { low, high } = self.builder.range(root.node);
        let step = power_of_two(-root.scale);
        let value = |x: i64| 4.0 * libm::log((x as f64 + 0.5) * step);
        let scale = finest_scale(value(high), power_of_two(i32::from(self.bits) - 1) - 1.0, SCALE_MAX);
        let mut values: Vec<i32> = (low..=high).map(|x| round(value(x) * power_of_two(scale)) as i32).collect();
        values.resize(values.len().next_power_of_two(), values.last().copied().unwrap_or(0));
        let (low_value, high_value) = (values[0], values[values.len() - 1]);
        let table = self.builder.table(low, values);
        let shape = self.builder.shape(root.node);
        let range = Range { low: low_value.into(), high: high_value.into() };
        let node = self.builder.node(shape, Op::Lookup { source: root.node, table }, range);
        Ok(Placed { node, layout: root.layout, scale })
    }

    /// The exponentials of the distances to the largest scores, and their sums.
    fn exponentials(&mut self, id: NodeId, source: NodeId, axis: usize) -> Result<Exponentials, CompileError> {
        let dims = self.graph.node(id).dims.clone();
        let mut kept = dims.clone();
        kept[axis] = 1;
        let (scores, offset) = self.scores(id, source, axis)?;
        let (rows, inner) = self.builder.shape(scores.node);
        let range = self.builder.range(scores.node);
        let no_axis = self.fail(id, "no order of axes");
        let layout = scores.layout.without(&dims, axis).ok_or(no_axis)?;
        let node = match inner {
            // A single score is its own largest.
            1 => scores.node,
            _ => self.builder.node((rows, 1), Op::Max { source: scores.node }, range),
        };
        let largest = Placed { node, layout, scale: scores.scale };
        let (own, repeated) = (graph::identity(0, &dims), graph::broadcast(0, &kept, &dims));
        let distances = self.total(id, [(-1.0, &scores, own), (1.0, &largest, repeated)])?.affine(&mut self.builder);
        let exponentials = self.exponential(&distances);
        let reduction = graph::reduction(0, &dims, &[axis]);
        let sum = self.total(id, [(1.0, &exponentials, reduction)])?;
        let bits = EXP_BITS as u8 + bits_of(dims[axis].into()) as u8;
        let fail = self.fail(id, "too many scores");
        let sums = sum.rescaled(&mut self.builder, EXP_BITS, 1 << EXP_BITS, bits).ok_or(fail)?;
        Ok(Exponentials { largest, offset, exponentials, sums, kept })
    }

    /// The scores minus a constant in steps of the exponential's table, as far down as they matter; and the constant.
    fn scores(&mut self, id: NodeId, source: NodeId, axis: usize) -> Result<(Placed, f64), CompileError> {
        let Interval { low, high } = self.within[id as usize];
        let (reach, lowest) = (low - REACH, self.ranges[source as usize].low);
        let low = if lowest > reach { lowest } else { reach };
        let room = (high - low) * ROOM;
        let (low, high) = (low - room, high + room);
        let bits_at = |scale: i32| {
            let steps = round((high - low) * power_of_two(scale)) + 1;
            bits_of(steps) as u8
        };
        let finest_within =
            |bits: u8, most: i32| (-30..=most).rev().find(|&scale| bits_at(scale) <= bits).unwrap_or(-30);
        let finest = finest_within(SCORE_BITS, FINEST_STEP_BITS).max(finest_within(SCORE_BITS_MAX, STEP_BITS));
        let sum = self.scores_sum(id, source, axis, finest + EXTRA_BITS)?;
        // What the width leaves over is divided between both ends.
        let first = |scale: i32, bits: u8| {
            let spare = power_of_two(bits.into()) - (high - low) * power_of_two(scale);
            libm::floor(low * power_of_two(scale) - spare / 2.0) as i64
        };
        let at = |scale: i32| {
            let bits = bits_at(scale);
            (sum.feasible(scale, bits, |scale| first(scale, bits)) == Some(scale)).then_some((scale, bits))
        };
        let fail = self.fail(id, "the scores do not fit any scale");
        let (scale, bits) = (-30..=finest).rev().find_map(at).ok_or(fail)?;
        let fail = self.fail(id, "the scores do not fit the circuit's bounds");
        let offset = first(scale, bits);
        let above = sum.at_least(scale).and_then(|sum| {
            let shift = u32::try_from(sum.scale - scale).ok()?;
            sum.plus(offset.checked_neg()?.checked_shl(shift)?)
        });
        let scores = above.and_then(|sum| sum.rescaled(&mut self.builder, scale, 0, bits)).ok_or(fail)?;
        Ok((scores, offset as f64 * power_of_two(-scale)))
    }

    /// The scores as a sum whose inner axis is the given one.
    fn scores_sum(&mut self, id: NodeId, source: NodeId, axis: usize, scale: i32) -> Result<Sum, CompileError> {
        let graph = self.graph;
        let dims = &graph.node(id).dims;
        let deferred = match (&self.placed[source as usize], &graph.node(source).kind) {
            (None, Kind::Combine(combine)) => Some(combine),
            _ => None,
        };
        let mut placed = None;
        if let Some(combine) = deferred {
            let along = (combine.axes == *dims).then_some(axis);
            let sum = self.sum(source, combine, scale, along)?;
            if sum.shape.1 == dims[axis] && sum.layout.without(dims, axis).is_some() {
                return Ok(sum);
            }
            let scale = self.scale_for(self.ranges[source as usize].magnitude(), self.bits - 1);
            placed = Some(self.activation(source, sum, scale)?);
        }
        let placed = placed.map_or_else(|| self.source(source), Ok)?;
        let terms = vec![graph::Term::Plain { factor: 1.0, view: graph::identity(0, dims) }];
        let combine = graph::Combine { axes: dims.clone(), terms, bias: None };
        let sum = self.sum_of(id, &combine, vec![placed], scale, Some(axis))?;
        let fits = sum.shape.1 == dims[axis] && sum.layout.without(dims, axis).is_some();
        if fits { Ok(sum) } else { Err(self.fail(id, "no order of axes")) }
    }

    /// `exp(-d)` by a table. Distances are never negative, but their range does not say so.
    fn exponential(&mut self, distances: &Placed) -> Placed {
        let Range { low, high } = self.builder.range(distances.node);
        let step = power_of_two(-distances.scale);
        let value = |d: i64| match d {
            ..=0 => 1 << EXP_BITS,
            d => round(libm::exp(-(d as f64) * step) * power_of_two(EXP_BITS)) as i32,
        };
        let mut values: Vec<i32> = (low..=high).map(value).collect();
        values.resize(values.len().next_power_of_two(), 0);
        let table = self.builder.table(low, values);
        let shape = self.builder.shape(distances.node);
        let range = Range { low: 0, high: 1 << EXP_BITS };
        let node = self.builder.node(shape, Op::Lookup { source: distances.node, table }, range);
        Placed { node, layout: distances.layout.clone(), scale: EXP_BITS }
    }
}

/// Bits of a value of at least 0.
fn bits_of(value: i64) -> u32 {
    i64::BITS - value.leading_zeros()
}

impl Layout {
    /// The layout of what is left when an axis, which must be the innermost, is reduced to length 1.
    pub fn without(&self, dims: &[u32], axis: usize) -> Option<Self> {
        let real = super::layout::without_ones(dims);
        let refined = super::layout::refine(&real, &self.factors)?;
        let split = self.split(&refined)?;
        let digits = super::layout::groups(dims, &refined)?[axis].clone();
        let kept = split.order.len().checked_sub(digits.len())?;
        split.order[kept..].iter().copied().eq(digits.clone()).then_some(())?;
        let moved = |digit: usize| if digit >= digits.end { digit - digits.len() } else { digit };
        let order: Vec<usize> = split.order[..kept].iter().map(|&digit| moved(digit)).collect();
        let axes: Vec<u32> = (0..refined.len()).filter(|digit| !digits.contains(digit)).map(|at| refined[at]).collect();
        Some(Self::new(&axes, &order))
    }
}
