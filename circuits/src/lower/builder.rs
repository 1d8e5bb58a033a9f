//! The circuit while it is built: nodes with the ranges that the verifier will compute for them, weights and tables.
use std::collections::BTreeMap;

use assay_verifier::circuit::{Expr, Node, NodeId, Op, Port, Range, Table, TableId, Weight, WeightId};

use crate::eval::Weights;

/// The parts of a circuit.
#[derive(Default)]
pub struct Builder {
    /// Nodes.
    pub nodes: Vec<Node>,
    /// For each node the values that its cells can take.
    pub ranges: Vec<Range>,
    /// Shapes and widths of the weights.
    pub weights: Vec<Weight>,
    /// Their values.
    pub values: Weights,
    /// Function tables.
    pub tables: Vec<Table>,
    /// Inputs.
    pub inputs: Vec<Port>,
    /// Outputs.
    pub outputs: Vec<Port>,
    known_tables: BTreeMap<(i64, Vec<i32>), TableId>,
    /// Weights of one shape.
    known_weights: BTreeMap<[u32; 3], Vec<WeightId>>,
}

impl Builder {
    /// Adds a node.
    pub fn node(&mut self, (rows, inner): (u32, u32), op: Op, range: Range) -> NodeId {
        self.nodes.push(Node { rows, inner, op });
        self.ranges.push(range);
        (self.nodes.len() - 1) as NodeId
    }

    /// Takes back all nodes from a place on; they must not have weights or tables of their own.
    pub fn truncate(&mut self, nodes: usize) {
        self.nodes.truncate(nodes);
        self.ranges.truncate(nodes);
    }

    /// Adds an affine node.
    pub fn affine(&mut self, shape: (u32, u32), expr: Expr, range: Range) -> NodeId {
        self.node(shape, Op::Affine(expr), range)
    }

    /// Adds a rescale node. The parameters must be within the verifier's bounds ([`excess_bits`]).
    pub fn rescale(&mut self, shape: (u32, u32), expr: Expr, shift: u8, low: i64, bits: u8) -> NodeId {
        let range = Range { low, high: low + (1 << bits) - 1 };
        self.node(shape, Op::Rescale { expr, shift, low, bits }, range)
    }

    /// Shape of a node.
    pub fn shape(&self, node: NodeId) -> (u32, u32) {
        let node = &self.nodes[node as usize];
        (node.rows, node.inner)
    }

    /// Range of a node.
    pub fn range(&self, node: NodeId) -> Range {
        self.ranges[node as usize]
    }

    /// Adds a weight tensor with the smallest width that holds its values, or finds it; returns its range too.
    pub fn weight(&mut self, outputs: u32, taps: u32, channels: u32, values: Vec<i16>) -> (WeightId, Range) {
        let fits = |bits: &u8| {
            let half = 1i32 << (bits - 1);
            values.iter().all(|&value| (-half..half).contains(&value.into()))
        };
        let bits = (2..=16).find(fits).unwrap_or(16);
        let half = 1i64 << (bits - 1);
        let range = Range { low: -half, high: half - 1 };
        let alike = self.known_weights.entry([outputs, taps, channels]).or_default();
        if let Some(&found) = alike.iter().find(|&&known| self.values[known as usize] == values) {
            return (found, range);
        }
        let weight = self.weights.len() as WeightId;
        alike.push(weight);
        self.weights.push(Weight { outputs, taps, channels, bits });
        self.values.push(values);
        (weight, range)
    }

    /// Adds a table, or finds it.
    pub fn table(&mut self, low: i64, values: Vec<i32>) -> TableId {
        let tables = &mut self.tables;
        *self.known_tables.entry((low, values.clone())).or_insert_with(|| {
            tables.push(Table { low, values });
            (tables.len() - 1) as TableId
        })
    }
}

/// Width of the saturation table that the verifier derives for a rescale; nothing if it refuses the parameters.
pub fn excess_bits(range: Range, shift: u8, low: i64, bits: u8) -> Option<u8> {
    if !(1..=40).contains(&bits) || shift > 40 || low.unsigned_abs() > 1 << 40 {
        return None;
    }
    let half = if shift == 0 { 0 } else { 1i64 << (shift - 1) };
    let excess = |value: i64| (((value + half) >> shift) - low) >> bits;
    let fits = |width: &u8| {
        let limit = 1i64 << (width - 1);
        (-limit..limit).contains(&excess(range.low)) && (-limit..limit).contains(&excess(range.high))
    };
    let table = (1..=16u8).find(fits)?;
    (u32::from(shift) + u32::from(bits) + u32::from(table) <= 61).then_some(table)
}
