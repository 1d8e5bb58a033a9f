//! Relations that pin one integer between two bounds, and maxima: what is derived from their shapes and ranges.
//!
//! # Soundness
//! A quotient `y` of `n` by `d >= 1` is the only integer with `n - d y >= 0` and `d - 1 - (n - d y) >= 0`; a root the only one with
//! `n - y^2 >= 0` and `y^2 + 2 y - n >= 0`. Both are proven as range checks of the derived expressions, with `y` itself committed in
//! limbs, so that for every committed `y` all of them stay below `2^61` and none wraps.
use alloc::vec::Vec;

use super::{Expr, Node, NodeId, Range, Term, View};

/// Widest result and widest check of a bracket in bits.
const BITS_MAX: u8 = 40;

/// How the result of a quotient or a root is committed and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// Smallest value that can be committed.
    pub low: i64,
    /// Width of what is committed above it.
    pub bits: u8,
    /// Width of the range that both derived expressions lie in.
    pub check_bits: u8,
}

impl Bracket {
    /// The bracket of a quotient and the values that it can take.
    pub(super) fn quotient(numerator: Range, denominator: Range) -> Option<(Self, Range)> {
        (denominator.low >= 1).then_some(())?;
        let corners = |n: i64| -> Option<[i64; 2]> {
            Some([n.checked_div_euclid(denominator.low)?, n.checked_div_euclid(denominator.high)?])
        };
        let ([a, b], [c, d]) = (corners(numerator.low)?, corners(numerator.high)?);
        let range = Range { low: a.min(b), high: c.max(d) };
        let bits = bits_of(range.high.checked_sub(range.low)?);
        let check_bits = bits_of(denominator.high.checked_sub(1)?);
        (bits.max(check_bits) <= BITS_MAX).then_some((Self { low: range.low, bits, check_bits }, range))
    }

    /// The bracket of a root and the values that it can take.
    pub(super) fn root(radicand: Range) -> Option<(Self, Range)> {
        let range = Range { low: root(radicand.low)?, high: root(radicand.high)? };
        let bits = bits_of(range.high);
        Some((Self { low: 0, bits, check_bits: bits.checked_add(1)? }, range))
    }

    /// The values that can be committed, right or wrong.
    pub(super) fn committed(&self) -> Option<Range> {
        let span = 1i128.checked_shl(self.bits.into())?.checked_sub(1)?;
        Range::new(self.low.into(), i128::from(self.low).checked_add(span)?)
    }
}

/// How a maximum is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maximum {
    /// Rows of the source for each row of the result.
    pub window: usize,
    /// Whether the maximum is taken over the source's inner axis too.
    pub across: bool,
    /// Width of the differences between maximum and cells.
    pub bits: u8,
    /// Width of the number of cells that equal the maximum, minus one.
    pub count_bits: u8,
}

impl Maximum {
    /// What follows for a result and its source.
    pub(super) fn new(node: &Node, source: &Node, range: Range) -> Option<Self> {
        let window = source.rows.checked_div(node.rows)?;
        let across = node.inner == 1 && source.inner > 1;
        let fits = window.checked_mul(node.rows) == Some(source.rows) && (across || node.inner == source.inner);
        let group = i64::from(window).checked_mul(if across { source.inner.into() } else { 1 })?;
        let bits = bits_of(range.high.checked_sub(range.low)?);
        let count_bits = bits_of(group.checked_sub(1)?);
        (fits && bits <= 16 && count_bits <= 16).then_some(Self { window: window as usize, across, bits, count_bits })
    }
}

/// Least width, 1 or more, in which a value of at least 0 fits.
fn bits_of(value: i64) -> u8 {
    let bits = i64::BITS.saturating_sub(value.leading_zeros()).max(1);
    u8::try_from(bits).unwrap_or(u8::MAX)
}

/// The integer square root of a value of at least 0.
fn root(value: i64) -> Option<i64> {
    u64::try_from(value).ok().and_then(|value| i64::try_from(value.isqrt()).ok())
}

/// The two expressions that must not be negative for the node to be the quotient: remainder, and what the remainder lacks to
/// the next multiple.
pub(super) fn quotient_checks(id: NodeId, node: &Node, numerator: &Expr, denominator: &View) -> Option<[Expr; 2]> {
    let multiple = |coefficient: i64| -> Term {
        let own = same_axes(id, node, denominator);
        Term::Product { coefficient, left: denominator.clone(), right: own }
    };
    let mut remainder = numerator.clone();
    remainder.terms.push(multiple(-1));
    let mut lacking = negated(numerator)?;
    lacking.constant = lacking.constant.checked_sub(1)?;
    lacking.terms.push(multiple(1));
    lacking.terms.push(Term::Linear { coefficient: 1, view: denominator.clone() });
    Some([remainder, lacking])
}

/// The two expressions that must not be negative for the node to be the root.
pub(super) fn root_checks(id: NodeId, node: &Node, radicand: &Expr) -> Option<[Expr; 2]> {
    let own = || View::identity(id, node.rows, node.inner);
    let square = |coefficient: i64| Term::Product { coefficient, left: own(), right: own() };
    let mut above = radicand.clone();
    above.terms.push(square(-1));
    let mut lacking = negated(radicand)?;
    lacking.terms.push(square(1));
    lacking.terms.push(Term::Linear { coefficient: 2, view: own() });
    Some([above, lacking])
}

/// The node's own cells, with the axes of another view.
fn same_axes(id: NodeId, node: &Node, view: &View) -> View {
    let mut own = View::identity(id, node.rows, node.inner);
    own.axes.clone_from(&view.axes);
    own.dims.clone_from(&view.axes);
    let axis = |axis: usize| (0..view.axes.len()).map(|other| i64::from(other == axis)).collect::<Vec<i64>>();
    own.maps = (0..view.axes.len()).map(|at| super::AxisMap::affine(0, axis(at))).collect();
    own
}

/// The expression with all signs changed.
fn negated(expr: &Expr) -> Option<Expr> {
    let mut expr = expr.clone();
    expr.constant = expr.constant.checked_neg()?;
    for term in &mut expr.terms {
        let (Term::Linear { coefficient, .. }
        | Term::Contract { coefficient, .. }
        | Term::Bias { coefficient, .. }
        | Term::Select { coefficient, .. }
        | Term::Product { coefficient, .. }) = term;
        *coefficient = coefficient.checked_neg()?;
    }
    Some(expr)
}
