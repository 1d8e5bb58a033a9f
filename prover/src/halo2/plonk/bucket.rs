//! Buckets: sums of points by digit.
//!
//! Sums are affine, eight side by side, with one inversion for all additions of a round: half the cost of projective ones. A round adds the points of each
//! bucket in pairs. Many buckets are weighted by the two halves of their digits, each of which is a digit of far fewer buckets.
use std::array::from_fn;

use assay_verifier::halo2::curve::G1;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::bn256::Fq;
use halo2_proofs::halo2curves::group::{Curve, Group};
use rayon::prelude::*;

use super::lanes::{Eight, LANES};
use super::msm::join;
use super::point::{Point, Points, affine, inverted, points as eights};

/// Points that are summed in buckets together: one mebibyte of them.
const BATCH_MAX: usize = 1 << 14;
/// Fewest points for which buckets are weighted by the halves of their digits.
const HALVES_MIN: usize = 1 << 8;

/// Sums of the points of each digit.
pub struct Buckets<E: Eight> {
    /// One for each bucket that has points.
    pub points: Points<E>,
    /// How many each bucket has, none or one; the first is that of the digit zero.
    lengths: Vec<u32>,
}

/// Where a point is, and whether it is taken with the other sign.
#[derive(Clone, Copy, Default)]
struct Taken(u32);

impl Taken {
    fn new(at: usize, negative: bool) -> Self {
        Self((at as u32) << 1 | u32::from(negative))
    }

    fn at(self) -> usize {
        (self.0 >> 1) as usize
    }

    fn negative(self) -> bool {
        self.0 & 1 == 1
    }
}

impl<E: Eight<Field = Fq>> Buckets<E> {
    /// Sums points by the magnitude of their digit, with its sign. Those with the digit zero are left out.
    pub fn new(digits: impl Iterator<Item = i32> + Clone, points: &[Point<E::Cell>], count: usize) -> Self {
        let mut ends = vec![0u32; count + 1];
        for digit in digits.clone().filter(|&digit| digit != 0) {
            ends[digit.unsigned_abs() as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            (*end, sum) = (sum, sum + *end);
        }
        // Now where each bucket begins; placing the points moves it to where it ends.
        let mut sorted = vec![Taken::default(); sum as usize];
        for (at, digit) in digits.enumerate().filter(|(_, digit)| *digit != 0) {
            let end = &mut ends[digit.unsigned_abs() as usize];
            sorted[*end as usize] = Taken::new(at, digit < 0);
            *end += 1;
        }
        let mut lengths: Vec<u32> =
            ends.iter().scan(0, |last, &end| Some(end - std::mem::replace(last, end))).collect();
        // As many buckets together as stay in the cache.
        let mut parts: Vec<(&[Taken], &[u32])> = Vec::new();
        let (mut rest, mut first, mut len) = (&sorted[..], 0, 0);
        for (bucket, &length) in lengths.iter().enumerate() {
            len += length as usize;
            if len >= BATCH_MAX || bucket + 1 == lengths.len() {
                let (part, others) = rest.split_at(len);
                parts.push((part, &lengths[first..=bucket]));
                (rest, first, len) = (others, bucket + 1, 0);
            }
        }
        let sum = |rounds: &mut Rounds<E>, &(sorted, lengths): &(&[Taken], &[u32])| {
            rounds.sum(points, sorted, lengths).unwrap_or_else(|| by_themselves::<E>(points, sorted, lengths))
        };
        let sums: Vec<Points<E>> = parts.par_iter().map_init(Rounds::new, sum).collect();
        lengths.iter_mut().for_each(|length| *length = (*length).min(1));
        Self { points: sums.concat(), lengths }
    }

    /// The digits of the points.
    fn digits(&self) -> impl Iterator<Item = i32> + Clone + '_ {
        (0..).zip(&self.lengths).filter(|(_, length)| **length == 1).map(|(digit, _)| digit)
    }

    /// The sum of all buckets times their digits.
    pub fn weighted(&self) -> G1 {
        if self.points.len() < HALVES_MIN {
            return self.running();
        }
        let bits = self.lengths.len().ilog2() / 2;
        let low = self.digits().map(|digit| digit & ((1 << bits) - 1));
        let high = self.digits().map(|digit| digit >> bits);
        let low = Self::new(low, &self.points, 1 << bits);
        let high = Self::new(high, &self.points, self.lengths.len() >> bits);
        join(&[low.weighted(), high.weighted()], bits)
    }

    /// The same: each bucket counts once more than the one below it.
    fn running(&self) -> G1 {
        let (mut running, mut total) = (G1::identity(), G1::identity());
        let affine = affine::<E>(&self.points);
        let mut points = affine.iter().rev();
        for &length in self.lengths.iter().skip(1).rev() {
            if length == 1 {
                running += points.next().expect("there are as many points as buckets with one");
            }
            total += running;
        }
        total
    }
}

