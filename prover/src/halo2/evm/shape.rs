//! What a verifying key says of its proofs: which messages come in which order, and what is opened where.
//!
//! This is the library's own order (its `plonk::verifier`): advice by phase, with the phase's challenges after it; products
//! of the permutation; the random polynomial; pieces of the quotient; evaluations; the two points of the
//! opening. The argument for hidden columns follows.
use assay_verifier::halo2::curve::G1Affine;
use halo2_proofs::plonk::{Any, Column, VerifyingKey};
use halo2_proofs::poly::Rotation;

use super::EvmError;
use super::hiding::Hidden;
use super::public::Public;

/// Messages of one phase.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its advice columns.
    pub advice: Vec<usize>,
    /// Its challenges.
    pub challenges: Vec<usize>,
}

/// A column's polynomial at a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// The column.
    pub column: usize,
    /// The rotation.
    pub rotation: i32,
}

/// The shape of the proofs for a key.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Public values in each instance column.
    pub instances: Vec<usize>,
    /// Phases in order.
    pub phases: Vec<Phase>,
    /// Advice columns.
    pub advice_columns: usize,
    /// Challenges of the phases.
    pub challenges: usize,
    /// Evaluations of advice columns.
    pub advice: Vec<Query>,
    /// Evaluations of fixed columns.
    pub fixed: Vec<Query>,
    /// Columns of the permutation, in the chunks that share a product.
    pub permutation: Vec<Vec<Column<Any>>>,
    /// Pieces of the quotient.
    pub quotient: usize,
    /// The rotation to the last row that is in use.
    pub last: i32,
    /// Hidden columns: the first advice columns.
    pub hidden: usize,
    /// How many of them hold inputs, which the call commits to.
    pub inputs: usize,
    /// Answers of their argument, one for each blinding row.
    pub answers: usize,
}

/// Words of a point and of a scalar.
const POINT: usize = 64;
const SCALAR: usize = 32;

impl Shape {
    /// Reads the shape from a key.
    pub fn new(key: &VerifyingKey<G1Affine>, hidden: &Hidden, public: &Public) -> Result<Self, EvmError> {
        let cs = key.cs();
        if !cs.lookups().is_empty() {
            return Err(EvmError::Lookups);
        }
        let (columns, expected) = (public.columns.len(), cs.num_instance_columns());
        if columns != expected {
            return Err(EvmError::InstanceColumns { columns, expected });
        }
        if let Some((_, rotation)) = cs.instance_queries().iter().find(|(_, rotation)| *rotation != Rotation::cur()) {
            return Err(EvmError::InstanceRotation { rotation: rotation.0 });
        }
        let rows = key.get_domain().get_n() as usize;
        let unusable = cs.blinding_factors() + 1;
        let usable = rows.saturating_sub(unusable);
        if let Some(&instances) = public.columns.iter().find(|instances| **instances > usable) {
            return Err(EvmError::InstanceRows { instances, usable });
        }
        let columns = cs.permutation().get_columns();
        let quotient = key.get_domain().get_quotient_poly_degree();
        if key.fixed_commitments().len() != cs.num_fixed_columns()
            || key.permutation().commitments().len() != columns.len()
            || quotient == 0
            || (quotient == 1 && !columns.is_empty())
        {
            return Err(EvmError::Key);
        }
        let phase_of = cs.advice_column_phase();
        let challenge_phase = cs.challenge_phase();
        let first_phase = phase_of.iter().take_while(|phase| **phase == 0).count();
        let hides = hidden.columns() > 0;
        if hidden.columns() > first_phase || hidden.blinding.len() != if hides { unusable } else { 0 } {
            return Err(EvmError::Key);
        }
        let phases = (0..=phase_of.iter().copied().max().unwrap_or(0))
            .map(|phase| Phase { advice: positions(&phase_of, phase), challenges: positions(&challenge_phase, phase) });
        Ok(Self {
            instances: public.columns.clone(),
            phases: phases.collect(),
            advice_columns: cs.num_advice_columns(),
            challenges: cs.num_challenges(),
            advice: cs.advice_queries().iter().map(|(column, at)| query(column.index(), *at)).collect(),
            fixed: cs.fixed_queries().iter().map(|(column, at)| query(column.index(), *at)).collect(),
            permutation: columns.chunks((quotient - 1).max(1)).map(<[_]>::to_vec).collect(),
            quotient,
            last: -(unusable as i32),
            hidden: hidden.columns(),
            inputs: hidden.inputs,
            answers: hidden.blinding.len(),
        })
    }

