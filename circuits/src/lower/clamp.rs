//! Functions made of clamps: `Relu`, `Clip`, `Abs`. A rescale clamps anyway, so they need no table.
use super::terms::Sum;
use super::{Lowering, Placed, fault};
use crate::error::CompileError;
use crate::graph::NodeId;
use crate::quantize::{Interval, power_of_two, round};

impl Lowering<'_> {
    /// `max(x, 0)`: a rescale that clamps at zero.
    pub(super) fn relu(&mut self, id: NodeId, source: NodeId) -> Result<Placed, CompileError> {
        let scale = self.scale_for(self.ranges[id as usize].high, self.bits - 1);
        let sum = self.argument(source, scale)?;
        self.positive_part(id, sum, scale)
    }

    /// A sum clamped at zero.
    fn positive_part(&mut self, id: NodeId, sum: Sum, scale: i32) -> Result<Placed, CompileError> {
        let bits = self.bits - 1;
        let wanted = if sum.is_light { scale.min(sum.scale) } else { scale };
        let fail = self.fail(id, "the sum does not fit any scale");
        let scale = sum.feasible(wanted, bits, |_| 0).ok_or(fail)?;
        let fail = self.fail(id, "the sum does not fit the circuit's bounds");
        sum.rescaled(&mut self.builder, scale, 0, bits).ok_or(fail)
    }

    /// `low + relu(x - low)`, then `high - relu(high - that)`.
    pub(super) fn clip(&mut self, id: NodeId, source: NodeId, low: f64, high: f64) -> Result<Placed, CompileError> {
        let Interval { low: smallest, high: largest } = self.ranges[id as usize];
        let span = if low.is_finite() { largest - low } else { high - smallest };
        let span = if low.is_finite() && high.is_finite() { high - low } else { span };
        let scale = self.scale_for(span, self.bits - 1);
        let mut sum = self.argument(source, scale)?;
        let graph = self.graph;
        let too_large = || fault(graph, id, "bounds too large for the values");
        // Fine enough that the bound itself is not rounded coarsely.
        sum = sum.at_least(scale).ok_or_else(too_large)?;
        if !low.is_finite() && !high.is_finite() {
            return self.activation(id, sum, scale);
        }
        let mut offset = 0.0;
        if low.is_finite() {
            let shifted = sum.clone().plus(round(-low * power_of_two(sum.scale))).ok_or_else(too_large)?;
            let above = self.positive_part(id, shifted, scale)?;
            sum = Sum::identity(&self.builder, &above);
            offset = low;
        }
        if high.is_finite() {
            let room = round((high - offset) * power_of_two(sum.scale));
            let below = sum.times(-1).and_then(|sum| sum.plus(room)).ok_or_else(too_large)?;
            let below = self.positive_part(id, below, scale)?;
            sum = Sum::identity(&self.builder, &below).times(-1).ok_or_else(too_large)?;
            offset = high;
        }
        let constant = round(offset * power_of_two(sum.scale));
        let sum = sum.plus(constant).ok_or_else(too_large)?;
        Ok(sum.affine(&mut self.builder))
    }

    /// `2 relu(x) - x`.
    pub(super) fn abs(&mut self, id: NodeId, source: NodeId) -> Result<Placed, CompileError> {
        let graph = self.graph;
        let too_wide = || fault(graph, id, "the argument is too wide");
        let whole = self.source(source)?;
        let sum = Sum::identity(&self.builder, &whole);
        let high = sum.range.high;
        let bits = (1..=40u8).find(|&bits| high < 1 << bits).ok_or_else(too_wide)?;
        if sum.feasible(whole.scale, bits, |_| 0) != Some(whole.scale) {
            return Err(too_wide());
        }
        let part = sum.clone().rescaled(&mut self.builder, whole.scale, 0, bits).ok_or_else(too_wide)?;
        let mut total = Sum::identity(&self.builder, &part).times(2).ok_or_else(too_wide)?;
        let minus = sum.times(-1).ok_or_else(too_wide)?;
        total.range = total.range.plus(minus.range).ok_or_else(too_wide)?;
        total.expr.terms.extend(minus.expr.terms);
        Ok(total.affine(&mut self.builder))
    }
}
