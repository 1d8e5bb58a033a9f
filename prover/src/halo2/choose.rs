//! The cost model: which shape proves a circuit in the least time.
//!
//! A proof commits to every column, transforms it to a larger domain, and evaluates all constraints there. Columns of small integers commit
//! several times faster than columns of field elements. A higher degree lets one row read more cells, one running sum take in more lookups and
//! one product more copies, but the domain grows with it, and the quotient has one more piece. More rows make everything slower, fewer
//! rows need more columns. The model counts these, with costs measured once; only their ratios matter for the choice.
use std::collections::BTreeMap;

use assay_verifier::circuit::CheckedCircuit;
use assay_verifier::halo2::shape::{
    Features, K_MAX, K_MIN, LANES_MAX, READS_MAX, SLOTS, Shape, TABLES_MAX, Visibility, WEIGHTS_MAX,
};

use super::layout::{Layout, RESERVED, vector_len};
use super::program::{Program, ProgramError};

/// Nanoseconds on two cores of any commitment.
const COMMIT: f64 = 3e6;
/// And for each row of a column of field elements.
const COMMIT_LARGE: f64 = 2300.0;
/// And for each row of small integers.
const COMMIT_SMALL: f64 = 400.0;
/// One transform, for each row and doubling.
const TRANSFORM: f64 = 26.0;
/// Evaluation of one product of a constraint at one point.
const EVALUATE: f64 = 40.0;
/// Widths of limbs that are tried.
const LIMB_BITS: std::ops::RangeInclusive<u8> = 6..=16;
/// Largest proof in bytes that is chosen if there is a choice.
const PROOF_BYTES: f64 = 5800.0;
/// What a longer one costs in nanoseconds for each byte.
const BYTE: f64 = 3e6;

/// Lengths of what a program lays out, whatever the shape.
struct Lengths {
    blocks: Vec<usize>,
    runs: BTreeMap<usize, usize>,
    vectors: BTreeMap<usize, usize>,
    /// Rows that do not depend on the shape.
    layout: super::layout::Heights,
    tables: usize,
    private: usize,
}

impl Lengths {
    fn new(program: &Program, checked: &CheckedCircuit, limb_bits: u8) -> Self {
        // One lane, read and column each: heights are lengths.
        let one = Shape { k: K_MIN, limb_bits, lanes: 1, reads: 1, weights: 1, tables: 1, inputs: 1, degree: 5 };
        let layout = Layout::new(program, checked.circuit(), one).heights;
        let mut runs = BTreeMap::new();
        for run in &program.runs {
            *runs.entry(run.cells.len()).or_default() += 1;
        }
        let mut vectors = BTreeMap::new();
        for vector in &program.vectors {
            let weight = &checked.circuit().weights[vector.weight as usize];
            *vectors.entry(vector_len(weight, vector)).or_default() += 1;
        }
        Self {
            blocks: program.blocks.iter().map(|block| block.len).collect(),
            runs,
            vectors,
            tables: layout.tables,
            private: layout.inputs,
            layout,
        }
    }

    /// The fewest columns of each kind with which everything fits.
    fn fit(&self, mut shape: Shape) -> Option<Shape> {
        let rows = (1usize << shape.k) - RESERVED;
        let least = |most: u8, fits: &dyn Fn(usize) -> bool| (1..=most).find(|&count| fits(count.into()));
        let stacked = |lengths: &BTreeMap<usize, usize>, width: usize| -> usize {
            lengths.iter().map(|(length, count)| length.div_ceil(width) * count).sum()
        };
        let dots = self.layout.dots;
        let fixed = self.layout.constants.max(self.layout.instance);
        let reads = stacked(&self.runs, shape.reads.into()) + self.layout.powers;
        if fixed > rows || reads + dots > rows {
            return None;
        }
        shape.lanes =
            least(LANES_MAX, &|lanes| self.blocks.iter().map(|len| len.div_ceil(lanes)).sum::<usize>() <= rows)?;
        shape.tables = least(TABLES_MAX, &|tables| self.tables.div_ceil(tables) <= rows)?;
        if self.vectors.is_empty() {
            shape.weights = 0;
        } else {
            shape.weights = least(WEIGHTS_MAX, &|width| stacked(&self.vectors, width) + dots <= rows)?;
        }
        shape.inputs = if self.private == 0 { 0 } else { least(16, &|count| self.private.div_ceil(count) <= rows)? };
        shape.check().ok()?;
        Some(shape)
    }
}

