//! What the evaluation point gives: the opening's points, Lagrange polynomials, and the instance columns' values.
//!
//! Everything that has to be inverted is inverted at once (Montgomery's trick), with one call of the modular exponentiation.
use assay_verifier::halo2::curve::Fr;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::poly::{EvaluationDomain, Rotation};

use super::assembler::{Assembler, Op};
use super::memory::{Memory, Tail};
use super::rotations::Set;
use super::shape::Shape;
use super::term::Term;

/// Precompiled contract of modular exponentiation.
const MODEXP: usize = 5;

/// What lies where, and the domain.
pub struct Setting<'a> {
    pub domain: &'a EvaluationDomain<Fr>,
    pub shape: &'a Shape,
    pub memory: &'a Memory,
    pub tail: &'a Tail,
    pub sets: &'a [Set],
    /// The opening's points, as rotations.
    pub points: &'a [i32],
}

impl Setting<'_> {
    /// `omega` to a power.
    pub fn omega(&self, rotation: i32) -> Fr {
        self.domain.rotate_omega(Fr::ONE, Rotation(rotation))
    }

    /// `u` less one of the opening's points.
    pub fn difference(&self, rotation: i32) -> Term {
        Term::word(self.memory.differences + 32 * self.index(rotation))
    }

    /// The inverse of that.
    pub fn difference_inverse(&self, rotation: i32) -> Term {
        Term::word(self.tail.inverses + 32 * (2 + self.index(rotation)))
    }

    fn index(&self, rotation: i32) -> usize {
        self.points.iter().position(|point| *point == rotation).unwrap_or_default()
    }

    /// The inverse of `x`.
    pub fn x_inverse(&self) -> Term {
        Term::word(self.tail.inverses + 32)
    }
}

/// Computes points, Lagrange polynomials and the instance columns.
pub fn evaluate(asm: &mut Assembler, setting: &Setting<'_>) {
    let Setting { shape, memory, tail, .. } = setting;
    let x = Term::word(memory.x);
    for (index, rotation) in setting.points.iter().enumerate() {
        let (point, difference) = (memory.points + 32 * index, memory.differences + 32 * index);
        (x.clone() * Term::constant(setting.omega(*rotation))).store(asm, point);
        (Term::word(memory.u) - Term::word(point)).store(asm, difference);
        Term::word(difference).store(asm, tail.inverses + 32 * (2 + index));
    }
    power_of_two(asm, setting.domain.k(), memory.x, memory.x_n);

    (Term::word(memory.x_n) - Term::constant(Fr::ONE)).store(asm, tail.inverses);
    x.store(asm, tail.inverses + 32);
    let rows = tail.rows;
    let end = tail.inverses + 32 * tail.inverted;
    denominators(asm, setting, rows, end);
    // The numerator has to be known before its inverse takes its place.
    let rows_inverse = Fr::from(setting.domain.get_n()).invert().unwrap_or(Fr::ZERO);
    (Term::word(tail.inverses) * Term::constant(rows_inverse * setting.omega(shape.last))).push(asm);
    invert(asm, tail, end);
    lagrange(asm, setting, rows, end);

    let row = |index: usize| Term::word(rows + 32 * index);
    let blinding = shape.last.unsigned_abs() as usize - 1;
    row(0).store(asm, memory.last_row);
    row(blinding + 1).store(asm, memory.first_row);
    (Term::constant(Fr::ONE) - Term::sum((0..=blinding).map(row))).store(asm, memory.active_rows);
    let mut call = shape.instances_start();
    for (column, values) in shape.instances.iter().enumerate() {
        instance(asm, rows + 32 * (blinding + 1), call, *values);
        asm.store(memory.instances + 32 * column);
        call += 32 * values;
    }
}

/// `x^(2^k)` into memory.
fn power_of_two(asm: &mut Assembler, k: u32, from: usize, to: usize) {
    asm.load(from);
    for _ in 0..k {
        let power = asm.next_slot();
        asm.modulus();
        asm.swap(1);
        asm.dup(power);
        asm.op(Op::MulMod);
    }
    asm.store(to);
}

