//! The multi-point opening (SHPLONK, [BDFG20] section 4) and its pairing.
//!
//! Commitments are summed with their scalars one by one, by a loop over a table for each set of points; an entry is the
//! address of a commitment and those of its evaluations. The equation is the library's, scaled as there so that the first
//! commitment has scalar 1: with `Z_i` the product of `u`'s differences to the points that set `i` lacks,
//!
//! ```text
//! sum_i nu^i Z_i/Z_0 sum_j mu^j (C_ij - r_ij(u) G) - z_0 H_1 + u H_2  =  tau H_2
//! ```
use assay_verifier::halo2::curve::{Fr, G1Affine, G2Affine};
use halo2_proofs::halo2curves::ff::{Field, PrimeField};

use super::EvmError;
use super::assembler::{Assembler, Op, Slot};
use super::lagrange::Setting;
use super::memory::{Memory, PAIRING};
use super::rotations::Set;
use super::term::Term;

/// Precompiled contracts of the curve.
const ADD: usize = 6;
const MUL: usize = 7;
const PAIR: usize = 8;

/// The setup's part that verification needs.
#[derive(Clone, Copy, Debug)]
pub struct OpeningKey {
    /// The generator that evaluations are committed with.
    pub g1: G1Affine,
    /// The generator of the second group.
    pub g2: G2Affine,
    /// The secret's multiple of it.
    pub s_g2: G2Affine,
}

impl OpeningKey {
    /// The pairing's input, but for the two points of the first group.
    pub fn pairing(&self) -> Vec<u8> {
        let mut input = Vec::with_capacity(PAIRING);
        for point in [self.s_g2, -self.g2] {
            input.extend_from_slice(&[0; 64]);
            for coordinate in [point.x, point.y] {
                input.extend(coordinate.c1.to_repr().as_ref().iter().rev());
                input.extend(coordinate.c0.to_repr().as_ref().iter().rev());
            }
        }
        input
    }
}

/// A point as two words.
pub fn encode(point: &G1Affine) -> Vec<u8> {
    let words = [point.x, point.y].map(|coordinate| coordinate.to_repr());
    words.iter().flat_map(|word| word.as_ref().iter().rev().copied()).collect()
}

/// The table of one set: its commitments, each with its evaluations.
pub fn table(set: &Set) -> Result<Vec<u8>, EvmError> {
    let mut table = Vec::new();
    for opened in &set.opened {
        for address in std::iter::once(&opened.commitment).chain(&opened.evals) {
            table.extend(u16::try_from(*address).map_err(|_| EvmError::Memory)?.to_be_bytes());
        }
    }
    Ok(table)
}

/// Checks the opening.
pub fn verify(asm: &mut Assembler, setting: &Setting<'_>, key: &OpeningKey) {
    let memory = setting.memory;
    quotient(asm, setting);
    let evaluation = asm.next_slot();
    asm.push(0);
    let mut start = memory.tables;
    for (index, set) in setting.sets.iter().enumerate() {
        let end = start + entry_size(set) * set.opened.len();
        add_set(asm, setting, index, evaluation, (start, end));
        start = end;
    }

    let [first, second] = memory.proof.opening;
    asm.modulus();
    asm.op(Op::Sub);
    asm.store(memory.scalar);
    for (word, to) in encode(&key.g1).chunks(32).zip([memory.product, memory.product + 32]) {
        asm.push_bytes(word);
        asm.store(to);
    }
    add_product(asm, memory);
    let vanishing =
        setting.sets.first().map(|set| Term::product(set.rotations.iter().map(|at| setting.difference(*at))));
    for (point, scalar) in [(first, -vanishing.unwrap_or(Term::constant(Fr::ONE))), (second, Term::word(memory.u))] {
        asm.push(point);
        copy_point(asm, memory.product);
        scalar.store(asm, memory.scalar);
        add_product(asm, memory);
    }

    for (point, to) in [(second, memory.data), (memory.sum, memory.data + PAIRING / 2)] {
        asm.push(point);
        copy_point(asm, to);
    }
    asm.call(PAIR, (memory.data, PAIRING), (memory.data, 32));
    asm.load(memory.data);
    asm.push(1);
    asm.op(Op::Eq);
    asm.require();
}

fn entry_size(set: &Set) -> usize {
    2 * (1 + set.rotations.len())
}

