//! Curved functions as tables: the argument is rescaled to the table's steps, then looked up.
use assay_verifier::circuit::{Op, Range};

use super::{Lowering, Placed, SCALE_MAX, SHIFT_MAX};
use crate::error::CompileError;
use crate::graph::{Function, NodeId};
use crate::quantize::{Interval, finest_scale, power_of_two, round};

/// Widest argument of a table. Every entry costs as much as a lookup, so wider ones are worth it in large models only.
const ARGUMENT_BITS_MAX: u8 = 12;
/// Widest argument of whole numbers, which cannot be made coarser.
const WHOLE_BITS_MAX: u8 = 16;
/// A function is steep where half a step of the argument changes the result by more than this share of its largest
/// value.
const STEEP: f64 = 1.0 / 512.0;
/// Tables of that many bits fewer than there are lookups are cheap, up to the widest that there are.
const CHEAP_BITS: u32 = 3;
const ARGUMENT_BITS_LIMIT: u8 = 16;
/// The steps of a table are coarse: the sum behind it is that many bits finer than for an activation, so that errors
/// of weights do not add to those of the steps. Wide limbs make all sums finer.
const EXTRA_BITS: i32 = 3;
/// At how many places a function is sampled to see where it is flat.
const FLAT_SAMPLES: i32 = 1024;

