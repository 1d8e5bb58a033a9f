//! Lowers a combination: layers, sums, products, index maps.
use assay_verifier::circuit::{AxisMap, Expr, Range, Term, View};

use super::layout::{Layout, groups, refine, without_ones};
use super::resolve::{resolve, split_axis};
use super::terms::Sum;
use super::{LONG_SUM, Lowering, Placed, SCALE_MAX, SHIFT_MAX, SHIFT_MAX_LONG, SLACK_BITS};
use crate::error::CompileError;
use crate::graph::passes::{places, union};
use crate::graph::{self, Bias, Combine, NodeId};
use crate::quantize::{decompose, exact_scale, finest_scale, power_of_two, round};
use crate::tensor::strides;

/// Bits of one digit of a bias.
const DIGIT_BITS: u32 = 15;
/// Most digits of a bias.
const DIGITS_MAX: usize = 3;
/// Finest scale at which a bias alone refines a sum that is otherwise exact.
const EXACT_BIAS_SCALE: i32 = 16;

/// A term with its views translated.
struct Resolved<'a> {
    term: &'a graph::Term,
    views: Vec<View>,
    /// Scales of the views' sources.
    scales: Vec<i32>,
}

/// The axes of a result.
struct Frame {
    /// Lengths, in logical order.
    axes: Vec<u32>,
    /// The axes in the node's order.
    order: Vec<usize>,
    /// How many of them, from the end, are the inner axis.
    inner: usize,
}

