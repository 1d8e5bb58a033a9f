//! The witness stack: all claims on committed columns become one claim at one point.
//!
//! Each claim is a linear functional on a column, with weights `rows[p] * inner[o]`. Their weighted sum is a claim on
//! `sum_z stack(z) * A(z)`; one sumcheck reduces it to the stack's value at a point, which the commitment opens. The verifier
//! evaluates `A` itself.
use alloc::borrow::Cow;
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use super::eq::{dot, eq_points};
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
    pub inner: Inner<'a>,
}

/// Factors over the cells of a row.
#[derive(Clone, Debug)]
pub enum Inner<'a> {
    /// One for each valid cell.
    Cells(Cow<'a, [EF]>),
    /// Those of a point, in a row without padding: the columns of tables, which are as long as it gets.
    Point(Vec<EF>),
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
            Inner::Cells(inner) => dot(inner, &block.inner_weights(point)),
            Inner::Point(inner) => eq_points(inner, block.inner_point(point)),
        };
        total += claim.coefficient * dot(&claim.rows, rows) * inner;
    }
    total
}
