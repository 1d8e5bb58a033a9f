//! The size of the constraint system: how many rows and columns of each kind.
//!
//! The shape is part of the key. A prover chooses it by a cost model; whatever it chooses, the constraints are the same, only
//! laid out over other rows. What a shape may be at most is checked before anything is allocated for it.
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::circuit::{CheckedCircuit, Gather, Indices, Node, Op, Term, product};

/// Looked-up cells in one lane.
pub const SLOTS: usize = 4;
/// Highest degree of a constraint.
pub const DEGREE_MAX: usize = 9;
/// Least and largest logarithm of the number of rows.
pub const K_MIN: u8 = 5;
/// See [`K_MIN`].
pub const K_MAX: u8 = 22;
/// Rows at the end of a column that hold no content: blinding factors and the end of the running sums.
pub const RESERVED: usize = 8;
/// Most lanes.
pub const LANES_MAX: u8 = 32;
/// Most cells read in one row: their multiplier enters with that power.
pub const READS_MAX: u8 = 8;
/// Public values in one instance column. More of them take more columns, because verification takes time for each row.
pub const INSTANCE_ROWS: usize = 512;
/// Most instance columns.
pub const INSTANCES_MAX: usize = 64;
/// Logarithm of the largest table for the last limb of a rescaled value and the excess above it.
pub const TOP_BITS_MAX: u8 = 16;
/// Most columns of weights.
pub const WEIGHTS_MAX: u8 = 64;
/// Most tables side by side.
pub const TABLES_MAX: u8 = 32;
/// Most columns of private inputs.
pub const INPUTS_MAX: u8 = 16;

/// Numbers of rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// There are `2^k` rows.
    pub k: u8,
    /// Width of the largest limb.
    pub limb_bits: u8,
    /// Number of lanes, each a range-checked cell in a row.
    pub lanes: u8,
    /// Cells read in one row.
    pub reads: u8,
    /// Columns of weights.
    pub weights: u8,
    /// Lookup tables side by side.
    pub tables: u8,
    /// Columns of private inputs; 0 if inputs are public.
    pub inputs: u8,
    /// Highest degree of a constraint.
    pub degree: u8,
}

/// A number of a shape that is out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{what} of {value} is not within {low} to {high}")]
pub struct ShapeError {
    /// Which number.
    pub what: &'static str,
    /// What it is.
    pub value: u8,
    /// Least.
    pub low: u8,
    /// Largest.
    pub high: u8,
}

impl Shape {
    /// Checks all numbers against their limits.
    ///
    /// # Errors
    /// The first number that is out of bounds.
    pub fn check(&self) -> Result<(), ShapeError> {
        let weights = if self.weights == 0 { 0 } else { 1 };
        for (what, value, low, high) in [
            ("k", self.k, K_MIN, K_MAX),
            ("limb width", self.limb_bits, 4, 16),
            ("number of lanes", self.lanes, 1, LANES_MAX),
            ("number of reads", self.reads, 2, READS_MAX),
            ("number of weight columns", self.weights, weights, WEIGHTS_MAX),
            ("number of tables", self.tables, 1, TABLES_MAX),
            ("number of input columns", self.inputs, 0, INPUTS_MAX),
            ("degree", self.degree, 5, 9),
            // The multiplier of the reads enters with their number as its power, as powers of its square.
            ("number of reads for the degree", self.reads, 2, self.degree.saturating_sub(2).saturating_mul(2)),
        ] {
            if !(low..=high).contains(&value) {
                return Err(ShapeError { what, value, low, high });
            }
        }
        Ok(())
    }

    /// Whether the square of the reads' multiplier has a column of its own, so that its powers have half the degree.
    pub fn squares(&self) -> bool {
        self.reads > self.degree.saturating_sub(2)
    }

    /// Fractions that one running sum of the lookups takes in: the sum's own difference and the selector have one degree each.
    pub fn fractions_per_sum(&self) -> usize {
        usize::from(self.degree).saturating_sub(2).max(1)
    }

    /// Fractions of all lookups and tables.
    pub fn fractions(&self) -> usize {
        usize::from(self.lanes).saturating_mul(SLOTS).saturating_add(self.tables.into())
    }

