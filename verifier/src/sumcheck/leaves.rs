//! What the lookup argument's leaves are made of: the claim on them at one point, taken apart into claims on columns,
//! tensors and expressions.
//!
//! With challenges `alpha`, `beta`, a lookup of `v` (or a pair `v, w`) in a table with tag `t` has the fingerprint
//! `v + beta * w + beta^2 * t` and the leaf `1 / (alpha - fingerprint)`; a table entry has the same with numerator minus its
//! multiplicity. In padding cells of a lookup the fingerprint and the numerator are zero.
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use super::claims::Claim;
use super::eq::{eq_range, eq_sum_below};
use super::layout::{Block, Check, Layout, Limb, NodeColumns, TableColumns, TableKind};
use super::lookup::LeafClaim;
use super::stack::{ColumnClaim, Inner};
use crate::circuit::{CheckedCircuit, Circuit, Maximum, Op};
use crate::field::{EF, F, inverse_power_of_two, signed};

/// Challenges of the lookup argument.
#[derive(Clone, Copy, Debug)]
pub struct Challenges {
    /// Where fractions are evaluated.
    pub alpha: EF,
    /// Combines the parts of a fingerprint.
    pub beta: EF,
    /// Combines the claims on numerators and denominators.
    pub eta: EF,
}

/// A claim on an expression: weights `coefficient * rows[p] * inner[o]` on its cells.
#[derive(Clone, Debug)]
pub struct ExpressionClaim<'a> {
    /// The node.
    pub node: usize,
    /// Which of the node's expressions.
    pub expression: usize,
    /// Multiplier.
    pub coefficient: EF,
    /// Factors over rows.
    pub rows: Cow<'a, [EF]>,
    /// Factors over valid inner indices.
    pub inner: Cow<'a, [EF]>,
    /// The point over the padded inner axis that the inner factors come from.
    pub inner_point: Vec<EF>,
}

/// The claim on the leaves, taken apart. What `columns`, `tensors` and `expressions` (with their constants) claim adds up to
/// `total`.
#[derive(Clone, Debug)]
pub struct Leaves<'a> {
    /// Claims on committed columns.
    pub columns: Vec<ColumnClaim<'a>>,
    /// Claims on tensors that are looked up in function tables, and on maxima and what they are compared with.
    pub tensors: Vec<Claim<'a>>,
    /// Claims on expressions that are rescaled or must not be negative.
    pub expressions: Vec<ExpressionClaim<'a>>,
    /// What all of them add up to.
    pub total: EF,
}

