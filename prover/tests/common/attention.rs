//! A block of a transformer in small: embeddings of public words, two heads of attention with an exact softmax, a norm by
//! root and quotient, a maximum over all words, and a permutation by an index table.
#![allow(dead_code)] // each of the tests needs some of it

use assay_verifier::circuit::{AxisMap, Circuit, Expr, Indices, Node, Op, Range, Table, Term, View, Weight};

use super::{expr, map, port};

/// Number of words of the vocabulary.
pub const WORDS: u32 = 7;
/// The nodes by name.
pub const EMBEDDED: usize = 1;
pub const QUERIES: usize = 2;
pub const SCORES: usize = 3;
pub const LARGEST: usize = 4;
pub const BELOW: usize = 5;
pub const EXPONENTIALS: usize = 6;
pub const SUMS: usize = 7;
pub const SOFTMAX: usize = 8;
pub const MIXED: usize = 9;
pub const SQUARES: usize = 10;
pub const NORM: usize = 11;
pub const NORMALISED: usize = 12;
pub const POOLED: usize = 13;
pub const PERMUTED: usize = 14;

/// What each row takes of the positions' weights.
pub const POSITIONS: [u32; 4] = [5, 0, 6, 2];
/// What each place of the last node reads; 9 is none of the six.
pub const PERMUTATION: [u32; 6] = [5, 0, 3, 3, 9, 1];

fn view(source: usize, axes: &[u32], sum: &[u32], dims: &[u32], maps: Vec<AxisMap>) -> View {
    View { source: source as u32, axes: axes.to_vec(), sum: sum.to_vec(), dims: dims.to_vec(), maps }
}

fn linear(coefficient: i64, view: View) -> Term {
    Term::Linear { coefficient, view }
}

fn product(left: View, right: View) -> Term {
    Term::Product { coefficient: 1, left, right }
}

fn rescale(terms: Vec<Term>, shift: u8, low: i64, bits: u8) -> Op {
    Op::Rescale { expr: expr(terms), shift, low, bits }
}

/// One cell for each row, read by all of a row.
fn broadcast(source: usize, rows: u32, inner: u32) -> View {
    view(source, &[rows, inner], &[], &[rows, 1], vec![map(0, &[1, 0]), map(0, &[0, 0])])
}

/// Four words of six features; two heads of three features each.
pub fn attention(limb_bits: u8) -> Circuit {
    let whole = |source: usize, rows, inner| View::identity(source as u32, rows, inner);
    let node = |rows, inner, op| Node { rows, inner, op };
    let select = |weight, indices| Term::Select { coefficient: 1, weight, indices };
    let positions = Indices::Constant(POSITIONS.to_vec());
    let features = view(EMBEDDED, &[4, 6], &[6], &[4, 6], vec![map(0, &[1, 0, 0]), map(0, &[0, 0, 1])]);
    // Rows (head, query), inner axis (key), summed features of the head.
    let heads = |source, word: [i64; 4]| {
        let maps = vec![map(0, &word), map(0, &[1, 0, 0, 0]), map(0, &[0, 0, 0, 1])];
        view(source, &[2, 4, 4], &[3], &[4, 2, 3], maps)
    };
    let scores = product(heads(QUERIES, [0, 1, 0, 0]), heads(EMBEDDED, [0, 0, 1, 0]));
    let over_keys = view(EXPONENTIALS, &[8, 1], &[4], &[8, 4], vec![map(0, &[1, 0, 0]), map(0, &[0, 0, 1])]);
    // Rows (query), inner axis (head, feature), summed keys.
    let maps = vec![map(0, &[0, 1, 0, 0]), map(0, &[1, 0, 0, 0]), map(0, &[0, 0, 0, 1])];
    let weights = view(SOFTMAX, &[4, 2, 3], &[4], &[2, 4, 4], maps);
    let maps = vec![map(0, &[0, 0, 0, 1]), map(0, &[0, 1, 0, 0]), map(0, &[0, 0, 1, 0])];
    let values = view(EMBEDDED, &[4, 2, 3], &[4], &[4, 2, 3], maps);
    let own = view(MIXED, &[4, 1], &[6], &[4, 6], vec![map(0, &[1, 0, 0]), map(0, &[0, 0, 1])]);
    let table = AxisMap { table: PERMUTATION.to_vec(), ..map(0, &[0, 1]) };
    let permuted = view(POOLED, &[1, 6], &[], &[1, 6], vec![map(0, &[1, 0]), table]);
    let largest_below = vec![linear(1, whole(SCORES, 8, 4)), linear(-1, broadcast(LARGEST, 8, 4))];
    let embedded = vec![select(0, Indices::Input(0)), select(1, positions)];
    let nodes = vec![
        node(4, 1, Op::Input(Range { low: 0, high: i64::from(WORDS) - 1 })),
        node(4, 6, rescale(embedded, 1, -64, 7)),
        node(4, 6, rescale(vec![Term::Contract { coefficient: 1, weight: 2, view: features }], 4, -64, 7)),
        node(8, 4, rescale(vec![scores], 4, -128, 8)),
        node(8, 1, Op::Max { source: SCORES as u32 }),
        node(8, 4, Op::Affine(expr(largest_below))),
        node(8, 4, Op::Lookup { source: BELOW as u32, table: 0 }),
        node(8, 1, rescale(vec![linear(1, over_keys)], 0, 1, 10)),
        node(
            8,
            4,
            Op::Quotient {
                numerator: expr(vec![linear(256, whole(EXPONENTIALS, 8, 4))]),
                denominator: broadcast(SUMS, 8, 4),
            },
        ),
        node(4, 6, rescale(vec![product(weights, values)], 8, -64, 7)),
        node(4, 1, rescale(vec![product(own.clone(), own)], 0, 1, 24)),
        node(4, 1, Op::Root(Expr { constant: 1, terms: vec![linear(16, whole(SQUARES, 4, 1))] })),
        node(
            4,
            6,
            Op::Quotient {
                numerator: Expr { constant: 5, terms: vec![linear(16, whole(MIXED, 4, 6))] },
                denominator: broadcast(NORM, 4, 6),
            },
        ),
        node(1, 6, Op::Max { source: NORMALISED as u32 }),
        node(1, 6, Op::Affine(Expr { constant: 3, terms: vec![linear(1, permuted)] })),
    ];
    // Arguments from -256 to 255; what is above the largest is never asked for.
    let exponential = |argument: i32| if argument > 0 { 0 } else { 200 >> (-argument / 8).min(7) };
    Circuit {
        limb_bits,
        weights: vec![
            Weight { outputs: WORDS, taps: 1, channels: 6, bits: 7 },
            Weight { outputs: WORDS, taps: 1, channels: 6, bits: 6 },
            Weight { outputs: 6, taps: 1, channels: 6, bits: 5 },
        ],
        tables: vec![Table { low: -256, values: (-256..256).map(exponential).collect() }],
        nodes,
        inputs: vec![port("words", 0, &[1, 4], &[0, 1])],
        outputs: vec![port("y", PERMUTED as u32, &[6], &[0]), port("softmax", SOFTMAX as u32, &[2, 4, 4], &[0, 1, 2])],
    }
}
