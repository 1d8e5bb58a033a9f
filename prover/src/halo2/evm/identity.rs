//! The quotient's value: all constraints at the evaluation point, combined by powers of `y`, over `x^n - 1`.
use assay_verifier::halo2::curve::{Fr, G1Affine};
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use halo2_proofs::plonk::{Any, Column, Expression, VerifyingKey};

use super::EvmError;
use super::assembler::{Assembler, Op};
use super::memory::{Memory, Tail};
use super::shape::{Query, Shape};
use super::term::Term;

/// Computes the quotient's value.
pub fn evaluate(
    asm: &mut Assembler,
    key: &VerifyingKey<G1Affine>,
    shape: &Shape,
    memory: &Memory,
    tail: &Tail,
) -> Result<(), EvmError> {
    shifts(asm, shape, memory);
    let cells = Cells { shape, memory };
    let y = asm.next_slot();
    asm.load(memory.y);
    asm.push(0);
    // Horner's rule: what was combined so far times `y`, plus the next constraint. One modulus is for either operation.
    let mut combine = |constraint: Term| {
        let sum = asm.top_slot();
        asm.modulus();
        asm.modulus();
        asm.dup(sum);
        asm.dup(y);
        asm.op(Op::MulMod);
        constraint.push(asm);
        asm.op(Op::AddMod);
        asm.replace(sum);
    };
    for polynomial in key.cs().gates().iter().flat_map(|gate| gate.polynomials()) {
        combine(cells.term(polynomial)?);
    }
    for constraint in cells.permutation()? {
        combine(constraint);
    }
    asm.store(memory.quotient_eval);
    asm.op(Op::Pop);
    (Term::word(memory.quotient_eval) * Term::word(tail.inverses)).store(asm, memory.quotient_eval);
    Ok(())
}

/// `beta x delta^i`: what the identity permutation says of each column.
fn shifts(asm: &mut Assembler, shape: &Shape, memory: &Memory) {
    let shift = asm.next_slot();
    (Term::word(memory.beta) * Term::word(memory.x)).push(asm);
    asm.each(memory.shifts, memory.shifts + 32 * shape.permuted(), 32, |asm, at| {
        asm.dup(shift);
        asm.dup(at);
        asm.op(Op::MStore);
        asm.scale(shift, &Fr::DELTA);
    });
    asm.op(Op::Pop);
}

/// Evaluations as terms.
struct Cells<'a> {
    shape: &'a Shape,
    memory: &'a Memory,
}

impl Cells<'_> {
    fn cell(&self, column: Any, index: usize, rotation: i32) -> Result<Term, EvmError> {
        let query = Query { column: index, rotation };
        let (queries, evals) = match column {
            Any::Instance if rotation == 0 => {
                return Ok(Term::word(self.memory.instances + 32 * index));
            }
            Any::Instance => return Err(EvmError::InstanceRotation { rotation }),
            Any::Advice(_) => (&self.shape.advice, self.memory.proof.advice_evals),
            Any::Fixed => (&self.shape.fixed, self.memory.proof.fixed_evals),
        };
        let position = queries.iter().position(|other| *other == query).ok_or(EvmError::Key)?;
        Ok(Term::word(evals + 32 * position))
    }

    fn term(&self, expression: &Expression<Fr>) -> Result<Term, EvmError> {
        Ok(match expression {
            Expression::Constant(constant) => Term::constant(*constant),
            Expression::Selector(_) => return Err(EvmError::Key),
            Expression::Fixed(query) => self.cell(Any::Fixed, query.column_index(), query.rotation().0)?,
            Expression::Advice(query) => self.cell(Any::advice(), query.column_index(), query.rotation().0)?,
            Expression::Instance(query) => self.cell(Any::Instance, query.column_index(), query.rotation().0)?,
            Expression::Challenge(challenge) => {
                Term::word(*self.memory.challenges.get(challenge.index()).ok_or(EvmError::Key)?)
            }
            Expression::Negated(a) => -self.term(a)?,
            Expression::Sum(a, b) => self.term(a)? + self.term(b)?,
            Expression::Product(a, b) => self.term(a)? * self.term(b)?,
            Expression::Scaled(a, factor) => self.term(a)? * Term::constant(*factor),
        })
    }

    /// The constraints of the permutation, in the library's order.
    fn permutation(&self) -> Result<Vec<Term>, EvmError> {
        let memory = self.memory;
        let [first, last, active] = [memory.first_row, memory.last_row, memory.active_rows].map(Term::word);
        let products: Vec<[Term; 3]> =
            (0..self.shape.permutation.len()).map(|index| memory.proof.product_eval(index).map(Term::word)).collect();
        let (Some([start, ..]), Some([end, ..])) = (products.first(), products.last()) else {
            return Ok(Vec::new());
        };
        let one = Term::constant(Fr::ONE);
        let mut constraints =
            vec![first.clone() * (one.clone() - start.clone()), (end.clone() * end.clone() - end.clone()) * last];
        for pair in products.windows(2) {
            if let [[.., before], [next, ..]] = pair {
                constraints.push((next.clone() - before.clone()) * first.clone());
            }
        }
        let (beta, gamma) = (Term::word(memory.beta), Term::word(memory.gamma));
        let mut index = 0;
        for ([value, next, _], columns) in products.iter().zip(&self.shape.permutation) {
            let (mut left, mut right) = (next.clone(), value.clone());
            for column in columns {
                let cell = self.column(column)? + gamma.clone();
                let own = Term::word(memory.proof.permutation_evals + 32 * index);
                left = left * (beta.clone() * own + cell.clone());
                right = right * (Term::word(memory.shifts + 32 * index) + cell);
                index += 1;
            }
            constraints.push((left - right) * active.clone());
        }
        Ok(constraints)
    }

    fn column(&self, column: &Column<Any>) -> Result<Term, EvmError> {
        self.cell(*column.column_type(), column.index(), 0)
    }
}
