//! Where everything lies in the contract's memory.
//!
//! Points lie below 64 KiB, so that tables name them in two bytes; what grows with the public values lies behind, and the
//! constants, whose number is not known before the code is, at the end.
use super::shape::{Proof, Shape};

/// Bytes of the pairing's input: two pairs of a point of the first group and one of the second.
pub const PAIRING: usize = 384;

/// Addresses.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Challenges of the phases.
    pub challenges: Vec<usize>,
    /// Permutation challenges.
    pub beta: usize,
    pub gamma: usize,
    /// The challenge that combines the constraints.
    pub y: usize,
    /// The evaluation point.
    pub x: usize,
    /// Challenges of the opening: among commitments of a set, among sets, and the point.
    pub mu: usize,
    pub nu: usize,
    pub u: usize,
    /// Challenges of the hidden columns' argument: among columns, and of the mask.
    pub g: usize,
    pub c: usize,
    /// `x^n`.
    pub x_n: usize,
    /// Lagrange polynomials at the evaluation point: of the first row, of the last one, of all that are in use.
    pub first_row: usize,
    pub last_row: usize,
    pub active_rows: usize,
    /// The instance columns at the evaluation point.
    pub instances: usize,
    /// The quotient at the evaluation point, and the commitment to it.
    pub quotient_eval: usize,
    pub quotient: usize,
    /// What the identity permutation says of each column.
    pub shifts: usize,
    /// The opening's points, and the differences of `u` to them.
    pub points: usize,
    pub differences: usize,
    /// Interpolation weights of one set.
    pub weights: usize,
    /// A sum of points, the product to add, and its scalar.
    pub sum: usize,
    pub product: usize,
    pub scalar: usize,
    /// Commitments to inputs.
    pub inputs: usize,
    /// The proof.
    pub proof: Proof,
    /// What is copied from the code: the pairing's input, then commitments, then tables.
    pub data: usize,
    /// The commitments of the key that are opened.
    pub commitments: usize,
    /// Those to hidden columns of weights, and those of the blinding rows.
    pub weights_of_key: usize,
    pub blinding: usize,
    /// Tables of what is opened.
    pub tables: usize,
}

/// Addresses of what follows the tables, once their size is known.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    /// Values to invert: `x^n - 1`, `x`, the differences, then the Lagrange polynomials' denominators.
    pub inverses: usize,
    /// The first of those denominators.
    pub rows: usize,
    /// How many those are.
    pub inverted: usize,
    /// Pending bytes of the transcript, later partial products of the inversion and the six words of its exponentiation.
    pub scratch: usize,
    /// Constants.
    pub pool: usize,
}

impl Memory {
    /// Lays out all but the tail, for at most `rotations` opening points.
    pub fn new(shape: &Shape, rotations: usize, commitments: usize) -> Self {
        let mut next = 32;
        let mut words = |count: usize| {
            let address = next;
            next += 32 * count;
            address
        };
        let challenges = (0..shape.challenges).map(|_| words(1)).collect();
        let [beta, gamma, y, x, mu, nu, u, g, c, x_n] = std::array::from_fn(|_| words(1));
        let [first_row, last_row, active_rows, quotient_eval] = std::array::from_fn(|_| words(1));
        let instances = words(shape.instances.len());
        let quotient = words(2);
        let shifts = words(shape.permuted());
        let [points, differences, weights] = std::array::from_fn(|_| words(rotations));
        let [sum, product] = std::array::from_fn(|_| words(2));
        let scalar = words(1);
        let inputs = words(2 * shape.inputs);
        let proof = Proof::new(shape, words(shape.proof_size() / 32));
        let data = words(PAIRING / 32);
        let commitments = words(2 * commitments);
        let weights_of_key = words(2 * (shape.hidden - shape.inputs));
        let blinding = words(2 * shape.answers);
        let tables = words(0);
        Self {
            challenges,
            beta,
            gamma,
            y,
            x,
            mu,
            nu,
            u,
            g,
            c,
            x_n,
            first_row,
            last_row,
            active_rows,
            instances,
            quotient_eval,
            quotient,
            shifts,
            points,
            differences,
            weights,
            sum,
            product,
            scalar,
            inputs,
            proof,
            data,
            commitments,
            weights_of_key,
            blinding,
            tables,
        }
    }

    /// Lays out the tail, after tables of so many bytes and for so many opening points.
    pub fn tail(&self, shape: &Shape, rotations: usize, tables: usize) -> Tail {
        let rows = shape.last.unsigned_abs() as usize + shape.instances.iter().copied().max().unwrap_or(0).max(1);
        let inverted = 2 + rotations + rows;
        let inverses = (self.tables + tables).next_multiple_of(32);
        let scratch = inverses + 32 * inverted;
        // Initial words, public values and the first phase at once; what is pending later is shorter than the proof.
        let pending = 32 * (3 + shape.inputs + shape.public()) + shape.proof_size();
        Tail {
            inverses,
            rows: inverses + 32 * (2 + rotations),
            inverted,
            scratch,
            pool: scratch + pending.max(32 * inverted + 192),
        }
    }
}
