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
use super::packed::{Packed, WIDTH, load, store, sum};

/// Pairs that one thread takes at a time.
const CHUNK: usize = 1 << 10;

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
        let len = self.numerators.len() / 2;
        let mut parents = Self { numerators: EF::zero_vec(len), denominators: EF::zero_vec(len) };
        let add = |p: &[EF], q: &[EF], to_p: &mut [EF], to_q: &mut [EF]| {
            let whole = to_p.len() - to_p.len() % WIDTH;
            for at in (0..whole).step_by(WIDTH) {
                let [p0, p1] = [load::<2>(p, 2 * at), load::<2>(p, 2 * at + 1)];
                let [q0, q1] = [load::<2>(q, 2 * at), load::<2>(q, 2 * at + 1)];
                store::<1>(p0 * q1 + p1 * q0, to_p, at);
                store::<1>(q0 * q1, to_q, at);
            }
            for at in whole..to_p.len() {
                let (p, q) = (&p[2 * at..], &q[2 * at..]);
                to_p[at] = p[0] * q[1] + p[1] * q[0];
                to_q[at] = q[0] * q[1];
            }
        };
        let from = self.numerators.par_chunks(2 * CHUNK).zip(self.denominators.par_chunks(2 * CHUNK));
        let to = parents.numerators.par_chunks_mut(CHUNK).zip(parents.denominators.par_chunks_mut(CHUNK));
        from.zip(to).for_each(|((p, q), (to_p, to_q))| add(p, q, to_p, to_q));
        parents
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
    let add = |a: [EF; 4], b: [EF; 4]| [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];
    let quads = layer.numerators.par_chunks(4 * CHUNK).zip(layer.denominators.par_chunks(4 * CHUNK));
    let sums = quads.zip(weights.par_chunks(CHUNK)).map(|((p, q), weights)| chunk_sums(p, q, weights));
    let [sum0, product0, sum, product] = sums.reduce(|| [EF::ZERO; 4], add);
    (batch * sum0 + product0, batch * sum + product)
}

/// Sums and products of fractions at zero, then of their slopes.
fn chunk_sums(p: &[EF], q: &[EF], weights: &[EF]) -> [EF; 4] {
    let pairs = p.len() / 4;
    let whole = pairs - pairs % WIDTH;
    let mut lanes = [Packed::ZERO; 4];
    for at in (0..whole).step_by(WIDTH) {
        let weight = load::<1>(weights, at);
        let [p0, p1, p2, p3] = [0, 1, 2, 3].map(|child| load::<4>(p, 4 * at + child));
        let [q0, q1, q2, q3] = [0, 1, 2, 3].map(|child| load::<4>(q, 4 * at + child));
        let (dp0, dp1, dq0, dq1) = (p2 - p0, p3 - p1, q2 - q0, q3 - q1);
        lanes[0] += weight * (p0 * q1 + p1 * q0);
        lanes[1] += weight * (q0 * q1);
        lanes[2] += weight * (dp0 * dq1 + dp1 * dq0);
        lanes[3] += weight * (dq0 * dq1);
    }
    let mut sums = lanes.map(sum);
    for (at, &weight) in weights.iter().enumerate().take(pairs).skip(whole) {
        let (p, q) = (&p[4 * at..], &q[4 * at..]);
        let (dp0, dp1, dq0, dq1) = (p[2] - p[0], p[3] - p[1], q[2] - q[0], q[3] - q[1]);
        sums[0] += weight * (p[0] * q[1] + p[1] * q[0]);
        sums[1] += weight * (q[0] * q[1]);
        sums[2] += weight * (dp0 * dq1 + dp1 * dq0);
        sums[3] += weight * (dq0 * dq1);
    }
    sums
}

/// Binds the lowest variable of interleaved pairs.
fn fold(values: &mut Vec<EF>, challenge: EF) {
    let mut bound = EF::zero_vec(values.len() / 2);
    bound.par_chunks_mut(2 * CHUNK).zip(values.par_chunks(4 * CHUNK)).for_each(|(to, from)| {
        let quads = from.len() / 4;
        let whole = quads - quads % WIDTH;
        let lanes = Packed::from(challenge);
        for at in (0..whole).step_by(WIDTH) {
            for child in 0..2 {
                let (zero, one) = (load::<4>(from, 4 * at + child), load::<4>(from, 4 * at + child + 2));
                store::<2>(zero + lanes * (one - zero), to, 2 * at + child);
            }
        }
        for at in whole..quads {
            let from = &from[4 * at..];
            to[2 * at] = from[0] + challenge * (from[2] - from[0]);
            to[2 * at + 1] = from[1] + challenge * (from[3] - from[1]);
        }
    });
    *values = bound;
}

fn send_children(channel: &mut Channel<'_>, children: [[EF; 2]; 2]) {
    children.into_iter().flatten().for_each(|value| channel.send(value));
}

fn blend([zero, one]: [EF; 2], x: EF) -> EF {
    zero + x * (one - zero)
}
