//! Lowers a combination: layers, sums, products, index maps.
use assay_verifier::circuit::{Expr, Range, View};

use super::frame::Frame;
use super::layout::{Layout, groups, refine, without_ones};
use super::resolve::{resolve, split_axis};
use super::terms::Sum;
use super::{Lowering, Placed, SCALE_MAX, SLACK_BITS};
use crate::error::CompileError;
use crate::graph::{self, Combine, NodeId};
use crate::quantize::{decompose, exact_scale, power_of_two};

/// An exact sum may be that many bits finer than any activation: averages of powers of two are.
const SLACK_SCALE: i32 = 16;
/// Finest scale at which a bias alone refines a sum that is otherwise exact.
const EXACT_BIAS_SCALE: i32 = 16;

/// A term with its views translated.
pub struct Resolved<'a> {
    /// The term.
    pub term: &'a graph::Term,
    /// Its views on nodes of the circuit.
    pub views: Vec<View>,
    /// Scales of the views' sources.
    pub scales: Vec<i32>,
}

impl Lowering<'_> {
    /// A combination as a node of its own.
    pub(super) fn combination(&mut self, id: NodeId, combine: &Combine) -> Result<Placed, CompileError> {
        if self.whole[id as usize] {
            let sum = self.sum(id, combine, 0, None)?;
            return self.whole_node(id, sum);
        }
        let scale = self.scale_for(self.ranges[id as usize].magnitude(), self.bits - 1);
        let sum = self.sum(id, combine, scale, None)?;
        let width = i64::BITS - sum.range.low.unsigned_abs().max(sum.range.high.unsigned_abs()).leading_zeros();
        let is_narrow = width < u32::from(self.bits) + SLACK_BITS && sum.scale <= SCALE_MAX + SLACK_SCALE;
        if sum.is_light && sum.is_linear() && is_narrow {
            return Ok(sum.affine(&mut self.builder));
        }
        self.activation(id, sum, scale)
    }

    /// A sum rescaled to an ordinary activation: signed unless it is never negative.
    pub(super) fn activation(&mut self, id: NodeId, sum: Sum, scale: i32) -> Result<Placed, CompileError> {
        let (low, bits) = if sum.range.low >= 0 { (0, self.bits - 1) } else { (-(1i64 << (self.bits - 1)), self.bits) };
        let fail = self.fail(id, "the sum does not fit any scale");
        let wanted = if sum.is_light { scale.min(sum.scale) } else { scale };
        let scale = sum.feasible(wanted, bits, |_| low).ok_or(fail)?;
        let fail = self.fail(id, "the sum does not fit the circuit's bounds");
        sum.rescaled(&mut self.builder, scale, low, bits).ok_or(fail)
    }

    /// The source of a function as a sum: of a combination that was left to it, or of a node. `scale` is the one
    /// wanted for the result of the sum.
    pub(super) fn argument(&mut self, source: NodeId, scale: i32) -> Result<Sum, CompileError> {
        let graph = self.graph;
        match (&self.placed[source as usize], &graph.node(source).kind) {
            (None, graph::Kind::Combine(combine)) => self.sum(source, combine, scale, None),
            _ => Ok(Sum::identity(&self.builder, &self.source(source)?)),
        }
    }

    /// The terms of a combination, aligned to one scale that suits a result at `target`. `inner` is the axis that the
    /// result should be held along.
    pub(super) fn sum(
        &mut self,
        id: NodeId,
        combine: &Combine,
        target: i32,
        inner: Option<usize>,
    ) -> Result<Sum, CompileError> {
        let mut sources = Vec::new();
        for view in combine.terms.iter().flat_map(graph::Term::views) {
            sources.push(self.source(view.source)?);
        }
        self.sum_of(id, combine, sources, target, inner)
    }

    /// A sum of views of placed tensors.
    pub(super) fn total<const N: usize>(
        &mut self,
        id: NodeId,
        parts: [(f64, &Placed, View); N],
    ) -> Result<Sum, CompileError> {
        let axes = parts[0].2.axes.clone();
        let sources = parts.iter().map(|(_, placed, _)| (*placed).clone()).collect();
        let terms = parts.into_iter().map(|(factor, _, view)| graph::Term::Plain { factor, view }).collect();
        self.sum_of(id, &Combine { axes, terms, bias: None }, sources, 0, None)
    }

    /// A sum of products of views of placed tensors.
    pub(super) fn products<const N: usize>(
        &mut self,
        id: NodeId,
        parts: [(f64, [(&Placed, View); 2]); N],
    ) -> Result<Sum, CompileError> {
        let axes = parts[0].1[0].1.axes.clone();
        let mut sources = Vec::new();
        let mut terms = Vec::new();
        for (factor, [(a, left), (b, right)]) in parts {
            sources.extend([a.clone(), b.clone()]);
            terms.push(graph::Term::Product { factor, left, right });
        }
        self.sum_of(id, &Combine { axes, terms, bias: None }, sources, 0, None)
    }

    /// The sum on given sources: one for each view of each term.
    pub(super) fn sum_of(
        &mut self,
        id: NodeId,
        combine: &Combine,
        sources: Vec<Placed>,
        target: i32,
        inner: Option<usize>,
    ) -> Result<Sum, CompileError> {
        let mut sources = sources.into_iter();
        let mut resolved = Vec::with_capacity(combine.terms.len());
        for term in &combine.terms {
            let mut found = self.resolved(id, term, &mut sources)?;
            align_sums(&mut found.views).ok_or_else(|| self.fail(id, "factors split a summed axis differently"))?;
            resolved.push(found);
        }
        let mut axes = without_ones(&combine.axes);
        for view in resolved.iter().flat_map(|term| &term.views) {
            axes = refine(&axes, &view.axes).ok_or_else(|| self.fail(id, "terms split an axis differently"))?;
        }
        for view in resolved.iter_mut().flat_map(|term| &mut term.views) {
            refine_axes(view, 0, &axes);
        }
        let fine = groups(&combine.axes, &axes).ok_or_else(|| self.fail(id, "terms split an axis differently"))?;
        let frame = Frame::new(axes, combine, &resolved, fine, inner);
        self.assemble(id, combine, &resolved, &frame, target)
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
        target: i32,
    ) -> Result<Sum, CompileError> {
        let fail = self.fail(id, "the sum does not fit the circuit's bounds");
        let choices: Vec<(i64, i32)> = resolved.iter().map(|term| self.choice(id, term, target)).collect();
        let whole = self.whole[id as usize];
        let exact = |term: &Resolved<'_>| match term.term {
            graph::Term::Plain { .. } if whole => true,
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
            let Some(sum) = self.emit(term, (own, coefficient), frame, &mut expr, total) else { return Err(fail) };
            total = sum;
        }
        if let Some(bias) = &combine.bias {
            let finest = if is_light { scale } else { scale.min(Self::bias_scale(target)) };
            total = self.bias(bias, (scale, finest, whole), frame, &mut expr, total).ok_or(fail)?;
        }
        if expr.terms.is_empty() {
            return Err(self.fail(id, "the result is a constant"));
        }
        let layout = Layout::new(&frame.axes, &frame.order);
        Ok(Sum { expr, range: total, scale, shape: frame.shape(), layout, is_light })
    }
}

/// Splits axes of a view, from `first` on, as in `axes`, a refinement of them.
fn refine_axes(view: &mut View, first: usize, axes: &[u32]) {
    for (place, &length) in axes.iter().enumerate() {
        let place = first + place;
        let own = if place < view.axes.len() { view.axes[place] } else { view.sum[place - view.axes.len()] };
        if own != length {
            split_axis(view, place, own / length);
        }
    }
}

/// Splits the summed axes of the factors of a product alike.
fn align_sums(views: &mut [View]) -> Option<()> {
    if let [left, right] = views {
        let sums = refine(&left.sum, &right.sum)?;
        for view in [left, right] {
            refine_axes(view, view.axes.len(), &sums);
        }
    }
    Some(())
}
