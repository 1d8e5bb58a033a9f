//! Float graph to circuit: chooses each tensor's scale and layout and writes its relation.
//!
//! Nodes are lowered in order. A combination whose only reader is a function is not given a node of its own: the
//! function rescales its accumulator directly, so a `Relu` behind a layer costs nothing and a table's argument is
//! rounded once.
mod builder;
mod clamp;
mod combine;
mod divide;
mod emit;
mod frame;
mod layout;
mod max;
mod maximum;
mod normalize;
mod port;
mod reciprocal;
mod reindex;
mod resolve;
mod select;
mod softmax;
mod table;
mod terms;
mod whole;

use std::collections::BTreeMap;

use assay_verifier::circuit::Circuit;

use crate::error::CompileError;
use crate::eval::Weights;
use crate::graph::{Graph, Kind, NodeId, Primitive};
use crate::quantize::{self, Interval, Ranges, finest_scale, power_of_two};
use builder::Builder;
use layout::Layout;

/// Finest scale of a tensor.
const SCALE_MAX: i32 = 30;
/// Bits that a rescale behind a layer should shift out at most, and the same for layers that sum more than
/// [`LONG_SUM`] products. Each bit is one bit of the weights' precision; beyond these, limbs are paid for errors that
/// are already far below the rounding of activations.
const SHIFT_MAX: i32 = 12;
const SHIFT_MAX_LONG: i32 = 14;
/// Limbs up to this width ask for no more; wider ones hold a longer shift at the same cost.
pub const LIMB_BITS: u8 = SHIFT_MAX as u8;
/// Number of products from which their rounding errors add up to more than the activations'.
const LONG_SUM: usize = 1024;
/// A sum without rounding may stay unrescaled while it is at most this many bits wider than an activation.
const SLACK_BITS: u32 = 3;
/// Widest saturation table: 2^14 entries.
const EXCESS_MAX: u8 = 14;

/// A tensor in the circuit.
#[derive(Clone, Debug)]
struct Placed {
    /// Its node.
    node: u32,
    /// How the node holds it.
    layout: Layout,
    /// The real value is `integer * 2^-scale`.
    scale: i32,
}

/// Where the tensors of the float graph are in the circuit.
pub struct Tensors(Vec<Option<Placed>>);

impl Tensors {
    /// The node that holds a tensor, for each of its cells the position in the tensor, and the scale; nothing if the
    /// tensor was left to its reader.
    pub fn of(&self, id: usize) -> Option<(u32, Vec<u32>, i32)> {
        let Placed { node, layout, scale } = self.0.get(id)?.as_ref()?;
        Some((*node, layout.positions(), *scale))
    }
}

struct Lowering<'a> {
    graph: &'a Graph,
    ranges: &'a [Interval],
    /// What scales rest on besides values: see [`Ranges::within`].
    within: &'a [Interval],
    /// Scales of inputs that were cut into bands.
    wide: &'a BTreeMap<NodeId, i32>,
    readers: Vec<Vec<NodeId>>,
    /// Tensors of whole numbers, which stay exact.
    whole: Vec<bool>,
    /// For inputs that choose rows of tables, the number of rows.
    rows: BTreeMap<String, u32>,
    /// Bits of the activations of the node that is being lowered.
    bits: u8,
    /// Bits that a rescale behind a layer should shift out at most.
    shift: i32,
    builder: Builder,
    placed: Vec<Option<Placed>>,
}

/// Lowers a graph. `ranges` are the calibrated ones, `wide` the scales of inputs that are wider than activations. Then
/// come the widths of each node's activations, and the width that limbs are expected to have; which width the circuit
/// gets is left for the cost model to choose.
///
/// # Errors
/// No scales keep a node within the circuit's bounds.
pub fn lower(
    graph: &Graph,
    ranges: &Ranges,
    wide: &BTreeMap<NodeId, i32>,
    (bits, limb_bits): (&[u8], u8),
) -> Result<(Circuit, Weights, Tensors), CompileError> {
    let mut state = Lowering {
        graph,
        ranges: &ranges.values,
        within: &ranges.within,
        wide,
        readers: graph.readers(),
        whole: quantize::whole(graph),
        rows: graph.rows_chosen(),
        bits: 16,
        shift: i32::from(limb_bits).max(SHIFT_MAX),
        builder: Builder::default(),
        placed: vec![None; graph.nodes.len()],
    };
    for id in 0..graph.nodes.len() as NodeId {
        if !state.is_deferred(id) {
            state.bits = bits[id as usize];
            let placed = state.node(id)?;
            state.placed[id as usize] = Some(placed);
        }
    }
    state.outputs()?;
    let tensors = Tensors(state.placed);
    let Builder { nodes, weights, values, tables, inputs, outputs, .. } = state.builder;
    Ok((Circuit { limb_bits: 8, weights, tables, nodes, inputs, outputs }, values, tensors))
}

