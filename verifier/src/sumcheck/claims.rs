//! Claims on tensors, as linear functionals, and how they are evaluated.
//!
//! A claim says: the sum over the places of a view of `rows[p] * inner[o] * taps[s] * x[view(p, o, s)]` has some value. Every
//! consumer of a tensor contributes one; the claims are added up with random weights, so that however many consumers a tensor
//! has, none of them is lost. The prover scatters a claim's weights onto the tensor's cells; the verifier instead evaluates
//! the claim on a tensor that it knows: public inputs, or the equality weights of a random point.
use alloc::borrow::Cow;
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use super::eq::dot;
use crate::circuit::{CheckedCircuit, Expression, Gather, Node, Op, Pass, Term};
use crate::field::{EF, signed};

/// One claim.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The tensor.
    pub source: usize,
    /// Which of its cells; all of them, in order, without one.
    pub gather: Option<&'a Gather>,
    /// Multiplier.
    pub coefficient: EF,
    /// Weights over the rows of the result.
    pub rows: Cow<'a, [EF]>,
    /// Weights over the valid inner indices of the result.
    pub inner: Cow<'a, [EF]>,
    /// Weights over the summed axes, flat.
    pub taps: Cow<'a, [EF]>,
}

/// Values of a tensor in one of the forms that keep evaluation cheap.
#[derive(Clone, Debug)]
pub enum Values {
    /// All zero.
    Zero,
    /// `rows[p] * inner[o]`.
    Outer {
        /// Factors of the rows.
        rows: Vec<EF>,
        /// Factors of the inner axis.
        inner: Vec<EF>,
    },
    /// Any values, row-major.
    Cells {
        /// The values.
        cells: Vec<EF>,
        /// Length of the inner axis.
        inner: usize,
    },
}

impl Values {
    /// The value of one cell by flat index, given the inner length.
    fn cell(&self, flat: usize) -> EF {
        match self {
            Self::Zero => EF::ZERO,
            Self::Outer { rows, inner } => {
                // 32 bits divide much faster than 64, and places fit them.
                let (Ok(flat), Ok(len)) = (u32::try_from(flat), u32::try_from(inner.len())) else { return EF::ZERO };
                let row = flat.checked_div(len).and_then(|row| rows.get(row as usize)).copied().unwrap_or_default();
                row * flat.checked_rem(len).and_then(|o| inner.get(o as usize)).copied().unwrap_or_default()
            }
            Self::Cells { cells, .. } => cells.get(flat).copied().unwrap_or_default(),
        }
    }

    /// One row, from an offset on.
    fn row(&self, row: usize, offset: usize) -> Cow<'_, [EF]> {
        match self {
            Self::Zero => Cow::Owned(Vec::new()),
            Self::Outer { rows, inner } => {
                let factor = rows.get(row).copied().unwrap_or_default();
                Cow::Owned(inner.iter().skip(offset).map(|&value| factor * value).collect())
            }
            Self::Cells { cells, inner } => {
                let start = row.saturating_mul(*inner);
                Cow::Borrowed(cells.get(start.saturating_add(offset)..start.saturating_add(*inner)).unwrap_or_default())
            }
        }
    }

    /// All cells.
    fn into_cells(self, node: &Node) -> Vec<EF> {
        match self {
            Self::Zero => alloc::vec![EF::ZERO; usize::try_from(node.len()).unwrap_or_default()],
            Self::Outer { rows, inner } => {
                rows.iter().flat_map(|&row| inner.iter().map(move |&value| row * value)).collect()
            }
            Self::Cells { cells, .. } => cells,
        }
    }

    fn plus(self, other: Self, node: &Node) -> Self {
        match (self, other) {
            (Self::Zero, values) | (values, Self::Zero) => values,
            (Self::Outer { mut rows, inner }, Self::Outer { rows: more, inner: same }) if inner == same => {
                rows.iter_mut().zip(more).for_each(|(to, from)| *to += from);
                Self::Outer { rows, inner }
            }
            (a, b) => {
                let mut cells = a.into_cells(node);
                cells.iter_mut().zip(b.into_cells(node)).for_each(|(to, from)| *to += from);
                Self::Cells { cells, inner: node.inner as usize }
            }
        }
    }
}

/// Adds claims to a list, each multiplied by the next power of a challenge; returns what their values add up to.
pub fn batch<'a>(list: &mut Vec<Claim<'a>>, claims: impl IntoIterator<Item = (Claim<'a>, EF)>, challenge: EF) -> EF {
    let mut total = EF::ZERO;
    let mut power = challenge;
    for (mut claim, value) in claims {
        claim.coefficient *= power;
        total += power * value;
        power *= challenge;
        list.push(claim);
    }
    total
}