/// `x - omega^i` for the rows from the last one in use to the last public one.
fn denominators(asm: &mut Assembler, setting: &Setting<'_>, start: usize, end: usize) {
    let root = asm.next_slot();
    asm.constant(&setting.omega(setting.shape.last));
    asm.each(start, end, 32, |asm, at| {
        asm.modulus();
        asm.load(setting.memory.x);
        asm.dup(root);
        asm.modulus();
        asm.ops(&[Op::Sub, Op::AddMod]);
        asm.dup(at);
        asm.op(Op::MStore);
        asm.scale(root, &setting.omega(1));
    });
    asm.op(Op::Pop);
}

/// Inverts the words from the first to `end`; refuses if one of them is zero.
fn invert(asm: &mut Assembler, tail: &Tail, end: usize) {
    let product = asm.next_slot();
    asm.push(1);
    let partial = tail.scratch - tail.inverses;
    asm.each(tail.inverses, end, 32, |asm, at| {
        asm.dup(product);
        asm.dup(at);
        asm.push(partial);
        asm.ops(&[Op::Add, Op::MStore]);
        asm.modulus();
        asm.dup(product);
        asm.dup(at);
        asm.ops(&[Op::MLoad, Op::MulMod]);
        asm.replace(product);
    });

    // The base is the product and the exponent the modulus less two. The input lies behind the partial products.
    let input = tail.scratch + 32 * tail.inverted;
    for index in 0..3 {
        asm.push(32);
        asm.store(input + 32 * index);
    }
    asm.dup(product);
    asm.store(input + 96);
    asm.push(2);
    asm.modulus();
    asm.op(Op::Sub);
    asm.store(input + 128);
    asm.modulus();
    asm.store(input + 160);
    asm.call(MODEXP, (input, 192), (input, 32));
    asm.modulus();
    asm.load(input);
    asm.dup(product);
    asm.op(Op::MulMod);
    asm.push(1);
    asm.op(Op::Eq);
    asm.require();
    asm.op(Op::Pop);

    let inverse = asm.next_slot();
    asm.load(input);
    asm.each_down(tail.inverses, end, 32, |asm, at| {
        asm.modulus();
        asm.dup(inverse);
        asm.dup(at);
        asm.push(partial);
        asm.ops(&[Op::Add, Op::MLoad, Op::MulMod]);
        asm.modulus();
        asm.dup(inverse);
        asm.dup(at);
        asm.ops(&[Op::MLoad, Op::MulMod]);
        asm.replace(inverse);
        asm.dup(at);
        asm.op(Op::MStore);
    });
    asm.op(Op::Pop);
}

/// Turns the inverted denominators into Lagrange polynomials; the first one's numerator is on the stack.
fn lagrange(asm: &mut Assembler, setting: &Setting<'_>, start: usize, end: usize) {
    let numerator = asm.top_slot();
    asm.each(start, end, 32, |asm, at| {
        asm.modulus();
        asm.dup(numerator);
        asm.dup(at);
        asm.ops(&[Op::MLoad, Op::MulMod]);
        asm.dup(at);
        asm.op(Op::MStore);
        asm.scale(numerator, &setting.omega(1));
    });
    asm.op(Op::Pop);
}

/// Pushes an instance column: the sum of so many public values, in the call from `call` on, times the polynomials from
/// `start` on.
fn instance(asm: &mut Assembler, start: usize, call: usize, values: usize) {
    let sum = asm.next_slot();
    asm.push(0);
    asm.each(start, start + 32 * values, 32, |asm, at| {
        asm.modulus();
        asm.dup(sum);
        asm.modulus();
        asm.dup(at);
        asm.op(Op::MLoad);
        asm.push(start);
        asm.dup(at);
        asm.op(Op::Sub);
        asm.push(call);
        asm.ops(&[Op::Add, Op::CallDataLoad, Op::MulMod, Op::AddMod]);
        asm.replace(sum);
    });
}