    /// Number of running sums of the lookups.
    pub fn sums(&self) -> usize {
        self.fractions().div_ceil(self.fractions_per_sum())
    }
}

/// What is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visibility {
    /// Whether inputs are hidden; then the statement holds a commitment to them.
    pub private_input: bool,
    /// Whether weights are hidden; then the key holds commitments to them.
    pub private_weights: bool,
}

/// Which constraints a circuit needs beyond those that all have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Function tables.
    pub functions: bool,
    /// Rows of weights that a public input selects.
    pub members: bool,
    /// Numbers in a range of their own.
    pub numbers: bool,
    /// Rescaled values whose remainder is a number of its own.
    pub wide: bool,
    /// Values that are their own accumulators.
    pub plain: bool,
    /// Numbers that are flagged as zero.
    pub flags: bool,
    /// Products of cells that are read.
    pub pairs: bool,
    /// Columns of public values.
    pub instances: usize,
    /// How many cells of a vector's first row hold none of its private weights: bit `n` is set if that is `n` for a vector.
    pub pads: u64,
}

/// The numbers of cells that fill up the first rows of the vectors of weights that a node uses, as bits.
fn pads(circuit: &CheckedCircuit, id: usize, node: &Node, columns: u8) -> u64 {
    let mut pads = 0u64;
    for expression in circuit.expressions(id) {
        for (index, term) in expression.expr.terms.iter().enumerate() {
            let length = match term {
                // Depthwise: each weight is a vector of its own.
                Term::Contract { .. } if expression.gathers(index).iter().any(Gather::uses_inner) => 1,
                Term::Contract { .. } | Term::Bias { .. } | Term::Select { .. } => node.inner,
                Term::Linear { .. } | Term::Product { .. } => continue,
            };
            let columns = u32::from(columns).max(1);
            let pad = length.div_ceil(columns).saturating_mul(columns).saturating_sub(length);
            pads |= 1u64.checked_shl(pad).unwrap_or(0);
        }
    }
    pads & !1
}

/// Whether a rescaled value's remainder is a number of its own: two limbs do not hold it, or the last limb's table would be too large.
pub fn is_wide(shift: u8, bits: u8, excess_bits: u8, limb_bits: u8) -> bool {
    shift > limb_bits.saturating_mul(2) || bits.saturating_sub(limb_bits).saturating_add(excess_bits) > TOP_BITS_MAX
}

impl Features {
    /// What a circuit needs.
    pub fn of(circuit: &CheckedCircuit, shape: &Shape, visibility: Visibility) -> Self {
        let limb_bits = shape.limb_bits;
        let mut features = Self { numbers: visibility.private_input, ..Self::default() };
        let description = circuit.circuit();
        let public = description.inputs.iter().filter(|_| !visibility.private_input).chain(&description.outputs);
        let cells = public.fold(0u64, |all, port| all.saturating_add(product(&port.dims)));
        features.instances = usize::try_from(cells).unwrap_or(usize::MAX).div_ceil(INSTANCE_ROWS).max(1);
        for (id, node) in description.nodes.iter().enumerate() {
            let excess_bits = circuit.saturation(id).map_or(0, |table| table.bits);
            features.wide |=
                matches!(node.op, Op::Rescale { shift, bits, .. } if is_wide(shift, bits, excess_bits, limb_bits));
            features.numbers |= matches!(node.op, Op::Quotient { .. } | Op::Root(_) | Op::Max { .. });
            features.plain |= matches!(node.op, Op::Affine(_));
            features.flags |= matches!(node.op, Op::Max { .. });
            features.pairs |= matches!(node.op, Op::Root(_));
            features.pairs |= circuit
                .expressions(id)
                .iter()
                .any(|expression| expression.expr.terms.iter().any(|term| matches!(term, Term::Product { .. })));
            if visibility.private_weights {
                features.pads |= pads(circuit, id, node, shape.weights);
            }
            features.functions |= matches!(node.op, Op::Lookup { .. });
            features.members |= node.op.expr().is_some_and(|expr| {
                expr.terms.iter().any(|term| matches!(term, Term::Select { indices: Indices::Input(_), .. }))
            });
        }
        features.numbers |= features.wide;
        features.plain |= features.numbers;
        features
    }
}
