//! Reciprocals and roots of positive tensors: what quotients, softmax and normalisations multiply their cells with.
use assay_verifier::circuit::{Expr, Op, Range, Term, View};

use super::terms::Sum;
use super::{Lowering, Placed};
use crate::error::CompileError;
use crate::graph::{self, NodeId};
use crate::quantize::power_of_two;

/// Widest quotient in bits.
const QUOTIENT_BITS_MAX: u32 = 40;
/// Widest argument of a root in bits.
const ROOT_ARGUMENT_BITS_MAX: u32 = 56;
/// Bound on what a quotient is checked with.
const CHECK_MAX: i128 = 1 << 60;

impl Lowering<'_> {
    /// `floor(2^bits / x)` of a tensor of at least 1. Its scale is `bits` minus that of `x`. Nothing if a value gets too
    /// wide.
    pub(super) fn reciprocal(&mut self, x: &Placed, bits: u32) -> Option<Placed> {
        let Range { low, high } = self.builder.range(x.node);
        let constant = 1i64.checked_shl(bits).filter(|_| bits < 60 && low >= 1)?;
        let range = Range { low: constant / high, high: constant / low };
        let width = i64::BITS - (range.high - range.low).leading_zeros();
        let committed = i128::from(range.low) + (1i128 << width);
        let fits = width <= QUOTIENT_BITS_MAX && i128::from(high) * committed + i128::from(constant) < CHECK_MAX;
        fits.then_some(())?;
        let shape = self.builder.shape(x.node);
        let view = View::identity(x.node, shape.0, shape.1);
        // An expression has a term; this one adds nothing.
        let numerator = Expr { constant, terms: vec![Term::Linear { coefficient: 0, view: view.clone() }] };
        let node = self.builder.node(shape, Op::Quotient { numerator, denominator: view }, range);
        Some(Placed { node, layout: x.layout.clone(), scale: bits as i32 - x.scale })
    }

    /// The root of `x + offset`, so fine that that of `least` has `bits` bits, unless the largest gets too wide.
    pub(super) fn root(&mut self, x: &Placed, offset: i64, least: i64, bits: u32) -> Option<Placed> {
        let range = self.builder.range(x.node).with_zero();
        let width = |value: i64| i64::BITS - value.leading_zeros();
        (range.low + offset >= 0).then_some(())?;
        let wanted = (2 * bits).saturating_sub(width(least));
        let spare = ROOT_ARGUMENT_BITS_MAX.checked_sub(width(range.high.checked_add(offset)?))?;
        let finer = wanted.min(spare);
        // The scale of what is under the root is made even.
        let finer = if (x.scale + finer as i32) % 2 == 0 { finer } else { finer + 1 };
        let coefficient = 1i64 << finer;
        let shape = self.builder.shape(x.node);
        let view = View::identity(x.node, shape.0, shape.1);
        let constant = offset * coefficient;
        let expr = Expr { constant, terms: vec![Term::Linear { coefficient, view }] };
        let root = |value: i64| (value * coefficient + constant).isqrt();
        let node = self.builder.node(shape, Op::Root(expr), Range { low: root(range.low), high: root(range.high) });
        Some(Placed { node, layout: x.layout.clone(), scale: (x.scale + finer as i32) / 2 })
    }

    /// Adds up `factor * a / d` for a reciprocal of `d`. A reciprocal is rounded down: half a unit is added to it.
    pub(super) fn quotients<const N: usize>(
        &mut self,
        id: NodeId,
        parts: [(f64, &Placed, graph::View); N],
        (inverse, view): (&Placed, &graph::View),
    ) -> Result<Sum, CompileError> {
        let axes = view.axes.clone();
        let half = power_of_two(-inverse.scale - 1);
        let (mut sources, mut terms) = (Vec::new(), Vec::new());
        for (factor, placed, own) in parts {
            sources.extend([placed.clone(), inverse.clone(), placed.clone()]);
            terms.push(graph::Term::Product { factor, left: own.clone(), right: view.clone() });
            terms.push(graph::Term::Plain { factor: factor * half, view: own });
        }
        self.sum_of(id, &graph::Combine { axes, terms, bias: None }, sources, 0, None)
    }
}
