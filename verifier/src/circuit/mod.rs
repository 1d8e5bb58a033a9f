//! The circuit description: what is computed, as plain data.
//!
//! A circuit is a list of nodes in topological order. Each node defines one integer tensor from earlier ones by one
//! relation. The description holds relations, shapes, scales and function tables; it holds no weights. Its digest is
//! the identity of the circuit ([`Circuit::digest`]).
//!
//! # Shapes
//! Every tensor is a matrix of `rows` times `inner` cells, row-major. The *inner* axis is the one that proofs pad to a
//! power of two (channels of an image, features of a vector); the rows are everything else (pixels, tokens) and are never
//! padded. A cell's *flat index* is `row * inner_len + inner_index`. Logical axes exist only inside a [`View`].
mod bracket;
mod check;
mod expression;
mod gather;
mod node;
mod pairing;
mod ports;
mod range;
mod sizes;
mod view;

pub use bracket::{Bracket, Maximum};
pub use check::{CheckedCircuit, CircuitError, Limits, SaturationTable};
pub use expression::Expression;
pub use gather::{Gather, Pass};
pub use pairing::{Pairing, Sharing, Side};
pub use range::Range;
pub(crate) use view::product;
pub use view::{AxisMap, View};

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::digest::{CircuitDigest, digest};
use crate::wire;

/// Position of a node in [`Circuit::nodes`]; it names the tensor that the node defines.
pub type NodeId = u32;
/// Position of a weight tensor in [`Circuit::weights`].
pub type WeightId = u32;
/// Position of a function table in [`Circuit::tables`].
pub type TableId = u32;

/// A circuit description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// Widest limb in bits that range checks are cut into (and so the largest range table), 4 to 16.
    pub limb_bits: u8,
    /// Shapes and widths of the weight tensors. Their values are committed in the key.
    pub weights: Vec<Weight>,
    /// Function tables.
    pub tables: Vec<Table>,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// Public inputs, each naming an [`Op::Input`] node; every input node is named exactly once.
    pub inputs: Vec<Port>,
    /// Public outputs.
    pub outputs: Vec<Port>,
}

/// One tensor and the relation that defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Number of rows.
    pub rows: u32,
    /// Length of the inner axis.
    pub inner: u32,
    /// The relation.
    pub op: Op,
}

/// The relation that defines a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// A public input; its cells lie in the range, which the verifier checks itself.
    Input(Range),
    /// `y = expr`, exactly, of linear terms only. Never committed: claims on it pass through to what it is made of. Reshape, transpose, slice,
    /// pad, concat and sums without rescaling.
    Affine(Expr),
    /// `y = clamp(floor((expr + 2^(shift-1)) / 2^shift), low, low + 2^bits - 1)`; with `shift = 0`, `y = clamp(expr, ..)`.
    Rescale {
        /// What is rescaled.
        expr: Expr,
        /// Number of bits shifted out, rounding half up.
        shift: u8,
        /// Smallest value of the result.
        low: i64,
        /// The result takes `2^bits` values; 1 to 40.
        bits: u8,
    },
    /// `y = table[x]`, cell by cell; same rows and inner as the source.
    Lookup {
        /// The tensor that is looked up.
        source: NodeId,
        /// The table.
        table: TableId,
    },
    /// `y = floor(numerator / denominator)`, cell by cell.
    Quotient {
        /// What is divided.
        numerator: Expr,
        /// What it is divided by: values of at least 1, without summed axes and padding.
        denominator: View,
    },
    /// `y = floor(sqrt(expr))`, cell by cell, of values of at least 0.
    Root(Expr),
    /// The largest of several cells. The source has a multiple of the rows: `y[p, o] = max_k x[p * window + k, o]`. Where the
    /// result's inner length is 1 and the source's is not, the maximum is taken over the inner axis too.
    Max {
        /// The tensor whose cells are compared.
        source: NodeId,
    },
}

/// A sum of terms plus a constant; each term is a tensor of the node's shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expr {
    /// Added to every cell.
    pub constant: i64,
    /// The terms.
    pub terms: Vec<Term>,
}

