//! Quotients of two activations: cells times the reciprocal of what they are divided by.
use assay_verifier::circuit::Range;

use super::{Lowering, Placed};
use crate::error::CompileError;
use crate::graph::{NodeId, View, identity};
use crate::quantize::{Interval, power_of_two};

/// Divisors are taken down to this share of the smallest of the samples, and up to a multiple of the largest.
const ROOM: (f64, f64) = (0.5, 2.0);
/// Bits of the smallest divisor, and widest divisor.
const DIVISOR_BITS: i32 = 14;
const WIDTH_MAX: u8 = 32;
/// Bits of the smallest reciprocal.
const INVERSE_BITS: u32 = 14;
/// It may have that many bits fewer where the bounds ask for it.
const SPARE_BITS: u32 = 6;

impl Lowering<'_> {
    /// `numerator / denominator`, cell by cell. On the samples the denominator has one sign.
    pub(super) fn divide(&mut self, id: NodeId, numerator: &View, denominator: &View) -> Result<Placed, CompileError> {
        let Interval { low, high } = self.within[id as usize];
        let (sign, low, high) = if high < 0.0 { (-1.0, -high, -low) } else { (1.0, low, high) };
        let divisor = self.divisor(id, denominator.source, sign, Interval { low, high })?;
        let numerator_source = self.source(numerator.source)?;
        let Range { high: most, .. } = self.builder.range(divisor.node);
        let wanted = INVERSE_BITS + (i64::BITS - most.leading_zeros());
        let scale = self.scale_for(self.ranges[id as usize].magnitude(), self.bits - 1);
        for bits in (wanted.saturating_sub(SPARE_BITS)..=wanted).rev() {
            let count = self.builder.nodes.len();
            if let Some(inverse) = self.reciprocal(&divisor, bits) {
                let parts = [(sign, &numerator_source, numerator.clone())];
                let sum = self.quotients(id, parts, (&inverse, denominator));
                if let Ok(placed) = sum.and_then(|sum| self.activation(id, sum, scale)) {
                    return Ok(placed);
                }
            }
            self.builder.truncate(count);
        }
        Err(self.fail(id, "the quotients do not fit the circuit's bounds"))
    }

    /// What is divided by, made positive and bounded away from zero.
    fn divisor(&mut self, id: NodeId, source: NodeId, sign: f64, range: Interval) -> Result<Placed, CompileError> {
        let placed = self.source(source)?;
        let dims = &self.graph.node(source).dims;
        let sum = self.total(id, [(sign, &placed, identity(0, dims))])?;
        let at = |scale: i32, value: f64| libm::floor(value * power_of_two(scale)) as i64;
        let first = |scale: i32| at(scale, range.low * ROOM.0).max(1);
        let needed = DIVISOR_BITS - libm::floor(libm::log2(range.low)) as i32;
        let scale = (needed - 60..=needed).rev().find_map(|scale| {
            let width = at(scale, range.high * ROOM.1).checked_sub(first(scale))?;
            let bits = (1..=WIDTH_MAX).find(|&bits| width < 1i64 << bits)?;
            (sum.feasible(scale, bits, first) == Some(scale)).then_some((scale, bits))
        });
        let fail = self.fail(id, "the divisors do not fit any scale");
        let (scale, bits) = scale.ok_or(fail)?;
        let fail = self.fail(id, "the divisors do not fit the circuit's bounds");
        sum.rescaled(&mut self.builder, scale, first(scale), bits).ok_or(fail)
    }
}
