//! What a circuit will cost to prove, and the choice of the limb width that makes it cheapest.
//!
//! Proofs are paid for in *cells*: looked-up limbs of rescaled values, looked-up functions, and entries of tables. The
//! unit costs below are the only place where time and memory are guessed.
use std::collections::BTreeSet;

use assay_verifier::circuit::{CheckedCircuit, Circuit, Op};
use assay_verifier::sumcheck::layout::Layout;
use assay_verifier::sumcheck::weights::WeightStacks;
use serde::{Deserialize, Serialize};

/// Proving time of one cell in microseconds.
const CELL_US: f64 = 0.3;
/// Proving time of one committed weight in microseconds.
const WEIGHT_US: f64 = 0.022;
/// Proving time of anything at all in microseconds.
const FLOOR_US: f64 = 5_000.0;
/// Memory of one cell in bytes.
const CELL_BYTES: f64 = 400.0;
/// Memory of one committed weight in bytes.
const WEIGHT_BYTES: f64 = 70.0;
/// Memory of anything at all in bytes.
const FLOOR_BYTES: f64 = 10e6;
/// Bytes of an opening, as measured: at a number of variables, and for each further one.
const WITNESS_OPENING: (f64, f64) = (81e3, 7.5e3);
/// The same for stacks of weights up to `2^19`.
const WEIGHTS_OPENING: (f64, f64) = (82e3, 6.2e3);
/// The same for larger ones.
const LARGE_WEIGHTS_OPENING: (f64, f64) = (160e3, 8e3);
/// Number of variables that the openings are given at: witness, weights, large weights.
const OPENING_VARIABLES: (f64, f64, f64) = (17.0, 19.0, 20.0);
/// Bytes of a field element in a message.
const ELEMENT_BYTES: f64 = 16.0;

/// What a circuit consists of, as the prover pays for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Looked-up limbs and functions, inner axes padded.
    pub cells: u64,
    /// Entries of all tables.
    pub table_entries: u64,
    /// Weights as committed, padded.
    pub weights: u64,
}

/// What proving is expected to take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Proving time in milliseconds.
    pub prove_duration_ms: f64,
    /// Peak memory in bytes.
    pub memory_bytes: u64,
    /// Proof size in bytes.
    pub proof_size_bytes: u64,
}

/// Size of a circuit with limbs of some width.
pub fn size(checked: &CheckedCircuit, limb_bits: u8) -> Size {
    let circuit = checked.circuit();
    let mut widths = BTreeSet::new();
    let mut excesses = BTreeSet::new();
    let mut zeros = BTreeSet::new();
    let mut functions = BTreeSet::new();
    let mut cells = 0u64;
    for (id, node) in circuit.nodes.iter().enumerate() {
        let mut limbs = |width: u8| {
            widths.extend((width >= limb_bits).then_some(limb_bits));
            widths.extend(Some(width % limb_bits).filter(|&rest| rest > 0));
            u64::from(width.div_ceil(limb_bits))
        };
        let columns = match &node.op {
            Op::Rescale { shift, bits, .. } => {
                excesses.extend(checked.saturation(id).map(|table| table.bits));
                limbs(*shift) + limbs(*bits) + 1
            }
            Op::Lookup { table, .. } => {
                functions.insert(*table);
                1
            }
            Op::Quotient { .. } | Op::Root(_) => {
                checked.bracket(id).map_or(0, |facts| limbs(facts.bits) + 2 * limbs(facts.check_bits))
            }
            Op::Max { source } => {
                let facts = checked.maximum(id);
                zeros.extend(facts.map(|facts| facts.bits));
                widths.extend(facts.map(|facts| facts.count_bits));
                cells += circuit.nodes[*source as usize].padded_len();
                1
            }
            Op::Input(_) | Op::Affine(_) => 0,
        };
        cells += node.padded_len() * columns;
    }
    let ranges: u64 = widths.iter().chain(&excesses).chain(&zeros).map(|&width| 1u64 << width).sum();
    let tables: u64 = functions.iter().map(|&table| circuit.tables[table as usize].values.len() as u64).sum();
    let weights = circuit.weights.iter().map(|weight| weight.padded_len()).sum();
    Size { cells, table_entries: ranges + tables, weights }
}

/// The limb width with which the circuit is smallest; the widest of several.
pub fn choose_limb_bits(checked: &CheckedCircuit) -> u8 {
    let total = |limb_bits: u8| {
        let size = size(checked, limb_bits);
        size.cells + size.table_entries
    };
    (4..=16).rev().min_by_key(|&limb_bits| total(limb_bits)).unwrap_or(8)
}

/// What proving a circuit is expected to take.
pub fn predict(checked: &CheckedCircuit, size: &Size) -> Prediction {
    let cells = (size.cells + size.table_entries) as f64;
    let weights = size.weights as f64;
    Prediction {
        prove_duration_ms: (cells * CELL_US + weights * WEIGHT_US + FLOOR_US) / 1000.0,
        memory_bytes: (cells * CELL_BYTES + weights * WEIGHT_BYTES + FLOOR_BYTES) as u64,
        proof_size_bytes: proof_size(checked) as u64,
    }
}

/// Openings of the witness and of each stack of weights, and the messages: most of them three for each round of a lookup layer.
fn proof_size(checked: &CheckedCircuit) -> f64 {
    let layout = Layout::new(checked);
    let opening = |(bytes, more): (f64, f64), at: f64, variables: usize| bytes + more * (variables as f64 - at);
    let (witness, small, large) = OPENING_VARIABLES;
    let weights = |variables: usize| match variables {
        0..=19 => opening(WEIGHTS_OPENING, small, variables),
        _ => opening(LARGE_WEIGHTS_OPENING, large, variables),
    };
    let stacks = WeightStacks::new(checked.circuit());
    let openings: f64 = stacks.shapes.iter().map(|shape| weights(shape.variables())).sum();
    let layers = layout.leaf_variables as f64;
    let rounds = 1.5 * layers * layers + 4.0 * layers + 6.0 * layout.stack_variables as f64;
    opening(WITNESS_OPENING, witness, layout.stack_variables) + openings + ELEMENT_BYTES * rounds
}

/// Number of parameters: weights before padding.
pub fn parameters(circuit: &Circuit) -> u64 {
    circuit.weights.iter().map(|weight| weight.len()).sum()
}
