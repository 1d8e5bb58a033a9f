//! Checks a description once and keeps what follows from it: value ranges, worked-out views, table widths.
//!
//! # Soundness
//! The argument that nothing wraps in the field rests on the bounds computed here: every expression stays below `2^61` in
//! absolute value for all values that ranges and tables allow, and a rescale's decomposition is injective below `2^61`.
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use thiserror::Error;

use super::range::Range;
use super::{Circuit, Expr, Gather, Node, NodeId, Op, Port, Table, Term, View, Weight};
use crate::digest::CircuitDigest;

/// Sizes up to which a description is accepted; they bound time and memory of checking it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Number of nodes, weights, tables and ports, each.
    pub items_max: usize,
    /// Number of cells over all nodes.
    pub cells_max: u64,
    /// Number of weights.
    pub weights_max: u64,
    /// Number of places over all views.
    pub places_max: u64,
    /// Number of cells that are read over all views, passing axes included, and of cells that they are read for.
    pub reads_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { items_max: 1 << 14, cells_max: 1 << 25, weights_max: 1 << 28, places_max: 1 << 26, reads_max: 1 << 28 }
    }
}

/// Why a description is not a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CircuitError {
    /// The limb width is out of bounds.
    #[error("limb width of {0} bits is not within 4 to 16")]
    LimbBits(u8),
    /// More items than the limits allow.
    #[error("{what}: more than the limit of {limit}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// A weight tensor is malformed.
    #[error("weight {0}: empty axis, or width not within 2 to 16 bits")]
    Weight(usize),
    /// A function table is malformed.
    #[error("table {0}: the number of values is not a power of two up to 2^16, or arguments are out of range")]
    Table(usize),
    /// A node is malformed.
    #[error("node {node}: {reason}")]
    Node {
        /// Which node.
        node: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A value may leave the range in which field arithmetic is integer arithmetic.
    #[error("node {node}: values may reach 2^61 or beyond")]
    Overflow {
        /// Which node.
        node: usize,
    },
    /// An input or output does not fit its node.
    #[error("port {name:?}: {reason}")]
    Port {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Width of the table that bounds how far a rescale may overshoot: it holds the excesses `-2^(bits-1) .. 2^(bits-1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SaturationTable {
    /// Logarithm of the number of entries.
    pub bits: u8,
}

/// A description that passed all checks.
#[derive(Clone, Debug)]
pub struct CheckedCircuit {
    circuit: Circuit,
    digest: CircuitDigest,
    ranges: Vec<Range>,
    gathers: Vec<Vec<Vec<Gather>>>,
    saturation: Vec<Option<SaturationTable>>,
}

impl CheckedCircuit {
    /// Checks a description.
    ///
    /// # Errors
    /// The first fault found.
    pub fn new(circuit: Circuit, limits: &Limits) -> Result<Self, CircuitError> {
        check_header(&circuit, limits)?;
        let mut state = Self {
            digest: circuit.digest(),
            ranges: Vec::with_capacity(circuit.nodes.len()),
            gathers: Vec::with_capacity(circuit.nodes.len()),
            saturation: Vec::with_capacity(circuit.nodes.len()),
            circuit: Circuit {
                limb_bits: 0,
                weights: Vec::new(),
                tables: Vec::new(),
                nodes: Vec::new(),
                inputs: Vec::new(),
                outputs: Vec::new(),
            },
        };
        let mut budget = Budget { places: limits.places_max, reads: limits.reads_max };
        let mut weights_used = BTreeSet::new();
        for (id, node) in circuit.nodes.iter().enumerate() {
            state.check_node(&circuit, id, node, &mut budget, &mut weights_used)?;
        }
        if weights_used.len() != circuit.weights.len() {
            return Err(CircuitError::Limit { what: "weights that nothing uses", limit: 0 });
        }
        check_ports(&circuit)?;
        state.circuit = circuit;
        Ok(state)
    }

    /// The description.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// Its identity.
    pub fn digest(&self) -> CircuitDigest {
        self.digest
    }

    /// The values that a node's cells can take.
    pub fn range(&self, node: NodeId) -> Option<Range> {
        self.ranges.get(node as usize).copied()
    }

    /// The worked-out views of a node's term: none for a bias, two for a product, else one.
    pub fn gathers(&self, node: usize, term: usize) -> &[Gather] {
        self.gathers.get(node).and_then(|terms| terms.get(term)).map_or(&[], Vec::as_slice)
    }

    /// The saturation table of a rescale node.
    pub fn saturation(&self, node: usize) -> Option<SaturationTable> {
        self.saturation.get(node).copied().flatten()
    }

    fn check_node(
        &mut self,
        circuit: &Circuit,
        id: usize,
        node: &Node,
        budget: &mut Budget,
        weights_used: &mut BTreeSet<u32>,
    ) -> Result<(), CircuitError> {
        let fail = |reason| CircuitError::Node { node: id, reason };
        if node.is_empty() {
            return Err(fail("empty shape"));
        }
        let mut gathers = Vec::new();
        let mut saturation = None;
        let range = match &node.op {
            Op::Input(range) => {
                Range::new(range.low.into(), range.high.into()).ok_or(fail("empty or too wide range"))?
            }
            Op::Affine(expr) => {
                if expr.terms.iter().any(|term| !matches!(term, Term::Linear { .. })) {
                    return Err(fail("an affine node with terms that are not linear"));
                }
                self.check_expr(circuit, id, node, expr, budget, weights_used, &mut gathers)?
            }
            Op::Rescale { expr, shift, low, bits } => {
                let range = self.check_expr(circuit, id, node, expr, budget, weights_used, &mut gathers)?;
                saturation = Some(
                    saturation_table(range, *shift, *low, *bits)
                        .ok_or(fail("shift, range or width do not fit the values"))?,
                );
                Range::new((*low).into(), rescale_high(*low, *bits).ok_or(fail("range out of bounds"))?)
                    .ok_or(fail("range out of bounds"))?
            }
            Op::Lookup { source, table } => {
                let from = usize::try_from(*source)
                    .ok()
                    .filter(|&source| source < id)
                    .ok_or(fail("source is not an earlier node"))?;
                let shape = circuit.nodes.get(from).map(|source| (source.rows, source.inner));
                if shape != Some((node.rows, node.inner)) {
                    return Err(fail("shape differs from the source's"));
                }
                let table = circuit.tables.get(*table as usize).ok_or(fail("no such table"))?;
                let argument = self.ranges.get(from).ok_or(fail("source is not an earlier node"))?;
                if !table.domain().is_some_and(|domain| domain.contains(argument.low) && domain.contains(argument.high))
                {
                    return Err(fail("arguments outside the table"));
                }
                table.range().ok_or(fail("empty table"))?
            }
        };
        self.ranges.push(range);
        self.gathers.push(gathers);
        self.saturation.push(saturation);
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // one call; a struct would only rename the arguments
    fn check_expr(
        &self,
        circuit: &Circuit,
        id: usize,
        node: &Node,
        expr: &Expr,
        budget: &mut Budget,
        weights_used: &mut BTreeSet<u32>,
        gathers: &mut Vec<Vec<Gather>>,
    ) -> Result<Range, CircuitError> {
        let fail = |reason| CircuitError::Node { node: id, reason };
        let overflow = CircuitError::Overflow { node: id };
        let mut gather = |view: &View| -> Result<(Gather, Range), CircuitError> {
            let from = usize::try_from(view.source)
                .ok()
                .filter(|&source| source < id)
                .ok_or(fail("a view's source is not an earlier node"))?;
            let (Some(source), Some(range)) = (circuit.nodes.get(from), self.ranges.get(from)) else {
                return Err(fail("a view's source is not an earlier node"));
            };
            let gather = Gather::new(view, node, source, budget.places)
                .ok_or(fail("a view does not fit its shapes, or is too large"))?;
            budget.charge(&gather, node).ok_or(fail("views read too many cells"))?;
            Ok((gather, range.with_zero()))
        };
        if expr.terms.is_empty() {
            return Err(fail("an expression without terms"));
        }
        let mut total = Range::new(expr.constant.into(), expr.constant.into()).ok_or(overflow.clone())?;
        for term in &expr.terms {
            let (range, used) = match term {
                Term::Linear { coefficient, view } => {
                    let (gather, range) = gather(view)?;
                    (range.sum(view.sum_len()).and_then(|range| range.times(*coefficient)), alloc::vec![gather])
                }
                Term::Contract { coefficient, weight, view } => {
                    // Before the view is worked out: the weight bounds how much it sums.
                    let weight_range = check_weight(circuit, *weight, node, view.sum_len(), weights_used)
                        .ok_or(fail("weight does not fit"))?;
                    let (gather, range) = gather(view)?;
                    let range = range.product(weight_range).and_then(|range| range.sum(view.sum_len()));
                    (range.and_then(|range| range.times(*coefficient)), alloc::vec![gather])
                }
                Term::Bias { coefficient, weight } => {
                    let range =
                        check_weight(circuit, *weight, node, 1, weights_used).ok_or(fail("bias does not fit"))?;
                    (range.times(*coefficient), Vec::new())
                }
                Term::Product { coefficient, left, right } => {
                    if !left.sum.is_empty() || !right.sum.is_empty() {
                        return Err(fail("a product with summed axes"));
                    }
                    let (left, right) = (gather(left)?, gather(right)?);
                    (left.1.product(right.1).and_then(|range| range.times(*coefficient)), alloc::vec![left.0, right.0])
                }
            };
            total = range.and_then(|range| total.plus(range)).ok_or(overflow.clone())?;
            gathers.push(used);
        }
        Ok(total)
    }
}

/// What is left of the limits on views.
struct Budget {
    places: u64,
    reads: u64,
}

impl Budget {
    /// Takes a view's share, or nothing if there is not enough.
    fn charge(&mut self, gather: &Gather, node: &Node) -> Option<()> {
        self.places = self.places.checked_sub(gather.places())?;
        self.reads = self.reads.checked_sub(gather.reads().max(node.len()))?;
        Some(())
    }
}

/// Bounds the size of everything before any work is done on it.
fn check_header(circuit: &Circuit, limits: &Limits) -> Result<(), CircuitError> {
    if !(4..=16).contains(&circuit.limb_bits) {
        return Err(CircuitError::LimbBits(circuit.limb_bits));
    }
    let counts = [
        ("nodes", circuit.nodes.len()),
        ("weight tensors", circuit.weights.len()),
        ("tables", circuit.tables.len()),
        ("inputs", circuit.inputs.len()),
        ("outputs", circuit.outputs.len()),
        (
            "terms",
            circuit
                .nodes
                .iter()
                .filter_map(|node| node.op.expr())
                .map(|expr| expr.terms.len())
                .fold(0, usize::saturating_add),
        ),
    ];
    for (what, count) in counts {
        if count > limits.items_max {
            return Err(CircuitError::Limit { what, limit: limits.items_max as u64 });
        }
    }
    let cells = circuit.nodes.iter().fold(0u64, |all, node| all.saturating_add(node.padded_len()));
    if cells > limits.cells_max {
        return Err(CircuitError::Limit { what: "cells", limit: limits.cells_max });
    }
    let weights = circuit.weights.iter().fold(0u64, |all, weight| all.saturating_add(weight.padded_len()));
    if weights > limits.weights_max {
        return Err(CircuitError::Limit { what: "weights", limit: limits.weights_max });
    }
    for (id, weight) in circuit.weights.iter().enumerate() {
        if weight.outputs == 0 || weight.taps == 0 || weight.channels == 0 || !(2..=16).contains(&weight.bits) {
            return Err(CircuitError::Weight(id));
        }
    }
    for (id, table) in circuit.tables.iter().enumerate() {
        let count = table.values.len();
        if !count.is_power_of_two() || count > 1 << 16 || table.low.unsigned_abs() > 1 << 32 {
            return Err(CircuitError::Table(id));
        }
    }
    Ok(())
}

/// The range of a weight that fits the node and the number of summed cells.
fn check_weight(circuit: &Circuit, weight: u32, node: &Node, sum_len: u64, used: &mut BTreeSet<u32>) -> Option<Range> {
    let spec = circuit.weights.get(weight as usize)?;
    used.insert(weight);
    let fits = spec.outputs == node.inner && u64::from(spec.taps).checked_mul(spec.channels.into())? == sum_len;
    fits.then(|| Range::signed(spec.bits)).flatten()
}

/// The saturation table of a rescale, or nothing if its parameters do not fit the range of its argument.
fn saturation_table(range: Range, shift: u8, low: i64, bits: u8) -> Option<SaturationTable> {
    let fits = (1..=16).contains(&bits) && shift <= 40 && low.unsigned_abs() <= 1 << 32;
    fits.then_some(())?;
    let half = if shift == 0 { 0 } else { 1i64.checked_shl(u32::from(shift).checked_sub(1)?)? };
    let excess = |value: i64| -> Option<i64> {
        let quotient = value.checked_add(half)?.checked_shr(shift.into())?;
        quotient.checked_sub(low)?.checked_shr(bits.into())
    };
    let (below, above) = (excess(range.low)?, excess(range.high)?);
    let table = (1..=16u8).find(|&width| {
        Range::signed(width).is_some_and(|excesses| excesses.contains(below) && excesses.contains(above))
    })?;
    let total = u32::from(shift).checked_add(bits.into())?.checked_add(table.into())?;
    (total <= 61).then_some(SaturationTable { bits: table })
}

/// Largest result of a rescale.
fn rescale_high(low: i64, bits: u8) -> Option<i128> {
    i128::from(low).checked_add(1i128.checked_shl(bits.into())?)?.checked_sub(1)
}

/// Inputs name all input nodes once; shapes and orders fit.
fn check_ports(circuit: &Circuit) -> Result<(), CircuitError> {
    let mut inputs = BTreeSet::new();
    for port in &circuit.inputs {
        let node = check_port(circuit, port)?;
        if !matches!(node.op, Op::Input(_)) || !inputs.insert(port.node) {
            return Err(CircuitError::Port { name: port.name.clone(), reason: "not an input node, or named twice" });
        }
    }
    if circuit.nodes.iter().filter(|node| matches!(node.op, Op::Input(_))).count() != inputs.len() {
        return Err(CircuitError::Port { name: String::new(), reason: "an input node without a name" });
    }
    if circuit.outputs.is_empty() {
        return Err(CircuitError::Port { name: String::new(), reason: "no output" });
    }
    for port in &circuit.outputs {
        check_port(circuit, port)?;
    }
    let names: BTreeSet<(bool, &str)> = circuit
        .inputs
        .iter()
        .map(|port| (true, port.name.as_str()))
        .chain(circuit.outputs.iter().map(|port| (false, port.name.as_str())))
        .collect();
    if names.len() != circuit.inputs.len().saturating_add(circuit.outputs.len()) {
        return Err(CircuitError::Port { name: String::new(), reason: "two ports of one name" });
    }
    Ok(())
}

fn check_port<'a>(circuit: &'a Circuit, port: &Port) -> Result<&'a Node, CircuitError> {
    let fail = |reason| CircuitError::Port { name: port.name.clone(), reason };
    let node = circuit.nodes.get(port.node as usize).ok_or(fail("no such node"))?;
    if super::view::product(&port.dims) != node.len() {
        return Err(fail("shape differs from the node's"));
    }
    let mut order = port.order.clone();
    order.sort_unstable();
    let permutation =
        order.len() == port.dims.len() && order.iter().enumerate().all(|(i, &axis)| i == usize::from(axis));
    if !permutation || port.dims.len() > 16 || port.name.len() > 256 {
        return Err(fail("order is not a permutation of at most 16 axes, or name too long"));
    }
    Ok(node)
}

impl Node {
    /// Number of cells with the inner axis padded to a power of two.
    pub fn padded_len(&self) -> u64 {
        u64::from(self.inner).next_power_of_two().saturating_mul(self.rows.into())
    }
}

impl Weight {
    /// Distance between two taps of one output: the number of channels, padded to a power of two if there are several taps.
    pub fn stride(&self) -> u64 {
        let channels = u64::from(self.channels);
        if self.taps == 1 { channels } else { channels.next_power_of_two() }
    }

    /// Number of cells of one output, padded to a power of two.
    pub fn padded_row(&self) -> u64 {
        self.stride().saturating_mul(self.taps.into()).min(1 << 40).next_power_of_two()
    }

    /// Number of cells as committed.
    pub fn padded_len(&self) -> u64 {
        u64::from(self.outputs).next_power_of_two().saturating_mul(self.padded_row())
    }

    /// Number of values.
    pub fn len(&self) -> u64 {
        u64::from(self.outputs).saturating_mul(self.taps.into()).saturating_mul(self.channels.into())
    }

    /// Whether there are no values; never so in a checked circuit.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Table {
    /// The arguments.
    pub fn domain(&self) -> Option<Range> {
        let high = i128::from(self.low).checked_add(i128::try_from(self.values.len()).ok()?)?.checked_sub(1)?;
        Range::new(self.low.into(), high)
    }

    /// The values.
    pub fn range(&self) -> Option<Range> {
        Some(Range { low: (*self.values.iter().min()?).into(), high: (*self.values.iter().max()?).into() })
    }
}