impl Lowering<'_> {
    /// A function as a table.
    pub(super) fn tabulated(
        &mut self,
        id: NodeId,
        source: NodeId,
        function: &Function,
    ) -> Result<Placed, CompileError> {
        let whole = self.whole[id as usize];
        let limit = power_of_two(if whole { 31 } else { i32::from(self.bits) - 1 }) - 1.0;
        let scale = if whole { 0 } else { self.scale_for(self.ranges[id as usize].magnitude(), self.bits - 1) };
        let argument = match self.whole_argument(source)? {
            Some(placed) => placed,
            None if function.jumps() => return Err(self.fail(id, "whole numbers too large for a table")),
            None => {
                let domain = self.domain(source, function, power_of_two(-scale));
                let bits = self.argument_bits(id, function, domain);
                self.table_argument(id, source, domain, bits)?
            }
        };
        let Range { low, high } = self.builder.range(argument.node);
        let step = power_of_two(-argument.scale);
        let reals: Vec<f64> = (low..=high).map(|x| function.value(x as f64 * step) * power_of_two(scale)).collect();
        let mut values = Vec::with_capacity(reals.len().next_power_of_two());
        // Where the function has no finite value, the nearest argument that has one stands in.
        let mut last = reals.iter().copied().find(|value| value.is_finite()).unwrap_or(0.0);
        for value in reals {
            last = if value.is_finite() { value } else { last };
            values.push(round(last).clamp(-(limit as i64) - 1, limit as i64) as i32);
        }
        values.resize(values.len().next_power_of_two(), values.last().copied().unwrap_or(0));
        let range = Range {
            low: values.iter().copied().min().unwrap_or(0).into(),
            high: values.iter().copied().max().unwrap_or(0).into(),
        };
        let table = self.builder.table(low, values);
        let shape = self.builder.shape(argument.node);
        let node = self.builder.node(shape, Op::Lookup { source: argument.node, table }, range);
        Ok(Placed { node, layout: argument.layout, scale })
    }

    /// Whole numbers as they are, if they are few enough.
    fn whole_argument(&mut self, source: NodeId) -> Result<Option<Placed>, CompileError> {
        if !self.whole[source as usize] {
            return Ok(None);
        }
        let placed = match self.placed[source as usize].clone() {
            Some(placed) => placed,
            None => {
                let sum = self.argument(source, 0)?;
                let placed = self.whole_node(source, sum)?;
                self.placed[source as usize] = Some(placed.clone());
                placed
            }
        };
        let Range { low, high } = self.builder.range(placed.node);
        Ok((high - low < 1 << WHOLE_BITS_MAX).then_some(placed))
    }

    /// Bits of the argument: more where the function is so steep that a step of the argument shows in the result.
    fn argument_bits(&self, id: NodeId, function: &Function, domain: Interval) -> u8 {
        let magnitude = self.ranges[id as usize].magnitude() * self.headroom();
        let step = (domain.high - domain.low) / f64::from(FLAT_SAMPLES);
        let value = |place: i32| {
            let value = function.value(domain.low + f64::from(place) * step);
            if value > magnitude {
                magnitude
            } else if value < -magnitude {
                -magnitude
            } else {
                value
            }
        };
        let steepest = (0..FLAT_SAMPLES).fold(0.0, |most, place| {
            let change = libm::fabs(value(place + 1) - value(place));
            if change > most { change } else { most }
        });
        // Half a step of a table of `2^bits` entries.
        let error = |bits: u8| steepest * f64::from(FLAT_SAMPLES) * power_of_two(-1 - i32::from(bits));
        // A table may have an eighth as many entries as there are lookups: then they hardly count.
        let cells: u64 = self.graph.node(id).dims.iter().map(|&dim| u64::from(dim)).product();
        let cheap = (u64::BITS - 1 - cells.max(1).leading_zeros()).saturating_sub(CHEAP_BITS) as u8;
        let least = self.bits.min(ARGUMENT_BITS_MAX.max(cheap)).min(ARGUMENT_BITS_LIMIT);
        (least..self.bits).find(|&bits| error(bits) <= magnitude * STEEP).unwrap_or(self.bits)
    }

    /// The arguments that are worth telling apart: the calibrated ones and some room, without the ends where the
    /// function changes by less than half a step of the result.
    fn domain(&self, source: NodeId, function: &Function, result_step: f64) -> Interval {
        let Interval { low, high } = self.ranges[source as usize];
        let room = (high - low) * (self.headroom() - 1.0) / 2.0;
        let positive = low >= 0.0;
        let (low, high) = (low - room, high + room);
        let low = if positive && low < 0.0 { 0.0 } else { low };
        let step = (high - low) / f64::from(FLAT_SAMPLES);
        let value = |place: i32| function.value(low + f64::from(place) * step);
        let flat = |place: i32, end: f64| libm::fabs(value(place) - end) < result_step / 2.0;
        let (first, last) = (value(0), value(FLAT_SAMPLES));
        let start = (0..FLAT_SAMPLES).take_while(|&place| flat(place + 1, first)).count() as i32;
        let end = (0..FLAT_SAMPLES - start).take_while(|&place| flat(FLAT_SAMPLES - place - 1, last)).count() as i32;
        Interval { low: low + f64::from(start) * step, high: high - f64::from(end) * step }
    }

    /// The argument as integers of at most `bits` bits, a power of two of them.
    fn table_argument(
        &mut self,
        id: NodeId,
        source: NodeId,
        domain: Interval,
        bits: u8,
    ) -> Result<Placed, CompileError> {
        let span = domain.high - domain.low;
        let entries = power_of_two(bits.into());
        let wanted = finest_scale(span, entries - 2.0, SCALE_MAX);
        let sum = self.argument(source, wanted + (EXTRA_BITS - (self.shift - SHIFT_MAX)).max(0))?;
        if let Some(placed) = self.direct(source) {
            return Ok(placed);
        }
        let wanted = if sum.is_light { wanted.min(sum.scale) } else { wanted };
        let low = |scale: i32| libm::floor(domain.low * power_of_two(scale)) as i64;
        let fail = self.fail(id, "the argument does not fit any scale");
        let scale = sum.feasible(wanted, bits, low).ok_or(fail)?;
        let needed = round(span * power_of_two(scale)) + 2;
        let bits = (1..bits)
            .find(|&fewer| needed <= 1 << fewer && sum.feasible(scale, fewer, low) == Some(scale))
            .unwrap_or(bits);
        let fail = self.fail(id, "the argument does not fit the circuit's bounds");
        sum.rescaled(&mut self.builder, scale, low(scale), bits).ok_or(fail)
    }

    /// The source itself, if its integers are few enough for a table.
    fn direct(&self, source: NodeId) -> Option<Placed> {
        let placed = self.placed[source as usize].clone()?;
        let Range { low, high } = self.builder.range(placed.node);
        (high - low < 1 << ARGUMENT_BITS_MAX).then_some(placed)
    }
}