impl<'a> Leaves<'a> {
    /// Takes a claim apart.
    pub fn new(checked: &CheckedCircuit, layout: &Layout, claim: &LeafClaim, challenges: Challenges) -> Self {
        let mut parts = Self { columns: Vec::new(), tensors: Vec::new(), expressions: Vec::new(), total: EF::ZERO };
        // What the leaves would be with all fingerprints and multiplicities zero, minus what they are claimed to be.
        let mut known = Known { numerator: EF::ZERO, denominator: EF::ONE };
        let at = At { point: &claim.point, challenges };
        for limb in &layout.limbs {
            let lookup = at.lookup(&limb.leaves, limb.tag, &mut known, &mut parts.total);
            parts.column(limb.column, EF::ONE, &lookup);
        }
        for (id, (node, columns)) in checked.circuit().nodes.iter().zip(&layout.nodes).enumerate() {
            match (&node.op, columns) {
                (
                    Op::Rescale { shift, low, bits, .. },
                    NodeColumns::Rescale { sign, offset, remainder, excess, .. },
                ) => {
                    let width = checked.saturation(id).map_or(0, |table| table.bits);
                    let tag = layout.tag(TableKind::Saturation(width));
                    let lookup = at.lookup(excess, tag, &mut known, &mut parts.total);
                    parts.column(*sign, challenges.beta, &lookup);
                    parts.rescale(id, (*shift, *low, *bits), [offset, remainder], lookup);
                }
                (Op::Lookup { source, table }, NodeColumns::Lookup { value, leaves }) => {
                    let lookup =
                        at.lookup(leaves, layout.tag(TableKind::Function(*table)), &mut known, &mut parts.total);
                    parts.column(*value, challenges.beta, &lookup);
                    let inner = lookup.inner();
                    parts.tensor(*source as usize, EF::ONE, lookup.rows, inner);
                }
                (_, NodeColumns::Bracket { checks, .. }) => {
                    for (expression, check) in checks.iter().enumerate() {
                        let lookup = at.lookup(&check.leaves, check.tag, &mut known, &mut parts.total);
                        parts.check((id, expression), check, lookup);
                    }
                }
                (Op::Max { source }, NodeColumns::Max { equal, pairs, counts, .. }) => {
                    let Some(maximum) = checked.maximum(id) else { continue };
                    let tag = layout.tag(TableKind::Zero(maximum.bits));
                    let lookup = at.lookup(pairs, tag, &mut known, &mut parts.total);
                    parts.column(*equal, challenges.beta, &lookup);
                    parts.differences((id, *source as usize), maximum, lookup);
                    let tag = layout.tag(TableKind::Range(maximum.count_bits));
                    let lookup = at.lookup(counts, tag, &mut known, &mut parts.total);
                    parts.count(*equal, maximum, lookup);
                }
                _ => {}
            }
        }
        // Tables of one size share their part of the point.
        let mut entries: BTreeMap<u8, Vec<EF>> = BTreeMap::new();
        for table in &layout.tables {
            let rows: Cow<'a, [EF]> = Cow::Owned(table.leaves.row_weights(at.point));
            let all: EF = rows.iter().copied().sum();
            let point = table.leaves.inner_point(at.point);
            let fingerprint = table_value(checked.circuit(), table, point, challenges.beta, &mut entries);
            known.denominator += all * (challenges.alpha - fingerprint - EF::ONE);
            let inner = Inner::Point(table.leaves.inner_point(at.point).to_vec());
            parts.columns.push(ColumnClaim { column: table.multiplicity, coefficient: challenges.eta, rows, inner });
        }
        parts.total += known.denominator - claim.denominator + challenges.eta * (known.numerator - claim.numerator);
        parts
    }

    fn column(&mut self, column: usize, coefficient: EF, lookup: &Lookup<'a>) {
        self.columns.push(ColumnClaim {
            column,
            coefficient,
            rows: lookup.rows.clone(),
            inner: Inner::Point(lookup.inner_point.clone()),
        });
    }

    fn tensor(&mut self, source: usize, coefficient: EF, rows: Cow<'a, [EF]>, inner: Cow<'a, [EF]>) {
        self.tensors.push(Claim { source, gather: None, coefficient, rows, inner, taps: Cow::Borrowed(&[]) });
    }

    /// The top limb of an expression that must be in range: `(expr - lower limbs) / 2^shift`.
    fn check(&mut self, (node, expression): (usize, usize), check: &Check, lookup: Lookup<'a>) {
        let unit = inverse_power_of_two(check.shift);
        for limb in &check.lower {
            self.column(limb.column, EF::from(-unit * F::TWO.exp_u64(limb.shift.into())), &lookup);
        }
        self.expressions.push(ExpressionClaim {
            node,
            expression,
            coefficient: unit.into(),
            inner: lookup.inner(),
            rows: lookup.rows,
            inner_point: lookup.inner_point,
        });
    }

    /// How much a maximum is above each cell of its source.
    fn differences(&mut self, (node, source): (usize, usize), maximum: Maximum, lookup: Lookup<'a>) {
        let groups = lookup.rows.chunks(maximum.window.max(1)).map(|rows| rows.iter().copied().sum());
        let rows: Vec<EF> = groups.collect();
        let cells = lookup.inner();
        let inner = if maximum.across { Cow::Owned(alloc::vec![cells.iter().copied().sum()]) } else { cells.clone() };
        self.tensor(node, EF::ONE, Cow::Owned(rows), inner);
        self.tensor(source, -EF::ONE, lookup.rows, cells);
    }

    /// How many cells of its source equal a maximum, minus one.
    fn count(&mut self, equal: usize, maximum: Maximum, lookup: Lookup<'a>) {
        self.total += lookup.mass;
        let rows = lookup.rows.iter().flat_map(|&row| core::iter::repeat_n(row, maximum.window)).collect();
        let inner = if maximum.across { Inner::Ones } else { Inner::Point(lookup.inner_point) };
        self.columns.push(ColumnClaim { column: equal, coefficient: EF::ONE, rows: Cow::Owned(rows), inner });
    }

