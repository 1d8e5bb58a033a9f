//! The soundness error of the whole protocol, computed from a key's sizes.
//!
//! The error is the probability, over the challenges, that a false statement is accepted; hash collisions apart (BLAKE3, 128
//! bits). It is the union of
//! - the openings' own errors (proximity and batching, in the Johnson regime, as the commitment library derives them from the
//!   theorems of [ACFY24]);
//! - for each root, the chance that two of the polynomials it may leave open agree at the point that pins one of them;
//! - the Schwartz-Zippel errors of lookups and sumchecks, `degree / |EF|` each. They concern the pinned polynomial alone, but for
//!   the stack sumcheck: it carries the pinning claim and so must fail for every polynomial that the root leaves open.
//!
//! [ACFY24]: https://eprint.iacr.org/2024/1586
use alloc::vec::Vec;

use super::contraction;
use super::key::CheckedKey;
use super::layout::{Block, NodeColumns};
use super::leaves::ExpressionClaim;
use super::pcs::{ColumnOpening, StackShape};
use super::{ExpressionTerms, VerifyError, activation, stack};
use crate::field::EF;
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
    let witness = StackShape::witness(layout.stack_variables);
    let claim = ColumnOpening { column: 0, point: dummy(layout.stack_variables), value: EF::ZERO };
    let (opening, candidates) = witness.security(&[claim])?;
    let pin = |variables: usize, candidates: f64| {
        let bits = FIELD_BITS - libm::log2(variables.max(1) as f64) - (2.0 * candidates - 1.0).max(0.0);
        ErrorTerm { source: "pinning", bits }
    };
    let mut terms = alloc::vec![
        ErrorTerm { source: "opening of the witness", bits: opening },
        pin(layout.stack_variables, candidates),
    ];
    for shape in &key.stacks().shapes {
        // Every column is opened at the key's point and once for each use. A further use adds a power of the batching
        // challenge, which the margin below covers.
        let twice = |(column, &variables): (usize, &usize)| {
            let claim = ColumnOpening { column, point: dummy(variables), value: EF::ZERO };
            [claim.clone(), claim]
        };
        let claims: Vec<ColumnOpening> = shape.columns.iter().enumerate().flat_map(twice).collect();
        let (opening, candidates) = shape.security(&claims)?;
        terms.push(ErrorTerm { source: "opening of weights", bits: opening });
        terms.push(pin(shape.variables(), candidates));
    }
    let leaves = layout.leaf_variables as f64;
    let stack = layout.stack_variables as f64 * stack::DEGREE as f64 + 3.0;
    let algebra = [
        // A false equality of fractions survives for at most as many alpha and beta as its polynomial's degree.
        ("fingerprints", libm::exp2(leaves + 2.0)),
        // Each layer: one batching and rounds of degree 3.
        ("lookup layers", leaves * (leaves * 3.0 + 3.0)),
        ("batching of claims", 64.0 + 4.0 * contraction_claims(key).1 as f64),
        ("contraction", contraction_claims(key).0 as f64 * contraction::DEGREE as f64),
        ("activation", layout.lane_variables as f64 * activation::DEGREE as f64),
        ("stack", stack * libm::exp2(candidates)),
    ];
    for (source, degree) in algebra {
        terms.push(ErrorTerm { source, bits: FIELD_BITS - libm::log2(degree.max(1.0)) });
    }
    let union: f64 = terms.iter().map(|term| libm::exp2(-term.bits)).sum();
    Ok((terms, -libm::log2(union)))
}

/// Number of rounds of the contraction, and of claims that it leaves together with the outputs.
fn contraction_claims(key: &CheckedKey) -> (usize, usize) {
    let layout = key.layout();
    let claim = |node: usize, expression: usize, leaves: &Block| ExpressionClaim {
        node,
        expression,
        coefficient: EF::ONE,
        rows: alloc::vec![EF::ONE; leaves.rows].into(),
        inner: alloc::vec![EF::ONE; leaves.inner].into(),
        inner_point: alloc::vec![EF::ZERO; leaves.log_inner],
    };
    let mut claims = Vec::new();
    for (node, columns) in layout.nodes.iter().enumerate() {
        match columns {
            NodeColumns::Rescale { excess, .. } => claims.push(claim(node, 0, excess)),
            NodeColumns::Bracket { checks: [above, below], .. } => {
                claims.extend([claim(node, 0, &above.leaves), claim(node, 1, &below.leaves)]);
            }
            NodeColumns::None | NodeColumns::Lookup { .. } | NodeColumns::Max { .. } => {}
        }
    }
    let selections = contraction::Selections::new();
    let instances = ExpressionTerms::new(key.circuit(), &selections, &claims).instances;
    let variables = instances.iter().map(|instance| instance.variables).max().unwrap_or_default();
    (variables, instances.len().saturating_add(key.circuit().circuit().outputs.len()))
}
