//! Rounds of a sumcheck over products of multilinear polynomials given by their values.
use assay_verifier::field::EF;
use assay_verifier::sumcheck::rounds::interpolate;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

use super::channel::Channel;

/// Pairs below which a loop is not split over threads.
pub const PARALLEL_MIN: usize = 1 << 9;

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
    if values.len() < 2 * PARALLEL_MIN {
        for index in 0..values.len() / 2 {
            values[index] = values[2 * index] + challenge * (values[2 * index + 1] - values[2 * index]);
        }
        values.truncate(values.len() / 2);
    } else {
        *values = values
            .par_chunks_exact(2)
            .with_min_len(PARALLEL_MIN)
            .map(|pair| pair[0] + challenge * (pair[1] - pair[0]))
            .collect();
    }
}

/// The pair at an index of the next smaller cube; values beyond the end are zero.
pub fn pair(values: &[EF], index: usize) -> (EF, EF) {
    let zero = values.get(2 * index).copied().unwrap_or_default();
    (zero, values.get(2 * index + 1).copied().unwrap_or_default() - zero)
}

/// Sums arrays of values over an index range, over threads where it pays.
pub fn sum_over<const N: usize>(len: usize, term: impl Fn(usize) -> [EF; N] + Sync) -> [EF; N] {
    let add = |mut a: [EF; N], b: [EF; N]| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    if len < PARALLEL_MIN {
        (0..len).map(term).fold([EF::ZERO; N], add)
    } else {
        (0..len).into_par_iter().with_min_len(PARALLEL_MIN).map(&term).reduce(|| [EF::ZERO; N], add)
    }
}
