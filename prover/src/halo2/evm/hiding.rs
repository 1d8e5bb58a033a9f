//! Hidden columns: their commitments in the proof differ from those of the key and of the call in the blinding rows only.
//!
//! This is the verifier's module `halo2::hiding`: with `g` and `c` drawn, a mask `T` and answers `z_i` from the proof, and
//! `L_i` the blinding rows' commitments,
//!
//! ```text
//! sum_i z_i L_i + c sum_j g^j (C_j - A_j)  =  T
//! ```
//!
//! where `A_j` are the first commitments of the proof and `C_j` those of the key, then those of the call.
use assay_verifier::halo2::curve::G1Affine;

use super::assembler::{Assembler, Op};
use super::memory::Memory;
use super::opening::{add_product, clear_sum, copy_point};
use super::shape::Shape;

/// What is known of hidden columns before any proof.
#[derive(Clone, Debug, Default)]
pub struct Hidden {
    /// The key's commitments to columns of weights.
    pub weights: Vec<G1Affine>,
    /// How many columns of inputs the call commits to.
    pub inputs: usize,
    /// Commitments of the blinding rows; none if nothing is hidden.
    pub blinding: Vec<G1Affine>,
}

impl Hidden {
    /// The hidden columns, which are the first advice columns.
    pub fn columns(&self) -> usize {
        self.weights.len() + self.inputs
    }
}

/// Checks the argument, if anything is hidden.
pub fn verify(asm: &mut Assembler, shape: &Shape, memory: &Memory) {
    if shape.hidden == 0 {
        return;
    }
    let proof = &memory.proof;
    clear_sum(asm, memory);
    asm.each(memory.blinding, memory.blinding + 64 * shape.answers, 64, |asm, row| {
        asm.dup(row);
        copy_point(asm, memory.product);
        // Answers are one word each and rows are two.
        asm.push(memory.blinding);
        asm.dup(row);
        asm.op(Op::Sub);
        asm.push(1);
        asm.op(Op::Shr);
        asm.push(proof.answers);
        asm.ops(&[Op::Add, Op::MLoad]);
        asm.store(memory.scalar);
        add_product(asm, memory);
    });
    let weights = shape.hidden - shape.inputs;
    let of_key = (memory.weights_of_key, weights);
    let of_call = (memory.inputs, shape.inputs);
    add_columns(asm, memory, &[(proof.start, shape.hidden)], Sign::Minus);
    add_columns(asm, memory, &[of_key, of_call], Sign::Plus);
    for word in [0, 32] {
        asm.load(memory.sum + word);
        asm.load(proof.mask + word);
        asm.op(Op::Eq);
        asm.require();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
}

/// Adds `c g^j` times the points of some ranges, each a start and a number of points.
fn add_columns(asm: &mut Assembler, memory: &Memory, ranges: &[(usize, usize)], sign: Sign) {
    let power = asm.next_slot();
    asm.load(memory.c);
    for (start, points) in ranges {
        asm.each(*start, start + 64 * points, 64, |asm, point| {
            asm.dup(point);
            copy_point(asm, memory.product);
            asm.dup(power);
            if sign == Sign::Minus {
                asm.modulus();
                asm.op(Op::Sub);
            }
            asm.store(memory.scalar);
            add_product(asm, memory);
            asm.modulus();
            asm.dup(power);
            asm.load(memory.g);
            asm.op(Op::MulMod);
            asm.replace(power);
        });
    }
    asm.op(Op::Pop);
}

/// Writes points as the transcript starts with them: compressed, the bytes of `x` from the lowest on, in the last byte's
/// second bit whether `y` is odd. The points lie in memory, two words each.
pub fn compress(asm: &mut Assembler, points: (usize, usize), to: usize) {
    let (start, count) = points;
    asm.each(start, start + 64 * count, 64, |asm, point| {
        let target = asm.next_slot();
        // The target is half as far from its start.
        asm.push(start);
        asm.dup(point);
        asm.op(Op::Sub);
        asm.push(1);
        asm.op(Op::Shr);
        asm.push(to);
        asm.op(Op::Add);
        let x = asm.next_slot();
        asm.dup(point);
        asm.op(Op::MLoad);
        asm.each(0, 32, 1, |asm, byte| {
            asm.dup(x);
            asm.dup(byte);
            asm.push(3);
            asm.ops(&[Op::Shl, Op::Shr]);
            asm.dup(byte);
            asm.dup(target);
            asm.ops(&[Op::Add, Op::MStore8]);
        });
        asm.dup(point);
        asm.push(32);
        asm.ops(&[Op::Add, Op::MLoad]);
        asm.push(1);
        asm.op(Op::And);
        asm.push(6);
        asm.op(Op::Shl);
        asm.dup(x);
        asm.push(248);
        asm.ops(&[Op::Shr, Op::Add]);
        asm.dup(target);
        asm.push(31);
        asm.ops(&[Op::Add, Op::MStore8, Op::Pop, Op::Pop]);
    });
}
