//! The stack sumcheck: weights on the committed cells, and the rounds that reduce them to one point.
use assay_verifier::field::{EF, F};
use assay_verifier::sumcheck::layout::Layout;
use assay_verifier::sumcheck::stack::{ColumnClaim, DEGREE, Inner};
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

use super::channel::Channel;
use super::eq::eq_table;
use super::rounds::{fold, packed_pairs, pair, round, sum_over, sum_pairs};

/// Adds the weights of all column claims to those of the stack's cells.
pub fn scatter(layout: &Layout, claims: &[ColumnClaim<'_>], weights: &mut [EF]) {
    let mut by_column: Vec<Vec<&ColumnClaim<'_>>> = vec![Vec::new(); layout.columns.len()];
    claims.iter().for_each(|claim| by_column[claim.column].push(claim));
    // Columns are disjoint: hand each its own part of the weights.
    let mut order: Vec<usize> = (0..layout.columns.len()).collect();
    order.sort_by_key(|&column| layout.columns[column].offset);
    let mut rest = weights;
    let mut parts = Vec::with_capacity(order.len());
    for column in order {
        let (part, later) = rest.split_at_mut(layout.columns[column].len());
        parts.push((column, part));
        rest = later;
    }
    parts.into_par_iter().for_each(|(column, part)| {
        let block = &layout.columns[column];
        for claim in &by_column[column] {
            let inner = match &claim.inner {
                Inner::Point(point) => eq_table(point, block.inner, EF::ONE),
                Inner::Ones => vec![EF::ONE; block.inner],
            };
            part.par_chunks_mut(block.row_len()).with_min_len(64).zip(claim.rows.par_iter()).for_each(
                |(row, &weight)| {
                    let weight = claim.coefficient * weight;
                    for (cell, &inner) in row.iter_mut().zip(inner.iter()) {
                        *cell += weight * inner;
                    }
                },
            );
        }
    });
}

/// Proves the sum of `weights * stack`; sends the stack's value at the end point and returns both.
pub fn prove(
    channel: &mut Channel<'_>,
    variables: usize,
    stack: &[F],
    mut weights: Vec<EF>,
    claim: EF,
) -> (Vec<EF>, EF) {
    let mut claim = claim;
    let mut values: Vec<EF> = Vec::new();
    let mut point = Vec::with_capacity(variables);
    for number in 0..variables {
        let len = weights.len().div_ceil(2);
        let sums: [EF; DEGREE] = if number == 0 {
            sum_over(len, |index| {
                let (weight, slope) = pair(&weights, index);
                let zero = stack.get(2 * index).copied().unwrap_or_default();
                let one = stack.get(2 * index + 1).copied().unwrap_or_default();
                [weight * zero, (weight + slope.double()) * (one.double() - zero)]
            })
        } else {
            // Beyond the values in use the product is zero.
            sum_pairs(
                values.len().min(weights.len()),
                |index| terms(packed_pairs(&weights, index), packed_pairs(&values, index)),
                |index| terms(pair(&weights, index), pair(&values, index)),
            )
        };
        let challenge = round(channel, &sums, &mut claim);
        if number == 0 {
            values = stack
                .par_chunks(2)
                .with_min_len(1 << 10)
                .map(|pair| {
                    let one = pair.get(1).copied().unwrap_or_default();
                    challenge * (one - pair[0]) + pair[0]
                })
                .collect();
        } else {
            fold(&mut values, challenge);
        }
        fold(&mut weights, challenge);
        point.push(challenge);
    }
    point.reverse();
    // A circuit that rescales and looks up nothing has an empty stack.
    let value = values.first().copied().unwrap_or_default();
    channel.send(value);
    (point, value)
}

/// The product at 0 and 2, from values at zero and slopes.
fn terms<T: PrimeCharacteristicRing + Copy>((a, da): (T, T), (b, db): (T, T)) -> [T; DEGREE] {
    [a * b, (a + da.double()) * (b + db.double())]
}
