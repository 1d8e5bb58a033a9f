//! What a circuit will cost to prove, and the choice of the limb width that makes it cheapest.
//!
//! Proofs are paid for in *cells*: looked-up limbs of rescaled values, looked-up functions, and entries of tables. The
//! unit costs below are the only place where time and memory are guessed.
use std::collections::BTreeSet;

use assay_verifier::circuit::{CheckedCircuit, Circuit, Op};
use serde::{Deserialize, Serialize};

/// Proving time of one cell in microseconds.
const CELL_US: f64 = 0.3;
/// Proving time of one committed weight in microseconds.
const WEIGHT_US: f64 = 0.015;
/// Proving time of anything at all in microseconds.
const FLOOR_US: f64 = 8_000.0;
/// Memory of one cell in bytes.
const CELL_BYTES: f64 = 100.0;
/// Memory of one committed weight in bytes.
const WEIGHT_BYTES: f64 = 50.0;
/// Memory of anything at all in bytes.
const FLOOR_BYTES: f64 = 30e6;
/// Proof size apart from its growth, in bytes.
const PROOF_BYTES: f64 = 100e3;
/// Growth of the proof for each doubling of the cells, in bytes.
const PROOF_BYTES_PER_DOUBLING: f64 = 4e3;

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
    let mut functions = BTreeSet::new();
    let mut cells = 0u64;
    for (id, node) in circuit.nodes.iter().enumerate() {
        let columns = match &node.op {
            Op::Rescale { shift, bits, .. } => {
                excesses.extend(checked.saturation(id).map(|table| table.bits));
                for width in [*shift, *bits] {
                    widths.extend((width >= limb_bits).then_some(limb_bits));
                    widths.extend(Some(width % limb_bits).filter(|&rest| rest > 0));
                }
                u64::from(shift.div_ceil(limb_bits)) + u64::from(bits.div_ceil(limb_bits)) + 1
            }
            Op::Lookup { table, .. } => {
                functions.insert(*table);
                1
            }
            Op::Input(_) | Op::Affine(_) => 0,
        };
        cells += node.padded_len() * columns;
    }
    let ranges: u64 = widths.iter().chain(&excesses).map(|&width| 1u64 << width).sum();
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

/// What proving a circuit of some size is expected to take.
pub fn predict(size: &Size) -> Prediction {
    let cells = (size.cells + size.table_entries) as f64;
    let weights = size.weights as f64;
    Prediction {
        prove_duration_ms: (cells * CELL_US + weights * WEIGHT_US + FLOOR_US) / 1000.0,
        memory_bytes: (cells * CELL_BYTES + weights * WEIGHT_BYTES + FLOOR_BYTES) as u64,
        proof_size_bytes: (PROOF_BYTES + PROOF_BYTES_PER_DOUBLING * libm::log2(cells + 1.0)) as u64,
    }
}

/// Number of parameters: weights before padding.
pub fn parameters(circuit: &Circuit) -> u64 {
    circuit.weights.iter().map(|weight| weight.len()).sum()
}
