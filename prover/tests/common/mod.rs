//! Small circuits with every relation, written by hand.
pub mod attention;

use assay_circuits::eval::Weights;
use assay_verifier::circuit::{AxisMap, Circuit, Expr, Node, Op, Port, Range, Table, Term, View, Weight};
use assay_verifier::statement::{Proof, Statement};
use assay_verifier::sumcheck::key::CheckedKey;
use assay_verifier::sumcheck::{self, Argument, VerifyError};

/// A deterministic stream of numbers.
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }

    /// A signed number of some bits.
    pub fn signed(&mut self, bits: u8) -> i64 {
        self.below(1 << bits) as i64 - (1 << (bits - 1))
    }
}

pub fn port(name: &str, node: u32, dims: &[u32], order: &[u8]) -> Port {
    Port { name: name.into(), node, dims: dims.to_vec(), order: order.to_vec(), scale: 8 }
}

pub fn expr(terms: Vec<Term>) -> Expr {
    Expr { constant: 0, terms }
}

pub fn map(offset: i64, coefficients: &[i64]) -> AxisMap {
    AxisMap::affine(offset, coefficients.to_vec())
}

/// Verifies a proof of the engine `sumcheck` under one of its keys.
pub fn verify(key: &CheckedKey, proof: &Proof) -> Result<(), VerifyError> {
    sumcheck::verify(key, &proof.statement, argument(proof))
}

/// What the engine `sumcheck` shows in a proof.
pub fn argument(proof: &Proof) -> &Argument {
    proof.argument.as_sumcheck().expect("the engine is sumcheck")
}

/// The public inputs of a statement.
pub fn stated_inputs(statement: &mut Statement) -> &mut Vec<Vec<i64>> {
    statement.inputs.public_mut().expect("the inputs are public")
}

pub fn weights_of(circuit: &Circuit, numbers: &mut Numbers) -> Weights {
    let values = |spec: &Weight| (0..spec.len()).map(|_| numbers.signed(spec.bits) as i16).collect();
    circuit.weights.iter().map(values).collect()
}

pub fn inputs_of(circuit: &Circuit, numbers: &mut Numbers) -> Vec<Vec<i64>> {
    let cells = |port: &Port| {
        let node = &circuit.nodes[port.node as usize];
        let Op::Input(range) = node.op else { panic!("ports name inputs") };
        let span = (range.high - range.low + 1) as u64;
        (0..node.len()).map(|_| range.low + numbers.below(span) as i64).collect()
    };
    circuit.inputs.iter().map(cells).collect()
}

/// A convolution with padding and bias, a depthwise convolution, a table, a residual sum, a product, a pool by pairwise
/// maxima, and a dense layer over everything.
pub fn kitchen_sink(limb_bits: u8) -> Circuit {
    let weights = vec![
        Weight { outputs: 3, taps: 9, channels: 2, bits: 8 },
        Weight { outputs: 3, taps: 1, channels: 1, bits: 16 },
        Weight { outputs: 3, taps: 9, channels: 1, bits: 6 },
        Weight { outputs: 5, taps: 1, channels: 12, bits: 9 },
        Weight { outputs: 5, taps: 1, channels: 1, bits: 12 },
    ];
    let table = Table { low: -128, values: (-128..128).map(|x: i32| (x * x) / 64 - x).collect() };
    let conv = View {
        source: 0,
        axes: vec![4, 4, 3],
        sum: vec![3, 3, 2],
        dims: vec![4, 4, 2],
        maps: vec![map(-1, &[1, 0, 0, 1, 0, 0]), map(-1, &[0, 1, 0, 0, 1, 0]), map(0, &[0, 0, 0, 0, 0, 1])],
    };
    let depthwise = View {
        source: 1,
        axes: vec![4, 4, 3],
        sum: vec![3, 3],
        dims: vec![4, 4, 3],
        maps: vec![map(-1, &[1, 0, 0, 1, 0]), map(-1, &[0, 1, 0, 0, 1]), map(0, &[0, 0, 1, 0, 0])],
    };
    let strided = |offset: i64| View {
        source: 6,
        axes: vec![2, 2, 3],
        sum: vec![],
        dims: vec![4, 4, 3],
        maps: vec![map(offset, &[2, 0, 0]), map(offset, &[0, 2, 0]), map(0, &[0, 0, 1])],
    };
    let dense = View {
        source: 8,
        axes: vec![1, 5],
        sum: vec![3, 4],
        dims: vec![4, 3],
        maps: vec![map(0, &[0, 0, 0, 1]), map(0, &[0, 0, 1, 0])],
    };
    let same = |source| View::identity(source, 16, 3);
    let linear = |coefficient, view| Term::Linear { coefficient, view };
    let node = |rows, inner, op| Node { rows, inner, op };
    let nodes = vec![
        node(16, 2, Op::Input(Range { low: -128, high: 127 })),
        node(
            16,
            3,
            Op::Rescale {
                expr: Expr {
                    constant: 17,
                    terms: vec![
                        Term::Contract { coefficient: 1, weight: 0, view: conv },
                        Term::Bias { coefficient: 4, weight: 1 },
                    ],
                },
                shift: 7,
                low: -128,
                bits: 8,
            },
        ),
        node(
            16,
            3,
            Op::Rescale {
                expr: expr(vec![Term::Contract { coefficient: 1, weight: 2, view: depthwise }, linear(-8, same(1))]),
                shift: 5,
                low: 0,
                bits: 7,
            },
        ),
        node(16, 3, Op::Lookup { source: 1, table: 0 }),
        node(
            16,
            3,
            Op::Rescale {
                expr: expr(vec![Term::Product { coefficient: 3, left: same(2), right: same(3) }, linear(16, same(1))]),
                shift: 6,
                low: -128,
                bits: 8,
            },
        ),
        node(
            16,
            3,
            Op::Affine(Expr { constant: -5, terms: vec![linear(1, same(4)), linear(-1, same(2)), linear(2, same(3))] }),
        ),
        node(16, 3, Op::Rescale { expr: expr(vec![linear(1, same(5))]), shift: 1, low: -256, bits: 9 }),
        node(
            4,
            3,
            Op::Rescale { expr: expr(vec![linear(1, strided(1)), linear(-1, strided(0))]), shift: 0, low: 0, bits: 9 },
        ),
        node(4, 3, Op::Affine(expr(vec![linear(1, strided(0)), linear(1, View::identity(7, 4, 3))]))),
        node(
            1,
            5,
            Op::Rescale {
                expr: expr(vec![
                    Term::Contract { coefficient: 1, weight: 3, view: dense },
                    Term::Bias { coefficient: 1, weight: 4 },
                ]),
                shift: 6,
                low: -2048,
                bits: 12,
            },
        ),
    ];
    Circuit {
        limb_bits,
        weights,
        tables: vec![table],
        nodes,
        inputs: vec![port("x", 0, &[1, 2, 4, 4], &[0, 2, 3, 1])],
        outputs: vec![port("y", 9, &[1, 5], &[0, 1]), port("pooled", 8, &[1, 3, 2, 2], &[0, 2, 3, 1])],
    }
}