    /// All points of the opening, as rotations in a domain of `rows` rows.
    pub fn rotations(&self, rows: usize) -> Vec<i32> {
        let products = [1, self.last].into_iter().take(self.permutation.len());
        let queries = self.advice.iter().chain(&self.fixed).map(|query| query.rotation);
        let mut rotations: Vec<i32> =
            queries.chain(products).chain([0]).map(|rotation| rotation.rem_euclid(rows as i32)).collect();
        rotations.sort_unstable();
        rotations.dedup();
        rotations
    }

    /// The columns of the permutation.
    pub fn permuted(&self) -> usize {
        self.permutation.iter().map(Vec::len).sum()
    }

    /// Points behind the evaluations: the opening's, and the mask of the hidden columns' argument.
    pub fn last_points(&self) -> usize {
        2 + usize::from(self.hidden > 0)
    }

    /// Points before the evaluations.
    pub fn points(&self) -> usize {
        self.advice_columns + self.permutation.len() + 1 + self.quotient
    }

    /// Evaluations.
    pub fn scalars(&self) -> usize {
        let products = (3 * self.permutation.len()).saturating_sub(1);
        self.advice.len() + self.fixed.len() + 1 + self.permuted() + products
    }

    /// Bytes of a proof as the contract takes it: points are two words.
    pub fn proof_size(&self) -> usize {
        POINT * (self.points() + self.last_points()) + SCALAR * (self.scalars() + self.answers)
    }

    /// Bytes of a proof as it is stored: points are compressed.
    pub fn compact_size(&self) -> usize {
        32 * (self.points() + self.scalars() + self.last_points() + self.answers)
    }

    /// Public values.
    pub fn public(&self) -> usize {
        self.instances.iter().sum()
    }

    /// Where in a call the public values start: behind the context and the commitments to inputs.
    pub fn instances_start(&self) -> usize {
        32 + POINT * self.inputs
    }

    /// Bytes of a call.
    pub fn calldata_size(&self) -> usize {
        self.instances_start() + SCALAR * self.public() + self.proof_size()
    }
}

/// Where the messages of a proof lie, the first of them at `start`.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The first message.
    pub start: usize,
    /// Commitments to advice columns, by column.
    pub advice: Vec<usize>,
    /// Commitments to the permutation's products.
    pub products: Vec<usize>,
    /// The commitment to the random polynomial.
    pub random: usize,
    /// The first commitment to a piece of the quotient.
    pub quotient: usize,
    /// Evaluations of advice columns, by query.
    pub advice_evals: usize,
    /// Evaluations of fixed columns, by query.
    pub fixed_evals: usize,
    /// The evaluation of the random polynomial.
    pub random_eval: usize,
    /// Evaluations of the permutation's own columns.
    pub permutation_evals: usize,
    /// Evaluations of products: at the point, at the next row and, but for the last product, at the last row.
    pub product_evals: usize,
    /// The opening's two points.
    pub opening: [usize; 2],
    /// The mask and the answers of the hidden columns' argument, if there are such columns.
    pub mask: usize,
    pub answers: usize,
    /// The end of the messages.
    pub end: usize,
}

impl Proof {
    /// Lays the messages out.
    pub fn new(shape: &Shape, start: usize) -> Self {
        let mut advice = vec![0; shape.advice_columns];
        let mut next = start;
        for column in shape.phases.iter().flat_map(|phase| &phase.advice) {
            advice[*column] = next;
            next += POINT;
        }
        let products: Vec<usize> = (0..shape.permutation.len()).map(|index| next + POINT * index).collect();
        let random = next + POINT * products.len();
        let quotient = random + POINT;
        let advice_evals = quotient + POINT * shape.quotient;
        let fixed_evals = advice_evals + SCALAR * shape.advice.len();
        let random_eval = fixed_evals + SCALAR * shape.fixed.len();
        let permutation_evals = random_eval + SCALAR;
        let product_evals = permutation_evals + SCALAR * shape.permuted();
        let opening = advice_evals + SCALAR * shape.scalars();
        Self {
            start,
            advice,
            products,
            random,
            quotient,
            advice_evals,
            fixed_evals,
            random_eval,
            permutation_evals,
            product_evals,
            opening: [opening, opening + POINT],
            mask: opening + 2 * POINT,
            answers: opening + POINT * shape.last_points(),
            end: start + shape.proof_size(),
        }
    }

    /// The evaluations of a product: at the point, at the next row, at the last row.
    pub fn product_eval(&self, index: usize) -> [usize; 3] {
        let first = self.product_evals + 3 * SCALAR * index;
        [first, first + SCALAR, first + 2 * SCALAR]
    }
}

fn positions(phases: &[u8], phase: u8) -> Vec<usize> {
    phases.iter().enumerate().filter(|(_, of)| **of == phase).map(|(index, _)| index).collect()
}

fn query(column: usize, at: Rotation) -> Query {
    Query { column, rotation: at.0 }
}
