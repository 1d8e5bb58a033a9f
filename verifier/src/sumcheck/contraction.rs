//! Products: contractions with weights and products of two tensors, by one batched sumcheck ([Tha13] section 4.2).
//!
//! The lookup argument leaves one claim on a weighted sum of all expressions. Its bilinear part is the sum over all contractions
//! and products ("instances") of `coefficient * sum_x f(x)`, where
//! - *dense* (outputs share what they read): `x` runs over the summed cells, `f = W(o*, x) * X(x)`, with `W(o*, .)` the weights
//!   contracted over outputs at the claim's inner point, and `X(x) = sum_p rows[p] * tensor[view(p, x)]`;
//! - *grouped* (what is read depends on the output): `x = (o, s)`, `f = E(o) * W(o, s) * X(o, s)`, with `E` the claim's weights over
//!   outputs;
//! - *product*: `x = (p, o)`, `f = rows[p] * inner[o] * left(p, o) * right(p, o)`.
//!
//! Instances have different numbers of variables; one with fewer is taken times `1 - t` in each further variable, so that all
//! share the challenges of the first rounds. At the end the prover claims the weights' and tensors' values; weights are opened
//! in the key's commitment, tensors become [`Claim`]s.
//!
//! [Tha13]: https://eprint.iacr.org/2013/351
use alloc::borrow::Cow;
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use super::channel::Channel;
use super::claims::Claim;
use super::eq::{dot, eq_points, eq_range};
use super::weights::WeightClaim;
use super::{Step, VerifyError, rounds};
use crate::circuit::{CheckedCircuit, Gather, Term, View, Weight};
use crate::field::{EF, signed};

/// Degree of the round polynomials.
pub const DEGREE: usize = 3;

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
    /// Two tensors, cell by cell.
    Product {
        /// First view.
        left: (&'a View, &'a Gather),
        /// Second view.
        right: (&'a View, &'a Gather),
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
    pub rows: Cow<'a, [EF]>,
    /// The claim's weights over valid inner indices.
    pub inner: Cow<'a, [EF]>,
    /// The claim's point over the padded inner axis.
    pub inner_point: Vec<EF>,
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

/// The instances of an expression that is claimed with given weights.
pub fn expression_instances<'a>(
    checked: &'a CheckedCircuit,
    node: usize,
    coefficient: EF,
    rows: &Cow<'a, [EF]>,
    inner: &Cow<'a, [EF]>,
    inner_point: &[EF],
) -> Vec<Instance<'a>> {
    let Some(expr) = checked.circuit().nodes.get(node).and_then(|node| node.op.expr()) else { return Vec::new() };
    let instance = |(index, term): (usize, &'a Term)| -> Option<Instance<'a>> {
        let gathers = checked.gathers(node, index);
        let (kind, factor) = match term {
            Term::Contract { coefficient, weight, view } => {
                let gather = gathers.first()?;
                let weight = *weight;
                let grouped = gather.uses_inner();
                let kind =
                    if grouped { Kind::Grouped { weight, view, gather } } else { Kind::Dense { weight, view, gather } };
                (kind, *coefficient)
            }
            Term::Product { coefficient, left, right } => {
                let kind = Kind::Product { left: (left, gathers.first()?), right: (right, gathers.get(1)?) };
                (kind, *coefficient)
            }
            Term::Linear { .. } | Term::Bias { .. } => return None,
        };
        let summed = |weight: u32| checked.circuit().weights.get(weight as usize).map(|spec| log2(spec.padded_row()));
        let variables = match kind {
            Kind::Dense { weight, .. } => summed(weight)?,
            Kind::Grouped { weight, .. } => inner_point.len().saturating_add(summed(weight)?),
            Kind::Product { .. } => inner_point.len().saturating_add(log2(rows.len() as u64)),
        };
        Some(Instance {
            kind,
            coefficient: coefficient * signed(factor),
            rows: rows.clone(),
            inner: inner.clone(),
            inner_point: inner_point.to_vec(),
            variables,
        })
    };
    expr.terms.iter().enumerate().filter_map(instance).collect()
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
        let [a, b] = [channel.receive()?, channel.receive()?];
        total += instance.coefficient * unused * instance.public_factor(own) * a * b;
        instance.leave(checked, own, [a, b], &mut reduced);
    }
    channel.assert_zero(total - claim, Step::Contraction)?;
    Ok(reduced)
}

impl<'a> Instance<'a> {
    /// The factor of the summand that the verifier knows, at the end point.
    fn public_factor(&self, point: &[EF]) -> EF {
        match self.kind {
            Kind::Dense { .. } => EF::ONE,
            Kind::Grouped { .. } => {
                let outputs = point.get(..self.inner_point.len()).unwrap_or_default();
                eq_points(&self.inner_point, outputs)
            }
            Kind::Product { .. } => {
                let split = point.len().saturating_sub(self.inner_point.len());
                let (high, low) = point.split_at_checked(split).unwrap_or_default();
                dot(&self.rows, &eq_range(high, 0, self.rows.len()))
                    * dot(&self.inner, &eq_range(low, 0, self.inner.len()))
            }
        }
    }

    /// Records the claims at the end point: on weights and tensor, or on the two tensors.
    pub fn leave(&self, checked: &CheckedCircuit, point: &[EF], [a, b]: [EF; 2], reduced: &mut Reduced<'a>) {
        let specs = &checked.circuit().weights;
        match self.kind {
            Kind::Dense { weight, view, gather } => {
                let Some(spec) = specs.get(weight as usize) else { return };
                let at = [&*self.inner_point, point].concat();
                reduced.weights.push(WeightClaim { weight: weight as usize, point: at, value: a });
                let ones = Cow::Owned(unit(self.inner.len()));
                reduced.tensors.push((self.claim(view, gather, self.rows.clone(), ones, tap_weights(spec, point)), b));
            }
            Kind::Grouped { weight, view, gather } => {
                let Some(spec) = specs.get(weight as usize) else { return };
                let (outputs, taps) = point.split_at_checked(self.inner_point.len()).unwrap_or_default();
                reduced.weights.push(WeightClaim { weight: weight as usize, point: point.to_vec(), value: a });
                let inner = Cow::Owned(eq_range(outputs, 0, self.inner.len()));
                reduced.tensors.push((self.claim(view, gather, self.rows.clone(), inner, tap_weights(spec, taps)), b));
            }
            Kind::Product { left, right } => {
                let split = point.len().saturating_sub(self.inner_point.len());
                let (high, low) = point.split_at_checked(split).unwrap_or_default();
                let rows: Cow<'a, [EF]> = Cow::Owned(eq_range(high, 0, self.rows.len()));
                let inner: Cow<'a, [EF]> = Cow::Owned(eq_range(low, 0, self.inner.len()));
                for ((view, gather), value) in [(left, a), (right, b)] {
                    let taps = alloc::vec![EF::ONE];
                    reduced.tensors.push((self.claim(view, gather, rows.clone(), inner.clone(), taps), value));
                }
            }
        }
    }

    fn claim(
        &self,
        view: &View,
        gather: &'a Gather,
        rows: Cow<'a, [EF]>,
        inner: Cow<'a, [EF]>,
        taps: Vec<EF>,
    ) -> Claim<'a> {
        Claim {
            source: view.source as usize,
            gather: Some(gather),
            coefficient: EF::ONE,
            rows,
            inner,
            taps: Cow::Owned(taps),
        }
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
