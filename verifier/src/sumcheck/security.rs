//! The soundness error of the whole protocol, computed from a key's sizes.
//!
//! The error is the probability, over the challenges, that a false statement is accepted; hash collisions apart (BLAKE3, 128
//! bits). It is the union of: the openings' own errors (proximity and batching, in the Johnson regime, as the commitment
//! library derives them from the theorems of [ACFY24]); and, for each polynomial that a root may leave open, the
//! Schwartz-Zippel errors of pinning, lookups and sumchecks, each `degree / |EF|`.
use alloc::vec::Vec;

use super::contraction;
use super::leaves::ExpressionClaim;
use super::pcs::{ColumnOpening, Purpose, StackShape};
use super::{ExpressionTerms, VerifyError, activation, stack};
use crate::field::EF;
use crate::key::CheckedKey;
use p3_field::PrimeCharacteristicRing;

/// One source of error.
#[derive(Clone, Debug)]
pub struct ErrorTerm {
    /// Where it comes from.
    pub source: &'static str,
    /// Its negative logarithm.
    pub bits: f64,
}

/// Bits of the challenge field, rounded down.
const FIELD_BITS: f64 = 127.9;

/// The sources of error of a proof under a key, and the bits of their union.
///
/// # Errors
/// The key's sizes are outside what the security parameters allow.
pub fn soundness(key: &CheckedKey) -> Result<(Vec<ErrorTerm>, f64), VerifyError> {
    let layout = key.layout();
    let dummy = |variables: usize| alloc::vec![EF::ZERO; variables];
    let witness = StackShape { purpose: Purpose::Witness, columns: alloc::vec![layout.stack_variables] };
    let claim = ColumnOpening { column: 0, point: dummy(layout.stack_variables), value: EF::ZERO };
    let (opening, candidates) = witness.security(&[claim])?;
    let mut terms = alloc::vec![ErrorTerm { source: "opening of the witness", bits: opening }];
    let mut log_candidates = candidates;
    for (shape, commitment) in key.stacks().shapes.iter().zip(key.weights()) {
        // Every column is opened at the key's point and once for each use; more uses than columns do not occur often, and
        // each claim adds only a power of the batching challenge.
        let mut claims = Vec::new();
        for (column, &variables) in shape.columns.iter().enumerate() {
            for _ in 0..2 {
                claims.push(ColumnOpening { column, point: dummy(variables), value: EF::ZERO });
            }
        }
        let _ = commitment;
        let (opening, candidates) = shape.security(&claims)?;
        terms.push(ErrorTerm { source: "opening of weights", bits: opening });
        log_candidates += candidates;
    }
    let cells = libm::log2(f64::from(u32::try_from(layout.stack_len().max(2)).unwrap_or(u32::MAX)));
    let leaves = layout.leaf_variables as f64;
    let variables = contraction_variables(key);
    let algebra = [
        // Two candidates agree at the pinning point with probability at most variables / |EF|, for each pair.
        ("pinning", layout.stack_variables as f64),
        // A false multiset equality survives for at most 2^(leaves + 2) choices of alpha and beta.
        ("fingerprints", libm::exp2(leaves + 2.0)),
        // Each layer: one batching and rounds of degree 3.
        ("lookup layers", leaves * (leaves * 3.0 + 3.0)),
        ("batching of claims", 16.0 + 2.0 * key.circuit().circuit().nodes.len() as f64),
        ("contraction", (variables as f64) * contraction::DEGREE as f64),
        ("activation", layout.lane_variables as f64 * activation::DEGREE as f64),
        ("stack", layout.stack_variables as f64 * stack::DEGREE as f64 + 3.0),
    ];
    let pairs = [2.0 * log_candidates, log_candidates];
    for (index, (source, degree)) in algebra.into_iter().enumerate() {
        let lists = if index == 0 { pairs[0] } else { pairs[1] };
        terms.push(ErrorTerm { source, bits: FIELD_BITS - libm::log2(degree.max(1.0)) - lists });
    }
    let _ = cells;
    let union: f64 = terms.iter().map(|term| libm::exp2(-term.bits)).sum();
    Ok((terms, -libm::log2(union)))
}

fn contraction_variables(key: &CheckedKey) -> usize {
    let layout = key.layout();
    let claims: Vec<ExpressionClaim<'_>> = layout
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(node, columns)| match columns {
            super::layout::NodeColumns::Rescale { excess, .. } => Some(ExpressionClaim {
                node,
                coefficient: EF::ONE,
                rows: alloc::vec![EF::ONE; excess.rows].into(),
                inner: alloc::vec![EF::ONE; excess.inner].into(),
                inner_point: alloc::vec![EF::ZERO; excess.log_inner],
            }),
            _ => None,
        })
        .collect();
    let terms = ExpressionTerms::new(key.circuit(), &claims);
    terms.instances.iter().map(|instance| instance.variables).max().unwrap_or_default()
}
