//! Which commitments are opened at which points, grouped as the multi-point opening groups them: all that are opened at
//! the same set of points together, sets and commitments in the order in which they first appear.
use super::EvmError;
use super::shape::{Proof, Shape};

/// A commitment and its evaluations, by their addresses.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The point.
    pub commitment: usize,
    /// Its evaluations, in the order of the set's rotations.
    pub evals: Vec<usize>,
}

/// Commitments that are opened at the same points.
#[derive(Clone, Debug)]
pub struct Set {
    /// The points, as rotations of the evaluation point.
    pub rotations: Vec<i32>,
    /// What is opened there.
    pub opened: Vec<Opened>,
}

/// Addresses of what a proof does not hold.
#[derive(Clone, Debug)]
pub struct Known {
    /// Commitments to fixed columns, by column; only queried ones are there.
    pub fixed: Vec<Option<usize>>,
    /// Commitments to the permutation's own columns.
    pub permutation: Vec<usize>,
    /// The quotient's commitment and its evaluation.
    pub quotient: (usize, usize),
}

/// The sets, for a domain of `rows` rows: rotations that differ by it name one point.
pub fn sets(shape: &Shape, proof: &Proof, known: &Known, rows: usize) -> Result<Vec<Set>, EvmError> {
    let mut queries: Vec<(usize, i32, usize)> = Vec::new();
    let mut push = |commitment: usize, rotation: i32, eval: usize| queries.push((commitment, rotation, eval));
    for (index, query) in shape.advice.iter().enumerate() {
        push(proof.advice[query.column], query.rotation, proof.advice_evals + 32 * index);
    }
    for (index, product) in proof.products.iter().enumerate() {
        let [current, next, _] = proof.product_eval(index);
        push(*product, 0, current);
        push(*product, 1, next);
    }
    for (index, product) in proof.products.iter().enumerate().rev().skip(1) {
        push(*product, shape.last, proof.product_eval(index)[2]);
    }
    for (index, query) in shape.fixed.iter().enumerate() {
        push(known.fixed[query.column].ok_or(EvmError::Key)?, query.rotation, proof.fixed_evals + 32 * index);
    }
    for (index, commitment) in known.permutation.iter().enumerate() {
        push(*commitment, 0, proof.permutation_evals + 32 * index);
    }
    push(known.quotient.0, 0, known.quotient.1);
    push(proof.random, 0, proof.random_eval);

    let mut commitments: Vec<(usize, Vec<(i32, usize)>)> = Vec::new();
    for (commitment, rotation, eval) in queries {
        let place = rotation.rem_euclid(rows as i32);
        let index = commitments.iter().position(|(other, _)| *other == commitment).unwrap_or_else(|| {
            commitments.push((commitment, Vec::new()));
            commitments.len() - 1
        });
        let points = &mut commitments[index].1;
        if points.iter().any(|(other, _)| *other == place) {
            return Err(EvmError::QueriedTwice { rotation });
        }
        points.push((place, eval));
    }

    let mut sets: Vec<Set> = Vec::new();
    for (commitment, mut points) in commitments {
        points.sort_unstable();
        let (rotations, evals): (Vec<i32>, Vec<usize>) = points.into_iter().unzip();
        let opened = Opened { commitment, evals };
        match sets.iter_mut().find(|set| set.rotations == rotations) {
            Some(set) => set.opened.push(opened),
            None => sets.push(Set { rotations, opened: vec![opened] }),
        }
    }
    Ok(sets)
}
