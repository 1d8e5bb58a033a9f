//! Straight-line arithmetic modulo the scalar field's order, as terms over words of memory.
//!
//! All but the loops of the contract is written as terms. Their values are at most the modulus: `-0` is the modulus
//! itself, which every operation takes as 0.
use std::ops::{Add, Mul, Neg, Sub};

use assay_verifier::halo2::curve::Fr;
use halo2_proofs::halo2curves::ff::Field;

use super::assembler::{Assembler, Op, Slot};

/// A value to compute.
#[derive(Clone, Debug)]
pub struct Term {
    kind: Kind,
    /// Items of the stack that it takes if the modulus is pushed before the operands, which is the shorter code.
    need: usize,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The word at an address.
    Word(usize),
    /// The word whose address, of two bytes, lies in memory at an offset from what an item of the stack points to.
    Pointed(Slot, usize),
    Constant(Fr),
    Negated(Box<Term>),
    Sum(Box<Term>, Box<Term>),
    Product(Box<Term>, Box<Term>),
}

impl Term {
    /// The word of memory at an address.
    pub fn word(address: usize) -> Self {
        Self { kind: Kind::Word(address), need: 1 }
    }

    /// The word whose address lies in a table: `pointer` points to the table's entry, the address is at `offset` in it.
    pub fn pointed(pointer: Slot, offset: usize) -> Self {
        Self { kind: Kind::Pointed(pointer, offset), need: 2 }
    }

    /// A constant.
    pub fn constant(constant: Fr) -> Self {
        Self { kind: Kind::Constant(constant), need: 2 }
    }

    /// The product of terms, 1 if there are none.
    pub fn product(terms: impl IntoIterator<Item = Self>) -> Self {
        terms.into_iter().reduce(|product, term| product * term).unwrap_or(Self::constant(Fr::ONE))
    }

    /// The sum of terms, 0 if there are none.
    pub fn sum(terms: impl IntoIterator<Item = Self>) -> Self {
        terms.into_iter().reduce(|sum, term| sum + term).unwrap_or(Self::constant(Fr::ZERO))
    }

    fn known(&self) -> Option<Fr> {
        match &self.kind {
            Kind::Constant(constant) => Some(*constant),
            _ => None,
        }
    }

    fn binary(a: Self, b: Self, kind: fn(Box<Self>, Box<Self>) -> Kind) -> Self {
        let (deep, shallow) = if a.need >= b.need { (a, b) } else { (b, a) };
        let need = (1 + deep.need).max(2 + shallow.need);
        Self { kind: kind(Box::new(deep), Box::new(shallow)), need }
    }

    /// Pushes the value.
    pub fn push(&self, asm: &mut Assembler) {
        match &self.kind {
            Kind::Word(address) => asm.load(*address),
            Kind::Pointed(pointer, offset) => {
                asm.dup(*pointer);
                asm.push(*offset);
                asm.ops(&[Op::Add, Op::MLoad]);
                asm.push(240);
                asm.ops(&[Op::Shr, Op::MLoad]);
            }
            Kind::Constant(constant) => asm.constant(constant),
            Kind::Negated(term) => {
                term.push(asm);
                asm.modulus();
                asm.op(Op::Sub);
            }
            Kind::Sum(deep, shallow) => self.push_binary(asm, deep, shallow, Op::AddMod),
            Kind::Product(deep, shallow) => self.push_binary(asm, deep, shallow, Op::MulMod),
        }
    }

    /// Where the stack is deep, the modulus goes below the first operand afterwards: long chains stay flat.
    fn push_binary(&self, asm: &mut Assembler, deep: &Self, shallow: &Self, op: Op) {
        if asm.depth() + self.need <= 16 {
            asm.modulus();
            deep.push(asm);
        } else {
            deep.push(asm);
            asm.modulus();
            asm.swap(1);
        }
        shallow.push(asm);
        asm.op(op);
    }

    /// Computes the value into memory.
    pub fn store(&self, asm: &mut Assembler, address: usize) {
        self.push(asm);
        asm.store(address);
    }
}

impl Add for Term {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        match (self.known(), other.known()) {
            (Some(a), Some(b)) => Self::constant(a + b),
            (Some(zero), _) if zero == Fr::ZERO => other,
            (_, Some(zero)) if zero == Fr::ZERO => self,
            _ => Self::binary(self, other, Kind::Sum),
        }
    }
}

impl Mul for Term {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        match (self.known(), other.known()) {
            (Some(a), Some(b)) => Self::constant(a * b),
            (Some(a), None) => other.scaled(a),
            (None, Some(b)) => self.scaled(b),
            (None, None) => Self::binary(self, other, Kind::Product),
        }
    }
}

impl Term {
    fn scaled(self, factor: Fr) -> Self {
        if factor == Fr::ZERO {
            Self::constant(Fr::ZERO)
        } else if factor == Fr::ONE {
            self
        } else if factor == -Fr::ONE {
            -self
        } else {
            Self::binary(self, Self::constant(factor), Kind::Product)
        }
    }
}

impl Neg for Term {
    type Output = Self;

    fn neg(self) -> Self {
        match self.kind {
            Kind::Constant(constant) => Self::constant(-constant),
            Kind::Negated(term) => *term,
            _ => {
                let need = self.need + 1;
                Self { kind: Kind::Negated(Box::new(self)), need }
            }
        }
    }
}

impl Sub for Term {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}