impl Lowering<'_> {
    /// A combination as a node of its own.
    pub(super) fn combination(&mut self, id: NodeId, combine: &Combine) -> Result<Placed, CompileError> {
        let scale = self.scale_for(self.ranges[id as usize].magnitude(), self.bits - 1);
        let sum = self.sum(id, combine, scale)?;
        let width = i64::BITS - sum.range.low.unsigned_abs().max(sum.range.high.unsigned_abs()).leading_zeros();
        if sum.is_light && width < u32::from(self.bits) + SLACK_BITS {
            return Ok(sum.affine(&mut self.builder));
        }
        self.activation(id, sum, scale)
    }

    /// A sum rescaled to an ordinary signed activation.
    pub(super) fn activation(&mut self, id: NodeId, sum: Sum, scale: i32) -> Result<Placed, CompileError> {
        let low = -(1i64 << (self.bits - 1));
        let fail = self.fail(id, "the sum does not fit any scale");
        let wanted = if sum.is_light { scale.min(sum.scale) } else { scale };
        let scale = sum.feasible(wanted, self.bits, |_| low).ok_or(fail)?;
        let fail = self.fail(id, "the sum does not fit the circuit's bounds");
        sum.rescaled(&mut self.builder, scale, low, self.bits).ok_or(fail)
    }

    /// The source of a function as a sum: of a combination that was left to it, or of a node. `scale` is the one wanted for
    /// the result of the sum.
    pub(super) fn argument(&mut self, source: NodeId, scale: i32) -> Result<Sum, CompileError> {
        let graph = self.graph;
        match (&self.placed[source as usize], &graph.node(source).kind) {
            (None, graph::Kind::Combine(combine)) => self.sum(source, combine, scale),
            _ => Ok(Sum::identity(&self.builder, &self.source(source)?)),
        }
    }

    /// The terms of a combination, aligned to one scale that suits a result at `target`.
    fn sum(&mut self, id: NodeId, combine: &Combine, target: i32) -> Result<Sum, CompileError> {
        let mut sources = Vec::new();
        for view in combine.terms.iter().flat_map(graph::Term::views) {
            sources.push(self.source(view.source)?);
        }
        self.sum_of(id, combine, sources, target)
    }

    /// The same on given sources: one for each view of each term.
    pub(super) fn sum_of(
        &mut self,
        id: NodeId,
        combine: &Combine,
        sources: Vec<Placed>,
        target: i32,
    ) -> Result<Sum, CompileError> {
        let mut sources = sources.into_iter();
        let mut resolved = Vec::with_capacity(combine.terms.len());
        for term in &combine.terms {
            resolved.push(self.resolved(id, term, &mut sources)?);
        }
        let mut axes = without_ones(&combine.axes);
        for view in resolved.iter().flat_map(|term| &term.views) {
            axes = refine(&axes, &view.axes).ok_or_else(|| self.fail(id, "terms split an axis differently"))?;
        }
        for view in resolved.iter_mut().flat_map(|term| &mut term.views) {
            refine_axes(view, &axes);
        }
        let fine = groups(&combine.axes, &axes).ok_or_else(|| self.fail(id, "terms split an axis differently"))?;
        let frame = Frame::new(axes, combine, &resolved, &fine);
        self.assemble(id, combine, &resolved, &frame, &fine, target)
    }

    /// Translates the views of a term; a source held in an order that a view cannot follow is copied first.
    fn resolved<'t>(
        &mut self,
        id: NodeId,
        term: &'t graph::Term,
        sources: &mut dyn Iterator<Item = Placed>,
    ) -> Result<Resolved<'t>, CompileError> {
        let (mut views, mut scales) = (Vec::new(), Vec::new());
        for (view, placed) in term.views().into_iter().zip(sources) {
            let (view, scale) = self.translate(id, view, placed)?;
            views.push(view);
            scales.push(scale);
        }
        Ok(Resolved { term, views, scales })
    }

    /// One view on a placed tensor.
    fn translate(&mut self, id: NodeId, view: &View, placed: Placed) -> Result<(View, i32), CompileError> {
        let inner = self.builder.shape(placed.node).1;
        if let Some(found) = resolve(view, &placed.layout, inner) {
            return Ok((View { source: placed.node, ..found }, placed.scale));
        }
        let copy = self.row_major(&placed)?;
        let inner = self.builder.shape(copy.node).1;
        let found =
            resolve(view, &copy.layout, inner).ok_or_else(|| self.fail(id, "an index map that no layout fits"))?;
        Ok((View { source: copy.node, ..found }, copy.scale))
    }

    fn assemble(
        &mut self,
        id: NodeId,
        combine: &Combine,
        resolved: &[Resolved<'_>],
        frame: &Frame,
        fine: &[core::ops::Range<usize>],
        target: i32,
    ) -> Result<Sum, CompileError> {
        let fail = self.fail(id, "the sum does not fit the circuit's bounds");
        let choices: Vec<(i64, i32)> = resolved.iter().map(|term| self.choice(term, target)).collect();
        let exact = |term: &Resolved<'_>| match term.term {
            graph::Term::Plain { factor, .. } => {
                let (multiplier, scale) = decompose(*factor);
                multiplier as f64 * power_of_two(-scale) == *factor
            }
            _ => false,
        };
        let is_light = resolved.iter().all(exact);
        let mut scale = choices.iter().map(|&(_, scale)| scale).max().unwrap_or(0);
        if let (true, Some(bias)) = (is_light, &combine.bias) {
            // A sum of plain tensors can be as fine as its bias needs.
            scale = scale.max(exact_scale(&bias.values, EXACT_BIAS_SCALE).unwrap_or(EXACT_BIAS_SCALE));
        }
        let mut expr = Expr { constant: 0, terms: Vec::new() };
        let mut total = Range { low: 0, high: 0 };
        for (term, &(multiplier, own)) in resolved.iter().zip(&choices) {
            let aligned = 1i64.checked_shl(u32::try_from(scale - own).unwrap_or(64)).filter(|&factor| factor > 0);
            let coefficient = aligned.and_then(|factor| factor.checked_mul(multiplier));
            let Some(coefficient) = coefficient else { return Err(fail) };
            if coefficient == 0 {
                continue;
            }
            let (emitted, range) = self.emit(term, own, coefficient, frame, fine);
            let Some(sum) = range.and_then(|range| total.plus(range)) else { return Err(fail) };
            total = sum;
            expr.terms.push(emitted);
        }
        if let Some(bias) = &combine.bias {
            total = self.bias(bias, scale, frame, fine, &mut expr, total).ok_or(fail)?;
        }
        if expr.terms.is_empty() {
            return Err(self.fail(id, "the result is a constant"));
        }
        let layout = Layout::new(&frame.axes, &frame.order);
        Ok(Sum { expr, range: total, scale, shape: frame.shape(), layout, is_light })
    }

    /// The integer factor of a term and the scale of its sum.
    fn choice(&self, term: &Resolved<'_>, target: i32) -> (i64, i32) {
        let source: i32 = term.scales.iter().sum();
        match term.term {
            graph::Term::Plain { factor, .. } | graph::Term::Product { factor, .. } => {
                let (multiplier, scale) = decompose(*factor);
                (multiplier, source + scale)
            }
            graph::Term::Weighted { weights, view, .. } => {
                let largest =
                    weights.iter().fold(
                        0.0,
                        |largest: f64, weight| {
                            if libm::fabs(*weight) > largest { libm::fabs(*weight) } else { largest }
                        },
                    );
                let limit = power_of_two(i32::from(self.bits) - 1) - 1.0;
                let finest = finest_scale(largest, limit, SCALE_MAX);
                let products: usize = view.sum.iter().map(|&length| length as usize).product();
                let shift = if products > LONG_SUM { SHIFT_MAX_LONG } else { SHIFT_MAX };
                (1, source + finest.min(target + shift - source))
            }
        }
    }

    /// Writes a term whose sum has the scale `scale`.
    fn emit(
        &mut self,
        term: &Resolved<'_>,
        scale: i32,
        coefficient: i64,
        frame: &Frame,
        fine: &[core::ops::Range<usize>],
    ) -> (Term, Option<Range>) {
        let range = |place: usize, state: &Self| state.builder.range(term.views[place].source).with_zero();
        match term.term {
            graph::Term::Plain { .. } => {
                let (view, _) = frame.arrange(&term.views[0]);
                let range = range(0, self).sum(view.sum_len()).and_then(|range| range.times(coefficient));
                (Term::Linear { coefficient, view }, range)
            }
            graph::Term::Product { .. } => {
                let (left, right) = (frame.arrange(&term.views[0]).0, frame.arrange(&term.views[1]).0);
                let range = range(0, self).product(range(1, self)).and_then(|range| range.times(coefficient));
                (Term::Product { coefficient, left, right }, range)
            }
            graph::Term::Weighted { over, weights, .. } => {
                let (view, columns) = frame.arrange(&term.views[0]);
                let over: Vec<usize> = over.iter().flat_map(|&axis| fine[axis].clone()).collect();
                let rows = places(&frame.axes, &frame.inner_axes(), &over);
                let factor = power_of_two(scale - term.scales[0]);
                let quantised = |row: &usize| {
                    let row = &weights[row * columns.len()..][..columns.len()];
                    columns.iter().map(|&column| clamped(row[column] * factor)).collect::<Vec<i16>>()
                };
                let values: Vec<i16> = rows.iter().flat_map(quantised).collect();
                let (taps, channels) = frame.taps(&view);
                let (weight, width) = self.builder.weight(frame.shape().1, taps, channels, values);
                let range = range(0, self).product(width).and_then(|range| range.sum(view.sum_len()));
                (Term::Contract { coefficient, weight, view }, range.and_then(|range| range.times(coefficient)))
            }
        }
    }

    /// Adds a bias: a constant if it is the same everywhere, else digits of 15 bits, each a weight tensor.
    fn bias(
        &mut self,
        bias: &Bias,
        scale: i32,
        frame: &Frame,
        fine: &[core::ops::Range<usize>],
        expr: &mut Expr,
        mut total: Range,
    ) -> Option<Range> {
        let mut rest: Vec<i64> = bias.values.iter().map(|value| round(value * power_of_two(scale))).collect();
        rest.iter().all(|value| value.unsigned_abs() < 1 << 60).then_some(())?;
        if let Some(&first) = rest.first().filter(|&first| rest.iter().all(|value| value == first)) {
            expr.constant = first;
            return total.plus(Range { low: first, high: first });
        }
        let over: Vec<usize> = bias.over.iter().flat_map(|&axis| fine[axis].clone()).collect();
        let rows = places(&frame.axes, &frame.inner_axes(), &over);
        for digit in 0..DIGITS_MAX {
            let (low, high): (Vec<i64>, Vec<i64>) = rest.iter().map(|&value| balanced(value)).unzip();
            rest = high;
            if low.iter().any(|&value| value != 0) {
                let values = rows.iter().map(|&row| low[row] as i16).collect();
                let (weight, range) = self.builder.weight(frame.shape().1, 1, 1, values);
                let coefficient = 1i64 << (DIGIT_BITS as usize * digit);
                total = total.plus(range.times(coefficient)?)?;
                expr.terms.push(Term::Bias { coefficient, weight });
            }
        }
        rest.iter().all(|&value| value == 0).then_some(total)
    }
}

