//! Products: contractions with weights and products of two tensors, by one batched sumcheck ([Tha13] section 4.2).
//!
//! The lookup argument leaves one claim on a weighted sum of all expressions. Its bilinear part is the sum over all contractions
//! and products ("instances") of `coefficient * sum_x f(x)`, where
//! - *dense* (outputs share what they read): `x` runs over the summed cells, `f = W(o*, x) * X(x)`, with `W(o*, .)` the weights
//!   contracted over outputs at the claim's inner point, and `X(x) = sum_p rows[p] * tensor[view(p, x)]`;
//! - *grouped* (what is read depends on the output): `x = (o, s)`, `f = E(o) * W(o, s) * X(o, s)`, with `E` the claim's weights over
//!   outputs;
//! - *selection* (each row takes one output of the weights): `x` runs over the weight's outputs, `f = W(x, o*) * A(x)`, with
//!   `A(x)` the sum of `rows[p]` over the rows that take `x`, which the verifier knows;
//! - *product*: `x` runs over what the factors share ([`Pairing`]), `f = L(x) * R(x)`, each factor summed over what it has for
//!   itself, with the claim's weights where they belong.
//!
//! Instances have different numbers of variables; one with fewer is taken times `1 - t` in each further variable, so that all
//! share the challenges of the first rounds. At the end the prover claims the weights' and tensors' values; weights are opened
//! in the key's commitment, tensors become [`Claim`]s.
//!
//! [Tha13]: https://eprint.iacr.org/2013/351
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use super::channel::Channel;
use super::claims::Claim;
use super::eq::{eq_points, eq_range};
use super::leaves::ExpressionClaim;
use super::weights::WeightClaim;
use super::{Step, VerifyError, rounds};
use crate::circuit::{
    CheckedCircuit, Circuit, Expression, Gather, Indices, NodeId, Pairing, Sharing, Side, Term, View, Weight,
};
use crate::field::{EF, signed};

/// Degree of the round polynomials.
pub const DEGREE: usize = 3;

/// For public inputs, the indices that they select.
pub type Selections = BTreeMap<NodeId, Vec<u32>>;

/// What an instance multiplies.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// Weights times cells that all outputs read alike.
    Dense {
        /// Index of the weights.
        weight: u32,
        /// Which cells.
        view: &'a View,
        /// The view, worked out.
        gather: &'a Gather,
    },
    /// Weights times cells that depend on the output.
    Grouped {
        /// Index of the weights.
        weight: u32,
        /// Which cells.
        view: &'a View,
        /// The view, worked out.
        gather: &'a Gather,
    },
    /// One output of the weights for each row.
    Select {
        /// Index of the weights.
        weight: u32,
        /// Which output each row takes.
        indices: &'a [u32],
    },
    /// Two tensors.
    Product {
        /// First view.
        left: (&'a View, &'a Gather),
        /// Second view.
        right: (&'a View, &'a Gather),
        /// What they share.
        pairing: &'a Pairing,
    },
}

/// One contraction or product.
#[derive(Clone, Debug)]
pub struct Instance<'a> {
    /// What is multiplied.
    pub kind: Kind<'a>,
    /// Multiplier.
    pub coefficient: EF,
    /// The claim's weights over rows.
    pub rows: &'a [EF],
    /// The claim's weights over valid inner indices.
    pub inner: &'a [EF],
    /// The claim's point over the padded inner axis.
    pub inner_point: &'a [EF],
    /// Number of variables.
    pub variables: usize,
}

/// What the contraction leaves to check.
#[derive(Clone, Debug, Default)]
pub struct Reduced<'a> {
    /// Claims on tensors with their claimed values.
    pub tensors: Vec<(Claim<'a>, EF)>,
    /// Claims on weights.
    pub weights: Vec<WeightClaim>,
}

