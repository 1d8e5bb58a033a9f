//! Inputs and outputs: the model's names and shapes, and the order in which nodes hold them.
use assay_verifier::circuit::{Op, Port, Range};

use super::layout::Layout;
use super::{Lowering, Placed, SCALE_MAX};
use crate::error::CompileError;
use crate::graph::{Element, NodeId};
use crate::quantize::{Interval, finest_scale, power_of_two};

/// How much larger than the largest calibration value an input may be.
const INPUT_HEADROOM: f64 = 2.0;
/// Largest whole number that is taken exactly.
const WHOLE_MAX: f64 = 1_099_511_627_776.0;
/// Types of no more values than that are taken whole.
const SMALL_TYPE: i64 = 1 << 8;

impl Lowering<'_> {
    /// An input node. Its range is checked by the verifier itself, so the headroom is one more bit and costs no
    /// precision.
    pub(super) fn input(
        &mut self,
        id: NodeId,
        name: &str,
        channels_last: bool,
        element: Element,
    ) -> Result<Placed, CompileError> {
        let dims = self.graph.node(id).dims.clone();
        let mut order: Vec<usize> = (0..dims.len()).collect();
        if channels_last && dims.len() > 2 {
            order.remove(1);
            order.push(1);
        }
        let (range, scale) = match element {
            Element::Real => self.real_input(id),
            Element::BOOLEAN => (Range { low: 0, high: 1 }, 0),
            Element::Whole { low, high } => (self.whole_input(id, name, Range { low, high }), 0),
        };
        let inner = order.last().map_or(1, |&axis| dims[axis]);
        let rows = dims.iter().product::<u32>() / inner;
        let node = self.builder.node((rows, inner), Op::Input(range), range);
        let port = self.port(id, name, (node, scale), dims.clone(), &order)?;
        self.builder.inputs.push(port);
        Ok(Placed { node, layout: Layout::new(&dims, &order), scale })
    }

    /// Range and scale of real numbers.
    fn real_input(&self, id: NodeId) -> (Range, i32) {
        let limit = power_of_two(i32::from(self.bits) - 1) - 1.0;
        // Samples that are zero throughout say nothing about the range.
        let magnitude = Some(self.ranges[id as usize].magnitude()).filter(|&most| most > 0.0).unwrap_or(1.0);
        let wide = self.wide.get(&id).copied();
        let scale = wide.unwrap_or_else(|| finest_scale(magnitude, limit, SCALE_MAX));
        let largest = if wide.is_some() { magnitude * power_of_two(scale) } else { limit };
        let high = (largest * INPUT_HEADROOM) as i64 + 1;
        (Range { low: -high - 1, high }, scale)
    }

    /// Range of whole numbers: rows of the table that they choose from, all of a small type, flags, or others with the
    /// usual room.
    fn whole_input(&self, id: NodeId, name: &str, of_type: Range) -> Range {
        if let Some(&rows) = self.rows.get(name) {
            return Range { low: 0, high: i64::from(rows) - 1 };
        }
        if of_type.high - of_type.low < SMALL_TYPE {
            return of_type;
        }
        let Interval { low, high } = self.ranges[id as usize];
        if low >= 0.0 && high <= 1.0 {
            return Range { low: 0, high: 1 };
        }
        let room = |end: f64| (end.clamp(-WHOLE_MAX, WHOLE_MAX) * INPUT_HEADROOM) as i64;
        Range { low: room(low).min(0).max(of_type.low), high: room(high).max(0).min(of_type.high) }
    }

    /// Names the outputs; one that is held in an order that a port cannot express is copied.
    pub(super) fn outputs(&mut self) -> Result<(), CompileError> {
        let graph = self.graph;
        for (name, id) in &graph.outputs {
            let dims = graph.node(*id).dims.clone();
            let mut placed = self.source(*id)?;
            if placed.layout.axis_order(&dims).is_none() {
                placed = self.row_major(&placed)?;
            }
            let order = placed.layout.axis_order(&dims).ok_or_else(|| self.fail(*id, "no order of axes"))?;
            let port = self.port(*id, name, (placed.node, placed.scale), dims, &order)?;
            self.builder.outputs.push(port);
        }
        Ok(())
    }

    fn port(
        &self,
        id: NodeId,
        name: &str,
        (node, scale): (u32, i32),
        dims: Vec<u32>,
        order: &[usize],
    ) -> Result<Port, CompileError> {
        let order = order.iter().map(|&axis| axis as u8).collect();
        let scale = i8::try_from(scale).map_err(|_| self.fail(id, "values too large or too small for a scale"))?;
        Ok(Port { name: name.into(), node, dims, order, scale })
    }
}