/// One summand of an [`Expr`]. `p` is the row and `o` the inner index of the result, `s` the view's summed axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Term {
    /// `coefficient * sum_s x[view(p, o, s)]`
    Linear {
        /// Multiplier.
        coefficient: i64,
        /// Which cells of which tensor.
        view: View,
    },
    /// `coefficient * sum_s W[o, s] * x[view(p, o, s)]`: products with weights (dense layers, convolutions, scales).
    Contract {
        /// Multiplier.
        coefficient: i64,
        /// The weights; `weight.outputs` equals the node's inner length, `taps * channels` the number of summed cells, and
        /// the flat index over the view's summed axes is `tap * channels + channel`.
        weight: WeightId,
        /// Which cells of which tensor.
        view: View,
    },
    /// `coefficient * W[o]`: a bias, the same for all rows. The weight has one tap and one channel.
    Bias {
        /// Multiplier.
        coefficient: i64,
        /// The weights.
        weight: WeightId,
    },
    /// `coefficient * W[index[p], o]`: a row of a weight tensor for each row of the result. The weight has one tap, and the
    /// node's inner length in channels.
    Select {
        /// Multiplier.
        coefficient: i64,
        /// The weights.
        weight: WeightId,
        /// Which of the weight's outputs each row takes.
        indices: Indices,
    },
    /// `coefficient * sum_s a[left(p, o, s)] * b[right(p, o, s)]`; both views have the same axes and the same summed axes.
    Product {
        /// Multiplier.
        coefficient: i64,
        /// First factor.
        left: View,
        /// Second factor.
        right: View,
    },
}

/// Where the indices of a [`Term::Select`] come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Indices {
    /// The description: one for each row.
    Constant(Vec<u32>),
    /// A public input with one cell for each row.
    Input(NodeId),
}

/// Shape and width of a weight tensor `[outputs, taps, channels]` of signed integers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weight {
    /// Length of the first axis: the inner axis of the node that uses it.
    pub outputs: u32,
    /// Number of kernel positions (1 for a dense layer).
    pub taps: u32,
    /// Number of channels at each kernel position.
    pub channels: u32,
    /// Values lie in `[-2^(bits-1), 2^(bits-1))`; 2 to 16.
    pub bits: u8,
}

/// A function on integers: `f(low + i) = values[i]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Smallest argument.
    pub low: i64,
    /// Values; a power of two of them, at most `2^16`.
    pub values: Vec<i32>,
}

/// A named public tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Name in the model.
    pub name: String,
    /// The node that holds it.
    pub node: NodeId,
    /// Shape in the model.
    pub dims: Vec<u32>,
    /// Order in which the node's flat index runs over the model's axes: axis `order[0]` is the slowest. A permutation.
    pub order: Vec<u8>,
    /// The real value of a cell is `integer * 2^-scale`.
    pub scale: i8,
}

impl Circuit {
    /// The identity of the circuit.
    pub fn digest(&self) -> CircuitDigest {
        CircuitDigest(digest("assay circuit v1", &wire::bytes(self)))
    }
}

impl Port {
    /// The integer of a real value: the nearest one at the port's scale, halves away from zero. Nothing if it is outside of the range.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and ranges lie within the integers that it gives"
    )]
    pub fn quantize(&self, range: Range, value: f64) -> Option<i64> {
        let scaled = libm::round(value * libm::ldexp(1.0, self.scale.into()));
        (value.is_finite() && range.contains(scaled as i64)).then_some(scaled as i64)
    }

    /// Values in the model's order, put in the node's order. Positions that are missing become zero.
    pub fn to_node_order<T: Copy + Default>(&self, values: &[T]) -> Vec<T> {
        self.model_order().iter().map(|&at| values.get(at as usize).copied().unwrap_or_default()).collect()
    }

    /// Values in the node's order, put in the model's order. Positions that are missing become zero.
    pub fn to_model_order<T: Copy + Default>(&self, cells: &[T]) -> Vec<T> {
        let mut values = alloc::vec![T::default(); cells.len()];
        for (&at, &cell) in self.model_order().iter().zip(cells) {
            if let Some(value) = values.get_mut(at as usize) {
                *value = cell;
            }
        }
        values
    }

    /// For each flat index of the node, the flat index in the model's own row-major order.
    pub fn model_order(&self) -> Vec<u32> {
        let mut stride = 1u32;
        let mut strides: Vec<u32> = self
            .dims
            .iter()
            .rev()
            .map(|&dim| {
                let this = stride;
                stride = stride.saturating_mul(dim);
                this
            })
            .collect();
        strides.reverse();
        let mut index: Vec<u32> = alloc::vec![0];
        for &axis in &self.order {
            let axis = usize::from(axis);
            let (Some(&dim), Some(&step)) = (self.dims.get(axis), strides.get(axis)) else { return Vec::new() };
            index = index
                .iter()
                .flat_map(|&base| (0..dim).map(move |i| base.saturating_add(i.saturating_mul(step))))
                .collect();
        }
        index
    }
}
