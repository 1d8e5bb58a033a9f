//! Equality weights: `eq(point, index)` is the multilinear polynomial that is one at `index` and zero at all other corners.
//!
//! Points list the most significant coordinate first.
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use crate::field::EF;

/// `eq(point, i)` for the `len` indices from `start` on.
pub fn eq_range(point: &[EF], start: usize, len: usize) -> Vec<EF> {
    if len == 0 {
        return Vec::new();
    }
    let last = start.saturating_add(len.saturating_sub(1));
    let mut weights = alloc::vec![EF::ONE];
    let mut first = 0usize;
    for (level, &x) in point.iter().enumerate() {
        let below = u32::try_from(point.len().saturating_sub(level).saturating_sub(1)).unwrap_or(u32::MAX);
        let from = start.checked_shr(below).unwrap_or_default();
        let to = last.checked_shr(below).unwrap_or_default();
        let mut next = Vec::with_capacity(to.saturating_sub(from).saturating_add(1));
        // Both children of a parent at once, without those outside of the range at its ends.
        for (index, &parent) in (first..).zip(&weights) {
            let one = parent * x;
            let child = index << 1;
            if child >= from {
                next.push(parent - one);
            }
            if child < to {
                next.push(one);
            }
        }
        (weights, first) = (next, from);
    }
    weights.truncate(len);
    weights
}

/// `eq(a, b)` of two points of equal length.
pub fn eq_points(a: &[EF], b: &[EF]) -> EF {
    a.iter().zip(b).map(|(&a, &b)| (a * b).double() - a - b + EF::ONE).product()
}

/// `sum_i eq(a, i) eq(b, i)` over the indices below `len`.
pub fn eq_points_below(a: &[EF], b: &[EF], len: usize) -> EF {
    let factor = |(&a, &b): (&EF, &EF)| [(EF::ONE - a) * (EF::ONE - b), a * b];
    sum_below(&a.iter().zip(b).map(factor).collect::<Vec<_>>(), len)
}

/// `sum_i eq(point, i)` over the indices below `len`.
pub fn eq_sum_below(point: &[EF], len: usize) -> EF {
    sum_below(&point.iter().map(|&x| [EF::ONE - x, x]).collect::<Vec<_>>(), len)
}

/// Sum over the indices below `len` of the product of one factor for each bit, most significant first.
fn sum_below(factors: &[[EF; 2]], len: usize) -> EF {
    // What the bits from here on add up to: the indices below those of `len`, and all of them.
    let (mut below, mut all) = (EF::ZERO, EF::ONE);
    for (bit, &[zero, one]) in factors.iter().rev().enumerate() {
        let is_set = u32::try_from(bit).ok().and_then(|bit| len.checked_shr(bit)).is_some_and(|rest| rest & 1 == 1);
        below = if is_set { zero * all + one * below } else { zero * below };
        all *= zero + one;
    }
    let fits = u32::try_from(factors.len()).ok().and_then(|bits| len.checked_shr(bits)).is_none_or(|rest| rest == 0);
    if fits { below } else { all }
}

/// Sum of products.
pub fn dot(a: &[EF], b: &[EF]) -> EF {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}
