//! The cost model: which shape proves a circuit in the least time.
//!
//! A proof commits to every column, transforms it to as many cosets of the rows as the quotient has pieces, and evaluates all constraints there. Columns of
//! small integers commit ten times faster than columns of field elements. A higher degree lets one row read more cells, one running
//! sum take in more lookups and one product more copies, but the quotient has one more piece, and there is one more coset for each degree. More rows make
//! everything slower, fewer rows need more columns, which the verifier pays for. The model counts these, with costs measured once; only their ratios
//! matter for the choice. Proofs and verifications that exceed what is wanted of them are charged for.
use std::collections::BTreeMap;

use assay_verifier::circuit::CheckedCircuit;
use assay_verifier::halo2::shape::{
    Features, K_MAX, K_MIN, LANES_MAX, READS_MAX, RESERVED, SLOTS, Shape, TABLES_MAX, Visibility, WEIGHTS_MAX,
};

use super::layout::{Layout, vector_len};
use super::program::{Program, ProgramError};

/// Nanoseconds on one core of one addition of a commitment.
const ADD: f64 = 190.0;
/// Of what a commitment takes besides its rows.
const COMMIT: f64 = 3e5;
/// Additions for each row of a column of small integers.
const SMALL: f64 = 2.0;
/// Nanoseconds of one transform, for each row and doubling.
const TRANSFORM: f64 = 14.0;
/// Of one product of a constraint at one point.
const EVALUATE: f64 = 25.0;
/// Of a polynomial's opening, for each row.
const OPEN: f64 = 60.0;
/// Of making a column, for each row.
const MAKE: f64 = 60.0;
/// Widths of limbs that are tried.
const LIMB_BITS: std::ops::RangeInclusive<u8> = 6..=16;
/// Largest proof in bytes that is chosen if there is a choice.
const PROOF_BYTES: f64 = 5800.0;
/// What a longer one costs in nanoseconds for each byte.
const BYTE: f64 = 3e6;
/// Nanoseconds of a verification besides its commitments.
const VERIFY: f64 = 2e6;
/// For each commitment of proof and key.
const VERIFY_POINT: f64 = 7e4;
/// Longest verification that is chosen if there is a choice.
const VERIFY_MOST: f64 = 8.5e6;
/// What a longer one costs for each nanosecond.
const VERIFY_WEIGHT: f64 = 500.0;

/// Lengths of what a program lays out, whatever the shape.
struct Lengths {
    blocks: Vec<usize>,
    runs: BTreeMap<usize, usize>,
    pairs: BTreeMap<usize, usize>,
    vectors: BTreeMap<usize, usize>,
    /// Rows that do not depend on the shape.
    layout: super::layout::Heights,
    tables: usize,
    private: usize,
}

impl Lengths {
    fn new(program: &Program, checked: &CheckedCircuit, limb_bits: u8) -> Self {
        // One lane, read and column each: heights are lengths.
        let one = Shape { k: K_MIN, limb_bits, lanes: 1, reads: 2, weights: 1, tables: 1, inputs: 1, degree: 5 };
        let layout = Layout::new(program, checked.circuit(), one).heights;
        let (mut runs, mut pairs) = (BTreeMap::new(), BTreeMap::new());
        for run in &program.runs {
            let lengths = if run.pairs { &mut pairs } else { &mut runs };
            *lengths.entry(run.cells.len()).or_default() += 1;
        }
        let mut vectors = BTreeMap::new();
        for vector in &program.vectors {
            let weight = &checked.circuit().weights[vector.weight as usize];
            *vectors.entry(vector_len(weight, vector)).or_default() += 1;
        }
        Self {
            blocks: program.blocks.iter().map(|block| block.len).collect(),
            runs,
            pairs,
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
        let width = usize::from(shape.reads);
        let reads = stacked(&self.runs, width) + stacked(&self.pairs, width & !1) + self.layout.powers;
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

/// Predicted nanoseconds of a proof on one core, longer proofs and verifications than wanted charged for.
pub fn cost(shape: &Shape, features: Features, visibility: Visibility) -> f64 {
    let columns = Columns::new(shape, features, visibility);
    let rows = (1u64 << shape.k) as f64;
    let cosets = f64::from(shape.degree) - 1.0;
    let advice = columns.small + columns.large + columns.products;
    // The quotient's pieces, the random polynomial and two openings besides.
    let large = columns.large + columns.products + cosets + 3.0;
    // Digits of a scalar are a few bits narrower than the rows' number.
    let additions = large * 255.0 / (f64::from(shape.k) - 2.5) + columns.small * SMALL;
    let transform = f64::from(shape.k) * TRANSFORM * (advice * (1.0 + cosets) + cosets);
    let products = 2.0 * columns.copied + 3.0 * columns.fixed + 4.0 * shape.fractions() as f64 + 40.0;
    let opened = advice + columns.fixed + columns.copied;
    let each = additions * ADD + transform + cosets * EVALUATE * products + opened * OPEN + advice * MAKE;
    let points = columns.small + large + columns.fixed + columns.copied;
    let verify = VERIFY + points * VERIFY_POINT;
    let bytes = 32.0 * (columns.small + large + columns.evaluations());
    let charged = (bytes - PROOF_BYTES).max(0.0) * BYTE + (verify - VERIFY_MOST).max(0.0) * VERIFY_WEIGHT;
    (columns.small + large) * COMMIT + rows * each + charged
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
        let marked = marked + 2.0 * one(features.pairs) + f64::from(features.pads.count_ones());
        let fixed = 21.0 + 3.0 * number(shape.tables) + number(public) + marked;
        let per_lane = 1.0 + one(features.functions) + one(features.functions || features.flags);
        let copied = 6.0 + features.instances as f64 + lanes * per_lane + number(shape.reads) + number(shape.inputs);
        let products = (copied / (f64::from(shape.degree) - 2.0)).ceil();
        Self { small, large, fixed, copied, products }
    }

    /// Values that a proof sends: sums of copies and running sums have two or three.
    fn evaluations(&self) -> f64 {
        self.small + 2.0 * self.large + self.fixed + self.copied + 3.0 * self.products
    }
}