/// The instances of an expression that is claimed with given weights. `selections` are the public inputs that select.
pub fn expression_instances<'a>(
    circuit: &Circuit,
    expression: &'a Expression,
    selections: &'a Selections,
    claim: &'a ExpressionClaim<'a>,
) -> Vec<Instance<'a>> {
    let instance = |(index, term): (usize, &'a Term)| -> Option<Instance<'a>> {
        let gathers = expression.gathers(index);
        let (kind, factor) = match term {
            Term::Contract { coefficient, weight, view } => {
                let gather = gathers.first()?;
                let weight = *weight;
                let grouped = gather.uses_inner();
                let kind =
                    if grouped { Kind::Grouped { weight, view, gather } } else { Kind::Dense { weight, view, gather } };
                (kind, *coefficient)
            }
            Term::Select { coefficient, weight, indices } => {
                let indices = match indices {
                    Indices::Constant(indices) => indices.as_slice(),
                    Indices::Input(input) => selections.get(input).map(Vec::as_slice).unwrap_or_default(),
                };
                (Kind::Select { weight: *weight, indices }, *coefficient)
            }
            Term::Product { coefficient, left, right } => {
                let pairing = expression.pairing(index)?;
                let kind = Kind::Product { left: (left, gathers.first()?), right: (right, gathers.get(1)?), pairing };
                (kind, *coefficient)
            }
            Term::Linear { .. } | Term::Bias { .. } => return None,
        };
        let spec = |weight: u32| circuit.weights.get(weight as usize);
        let variables = match kind {
            Kind::Dense { weight, .. } => log2(spec(weight)?.padded_row()),
            Kind::Grouped { weight, .. } => claim.inner_point.len().saturating_add(log2(spec(weight)?.padded_row())),
            Kind::Select { weight, .. } => log2(spec(weight)?.outputs.into()),
            Kind::Product { pairing, .. } => shared_variables(pairing).iter().sum(),
        };
        Some(Instance {
            kind,
            coefficient: claim.coefficient * signed(factor),
            rows: &claim.rows,
            inner: &claim.inner,
            inner_point: &claim.inner_point,
            variables,
        })
    };
    expression.expr.terms.iter().enumerate().filter_map(instance).collect()
}

/// Numbers of variables of what the factors of a product share: rows, inner indices, summed cells.
pub fn shared_variables(pairing: &Pairing) -> [usize; 3] {
    [pairing.rows.len(), pairing.inner.len(), pairing.summed].map(|len| log2(len as u64))
}

/// Logarithm of the next power of two.
pub fn log2(len: u64) -> usize {
    len.next_power_of_two().trailing_zeros() as usize
}

/// Where each summed cell lies in a padded row of the weights.
pub fn padded_positions(spec: &Weight) -> impl Iterator<Item = usize> + use<> {
    let stride = usize::try_from(spec.stride()).unwrap_or_default();
    let (taps, channels) = (spec.taps as usize, spec.channels as usize);
    (0..taps).flat_map(move |tap| (0..channels).map(move |channel| tap.saturating_mul(stride).saturating_add(channel)))
}

/// Equality weights at the valid cells of a padded row of the weights.
pub fn tap_weights(spec: &Weight, point: &[EF]) -> Vec<EF> {
    let all = eq_range(point, 0, usize::try_from(spec.padded_row()).unwrap_or_default());
    padded_positions(spec).map(|position| all.get(position).copied().unwrap_or_default()).collect()
}

/// Verifies the sum of all instances to be `claim` and returns what remains.
///
/// # Errors
/// The claims at the end do not fit the sum.
pub fn verify<'a>(
    channel: &mut Channel<'_>,
    checked: &'a CheckedCircuit,
    instances: &[Instance<'a>],
    claim: EF,
) -> Result<Reduced<'a>, VerifyError> {
    let variables = instances.iter().map(|instance| instance.variables).max().unwrap_or_default();
    let (point, claim) = rounds::verify(channel, variables, DEGREE, claim)?;
    let mut reduced = Reduced::default();
    let mut total = EF::ZERO;
    for instance in instances {
        let split = variables.saturating_sub(instance.variables);
        let (extra, own) = point.split_at_checked(split).unwrap_or((&[], &point));
        let unused: EF = extra.iter().map(|&x| EF::ONE - x).product();
        let claimed = channel.receive_many(instance.claimed())?;
        let product: EF = claimed.iter().copied().product();
        total += instance.coefficient * unused * instance.public_factor(own) * product;
        instance.leave(checked, own, &claimed, &mut reduced);
    }
    channel.assert_zero(total - claim, Step::Contraction)?;
    Ok(reduced)
}

impl<'a> Instance<'a> {
    /// Number of factors whose values the prover claims at the end.
    pub fn claimed(&self) -> usize {
        match self.kind {
            Kind::Select { .. } => 1,
            _ => 2,
        }
    }

    /// The factor of the summand that the verifier knows, at the end point.
    fn public_factor(&self, point: &[EF]) -> EF {
        match self.kind {
            Kind::Dense { .. } | Kind::Product { .. } => EF::ONE,
            Kind::Grouped { .. } => {
                let outputs = point.get(..self.inner_point.len()).unwrap_or_default();
                eq_points(self.inner_point, outputs)
            }
            Kind::Select { indices, .. } => {
                indices.iter().zip(self.rows.iter()).map(|(&index, &row)| row * eq_index(point, index)).sum()
            }
        }
    }

