//! Rounds of a sumcheck over products of multilinear polynomials given by their values.
use assay_verifier::field::EF;
use assay_verifier::sumcheck::rounds::interpolate;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

use super::channel::Channel;
use super::packed::{Packed, WIDTH, load, store, sum};

/// Pairs that one thread takes at a time.
const CHUNK: usize = 1 << 10;

/// Sends a round polynomial, given its values at `0, 2, 3, ..`, and draws the challenge; the running claim follows.
pub fn round(channel: &mut Channel<'_>, values: &[EF], claim: &mut EF) -> EF {
    values.iter().for_each(|&value| channel.send(value));
    let challenge = channel.sample();
    let mut all = values.to_vec();
    all.insert(1, *claim - values[0]);
    *claim = interpolate(&all, challenge);
    challenge
}

/// Binds the lowest variable. Values beyond the end are zero.
pub fn fold(values: &mut Vec<EF>, challenge: EF) {
    if values.len() % 2 == 1 {
        values.push(EF::ZERO);
    }
    let mut bound = EF::zero_vec(values.len() / 2);
    bound.par_chunks_mut(CHUNK).zip(values.par_chunks(2 * CHUNK)).for_each(|(to, from)| {
        let whole = to.len() - to.len() % WIDTH;
        let lanes = Packed::from(challenge);
        for at in (0..whole).step_by(WIDTH) {
            let (zero, one) = (load::<2>(from, 2 * at), load::<2>(from, 2 * at + 1));
            store::<1>(zero + lanes * (one - zero), to, at);
        }
        for at in whole..to.len() {
            to[at] = from[2 * at] + challenge * (from[2 * at + 1] - from[2 * at]);
        }
    });
    *values = bound;
}

/// Value at zero and slope of the pair at an index of the next smaller cube; values beyond the end are zero.
pub fn pair(values: &[EF], index: usize) -> (EF, EF) {
    let zero = values.get(2 * index).copied().unwrap_or_default();
    (zero, values.get(2 * index + 1).copied().unwrap_or_default() - zero)
}

/// The same for as many pairs as there are lanes, all within the values.
pub fn packed_pairs(values: &[EF], index: usize) -> (Packed, Packed) {
    let zero = load::<2>(values, 2 * index);
    (zero, load::<2>(values, 2 * index + 1) - zero)
}

/// Sums over all pairs of arrays of equal length what a term makes of them: in lanes where they are full, one by one at the
/// end.
pub fn sum_pairs<const N: usize>(
    len: usize,
    lanes: impl Fn(usize) -> [Packed; N] + Sync,
    single: impl Fn(usize) -> [EF; N] + Sync,
) -> [EF; N] {
    let (pairs, full) = (len.div_ceil(2), len / 2);
    let chunk = |start: usize| {
        let end = pairs.min(start + CHUNK);
        let whole = start + (full.min(end) - start.min(full)) / WIDTH * WIDTH;
        let mut sums = [Packed::ZERO; N];
        for at in (start..whole).step_by(WIDTH) {
            sums.iter_mut().zip(lanes(at)).for_each(|(sum, term)| *sum += term);
        }
        let mut sums = sums.map(sum);
        for at in whole..end {
            sums.iter_mut().zip(single(at)).for_each(|(sum, term)| *sum += term);
        }
        sums
    };
    let add = |mut a: [EF; N], b: [EF; N]| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    (0..pairs.div_ceil(CHUNK)).into_par_iter().map(|number| chunk(number * CHUNK)).reduce(|| [EF::ZERO; N], add)
}

/// Sums arrays of values over an index range, over threads where it pays.
pub fn sum_over<const N: usize>(len: usize, term: impl Fn(usize) -> [EF; N] + Sync) -> [EF; N] {
    let add = |mut a: [EF; N], b: [EF; N]| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    if len < CHUNK {
        (0..len).map(term).fold([EF::ZERO; N], add)
    } else {
        (0..len).into_par_iter().with_min_len(CHUNK).map(&term).reduce(|| [EF::ZERO; N], add)
    }
}