/// The sums of buckets one point after the other, where two of them have no slope.
fn by_themselves<E: Eight<Field = Fq>>(points: &[Point<E::Cell>], mut sorted: &[Taken], lengths: &[u32]) -> Points<E> {
    let mut sums = Vec::new();
    for &length in lengths.iter().filter(|&&length| length > 0) {
        let (bucket, others) = sorted.split_at(length as usize);
        let taken: Points<E> = bucket.iter().map(|taken| points[taken.at()]).collect();
        let signed = affine::<E>(&taken).into_iter().zip(bucket);
        let signed = signed.map(|(point, taken)| if taken.negative() { -point } else { point });
        sums.push(signed.fold(G1::identity(), |sum, point| sum + point).to_affine());
        sorted = others;
    }
    eights::<E>(&sums)
}

/// Two points of a bucket, or one that is left over, and where the sum goes.
#[derive(Clone, Copy, Default)]
struct Pair {
    taken: [Taken; 2],
    to: u32,
}

/// Eight of them.
type Eights = [Pair; LANES];

/// Additions in buckets, round by round, and the memory that rounds use again.
struct Rounds<E: Eight> {
    pairs: Vec<Pair>,
    left: Vec<Pair>,
    products: Vec<E>,
    points: Points<E>,
    halved: Points<E>,
    sorted: Vec<Taken>,
    lengths: Vec<u32>,
}

impl<E: Eight<Field = Fq>> Rounds<E> {
    fn new() -> Self {
        let (pairs, left, products) = (Vec::new(), Vec::new(), Vec::new());
        let (points, halved, sorted, lengths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { pairs, left, products, points, halved, sorted, lengths }
    }

    /// The sums of buckets. Nothing if two points to add have the same first coordinate, as random ones do not.
    fn sum(&mut self, points: &[Point<E::Cell>], sorted: &[Taken], lengths: &[u32]) -> Option<Points<E>> {
        self.lengths.clear();
        self.lengths.extend(lengths);
        self.points.clear();
        self.points.extend(sorted.iter().map(|taken| points[taken.at()]));
        self.sorted.clear();
        self.sorted.extend((0..).zip(sorted).map(|(at, taken)| Taken::new(at, taken.negative())));
        // At least once, for the signs.
        loop {
            self.halve()?;
            std::mem::swap(&mut self.points, &mut self.halved);
            self.lengths.iter_mut().for_each(|length| *length = length.div_ceil(2));
            if self.lengths.iter().all(|&length| length < 2) {
                return Some(self.points.clone());
            }
            self.sorted.truncate(self.points.len());
            (0..).zip(&mut self.sorted).for_each(|(at, taken)| *taken = Taken::new(at, false));
        }
    }

    /// The pairs of all buckets, and what is left over, the last eight of each filled up with what is among them. The number of sums.
    fn pair(&mut self) -> usize {
        let Self { pairs, left, sorted, lengths, .. } = self;
        pairs.resize((sorted.len() / 2).next_multiple_of(LANES), Pair::default());
        left.resize(lengths.len().next_multiple_of(LANES), Pair::default());
        let (mut pair_count, mut left_count) = (0, 0);
        let (mut from, mut to) = (0, 0);
        for &mut length in lengths {
            let end = from + length as usize;
            while from + 1 < end {
                pairs[pair_count] = Pair { taken: [sorted[from], sorted[from + 1]], to };
                (pair_count, from, to) = (pair_count + 1, from + 2, to + 1);
            }
            if from < end {
                left[left_count] = Pair { taken: [sorted[from]; 2], to };
                (left_count, from, to) = (left_count + 1, end, to + 1);
            }
        }
        for (list, count) in [(pairs, pair_count), (left, left_count)] {
            list.truncate(count);
            if let Some(&last) = list.last() {
                list.resize(count.next_multiple_of(LANES), last);
            }
        }
        to as usize
    }

    /// Adds the points of each bucket in pairs.
    fn halve(&mut self) -> Option<()> {
        let count = self.pair();
        let Self { points, halved, .. } = self;
        halved.resize(count, Point::default());
        let x = |group: &Eights, side: usize| E::gather(from_fn(|lane| &points[group[lane].taken[side].at()].x));
        let y = |group: &Eights, side: usize| {
            let y = E::gather(from_fn(|lane| &points[group[lane].taken[side].at()].y));
            y.negated(from_fn(|lane| group[lane].taken[side].negative()))
        };
        let mut place = |group: &Eights, x: E, y: E| {
            let [x, y] = [x.scatter(), y.scatter()];
            for lane in 0..LANES {
                halved[group[lane].to as usize] = Point { x: x[lane], y: y[lane] };
            }
        };
        for group in self.left.as_chunks().0 {
            place(group, x(group, 0), y(group, 0));
        }
        let pairs = self.pairs.as_chunks().0;
        let mut product = E::factor(Fq::ONE);
        self.products.clear();
        for group in pairs {
            self.products.push(product);
            product = product.mul(x(group, 1).lacking(x(group, 0)));
        }
        let mut inverse = inverted(product)?;
        for (group, before) in pairs.iter().zip(&self.products).rev() {
            let [ax, ay, bx, by] = [x(group, 0), y(group, 0), x(group, 1), y(group, 1)];
            let slope = by.lacking(ay).mul(inverse.mul(*before));
            inverse = inverse.mul(bx.lacking(ax));
            let sum = slope.mul(slope).sub(ax).sub(bx);
            let rise = slope.mul(ax.lacking(sum)).sub(ay);
            place(group, sum, rise);
        }
        Some(())
    }
}