/// The lowest digit in `-2^14 .. 2^14` and what is left.
fn balanced(value: i64) -> (i64, i64) {
    let half = 1i64 << (DIGIT_BITS - 1);
    let low = (value + half).rem_euclid(1 << DIGIT_BITS) - half;
    (low, (value - low) >> DIGIT_BITS)
}

/// A quantised weight.
fn clamped(value: f64) -> i16 {
    round(value).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// Splits the result's axes in a view as in `axes`, a refinement of them.
fn refine_axes(view: &mut View, axes: &[u32]) {
    for (place, &length) in axes.iter().enumerate() {
        if view.axes[place] != length {
            let rest = view.axes[place] / length;
            split_axis(view, place, rest);
        }
    }
}

impl Frame {
    /// Decides the order: the inner axis is what weights and biases depend on, else the one in which the first source is read
    /// along its own inner axis.
    fn new(axes: Vec<u32>, combine: &Combine, resolved: &[Resolved<'_>], fine: &[core::ops::Range<usize>]) -> Self {
        let refined = |over: &[usize]| -> Vec<usize> { over.iter().flat_map(|&axis| fine[axis].clone()).collect() };
        let mut inner = combine.bias.as_ref().map_or_else(Vec::new, |bias| refined(&bias.over));
        let mut weighted = false;
        for term in resolved {
            if let graph::Term::Weighted { over, .. } = term.term {
                inner = union(&inner, &refined(over));
                weighted = true;
            }
        }
        if inner.is_empty() && !weighted {
            inner = passing_axis(&axes, resolved).or(axes.len().checked_sub(1)).into_iter().collect();
        }
        let mut order: Vec<usize> = (0..axes.len()).filter(|axis| !inner.contains(axis)).collect();
        order.extend(&inner);
        Self { axes, order, inner: inner.len() }
    }

    /// Rows and inner length.
    fn shape(&self) -> (u32, u32) {
        let (rows, inner) = self.order.split_at(self.order.len() - self.inner);
        let product = |axes: &[usize]| axes.iter().map(|&axis| self.axes[axis]).product();
        (product(rows), product(inner))
    }

    /// The axes that make up the inner one.
    fn inner_axes(&self) -> Vec<usize> {
        self.order[self.order.len() - self.inner..].to_vec()
    }

    /// A view with the result's axes in the node's order and the summed ones in the source's; and for each summed place in
    /// that order, its place in the old one.
    fn arrange(&self, view: &View) -> (View, Vec<usize>) {
        let free = view.axes.len();
        let driven = |&summed: &usize| {
            let drives = |map: &AxisMap| map.coefficients[free + summed] != 0;
            view.maps.iter().position(drives).unwrap_or(view.maps.len())
        };
        let mut sums: Vec<usize> = (0..view.sum.len()).collect();
        sums.sort_by_key(driven);
        let steps = strides(&view.sum);
        let mut columns = vec![0];
        for &summed in &sums {
            let (length, step) = (view.sum[summed] as usize, steps[summed]);
            columns = columns.iter().flat_map(|&base| (0..length).map(move |i| base + i * step)).collect();
        }
        let map = |map: &AxisMap| AxisMap {
            offset: map.offset,
            coefficients: (self.order.iter().copied().chain(sums.iter().map(|&summed| free + summed)))
                .map(|axis| map.coefficients[axis])
                .collect(),
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

    /// Taps and channels of a weight. A layer that reads everything at once has one tap, which pads least.
    fn taps(&self, view: &View) -> (u32, u32) {
        let total = view.sum.iter().product();
        if self.shape().0 == 1 {
            return (1, total);
        }
        let mut coefficients = view.maps.iter().rev().map(|map| map.coefficients.last().copied().unwrap_or(0));
        let passes = coefficients.next() == Some(1) && coefficients.all(|coefficient| coefficient == 0);
        match view.sum.last() {
            Some(&channels) if passes => (total / channels, channels),
            _ => (total, 1),
        }
    }
}

/// The result's axis along which the first term reads the inner axis of its source.
fn passing_axis(axes: &[u32], resolved: &[Resolved<'_>]) -> Option<usize> {
    let view = resolved.first()?.views.first()?;
    let (last, others) = view.maps.split_last()?;
    (0..axes.len()).rev().find(|&axis| {
        let alone = last.coefficients.iter().enumerate().all(|(other, &c)| c == i64::from(other == axis));
        alone && others.iter().all(|map| map.coefficients[axis] == 0)
    })
}