/// The commitment to the quotient: its pieces combined by powers of `x^n`.
fn quotient(asm: &mut Assembler, setting: &Setting<'_>) {
    let memory = setting.memory;
    let first = memory.proof.quotient;
    let last = first + 64 * (setting.shape.quotient - 1);
    asm.push(last);
    copy_point(asm, memory.product);
    asm.each_down(first, last, 64, |asm, at| {
        asm.load(memory.x_n);
        asm.store(memory.scalar);
        asm.call(MUL, (memory.product, 96), (memory.product, 64));
        asm.dup(at);
        copy_point(asm, memory.sum);
        asm.call(ADD, (memory.sum, 128), (memory.product, 64));
    });
    asm.push(memory.product);
    copy_point(asm, memory.quotient);
    clear_sum(asm, memory);
}

/// Sets the sum to infinity.
pub fn clear_sum(asm: &mut Assembler, memory: &Memory) {
    for word in [memory.sum, memory.sum + 32] {
        asm.push(0);
        asm.store(word);
    }
}

/// Adds the commitments of a set to the sum, and their evaluations at `u` to the item `evaluation`.
fn add_set(asm: &mut Assembler, setting: &Setting<'_>, index: usize, evaluation: Slot, table: (usize, usize)) {
    let memory = setting.memory;
    let set = &setting.sets[index];
    if set.rotations.len() > 1 {
        weights(asm, setting, set);
    }
    let scalar = asm.next_slot();
    if index == 0 {
        asm.push(1);
    } else {
        let power = Term::product(std::iter::repeat_n(Term::word(memory.nu), index));
        (power * ratio(setting, set)).push(asm);
    }
    asm.each(table.0, table.1, entry_size(set), |asm, entry| {
        asm.dup(entry);
        asm.op(Op::MLoad);
        asm.push(240);
        asm.op(Op::Shr);
        copy_point(asm, memory.product);
        asm.dup(scalar);
        asm.store(memory.scalar);
        add_product(asm, memory);

        asm.modulus();
        asm.modulus();
        asm.dup(scalar);
        let evals = set.rotations.iter().enumerate().map(|(position, _)| {
            let eval = Term::pointed(entry, 2 * (1 + position));
            if set.rotations.len() == 1 { eval } else { eval * Term::word(memory.weights + 32 * position) }
        });
        Term::sum(evals).push(asm);
        asm.op(Op::MulMod);
        asm.dup(evaluation);
        asm.op(Op::AddMod);
        asm.replace(evaluation);

        asm.modulus();
        asm.dup(scalar);
        asm.load(memory.mu);
        asm.op(Op::MulMod);
        asm.replace(scalar);
    });
    asm.op(Op::Pop);
}

/// `Z_i/Z_0`: what both sets lack cancels out.
fn ratio(setting: &Setting<'_>, set: &Set) -> Term {
    let first = &setting.sets[0].rotations;
    let more = first.iter().filter(|rotation| !set.rotations.contains(rotation));
    let less = set.rotations.iter().filter(|rotation| !first.contains(rotation));
    Term::product(
        more.map(|rotation| setting.difference(*rotation))
            .chain(less.map(|rotation| setting.difference_inverse(*rotation))),
    )
}

/// Weights of a set's evaluations in their interpolation at `u`: for the point `x omega^i`, the product of `u - x omega^j`
/// over `x omega^i - x omega^j` for all other points.
fn weights(asm: &mut Assembler, setting: &Setting<'_>, set: &Set) {
    let (weights, others) = (setting.memory.weights, set.rotations.len() - 1);
    let all = set.rotations.iter().map(|rotation| setting.difference(*rotation));
    Term::product(all.chain(std::iter::repeat_n(setting.x_inverse(), others))).store(asm, weights);
    // The first weight holds what all have in common, and is the last to be replaced.
    for (position, rotation) in set.rotations.iter().enumerate().rev() {
        let others = set.rotations.iter().filter(|other| *other != rotation);
        let product: Fr = others.map(|other| setting.omega(*rotation) - setting.omega(*other)).product();
        let constant = Term::constant(product.invert().unwrap_or(Fr::ZERO));
        let weight = Term::word(weights) * setting.difference_inverse(*rotation) * constant;
        weight.store(asm, weights + 32 * position);
    }
}

/// Copies a point to an address; the address that it is copied from is on the stack.
pub fn copy_point(asm: &mut Assembler, to: usize) {
    let from = asm.top_slot();
    asm.dup(from);
    asm.op(Op::MLoad);
    asm.store(to);
    asm.push(32);
    asm.ops(&[Op::Add, Op::MLoad]);
    asm.store(to + 32);
}

/// Adds the product of the point and the scalar that are in memory.
pub fn add_product(asm: &mut Assembler, memory: &Memory) {
    asm.call(MUL, (memory.product, 96), (memory.product, 64));
    asm.call(ADD, (memory.sum, 128), (memory.sum, 64));
}