/// The shape that the model finds fastest.
///
/// # Errors
/// No shape within the limits holds the circuit.
pub fn choose(checked: &CheckedCircuit, visibility: Visibility) -> Result<Shape, ProgramError> {
    let mut best: Option<(f64, Shape)> = None;
    let mut refused = ProgramError::Shape;
    for limb_bits in LIMB_BITS {
        let program = match Program::new(checked, limb_bits, visibility) {
            Ok(program) => program,
            Err(error) => {
                refused = error;
                continue;
            }
        };
        let lengths = Lengths::new(&program, checked, limb_bits);
        for degree in 5..=9 {
            for reads in 2..=READS_MAX.min(2 * (degree - 2)) {
                let shapes = (K_MIN..=K_MAX).filter_map(|k| {
                    lengths.fit(Shape { k, limb_bits, lanes: 1, reads, weights: 0, tables: 1, inputs: 0, degree })
                });
                for shape in shapes.take(4) {
                    let cost = cost(&shape, Features::of(checked, &shape, visibility), visibility);
                    if best.is_none_or(|(least, _)| cost < least) {
                        best = Some((cost, shape));
                    }
                }
            }
        }
    }
    best.map(|(_, shape)| shape).ok_or(refused)
}

/// Predicted nanoseconds of a proof, longer proofs than wanted charged for.
pub fn cost(shape: &Shape, features: Features, visibility: Visibility) -> f64 {
    let columns = Columns::new(shape, features, visibility);
    let rows = (1u64 << shape.k) as f64;
    let degree = f64::from(shape.degree);
    let extended = if shape.degree <= 5 { 4.0 } else { 8.0 };
    let transforms = columns.small + columns.large + columns.fixed + columns.copied + columns.products;
    let width = f64::from(shape.k) * TRANSFORM;
    let commit = (columns.large + columns.products + degree + 3.0) * COMMIT_LARGE + columns.small * COMMIT_SMALL;
    let transform = transforms * (width + extended * (width + 2.0 * TRANSFORM)) + extended * width;
    let evaluate =
        extended * EVALUATE * (2.0 * columns.copied + 3.0 * columns.fixed + 4.0 * shape.fractions() as f64 + 40.0);
    let bytes = proof_bytes(&columns, shape);
    let commitments = columns.large + columns.products + degree + 3.0 + columns.small;
    commitments * COMMIT + rows * (commit + transform + evaluate) + (bytes - PROOF_BYTES).max(0.0) * BYTE
}

/// Numbers of columns by what they cost.
struct Columns {
    small: f64,
    large: f64,
    fixed: f64,
    copied: f64,
    products: f64,
}

impl Columns {
    fn new(shape: &Shape, features: Features, visibility: Visibility) -> Self {
        let number = f64::from;
        let (public, private) = if visibility.private_weights { (0, shape.weights) } else { (shape.weights, 0) };
        let lanes = number(shape.lanes);
        let small = lanes * (SLOTS as f64 + 2.0)
            + number(shape.reads)
            + number(shape.tables)
            + number(private)
            + number(shape.inputs);
        let one = |present: bool| f64::from(u8::from(present));
        let large = 5.0 + shape.sums() as f64 + one(shape.squares());
        let marked = one(features.numbers) + one(features.wide) + one(features.plain) + 2.0 * one(features.members);
        let marked = marked + f64::from(features.pads.count_ones());
        let fixed = 21.0 + 3.0 * number(shape.tables) + number(public) + marked;
        let per_lane = if features.functions { 3.0 } else { 1.0 };
        let copied = 6.0 + features.instances as f64 + lanes * per_lane + number(shape.reads) + number(shape.inputs);
        let products = (copied / (f64::from(shape.degree) - 2.0)).ceil();
        Self { small, large, fixed, copied, products }
    }
}

fn proof_bytes(columns: &Columns, shape: &Shape) -> f64 {
    let commitments = columns.small + columns.large + columns.products + f64::from(shape.degree) + 2.0;
    let evaluations =
        columns.small + 2.0 * columns.large + columns.fixed + columns.copied + 3.0 * columns.products + 1.0;
    32.0 * (commitments + evaluations)
}
