//! Normalisations: cells times the reciprocal root of their group's variance.
//!
//! With `n` cells in a group and sums `s` of the cells and `q` of their squares, `n q - s^2` is an integer: `n^2` times the
//! variance, without any rounding. Mean, root and reciprocal are taken once for each group, so their width costs
//! nothing; the cells are rounded once, when they are multiplied with the reciprocal.
use assay_verifier::circuit::Range;

use super::terms::Sum;
use super::{Lowering, Placed};
use crate::error::CompileError;
use crate::graph::{self, NodeId, View};
use crate::quantize::{Interval, power_of_two, round};

/// Variances are taken down to one of these shares of the smallest of the samples, and up to a multiple of the largest.
const ROOM_BELOW: [f64; 3] = [1.0 / 16.0, 1.0 / 4.0, 1.0];
const ROOM_ABOVE: f64 = 4.0;
/// Bits of the smallest variance, and of the smallest root.
const VARIANCE_BITS: i32 = 16;
const ROOT_BITS: u32 = 13;
/// Widest variance in bits, above the smallest.
const WIDTH_MAX: u8 = 40;
/// Bits of the reciprocal of the largest root of the samples.
const INVERSE_BITS: u32 = 12;
/// It may have that many bits fewer where the bounds ask for it.
const SPARE_BITS: u32 = 4;
/// Means are that many bits finer than the cells.
const MEAN_BITS: u8 = 2;
/// Widest tensor that is normalised as it is, in bits.
const SOURCE_BITS_MAX: u32 = 20;

/// What is normalised.
struct Group {
    x: Placed,
    /// What is subtracted.
    mean: Option<Placed>,
    /// The variances times the square of the number of cells.
    variances: Sum,
    /// Their range on the samples.
    range: Interval,
    /// What was added to all of them.
    least: f64,
    /// Number of cells.
    count: f64,
    dims: Vec<u32>,
    /// Shape of what there is one of for each group.
    kept: Vec<u32>,
}

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
        let squares = (count, [(&x, reduction.clone()), (&x, reduction.clone())]);
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
        let mean = if centred { Some(self.mean(id, &x, reduction, count)?) } else { None };
        let group = Group { x, mean, variances, range, least: epsilon * count * count, count, dims, kept };
        // Room for smaller variances costs room for larger results.
        for share in ROOM_BELOW {
            if let Some(placed) = self.divided(id, &group, share, true)? {
                return Ok(placed);
            }
        }
        let fail = self.fail(id, "the reciprocal roots do not fit the circuit's bounds");
        self.divided(id, &group, 1.0, false)?.ok_or(fail)
    }

    /// The cells divided by the roots of variances down to a share of the smallest of the samples, as fine as the
    /// bounds allow; nothing if they do not fit at the result's own scale, which may be coarser if it is not `exact`.
    fn divided(&mut self, id: NodeId, group: &Group, share: f64, exact: bool) -> Result<Option<Placed>, CompileError> {
        let Group { x, mean, count, dims, kept, .. } = group;
        let start = self.builder.nodes.len();
        let roots = self.roots(id, group, share)?;
        let largest = libm::sqrt(group.range.high) * power_of_two(roots.scale);
        let wanted = INVERSE_BITS + (libm::ceil(libm::log2(largest)).max(1.0)) as u32;
        let (own, repeated) = (graph::identity(0, dims), graph::broadcast(0, kept, dims));
        let scale = self.scale_for(self.ranges[id as usize].magnitude(), self.bits - 1);
        let low = -(1i64 << (self.bits - 1));
        for bits in (wanted.saturating_sub(SPARE_BITS)..=wanted).rev() {
            let before = self.builder.nodes.len();
            if let Some(inverse) = self.reciprocal(&roots, bits) {
                let whole = (*count, x, own.clone());
                let sum = match mean {
                    Some(mean) => self.quotients(id, [whole, (-count, mean, repeated.clone())], (&inverse, &repeated)),
                    None => self.quotients(id, [whole], (&inverse, &repeated)),
                };
                if let Ok(sum) = sum
                    && (!exact || sum.feasible(scale, self.bits, |_| low) == Some(scale))
                {
                    return self.activation(id, sum, scale).map(Some);
                }
            }
            self.builder.truncate(before);
        }
        self.builder.truncate(start);
        Ok(None)
    }

    /// The means of groups, a little finer than the cells.
    fn mean(&mut self, id: NodeId, x: &Placed, reduction: View, count: f64) -> Result<Placed, CompileError> {
        let sum = self.total(id, [(1.0 / count, x, reduction)])?;
        let Range { low, high } = self.builder.range(x.node);
        let width = i64::BITS - high.max(low.saturating_neg()).leading_zeros();
        let bits = width as u8 + 1 + MEAN_BITS;
        let fail = self.fail(id, "the means do not fit the circuit's bounds");
        let scale = x.scale + i32::from(MEAN_BITS);
        sum.rescaled(&mut self.builder, scale, -(1i64 << (bits - 1)), bits).ok_or(fail)
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

    /// Roots of the variances, from a share of the smallest of the samples on.
    fn roots(&mut self, id: NodeId, group: &Group, share: f64) -> Result<Placed, CompileError> {
        let Group { variances: sum, range, least, .. } = group;
        let low = if *least > range.low * share { *least } else { range.low * share };
        let high = range.high * ROOM_ABOVE;
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
        let above = sum.clone().at_least(scale).and_then(|sum| {
            let shift = u32::try_from(sum.scale - scale).ok()?;
            sum.plus(-offset.checked_shl(shift)?)
        });
        let clamped = above.and_then(|sum| sum.rescaled(&mut self.builder, scale, 0, bits)).ok_or(fail)?;
        let fail = self.fail(id, "the variances do not fit the circuit's bounds");
        self.root(&clamped, offset, offset, ROOT_BITS).ok_or(fail)
    }
}
