//! Checks one node: its relation fits its shape, and what follows from it.
use alloc::vec::Vec;

use super::bracket::{quotient_checks, root_checks};
use super::expression::Scope;
use super::{Bracket, CircuitError, Expr, Expression, Maximum, Node, NodeId, Op, Range, SaturationTable, Term};

/// What follows for one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// What must hold of linear combinations: see [`super::CheckedCircuit::expressions`].
    pub expressions: Vec<Expression>,
    /// Of a rescale.
    pub saturation: Option<SaturationTable>,
    /// Of a quotient or root.
    pub bracket: Option<Bracket>,
    /// Of a maximum.
    pub maximum: Option<Maximum>,
}

/// Checks a node; returns the values that it can take and what else follows.
pub(super) fn check_node(scope: &mut Scope<'_>) -> Result<(Range, Facts), CircuitError> {
    let (id, node) = (scope.id, scope.node);
    let fail = |reason| CircuitError::Node { node: id, reason };
    if node.is_empty() {
        return Err(fail("empty shape"));
    }
    let mut facts = Facts::default();
    let range = match &node.op {
        Op::Input(range) => Range::new(range.low.into(), range.high.into()).ok_or(fail("empty or too wide range"))?,
        Op::Affine(expr) => {
            if expr.terms.iter().any(|term| !matches!(term, Term::Linear { .. })) {
                return Err(fail("an affine node with terms that are not linear"));
            }
            let expression = scope.expression(expr)?;
            let range = expression.range;
            facts.expressions.push(expression);
            range
        }
        Op::Rescale { expr, shift, low, bits } => {
            let expression = scope.expression(expr)?;
            let fit = fail("shift, range or width do not fit the values");
            facts.saturation = Some(saturation_table(expression.range, *shift, *low, *bits).ok_or(fit)?);
            facts.expressions.push(expression);
            Range::new((*low).into(), rescale_high(*low, *bits).ok_or(fail("range out of bounds"))?)
                .ok_or(fail("range out of bounds"))?
        }
        Op::Lookup { source, table } => {
            let (from, argument) = earlier(scope, *source)?;
            if (from.rows, from.inner) != (node.rows, node.inner) {
                return Err(fail("shape differs from the source's"));
            }
            let table = scope.circuit.tables.get(*table as usize).ok_or(fail("no such table"))?;
            if !table.domain().is_some_and(|domain| domain.contains(argument.low) && domain.contains(argument.high)) {
                return Err(fail("arguments outside the table"));
            }
            table.range().ok_or(fail("empty table"))?
        }
        Op::Quotient { numerator, denominator } => {
            let wide = fail("a quotient of values that are too wide, or a denominator that is not positive");
            let n = scope.expression(numerator)?.range;
            let (gather, d) = scope.view(denominator)?;
            if !denominator.sum.is_empty() || gather.reads_padding() {
                return Err(fail("a denominator with summed axes or padding"));
            }
            let low = scope.source(denominator.source).map_or(0, |(_, range)| range.low);
            let d = Range { low, ..d };
            let (bracket, range) = Bracket::quotient(n, d).ok_or(wide.clone())?;
            let own = NodeId::try_from(id).map_err(|_| wide.clone())?;
            let checks = quotient_checks(own, node, numerator, denominator).ok_or(wide.clone())?;
            facts.expressions = checked_against_itself(scope, bracket, &checks)?;
            facts.bracket = Some(bracket);
            range
        }
        Op::Root(radicand) => {
            let wide = fail("a root of values that are too wide, or negative");
            let n = scope.expression(radicand)?.range;
            let (bracket, range) = Bracket::root(n).ok_or(wide.clone())?;
            let own = NodeId::try_from(id).map_err(|_| wide.clone())?;
            let checks = root_checks(own, node, radicand).ok_or(wide)?;
            facts.expressions = checked_against_itself(scope, bracket, &checks)?;
            facts.bracket = Some(bracket);
            range
        }
        Op::Max { source } => {
            let (from, range) = earlier(scope, *source)?;
            let fit = fail("a maximum whose groups do not fit the source, or of values that are too wide");
            facts.maximum = Some(Maximum::new(node, from, range).ok_or(fit)?);
            range
        }
    };
    Ok((range, facts))
}

/// An earlier node and its values.
fn earlier<'a>(scope: &Scope<'a>, source: NodeId) -> Result<(&'a Node, Range), CircuitError> {
    scope.source(source).ok_or(CircuitError::Node { node: scope.id, reason: "source is not an earlier node" })
}

/// Checks the expressions of a bracket, which refer to the node itself with whatever value may be committed for it.
fn checked_against_itself(
    scope: &mut Scope<'_>,
    bracket: Bracket,
    checks: &[Expr; 2],
) -> Result<Vec<Expression>, CircuitError> {
    scope.own = Some(bracket.committed().ok_or(CircuitError::Overflow { node: scope.id })?);
    checks.iter().map(|expr| scope.expression(expr)).collect()
}

/// The saturation table of a rescale, or nothing if its parameters do not fit the range of its argument.
fn saturation_table(range: Range, shift: u8, low: i64, bits: u8) -> Option<SaturationTable> {
    let fits = (1..=40).contains(&bits) && shift <= 40 && low.unsigned_abs() <= 1 << 40;
    fits.then_some(())?;
    let half = if shift == 0 { 0 } else { 1i64.checked_shl(u32::from(shift).checked_sub(1)?)? };
    let excess = |value: i64| -> Option<i64> {
        let quotient = value.checked_add(half)?.checked_shr(shift.into())?;
        quotient.checked_sub(low)?.checked_shr(bits.into())
    };
    let (below, above) = (excess(range.low)?, excess(range.high)?);
    let table = (1..=16u8).find(|&width| {
        Range::signed(width).is_some_and(|excesses| excesses.contains(below) && excesses.contains(above))
    })?;
    let total = u32::from(shift).checked_add(bits.into())?.checked_add(table.into())?;
    (total <= 61).then_some(SaturationTable { bits: table })
}

/// Largest result of a rescale.
fn rescale_high(low: i64, bits: u8) -> Option<i128> {
    i128::from(low).checked_add(1i128.checked_shl(bits.into())?)?.checked_sub(1)
}
