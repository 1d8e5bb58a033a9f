//! Checks a description once and keeps what follows from it: value ranges, worked-out views, table widths.
//!
//! # Soundness
//! The argument that nothing wraps in the field rests on the bounds computed here: every expression stays below `2^61` in
//! absolute value for all values that ranges and tables allow, and a rescale's decomposition is injective below `2^61`.
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use thiserror::Error;

use super::expression::Scope;
use super::node::{Facts, check_node};
use super::ports::check_ports;
use super::{Bracket, Circuit, Expression, Maximum, NodeId, Range};
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
    facts: Vec<Facts>,
}

impl CheckedCircuit {
    /// Checks a description.
    ///
    /// # Errors
    /// The first fault found.
    pub fn new(circuit: Circuit, limits: &Limits) -> Result<Self, CircuitError> {
        check_header(&circuit, limits)?;
        let mut budget = Budget { places: limits.places_max, reads: limits.reads_max };
        let mut weights_used = BTreeSet::new();
        let mut ranges = Vec::with_capacity(circuit.nodes.len());
        let mut facts = Vec::with_capacity(circuit.nodes.len());
        for (id, node) in circuit.nodes.iter().enumerate() {
            let mut scope = Scope {
                circuit: &circuit,
                id,
                node,
                ranges: &ranges,
                own: None,
                budget: &mut budget,
                weights_used: &mut weights_used,
            };
            let (range, found) = check_node(&mut scope)?;
            ranges.push(range);
            facts.push(found);
        }
        if weights_used.len() != circuit.weights.len() {
            return Err(CircuitError::Limit { what: "weights that nothing uses", limit: 0 });
        }
        check_ports(&circuit)?;
        Ok(Self { digest: circuit.digest(), circuit, ranges, facts })
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

    /// The expressions of a node: one of an affine or rescale node, and of a quotient or root the two that must not be
    /// negative. The first terms of those, up to the product with the node itself, are the node's own expression.
    pub fn expressions(&self, node: usize) -> &[Expression] {
        self.facts.get(node).map_or(&[], |facts| &facts.expressions)
    }

    /// The saturation table of a rescale node.
    pub fn saturation(&self, node: usize) -> Option<SaturationTable> {
        self.facts.get(node)?.saturation
    }

    /// How a quotient or root is committed and checked.
    pub fn bracket(&self, node: usize) -> Option<Bracket> {
        self.facts.get(node)?.bracket
    }

    /// How a maximum is checked.
    pub fn maximum(&self, node: usize) -> Option<Maximum> {
        self.facts.get(node)?.maximum
    }
}

/// What is left of the limits on views.
pub(super) struct Budget {
    pub places: u64,
    reads: u64,
}

impl Budget {
    /// Takes a view's share, or nothing if there is not enough.
    pub fn charge(&mut self, places: u64, reads: u64) -> Option<()> {
        self.places = self.places.checked_sub(places)?;
        self.reads = self.reads.checked_sub(reads)?;
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
                .map(|node| node.op.expr().map_or(0, |expr| expr.terms.len()))
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