/// The claims that an expression makes on tensors when it is claimed itself with given weights: its linear terms.
pub fn expression_claims<'a>(
    expression: &'a Expression,
    coefficient: EF,
    rows: &'a [EF],
    inner: &'a [EF],
) -> Vec<Claim<'a>> {
    let linear = expression.expr.terms.iter().enumerate().filter_map(|(index, term)| match term {
        Term::Linear { coefficient: factor, view } => Some((index, *factor, view)),
        _ => None,
    });
    linear
        .filter_map(|(index, factor, view)| {
            let gather = expression.gathers(index).first()?;
            Some(Claim {
                source: view.source as usize,
                gather: Some(gather),
                coefficient: coefficient * signed(factor),
                rows: Cow::Borrowed(rows),
                inner: Cow::Borrowed(inner),
                taps: Cow::Owned(alloc::vec![EF::ONE; usize::try_from(view.sum_len()).unwrap_or_default()]),
            })
        })
        .collect()
}

/// Completes values of the tensors that are not affine to values of all tensors: affine nodes follow from their terms, with
/// their constants if `constants` is one and without if it is zero.
pub fn complete(checked: &CheckedCircuit, mut values: Vec<Values>, constants: EF) -> Vec<Values> {
    for (id, node) in checked.circuit().nodes.iter().enumerate() {
        let (Op::Affine(expr), Some(expression)) = (&node.op, checked.expressions(id).first()) else { continue };
        let (rows, inner) = (node.rows as usize, node.inner as usize);
        let mut total = Values::Zero;
        if expr.constant != 0 && constants != EF::ZERO {
            let constant = constants * signed(expr.constant);
            total = Values::Outer { rows: alloc::vec![constant; rows], inner: alloc::vec![EF::ONE; inner] };
        }
        for (index, term) in expr.terms.iter().enumerate() {
            let (Term::Linear { coefficient, view }, Some(gather)) = (term, expression.gathers(index).first()) else {
                continue;
            };
            let Some(source) = values.get(view.source as usize) else { continue };
            total = total.plus(pull(gather, signed(*coefficient).into(), source, node), node);
        }
        if let Some(slot) = values.get_mut(id) {
            *slot = total;
        }
    }
    values
}

/// `coefficient * sum_s x[view(p, o, s)]` for all cells of the result.
fn pull(gather: &Gather, coefficient: EF, source: &Values, node: &Node) -> Values {
    let inner_len = node.inner as usize;
    match (gather.pass, source) {
        (_, Values::Zero) => Values::Zero,
        (Pass::Output { offset }, Values::Outer { rows, inner }) => Values::Outer {
            rows: (0..gather.rows).map(|row| coefficient * sum_rows(gather, rows, row)).collect(),
            inner: inner.iter().skip(offset).take(inner_len).copied().collect(),
        },
        (Pass::Channel { offset }, Values::Outer { rows, inner }) if gather.inner == 1 => {
            let channels: EF = inner.iter().skip(offset).take(gather.channels).copied().sum();
            Values::Outer {
                rows: (0..gather.rows).map(|row| coefficient * channels * sum_rows(gather, rows, row)).collect(),
                inner: alloc::vec![EF::ONE; inner_len],
            }
        }
        _ => {
            let mut cells = Vec::with_capacity(gather.rows.saturating_mul(inner_len));
            for row in 0..gather.rows {
                let sum = |free: usize, o: usize| -> EF {
                    gather.taps(row, free).flatten().map(|place| read(gather, source, place, o)).sum()
                };
                if gather.uses_inner() {
                    let free = |o: usize| if gather.inner == 1 { 0 } else { o };
                    cells.extend((0..inner_len).map(|o| coefficient * sum(free(o), o)));
                } else {
                    let same = coefficient * sum(0, 0);
                    cells.extend((0..inner_len).map(|_| same));
                }
            }
            Values::Cells { cells, inner: inner_len }
        }
    }
}

fn sum_rows(gather: &Gather, rows: &[EF], row: usize) -> EF {
    gather.taps(row, 0).flatten().filter_map(|place| rows.get(place)).copied().sum()
}

/// What a view reads at one gathered place, summed over passing channels.
fn read(gather: &Gather, source: &Values, place: usize, o: usize) -> EF {
    match gather.pass {
        Pass::None => source.cell(place),
        Pass::Output { offset } => source.row(place, offset.saturating_add(o)).first().copied().unwrap_or_default(),
        Pass::Channel { offset } => source.row(place, offset).iter().take(gather.channels).copied().sum(),
    }
}

