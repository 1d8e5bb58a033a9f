//! Whole numbers and jumps: tensors that keep scale 0 and exact values, constants, comparisons, rounding.
use assay_verifier::circuit::{Expr, Range, Term};

use super::builder::excess_bits;
use super::emit::digits;
use super::layout::Layout;
use super::terms::Sum;
use super::{EXCESS_MAX, Lowering, Placed};
use crate::error::CompileError;
use crate::graph::NodeId;
use crate::quantize::{Interval, power_of_two, round};

/// Widest exact sum that is left as it is; a wider one is cut to what the samples need.
const AFFINE_BITS_MAX: u32 = 20;
/// Bits by which one stage of a comparison narrows its argument: each stage has a table of twice as many entries as
/// that many bits have values.
const STAGE_BITS: u32 = 8;
/// Widest node.
const BITS_MAX: u8 = 40;
/// Most digits of a constant.
const DIGITS_MAX: usize = 4;

impl Lowering<'_> {
    /// A constant as a node of its own.
    pub(super) fn constant(&mut self, id: NodeId, values: &[f64]) -> Result<Placed, CompileError> {
        let graph = self.graph;
        let dims = &graph.node(id).dims;
        let fail = self.fail(id, "a constant too large for the circuit");
        let scale = if self.whole[id as usize] {
            0
        } else {
            self.scale_for(self.ranges[id as usize].magnitude(), self.bits - 1)
        };
        let integers: Vec<i64> = values.iter().map(|value| round(value * power_of_two(scale))).collect();
        let low = integers.iter().copied().min().unwrap_or(0);
        let high = integers.iter().copied().max().unwrap_or(0);
        let Some(mut parts) = digits(integers, DIGITS_MAX) else { return Err(fail) };
        if parts.is_empty() {
            parts.push((vec![0; values.len()], 1));
        }
        let mut expr = Expr { constant: 0, terms: Vec::new() };
        let mut range = Range { low: 0, high: 0 };
        for (digits, coefficient) in parts {
            let digits = digits.into_iter().map(|digit| digit as i16).collect();
            let (weight, width) = self.builder.weight(values.len() as u32, 1, 1, digits);
            let Some(sum) = width.times(coefficient).and_then(|width| range.plus(width)) else { return Err(fail) };
            range = sum;
            expr.terms.push(Term::Bias { coefficient, weight });
        }
        let bits = (1..BITS_MAX).find(|&bits| high - low < 1 << bits).unwrap_or(BITS_MAX);
        if excess_bits(range, 0, low, bits).is_none() {
            return Err(fail);
        }
        let node = self.builder.rescale((1, values.len() as u32), expr, 0, low, bits);
        let order: Vec<usize> = (0..dims.len()).collect();
        Ok(Placed { node, layout: Layout::new(dims, &order), scale })
    }

    /// A sum of whole numbers as a node with exactly its values. What the samples do not come near to saturates.
    pub(super) fn whole_node(&mut self, id: NodeId, sum: Sum) -> Result<Placed, CompileError> {
        let Range { low, high } = sum.range;
        let too_wide = |state: &Self| state.fail(id, "whole numbers too large for the circuit");
        let sum = match sum.scale {
            0 => sum,
            ..0 => sum.at_least(0).ok_or_else(|| too_wide(self))?,
            _ => return Err(self.fail(id, "whole numbers that are not exact")),
        };
        if sum.is_linear() && high.abs_diff(low) < 1 << AFFINE_BITS_MAX {
            return Ok(sum.affine(&mut self.builder));
        }
        let Range { low, high } = self.expected(id, sum.range);
        self.cut(id, sum, 0, low, high)
    }

    /// The values that a node of whole numbers should have room for: twice the calibrated ones, within a range.
    fn expected(&self, id: NodeId, range: Range) -> Range {
        let Interval { low, high } = self.ranges[id as usize];
        let room = |bound: f64| round(bound * 2.0).clamp(-(1 << 50), 1 << 50);
        let low = if low < 0.0 { room(low) - 1 } else { 0 };
        let high = if high > 0.0 { room(high) + 1 } else { 0 };
        let low = low.clamp(range.low, range.high);
        Range { low, high: high.clamp(low, range.high) }
    }

    /// A sum rescaled by a shift, with room for the values from `low` to `high` at least; a result at scale 0.
    fn cut(&mut self, id: NodeId, sum: Sum, shift: u8, low: i64, high: i64) -> Result<Placed, CompileError> {
        let needed = (1..BITS_MAX).find(|&bits| high - low < 1 << bits).unwrap_or(BITS_MAX);
        let fits = |bits: &u8| excess_bits(sum.range, shift, low, *bits).is_some_and(|width| width <= EXCESS_MAX);
        let bits = (needed..=BITS_MAX).find(fits);
        let bits = bits.ok_or_else(|| self.fail(id, "whole numbers too large for the circuit"))?;
        let node = self.builder.rescale(sum.shape, sum.expr, shift, low, bits);
        Ok(Placed { node, layout: sum.layout, scale: 0 })
    }

    /// Whole numbers clamped to bounds, exactly.
    pub(super) fn whole_clip(
        &mut self,
        id: NodeId,
        source: NodeId,
        low: f64,
        high: f64,
    ) -> Result<Placed, CompileError> {
        let sum = self.argument(source, 0)?;
        self.whole_clamp(id, sum, low, high)
    }

    fn whole_clamp(&mut self, id: NodeId, sum: Sum, low: f64, high: f64) -> Result<Placed, CompileError> {
        let limit = |bound: f64, range: Range| (bound as i64).clamp(range.low, range.high);
        let (low, high) = (limit(low, sum.range), limit(high, sum.range));
        let Range { high: expected, .. } = self.expected(id, sum.range);
        let too_wide = || super::fault(self.graph, id, "whole numbers too large for the circuit");
        if high - low >= 1 && (high - low + 1).count_ones() == 1 {
            let bits = (high - low + 1).trailing_zeros() as u8;
            if excess_bits(sum.range, 0, low, bits).is_some_and(|width| width <= EXCESS_MAX) {
                let node = self.builder.rescale(sum.shape, sum.expr, 0, low, bits);
                return Ok(Placed { node, layout: sum.layout, scale: 0 });
            }
        }
        if high == sum.range.high {
            return self.cut(id, sum, 0, low, expected.max(low));
        }
        // `high - max(high - max(x, low), 0)`.
        let raised = self.cut(id, sum, 0, low, expected.max(low))?;
        let below =
            Sum::identity(&self.builder, &raised).times(-1).and_then(|sum| sum.plus(high)).ok_or_else(too_wide)?;
        let room = self.cut(id, below, 0, 0, high - low)?;
        let result =
            Sum::identity(&self.builder, &room).times(-1).and_then(|sum| sum.plus(high)).ok_or_else(too_wide)?;
        Ok(result.affine(&mut self.builder))
    }

    /// 1 where the argument is positive. The argument is not rounded, only clamped, in stages.
    pub(super) fn step(&mut self, id: NodeId, source: NodeId) -> Result<Placed, CompileError> {
        let scale = self.scale_for(self.ranges[source as usize].magnitude(), self.bits - 1);
        let mut sum = self.argument(source, scale)?;
        loop {
            let magnitude = sum.range.low.unsigned_abs().max(sum.range.high.unsigned_abs());
            let width = (u64::BITS - magnitude.leading_zeros()).saturating_sub(STAGE_BITS);
            let bits = width.max(1) as u8;
            if excess_bits(sum.range, 0, 0, bits).is_none_or(|width| width > EXCESS_MAX) {
                return Err(self.fail(id, "values too large to be compared"));
            }
            let node = self.builder.rescale(sum.shape, sum.expr, 0, 0, bits);
            let placed = Placed { node, layout: sum.layout, scale: 0 };
            if bits == 1 {
                return Ok(placed);
            }
            sum = Sum::identity(&self.builder, &placed);
        }
    }

    /// The largest whole number that is not larger.
    pub(super) fn floor(&mut self, id: NodeId, source: NodeId) -> Result<Placed, CompileError> {
        let sum = self.fraction(source)?;
        let too_wide = || super::fault(self.graph, id, "values too large to be rounded");
        let Some(shift) = u8::try_from(sum.scale).ok().filter(|&shift| shift > 0) else {
            return self.whole_node(id, sum);
        };
        let Range { low, high } = self.expected(id, shifted(sum.range, shift));
        // A rescale adds one half.
        let sum = sum.plus(-(1i64 << (shift - 1))).ok_or_else(too_wide)?;
        self.cut(id, sum, shift, low, high)
    }

    /// The nearest whole number within bounds, the even one of two.
    pub(super) fn nearest(&mut self, id: NodeId, source: NodeId, low: f64, high: f64) -> Result<Placed, CompileError> {
        let sum = self.fraction(source)?;
        let too_wide = || super::fault(self.graph, id, "values too large to be rounded");
        let Some(shift) = u8::try_from(sum.scale).ok().filter(|&shift| shift > 0) else {
            return match low.is_finite() || high.is_finite() {
                true => self.whole_clamp(id, sum, low, high),
                false => self.whole_node(id, sum),
            };
        };
        let (low, high) = if low.is_finite() && high.is_finite() {
            (low as i64, high as i64)
        } else {
            let Range { low, high } = self.expected(id, shifted(sum.range, shift));
            (low, high)
        };
        let negative = sum.clone().times(-1).ok_or_else(too_wide)?;
        let up = self.cut(id, sum, shift, low, high)?;
        let Range { low, high } = self.builder.range(up.node);
        // Rounding up less rounding down is one at a tie; the latter is negative here.
        let down = self.cut(id, negative, shift, -high, -low)?;
        let ties = self.added(&up, &down).ok_or_else(too_wide)?.affine(&mut self.builder);
        // A tie that was rounded up to an odd number is one too high.
        let halves = Sum::identity(&self.builder, &up).plus(-1).ok_or_else(too_wide)?;
        let halves = self.cut(id, halves, 1, low >> 1, high >> 1)?;
        let twice = Sum::identity(&self.builder, &halves).times(2).ok_or_else(too_wide)?;
        let twice = twice.affine(&mut self.builder);
        let odd = self.subtracted(&up, &twice).ok_or_else(too_wide)?.affine(&mut self.builder);
        let both = self.added(&odd, &ties).and_then(|sum| sum.plus(-1)).ok_or_else(too_wide)?;
        let both = self.cut(id, both, 0, 0, 1)?;
        let result = self.subtracted(&up, &both).ok_or_else(too_wide)?;
        let mut placed = result.affine(&mut self.builder);
        placed.scale = 0;
        Ok(placed)
    }

    /// The sum of two tensors of one scale that are held alike.
    fn added(&self, a: &Placed, b: &Placed) -> Option<Sum> {
        let (mut sum, other) = (Sum::identity(&self.builder, a), Sum::identity(&self.builder, b));
        sum.range = sum.range.plus(other.range)?;
        sum.expr.terms.extend(other.expr.terms);
        Some(sum)
    }

    /// Their difference.
    fn subtracted(&self, a: &Placed, b: &Placed) -> Option<Sum> {
        let (mut sum, other) = (Sum::identity(&self.builder, a), Sum::identity(&self.builder, b).times(-1)?);
        sum.range = sum.range.plus(other.range)?;
        sum.expr.terms.extend(other.expr.terms);
        Some(sum)
    }

    /// What is to be rounded, at a scale of at least 0.
    fn fraction(&mut self, source: NodeId) -> Result<Sum, CompileError> {
        let scale = self.scale_for(self.ranges[source as usize].magnitude(), self.bits - 1);
        let sum = self.argument(source, scale)?;
        sum.at_least(0).ok_or_else(|| self.fail(source, "values too large to be rounded"))
    }
}

/// The whole numbers around the values of a range.
fn shifted(range: Range, shift: u8) -> Range {
    Range { low: range.low >> shift, high: (range.high >> shift) + 1 }
}
