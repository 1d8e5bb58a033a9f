//! The witness stack: all claims on committed columns become one claim at one point.
//!
//! Each claim is a linear functional on a column, with weights `rows[p] * inner[o]`. Their weighted sum is a claim on
//! `sum_z stack(z) * A(z)`; one sumcheck reduces it to the stack's value at a point, which the commitment opens. The verifier
//! evaluates `A` itself.
use alloc::borrow::Cow;
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use super::eq::{dot, eq_points_below, eq_sum_below};
use super::layout::Layout;
use crate::field::EF;

/// Degree of the round polynomials.
pub const DEGREE: usize = 2;

/// Weights on one column.
#[derive(Clone, Debug)]
pub struct ColumnClaim<'a> {
    /// Index of the column.
    pub column: usize,
    /// Multiplier.
    pub coefficient: EF,
    /// Factors over rows.
    pub rows: Cow<'a, [EF]>,
    /// Factors over the valid cells of a row.
    pub inner: Inner,
}

/// Factors over the valid cells of a row, in a form that can be evaluated without them.
#[derive(Clone, Debug)]
pub enum Inner {
    /// The equality weights of a point.
    Point(Vec<EF>),
    /// All one.
    Ones,
}

/// The value at a point of the polynomial whose corners are the claims' weights.
pub fn evaluate(layout: &Layout, claims: &[ColumnClaim<'_>], point: &[EF]) -> EF {
    let mut weights: Vec<Option<Vec<EF>>> = alloc::vec![None; layout.columns.len()];
    let mut total = EF::ZERO;
    for claim in claims {
        let (Some(block), Some(slot)) = (layout.columns.get(claim.column), weights.get_mut(claim.column)) else {
            continue;
        };
        let rows = slot.get_or_insert_with(|| block.row_weights(point));
        let inner = match &claim.inner {
            Inner::Point(inner) => eq_points_below(inner, block.inner_point(point), block.inner),
            Inner::Ones => eq_sum_below(block.inner_point(point), block.inner),
        };
        total += claim.coefficient * dot(&claim.rows, rows) * inner;
    }
    total
}