/// The value of a claim on known values of its tensor.
pub fn evaluate(claim: &Claim<'_>, values: &Values) -> EF {
    let total = match (values, claim.gather) {
        (Values::Zero, _) => EF::ZERO,
        (Values::Outer { rows, inner }, None) => dot(&claim.rows, rows) * dot(&claim.inner, inner),
        (Values::Cells { .. }, None) => {
            claim.rows.iter().enumerate().map(|(row, &weight)| weight * dot(&claim.inner, &values.row(row, 0))).sum()
        }
        (_, Some(gather)) => match gather.pass {
            Pass::None => evaluate_cells(claim, gather, values),
            Pass::Output { offset } => evaluate_output(claim, gather, values, offset),
            Pass::Channel { offset } => evaluate_channel(claim, gather, values, offset),
        },
    };
    total * claim.coefficient
}

/// The weights that are not zero, with their indices: claims on one factor of a product count each shared index once.
fn weighted(weights: &[EF]) -> impl Iterator<Item = (usize, &EF)> {
    weights.iter().enumerate().filter(|(_, weight)| **weight != EF::ZERO)
}

fn evaluate_cells(claim: &Claim<'_>, gather: &Gather, values: &Values) -> EF {
    let all: EF = claim.inner.iter().copied().sum();
    let mut total = EF::ZERO;
    for (row, &weight) in weighted(&claim.rows) {
        let mut sum = EF::ZERO;
        let free = if gather.inner == 1 { core::slice::from_ref(&all) } else { &*claim.inner };
        for (o, &inner) in weighted(free) {
            let taps = gather.taps(row, o).zip(claim.taps.iter());
            let read: EF = taps.filter_map(|(place, &tap)| Some(tap * values.cell(place?))).sum();
            sum += inner * read;
        }
        total += weight * sum;
    }
    total
}

fn evaluate_output(claim: &Claim<'_>, gather: &Gather, values: &Values, offset: usize) -> EF {
    if let Values::Outer { rows, inner } = values {
        let over_rows: EF =
            weighted(&claim.rows).map(|(row, &weight)| weight * tap_rows(claim, gather, rows, row)).sum();
        return over_rows * dot(&claim.inner, inner.get(offset..).unwrap_or_default());
    }
    let mut total = EF::ZERO;
    for (row, &weight) in weighted(&claim.rows) {
        for (place, &tap) in gather.taps(row, 0).zip(claim.taps.iter()) {
            let Some(place) = place else { continue };
            total += weight * tap * dot(&claim.inner, &values.row(place, offset));
        }
    }
    total
}

fn tap_rows(claim: &Claim<'_>, gather: &Gather, rows: &[EF], row: usize) -> EF {
    let taps = gather.taps(row, 0).zip(claim.taps.iter());
    taps.filter_map(|(place, &tap)| Some(tap * rows.get(place?).copied()?)).sum()
}

fn evaluate_channel(claim: &Claim<'_>, gather: &Gather, values: &Values, offset: usize) -> EF {
    let all: EF = claim.inner.iter().copied().sum();
    let chunks = || claim.taps.chunks(gather.channels.max(1));
    if let Values::Outer { rows, inner } = values {
        // What a tap's channels read is the same in every row, but for the row's own factor.
        let inner = inner.get(offset..).unwrap_or_default();
        let taps: Vec<EF> = chunks().map(|chunk| dot(chunk, inner)).collect();
        let mut total = EF::ZERO;
        for (row, &weight) in weighted(&claim.rows) {
            let free = if gather.inner == 1 { core::slice::from_ref(&all) } else { &*claim.inner };
            for (o, &inner) in weighted(free) {
                let places = gather.taps(row, o).zip(&taps);
                let sum: EF = places.filter_map(|(place, &tap)| Some(tap * rows.get(place?).copied()?)).sum();
                total += weight * inner * sum;
            }
        }
        return total;
    }
    let mut total = EF::ZERO;
    for (row, &weight) in weighted(&claim.rows) {
        let free = if gather.inner == 1 { core::slice::from_ref(&all) } else { &*claim.inner };
        for (o, &inner) in weighted(free) {
            for (place, chunk) in gather.taps(row, o).zip(chunks()) {
                let Some(place) = place else { continue };
                total += weight * inner * dot(chunk, &values.row(place, offset));
            }
        }
    }
    total
}
