//! Normalisations: cells times the reciprocal root of their group's variance.
//!
//! With `n` cells in a group and sums `s` of the cells and `q` of their squares, `n q - s^2` is an integer, and
//! `(x - mean) / sqrt(variance + epsilon)` is `(n x - s) / sqrt(n q - s^2 + n^2 epsilon)`: all that is rounded is the root,
//! its reciprocal and the result. Root and reciprocal are taken once for each group, so their width costs nothing.
use assay_verifier::circuit::Range;

use super::terms::Sum;
use super::{Lowering, Placed};
use crate::error::CompileError;
use crate::graph::{self, NodeId};
use crate::quantize::{Interval, power_of_two, round};

/// Variances are taken down to this share of the smallest of the samples, and up to a multiple of the largest.
const ROOM: (f64, f64) = (1.0 / 16.0, 4.0);
/// Bits of the smallest variance, and of the smallest root.
const VARIANCE_BITS: i32 = 16;
const ROOT_BITS: u32 = 13;
/// Widest variance in bits, above the smallest.
const WIDTH_MAX: u8 = 40;
/// Bits of the reciprocal of the largest root of the samples.
const INVERSE_BITS: u32 = 14;
/// Widest tensor that is normalised as it is, in bits.
const SOURCE_BITS_MAX: u32 = 20;

impl Lowering<'_> {
    /// A normalisation over some axes.
    pub(super) fn normalize(
        &mut self,
        id: NodeId,
        source: NodeId,
        axes: &[usize],
        centred: bool,
        epsilon: f64,
    ) -> Result<Placed, CompileError> {
        let dims = self.graph.node(id).dims.clone();
        let count: f64 = axes.iter().map(|&axis| f64::from(dims[axis])).product();
        let x = self.narrowed(source)?;
        let reduction = graph::reduction(0, &dims, axes);
        let kept = reduction.axes.clone();
        let sums = match centred {
            true => Some(self.total(id, [(1.0, &x, reduction.clone())])?.affine(&mut self.builder)),
            false => None,
        };
        let squares = (count, [(&x, reduction.clone()), (&x, reduction)]);
        let own = || graph::identity(0, &kept);
        let variances = match &sums {
            Some(sums) => self.products(id, [squares, (-1.0, [(sums, own()), (sums, own())])])?,
            None => self.products(id, [squares])?,
        };
        let fail = self.fail(id, "the variances do not fit the circuit's bounds");
        let added = round(epsilon * count * count * power_of_two(variances.scale));
        let variances = variances.plus(added).ok_or(fail)?;
        // In units of what is under the root.
        let Interval { low, high } = self.within[id as usize];
        let range = Interval { low: low * count * count, high: high * count * count };
        let roots = self.roots(id, variances, range, epsilon * count * count)?;
        let largest = libm::sqrt(range.high) * power_of_two(roots.scale);
        let wanted = INVERSE_BITS + (libm::ceil(libm::log2(largest)).max(1.0)) as u32;
        // As fine as the bounds allow.
        for bits in (1..=wanted).rev() {
            let (nodes, ranges) = (self.builder.nodes.len(), self.builder.ranges.len());
            if let Some(inverse) = self.reciprocal(&roots, bits) {
                let repeated = graph::broadcast(0, &kept, &dims);
                let whole = (count, &x, graph::identity(0, &dims));
                let sum = match &sums {
                    Some(sums) => {
                        let parts = [whole, (-1.0, sums, repeated.clone())];
                        self.quotients(id, parts, (&inverse, &repeated))
                    }
                    None => self.quotients(id, [whole], (&inverse, &repeated)),
                };
                let scale = self.scale_for(self.ranges[id as usize].magnitude(), self.bits - 1);
                if let Ok(placed) = sum.and_then(|sum| self.at_scale(id, sum, scale)) {
                    return Ok(placed);
                }
            }
            self.builder.nodes.truncate(nodes);
            self.builder.ranges.truncate(ranges);
        }
        Err(self.fail(id, "the reciprocal roots do not fit the circuit's bounds"))
    }

    /// A sum rescaled to a signed activation at exactly this scale.
    fn at_scale(&mut self, id: NodeId, sum: Sum, scale: i32) -> Result<Placed, CompileError> {
        let low = -(1i64 << (self.bits - 1));
        if sum.feasible(scale, self.bits, |_| low) == Some(scale) {
            return self.activation(id, sum, scale);
        }
        Err(self.fail(id, "the sum does not fit the scale"))
    }

    /// The source, narrow enough for its squares to be added up.
    fn narrowed(&mut self, source: NodeId) -> Result<Placed, CompileError> {
        let placed = self.source(source)?;
        let Range { low, high } = self.builder.range(placed.node);
        if high.max(low.saturating_neg()) < 1 << (SOURCE_BITS_MAX - 1) {
            return Ok(placed);
        }
        let scale = self.scale_for(self.ranges[source as usize].magnitude(), self.bits - 1);
        let sum = Sum::identity(&self.builder, &placed);
        self.activation(source, sum, scale)
    }

    /// Roots of positive values whose range on the samples is given; `least` is what was added to all of them.
    fn roots(&mut self, id: NodeId, sum: Sum, range: Interval, least: f64) -> Result<Placed, CompileError> {
        let low = if least > range.low * ROOM.0 { least } else { range.low * ROOM.0 };
        let high = range.high * ROOM.1;
        let at = |scale: i32, value: f64| libm::floor(value * power_of_two(scale)) as i64;
        let first = |scale: i32| at(scale, low).max(1);
        // The finest scale at which the width suffices; finer than the smallest value asks for is not needed.
        let needed = VARIANCE_BITS - libm::floor(libm::log2(low)) as i32;
        let scale = (needed - 60..=needed).rev().filter(|scale| scale % 2 == 0).find_map(|scale| {
            let width = at(scale, high).checked_sub(first(scale))?;
            let bits = (1..=WIDTH_MAX).find(|&bits| width < 1i64 << bits)?;
            (sum.feasible(scale, bits, first) == Some(scale)).then_some((scale, bits))
        });
        let fail = self.fail(id, "the variances do not fit any scale");
        let (scale, bits) = scale.ok_or(fail)?;
        // The smallest is subtracted before and added under the root: so the verifier sees that none is zero.
        let offset = first(scale);
        let fail = self.fail(id, "the variances do not fit the circuit's bounds");
        let above = sum.at_least(scale).and_then(|sum| {
            let shift = u32::try_from(sum.scale - scale).ok()?;
            sum.plus(-offset.checked_shl(shift)?)
        });
        let clamped = above.and_then(|sum| sum.rescaled(&mut self.builder, scale, 0, bits)).ok_or(fail)?;
        let fail = self.fail(id, "the variances do not fit the circuit's bounds");
        self.root(&clamped, offset, offset, ROOT_BITS).ok_or(fail)
    }
}