impl Lowering<'_> {
    /// Whether the node is left to its only reader, a function or a softmax that rescales the sum itself.
    fn is_deferred(&self, id: NodeId) -> bool {
        let Kind::Combine(_) = &self.graph.node(id).kind else { return false };
        let &[reader] = &self.readers[id as usize][..] else { return false };
        match self.graph.nodes.get(reader as usize).map(|node| &node.kind) {
            // `|x|` is made from `relu(x)` and `x` itself.
            Some(Kind::Function { function, .. }) => function.primitive() != Some(Primitive::Abs),
            // Its scores are rounded once, to the steps of the exponential.
            Some(Kind::Softmax { logarithm, .. }) => !logarithm,
            _ => false,
        }
    }

    fn node(&mut self, id: NodeId) -> Result<Placed, CompileError> {
        let graph = self.graph;
        let node = graph.node(id);
        match &node.kind {
            Kind::Input { name, channels_last, element } => self.input(id, name, *channels_last, *element),
            Kind::Constant(values) => self.constant(id, values),
            Kind::Combine(combine) => self.combination(id, combine),
            Kind::Function { source, function } => match function.primitive() {
                Some(Primitive::Step) => self.step(id, *source),
                Some(Primitive::Floor) => self.floor(id, *source),
                Some(Primitive::Round(low, high)) => self.nearest(id, *source, low, high),
                Some(Primitive::Relu) if self.whole[id as usize] => self.whole_clip(id, *source, 0.0, f64::INFINITY),
                Some(Primitive::Clip(low, high)) if self.whole[id as usize] => self.whole_clip(id, *source, low, high),
                Some(Primitive::Relu) => self.relu(id, *source),
                Some(Primitive::Clip(low, high)) => self.clip(id, *source, low, high),
                Some(Primitive::Abs) => self.abs(id, *source),
                _ => self.tabulated(id, *source, function),
            },
            Kind::Max(view) => self.max(id, view),
            Kind::Divide { numerator, denominator } => self.divide(id, numerator, denominator),
            Kind::Softmax { source, axis, logarithm: false } => self.softmax(id, *source, *axis),
            Kind::Softmax { source, axis, logarithm: true } => self.log_softmax(id, *source, *axis),
            Kind::Normalize { source, axes, centred, epsilon } => self.normalize(id, *source, axes, *centred, *epsilon),
            Kind::Reshape(source) => self.source(*source),
            Kind::Transpose { source, order } => self.transpose(*source, order),
        }
    }

    /// A tensor that an earlier node defines.
    fn source(&self, id: NodeId) -> Result<Placed, CompileError> {
        self.placed[id as usize].clone().ok_or_else(|| self.fail(id, "a tensor without a node"))
    }

    /// The error that names a node.
    fn fail(&self, id: NodeId, reason: &'static str) -> CompileError {
        fault(self.graph, id, reason)
    }

    /// Room left above the calibrated range: the wider the integers, the more they can spare.
    fn headroom(&self) -> f64 {
        1.0 + f64::from(self.bits - 8) / 16.0
    }

    /// The finest scale at which a tensor of this magnitude fits `bits` bits without a sign.
    fn scale_for(&self, magnitude: f64, bits: u8) -> i32 {
        // A tensor that is never positive on the samples says nothing about its scale.
        let magnitude = if magnitude > 0.0 { magnitude } else { 1.0 };
        finest_scale(magnitude * self.headroom(), power_of_two(bits.into()) - 1.0, SCALE_MAX)
    }
}

/// The error that names a node.
fn fault(graph: &Graph, id: NodeId, reason: &'static str) -> CompileError {
    CompileError::Range { node: graph.node(id).name.clone(), reason }
}
