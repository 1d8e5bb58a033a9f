//! The lookup argument: builds the tree of fractions and proves it layer by layer.
//!
//! Only the leaves in use are stored; beyond them all fractions are zero over one, in every layer, and their part of a round
//! polynomial is a constant times the equality weight that the stored ones leave.
use assay_verifier::field::EF;
use assay_verifier::sumcheck::lookup::LeafClaim;
use p3_field::{Field, PrimeCharacteristicRing};
use rayon::prelude::*;

use super::channel::Channel;
use super::eq::prefix_tables;

/// Pairs below which a loop is not split over threads.
const PARALLEL_MIN: usize = 1 << 9;

/// Fractions: numerators and denominators of the nodes in use.
#[derive(Clone, Debug)]
pub struct Fractions {
    /// Numerators.
    pub numerators: Vec<EF>,
    /// Denominators.
    pub denominators: Vec<EF>,
}

impl Fractions {
    /// Pads to a multiple of a power of two with zero over one; nothing becomes one multiple.
    fn pad(&mut self, multiple: usize) {
        let len = self.numerators.len().max(1).next_multiple_of(multiple);
        self.numerators.resize(len, EF::ZERO);
        self.denominators.resize(len, EF::ONE);
    }

    /// The sums of neighbours.
    fn parents(&self) -> Self {
        let pairs =
            self.numerators.par_chunks_exact(2).zip(self.denominators.par_chunks_exact(2)).with_min_len(PARALLEL_MIN);
        let (numerators, denominators) = pairs.map(|(p, q)| (p[0] * q[1] + p[1] * q[0], q[0] * q[1])).unzip();
        Self { numerators, denominators }
    }
}

/// Proves that the fractions of `2^variables` leaves sum to zero.
pub fn prove(channel: &mut Channel<'_>, leaves: Fractions, variables: usize) -> LeafClaim {
    let mut layers = vec![leaves];
    for _ in 1..variables {
        let last = layers.last_mut().expect("never empty");
        last.pad(2);
        let parents = last.parents();
        layers.push(parents);
    }
    let mut top = layers.pop().expect("never empty");
    top.pad(2);
    let mut children = [[top.numerators[0], top.numerators[1]], [top.denominators[0], top.denominators[1]]];
    send_children(channel, children);
    let mut last = channel.sample();
    let mut point = vec![last];
    while let Some(layer) = layers.pop() {
        let numerator = blend(children[0], last);
        let denominator = blend(children[1], last);
        let batch = channel.sample();
        (point, children) = prove_layer(channel, layer, &point, batch, numerator * batch + denominator);
        send_children(channel, children);
        last = channel.sample();
        point.push(last);
    }
    LeafClaim { point, numerator: blend(children[0], last), denominator: blend(children[1], last) }
}

fn prove_layer(
    channel: &mut Channel<'_>,
    mut layer: Fractions,
    point: &[EF],
    batch: EF,
    claim: EF,
) -> (Vec<EF>, [[EF; 2]; 2]) {
    let mut claim = claim;
    let mut next = Vec::with_capacity(point.len() + 1);
    let tables = prefix_tables(point, layer.numerators.len() / 2);
    for (round, &x) in point.iter().enumerate().rev() {
        layer.pad(4);
        let weights = &tables[round];
        let (zero, leading) = round_polynomial(&layer, weights, batch);
        // Beyond the stored pairs the summand is one, whatever the variable.
        let stored: EF = weights.iter().take(layer.numerators.len() / 4).copied().sum();
        let zero = zero + EF::ONE - stored;
        let one = match x.try_inverse() {
            Some(inverse) => (claim - (EF::ONE - x) * zero) * inverse,
            // A challenge of zero has negligible probability and leaves the value at one free.
            None => EF::ZERO,
        };
        channel.send(zero);
        channel.send(one);
        channel.send(leading);
        let challenge = channel.sample();
        claim = zero + challenge * (one - zero - leading + challenge * leading);
        next.push(challenge);
        fold(&mut layer.numerators, challenge);
        fold(&mut layer.denominators, challenge);
    }
    next.reverse();
    let children = [[layer.numerators[0], layer.numerators[1]], [layer.denominators[0], layer.denominators[1]]];
    (next, children)
}

/// Weighted sums over all stored pairs, at zero and of the leading coefficient.
fn round_polynomial(layer: &Fractions, weights: &[EF], batch: EF) -> (EF, EF) {
    let term = |((p, q), &weight): ((&[EF], &[EF]), &EF)| -> [EF; 4] {
        let (dp0, dp1, dq0, dq1) = (p[2] - p[0], p[3] - p[1], q[2] - q[0], q[3] - q[1]);
        [
            weight * (p[0] * q[1] + p[1] * q[0]),
            weight * (q[0] * q[1]),
            weight * (dp0 * dq1 + dp1 * dq0),
            weight * (dq0 * dq1),
        ]
    };
    let add = |a: [EF; 4], b: [EF; 4]| [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];
    let quads = layer.numerators.par_chunks_exact(4).zip(layer.denominators.par_chunks_exact(4)).zip(weights);
    let [sum0, product0, sum, product] = quads.with_min_len(PARALLEL_MIN).map(term).reduce(|| [EF::ZERO; 4], add);
    (batch * sum0 + product0, batch * sum + product)
}

/// Binds the lowest variable of interleaved pairs.
fn fold(values: &mut Vec<EF>, challenge: EF) {
    let bind = |four: &[EF]| [four[0] + challenge * (four[2] - four[0]), four[1] + challenge * (four[3] - four[1])];
    if values.len() < 4 * PARALLEL_MIN {
        for index in 0..values.len() / 4 {
            let [a, b] = bind(&values[4 * index..4 * index + 4]);
            values[2 * index] = a;
            values[2 * index + 1] = b;
        }
        values.truncate(values.len() / 2);
    } else {
        let mut bound = EF::zero_vec(values.len() / 2);
        bound
            .par_chunks_exact_mut(2)
            .zip(values.par_chunks_exact(4))
            .with_min_len(PARALLEL_MIN)
            .for_each(|(to, four)| to.copy_from_slice(&bind(four)));
        *values = bound;
    }
}

fn send_children(channel: &mut Channel<'_>, children: [[EF; 2]; 2]) {
    children.into_iter().flatten().for_each(|value| channel.send(value));
}

fn blend([zero, one]: [EF; 2], x: EF) -> EF {
    zero + x * (one - zero)
}