    /// The excess of a rescale, in terms of its expression and columns:
    /// `((expr + half - remainder) / 2^shift - low - offset) / 2^bits`.
    fn rescale(
        &mut self,
        node: usize,
        (shift, low, bits): (u8, i64, u8),
        [offset, remainder]: [&[Limb]; 2],
        lookup: Lookup<'a>,
    ) {
        let per_offset = inverse_power_of_two(bits.into());
        let per_expression = per_offset * inverse_power_of_two(shift.into());
        let half = if shift == 0 { F::ZERO } else { F::TWO.exp_u64(u64::from(shift).saturating_sub(1)) };
        self.total -= lookup.mass * (half * per_expression - signed(low) * per_offset);
        for (limbs, factor) in [(offset, per_offset), (remainder, per_expression)] {
            for limb in limbs {
                let coefficient = EF::from(-factor * F::TWO.exp_u64(limb.shift.into()));
                self.column(limb.column, coefficient, &lookup);
            }
        }
        self.expressions.push(ExpressionClaim {
            node,
            expression: 0,
            coefficient: per_expression.into(),
            inner: lookup.inner(),
            rows: lookup.rows,
            inner_point: lookup.inner_point,
        });
    }
}

/// Numerator and denominator with all fingerprints and multiplicities zero.
struct Known {
    numerator: EF,
    denominator: EF,
}

/// The weights of one block of lookups.
struct Lookup<'a> {
    rows: Cow<'a, [EF]>,
    /// Number of valid cells in a row.
    inner_len: usize,
    inner_point: Vec<EF>,
    /// Weight of all valid cells together.
    mass: EF,
}

impl<'a> Lookup<'a> {
    /// The weights within a row.
    fn inner(&self) -> Cow<'a, [EF]> {
        Cow::Owned(eq_range(&self.inner_point, 0, self.inner_len))
    }
}

/// The point of the claim.
struct At<'p> {
    point: &'p [EF],
    challenges: Challenges,
}

impl At<'_> {
    /// Accounts for a block of lookups in what is known and returns its weights.
    fn lookup<'a>(&self, block: &Block, tag: u64, known: &mut Known, total: &mut EF) -> Lookup<'a> {
        let rows = block.row_weights(self.point);
        let inner_point = block.inner_point(self.point).to_vec();
        let all: EF = rows.iter().copied().sum();
        let mass = all * eq_sum_below(&inner_point, block.inner);
        known.denominator += all * (self.challenges.alpha - EF::ONE);
        known.numerator += mass;
        *total -= mass * self.challenges.beta.square() * F::from_u64(tag);
        Lookup { rows: Cow::Owned(rows), inner_len: block.inner, inner_point, mass }
    }
}

/// The fingerprint polynomial of a table's entries at a point.
fn table_value(
    circuit: &Circuit,
    table: &TableColumns,
    point: &[EF],
    beta: EF,
    entries: &mut BTreeMap<u8, Vec<EF>>,
) -> EF {
    let index = point.iter().fold(EF::ZERO, |value, &x| value.double() + x);
    let tag = beta.square() * F::from_u64(table.tag);
    let half = 1usize.checked_shl(u32::from(table.bits).saturating_sub(1)).unwrap_or_default();
    match table.kind {
        TableKind::Range(_) => index + tag,
        TableKind::Saturation(_) => {
            let top = point.first().copied().unwrap_or_default();
            let zero: EF = eq_range(point, half, 1).into_iter().sum();
            index - F::from_usize(half) + beta * (top.double() - EF::ONE - zero) + tag
        }
        TableKind::Zero(_) => {
            let zero: EF = point.iter().map(|&x| EF::ONE - x).product();
            index + beta * zero + tag
        }
        TableKind::Function(id) => {
            let Some(function) = circuit.tables.get(id as usize) else { return EF::ZERO };
            let weights = entries.entry(table.bits).or_insert_with(|| eq_range(point, 0, function.values.len()));
            let value: EF =
                weights.iter().zip(&function.values).map(|(&weight, &value)| weight * signed(value.into())).sum();
            index + signed(function.low) + beta * value + tag
        }
    }
}