    /// Records the claims at the end point on weights and tensors.
    pub fn leave(&self, checked: &CheckedCircuit, point: &[EF], claimed: &[EF], reduced: &mut Reduced<'a>) {
        let specs = &checked.circuit().weights;
        let value = |factor: usize| claimed.get(factor).copied().unwrap_or_default();
        match self.kind {
            Kind::Dense { weight, view, gather } => {
                let Some(spec) = specs.get(weight as usize) else { return };
                let at = [self.inner_point, point].concat();
                reduced.weights.push(WeightClaim { weight: weight as usize, point: at, value: value(0) });
                let ones = unit(self.inner.len());
                let claim = tensor_claim(view, gather, self.rows, ones, tap_weights(spec, point));
                reduced.tensors.push((claim, value(1)));
            }
            Kind::Grouped { weight, view, gather } => {
                let Some(spec) = specs.get(weight as usize) else { return };
                let (outputs, taps) = point.split_at_checked(self.inner_point.len()).unwrap_or_default();
                reduced.weights.push(WeightClaim { weight: weight as usize, point: point.to_vec(), value: value(0) });
                let inner = eq_range(outputs, 0, self.inner.len());
                let claim = tensor_claim(view, gather, self.rows, inner, tap_weights(spec, taps));
                reduced.tensors.push((claim, value(1)));
            }
            Kind::Select { weight, .. } => {
                let at = [point, self.inner_point].concat();
                reduced.weights.push(WeightClaim { weight: weight as usize, point: at, value: value(0) });
            }
            Kind::Product { left, right, pairing } => {
                let [rows, inner, _] = shared_variables(pairing);
                let (at_rows, rest) = point.split_at_checked(rows).unwrap_or_default();
                let (at_inner, at_taps) = rest.split_at_checked(inner).unwrap_or_default();
                let rows = eq_range(at_rows, 0, pairing.rows.len());
                let inner = eq_range(at_inner, 0, pairing.inner.len());
                let taps = eq_range(at_taps, 0, pairing.summed);
                for (side, (view, gather), value) in [(Side::Left, left, value(0)), (Side::Right, right, value(1))] {
                    let rows = spread(&pairing.rows, side, &rows, self.rows);
                    let inner = spread(&pairing.inner, side, &inner, self.inner);
                    reduced.tensors.push((tensor_claim(view, gather, rows, inner, taps.clone()), value));
                }
            }
        }
    }
}

/// Weights over indices of the result for one factor of a product: a shared index's own weight, times the claim's weights if
/// the factor takes them; else on the first index alone.
fn spread(sharing: &Sharing, side: Side, shared: &[EF], claimed: &[EF]) -> Vec<EF> {
    let weight = |at: usize| shared.get(at).copied().unwrap_or_default();
    if sharing.weighted == side {
        return claimed.iter().enumerate().map(|(index, &claimed)| claimed * weight(sharing.shared(index))).collect();
    }
    let mut weights = EF::zero_vec(claimed.len());
    for at in 0..sharing.len() {
        if let Some(slot) = weights.get_mut(sharing.first(at)) {
            *slot = weight(at);
        }
    }
    weights
}

/// `eq(point, index)`.
fn eq_index(point: &[EF], index: u32) -> EF {
    let bit = |at: usize| index.checked_shr(u32::try_from(at).unwrap_or(u32::MAX)).is_some_and(|rest| rest & 1 == 1);
    point.iter().rev().enumerate().map(|(at, &x)| if bit(at) { x } else { EF::ONE - x }).product()
}

fn tensor_claim<'a>(
    view: &View,
    gather: &'a Gather,
    rows: impl Into<Cow<'a, [EF]>>,
    inner: Vec<EF>,
    taps: Vec<EF>,
) -> Claim<'a> {
    Claim {
        source: view.source as usize,
        gather: Some(gather),
        coefficient: EF::ONE,
        rows: rows.into(),
        inner: Cow::Owned(inner),
        taps: Cow::Owned(taps),
    }
}

/// Weights over the inner axis that count a view which does not depend on it once.
fn unit(len: usize) -> Vec<EF> {
    let mut weights = EF::zero_vec(len);
    if let Some(first) = weights.first_mut() {
        *first = EF::ONE;
    }
    weights
}
