//! Sums of multiples of points: commitments.
//!
//! Scalars are cut into signed digits; for each place the points of one digit are summed in a bucket (Pippenger). Sums in buckets are affine, with one
//! inversion for all additions of a round: half the cost of projective ones. Columns of small integers have one or two
//! places instead of thirty, and negative ones are as small as positive ones. Where multiples of the points are kept, there is one set of buckets for
//! all places.
use std::collections::HashMap;

use assay_verifier::halo2::curve::{Fr, G1, G1Affine};
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::bn256::Fq;
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::group::{Curve, Group};
use rayon::prelude::*;

/// What one addition in a bucket costs, in multiplications.
const ADD: usize = 9;
/// What one bucket costs when buckets are weighted and summed.
const BUCKET: usize = 36;
/// Widest digit.
const WIDTH_MAX: u32 = 14;
/// Fewest points for which inversions pay.
const BATCH_MIN: usize = 64;
/// Points that are sorted into buckets together: one mebibyte of them.
const BATCH_MAX: usize = 1 << 14;
/// Bytes of kept multiples.
const KEPT_BYTES: usize = 64 << 20;
/// Points that one task doubles.
const TASK: usize = 1 << 8;

/// Multiples of points by the weights of all places, so that one set of buckets takes the digits of all: these can be wider then.
pub struct Multiples {
    width: u32,
    places: Vec<Vec<G1Affine>>,
}

impl Multiples {
    /// Of points, none of which is infinity. Nothing if they take too much memory.
    pub fn new(points: &[G1Affine]) -> Option<Self> {
        let cost = |width: u32| places(Fr::NUM_BITS, width) * points.len() * ADD + (BUCKET << (width - 1));
        let width = (2..=WIDTH_MAX).min_by_key(|&width| cost(width))?;
        let count = places(Fr::NUM_BITS, width);
        (count * size_of_val(points) <= KEPT_BYTES).then_some(())?;
        let mut multiples = vec![points.to_vec()];
        for place in 1..count {
            let mut next = multiples[place - 1].clone();
            next.par_chunks_mut(TASK).for_each(|points| (0..width).for_each(|_| double(points)));
            multiples.push(next);
        }
        Some(Self { width, places: multiples })
    }

    /// `sum values[i] points[i]`.
    pub fn sum(&self, values: &[Fr]) -> G1 {
        let grouped = Grouped::new(values);
        if let (Some(points), true) = (self.places.first(), grouped.scalars.len() < values.len() / 4) {
            return grouped.sum(points);
        }
        let count = 1 << (self.width - 1);
        // As many places at a time as stay in the cache; then their buckets.
        let together = (BATCH_MAX / values.len().max(1)).max(1);
        let parts = self.places.chunks(together).zip((0..).step_by(together)).map(|(multiples, first)| {
            let digits = (first..)
                .take(multiples.len())
                .flat_map(|place: u32| grouped.all.iter().map(move |scalar| digit(scalar, place, self.width)));
            let points: Vec<&[G1Affine]> = multiples.iter().map(|points| &points[..values.len()]).collect();
            Buckets::new(digits, &points.concat(), count)
        });
        let (mut digits, mut points) = (Vec::new(), Vec::new());
        for part in parts {
            digits
                .extend((0..).zip(&part.lengths).filter(|(_, length)| **length == 1).map(|(digit, _): (i32, _)| digit));
            points.extend(part.points);
        }
        Buckets::new(digits.iter().copied(), &points, count).weighted()
    }
}

/// Doubles points of odd order.
fn double(points: &mut [G1Affine]) {
    let mut product = Fq::ONE;
    let mut products = Vec::with_capacity(points.len());
    for point in points.iter() {
        products.push(product);
        product *= point.y.double();
    }
    let mut inverse = product.invert().expect("no point is of order two");
    for (point, before) in points.iter_mut().zip(products).rev() {
        let square = point.x.square();
        let slope = (square.double() + square) * (inverse * before);
        inverse *= point.y.double();
        let x = slope.square() - point.x.double();
        *point = G1Affine { x, y: slope * (point.x - x) - point.y };
    }
}

/// `sum values[i] points[i]`.
pub fn large(values: &[Fr], points: &[G1Affine]) -> G1 {
    Grouped::new(values).sum(points)
}

/// `sum values[i] points[i]` for small integers.
pub fn small(values: &[i64], points: &[G1Affine]) -> G1 {
    let bits = values.iter().map(|value| u64::BITS - value.unsigned_abs().leading_zeros()).max().unwrap_or(0);
    if bits == 0 {
        return G1::identity();
    }
    let width = width(values.len(), bits);
    let place = |place: usize| {
        let digits = values.iter().map(|value| {
            let digit = digit(&[value.unsigned_abs(), 0, 0, 0], place as u32, width);
            if *value < 0 { -digit } else { digit }
        });
        Buckets::new(digits, points, 1 << (width - 1)).weighted()
    };
    let sums: Vec<G1> = (0..places(bits, width)).map(place).collect();
    join(&sums, width)
}

/// The same for few points.
fn few(scalars: &[[u64; 4]], points: &[G1Affine]) -> G1 {
    const WIDTH: u32 = 4;
    let multiples = |point: &G1Affine| -> Vec<G1> {
        std::iter::successors(Some(G1::from(*point)), |multiple| Some(multiple + point))
            .take(1 << (WIDTH - 1))
            .collect()
    };
    let tables: Vec<Vec<G1>> = points.iter().map(multiples).collect();
    (0..places(Fr::NUM_BITS, WIDTH)).rev().fold(G1::identity(), |sum, place| {
        let mut sum = (0..WIDTH).fold(sum, |sum, _| sum.double());
        for (scalar, table) in scalars.iter().zip(&tables) {
            match digit(scalar, place as u32, WIDTH) {
                0 => {}
                digit @ 1.. => sum += table[digit as usize - 1],
                digit => sum -= table[digit.unsigned_abs() as usize - 1],
            }
        }
        sum
    })
}

/// Scalars, each but once. Multipliers and running values that stand still occur often.
struct Grouped {
    scalars: Vec<[u64; 4]>,
    /// One more than the position of each value's scalar; 0 for zero.
    groups: Vec<i32>,
    all: Vec<[u64; 4]>,
}

impl Grouped {
    fn new(values: &[Fr]) -> Self {
        let all: Vec<[u64; 4]> = values.iter().map(words).collect();
        let mut known: HashMap<[u64; 4], i32> = HashMap::new();
        let mut scalars = Vec::new();
        let mut group = |scalar: &[u64; 4]| {
            if *scalar == [0; 4] {
                return 0;
            }
            *known.entry(*scalar).or_insert_with(|| {
                scalars.push(*scalar);
                scalars.len() as i32
            })
        };
        let groups = all.iter().map(&mut group).collect();
        Self { scalars, groups, all }
    }

    fn sum(&self, points: &[G1Affine]) -> G1 {
        if self.scalars.len() < BATCH_MIN && self.all.len() < BATCH_MIN {
            return few(&self.all, points);
        }
        let points = Buckets::new(self.groups.iter().copied(), points, self.scalars.len()).points;
        if points.len() < BATCH_MIN {
            return few(&self.scalars, &points);
        }
        let width = width(points.len(), Fr::NUM_BITS);
        let place = |place: usize| {
            let digits = self.scalars.iter().map(|scalar| digit(scalar, place as u32, width));
            Buckets::new(digits, &points, 1 << (width - 1)).weighted()
        };
        let sums: Vec<G1> = (0..places(Fr::NUM_BITS, width)).into_par_iter().map(place).collect();
        join(&sums, width)
    }
}

/// Number of digits, one more than the bits need for the last carry.
fn places(bits: u32, width: u32) -> usize {
    (bits / width + 1) as usize
}

/// The width of digits that costs least.
fn width(points: usize, bits: u32) -> u32 {
    let cost = |width: u32| places(bits, width) * (points * ADD + (BUCKET << (width - 1)));
    (2..=WIDTH_MAX).min_by_key(|&width| cost(width)).unwrap_or(WIDTH_MAX)
}

fn words(value: &Fr) -> [u64; 4] {
    let bytes = value.to_repr();
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_ref().chunks_exact(8)) {
        *word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    }
    words
}

/// A signed digit, from `-2^(width-1)` to `2^(width-1)`: the bits of the place, less `2^width` if the highest is set, and one more if the highest bit of
/// the place below is.
fn digit(words: &[u64; 4], place: u32, width: u32) -> i32 {
    let start = place * width;
    let bits = |from: u32, count: u32| -> u64 {
        let (word, shift) = ((from / 64) as usize, from % 64);
        let low = words.get(word).copied().unwrap_or(0) >> shift;
        let high = if shift == 0 { 0 } else { words.get(word + 1).copied().unwrap_or(0) << (64 - shift) };
        (low | high) & ((1 << count) - 1)
    };
    let carry = if start == 0 { 0 } else { bits(start - 1, 1) as i32 };
    let value = bits(start, width) as i32;
    let above = if value >> (width - 1) == 1 { 1 << width } else { 0 };
    value - above + carry
}

/// Sums of the points of each digit.
struct Buckets {
    /// One for each bucket that has points.
    points: Vec<G1Affine>,
    /// How many each bucket has, none or one; the first is that of the digit zero.
    lengths: Vec<u32>,
}

impl Buckets {
    /// Sums points by the magnitude of their digit, with its sign. Those with the digit zero are left out.
    fn new(digits: impl Iterator<Item = i32> + Clone, points: &[G1Affine], count: usize) -> Self {
        let mut ends = vec![0u32; count + 1];
        for digit in digits.clone().filter(|&digit| digit != 0) {
            ends[digit.unsigned_abs() as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            (*end, sum) = (sum, sum + *end);
        }
        // Now where each bucket begins; placing the points moves it to where it ends.
        let mut sorted = vec![G1Affine::default(); sum as usize];
        for (digit, point) in digits.zip(points).filter(|(digit, _)| *digit != 0) {
            let end = &mut ends[digit.unsigned_abs() as usize];
            sorted[*end as usize] = if digit < 0 { -point } else { *point };
            *end += 1;
        }
        let mut lengths: Vec<u32> =
            ends.iter().scan(0, |last, &end| Some(end - std::mem::replace(last, end))).collect();
        while lengths.iter().any(|&length| length > 1) {
            match halve(&sorted, &lengths) {
                Some(halved) => sorted = halved,
                None => return Self::by_themselves(&sorted, &lengths),
            }
            lengths.iter_mut().for_each(|length| *length = length.div_ceil(2));
        }
        Self { points: sorted, lengths }
    }

    /// The sums one point after the other, where two of them have no slope.
    fn by_themselves(sorted: &[G1Affine], lengths: &[u32]) -> Self {
        let mut rest = sorted;
        let mut points = Vec::new();
        for &length in lengths.iter().filter(|&&length| length > 0) {
            let (bucket, others) = rest.split_at(length as usize);
            points.push(bucket.iter().fold(G1::identity(), |sum, point| sum + point).to_affine());
            rest = others;
        }
        Self { points, lengths: lengths.iter().map(|&length| length.min(1)).collect() }
    }

    /// The sum of all buckets times their digits: each counts once more than the one below it.
    fn weighted(&self) -> G1 {
        let (mut running, mut total) = (G1::identity(), G1::identity());
        let mut points = self.points.iter().rev();
        for &length in self.lengths.iter().skip(1).rev() {
            if length == 1 {
                running += points.next().expect("there are as many points as buckets with one");
            }
            total += running;
        }
        total
    }
}

/// Adds the points of each bucket in pairs. Nothing if two have the same first coordinate, as random ones do not.
fn halve(points: &[G1Affine], lengths: &[u32]) -> Option<Vec<G1Affine>> {
    let mut halved = vec![G1Affine::default(); lengths.iter().map(|length| length.div_ceil(2) as usize).sum()];
    // Of each pair where it is and where its sum goes, and the product of the differences before.
    let mut pairs = Vec::with_capacity(points.len() / 2);
    let mut product = Fq::ONE;
    let (mut from, mut to) = (0, 0);
    for &length in lengths {
        let end = from + length as usize;
        while from + 1 < end {
            pairs.push((from as u32, to as u32, product));
            product *= points[from + 1].x - points[from].x;
            (from, to) = (from + 2, to + 1);
        }
        if from < end {
            halved[to] = points[from];
            (from, to) = (end, to + 1);
        }
    }
    let mut inverse = Option::<Fq>::from(product.invert())?;
    for (from, to, before) in pairs.into_iter().rev() {
        let [a, b] = [points[from as usize], points[from as usize + 1]];
        let run = b.x - a.x;
        let slope = (b.y - a.y) * (inverse * before);
        inverse *= run;
        let x = slope.square() - a.x - b.x;
        halved[to as usize] = G1Affine { x, y: slope * (a.x - x) - a.y };
    }
    Some(halved)
}

/// `sum 2^(width place) sums[place]`.
fn join(sums: &[G1], width: u32) -> G1 {
    sums.iter().rev().fold(G1::identity(), |all, sum| (0..width).fold(all, |all, _| all.double()) + sum)
}

#[cfg(test)]
mod tests {
    //! Against the library's sums, and sums one by one.
    use assay_verifier::halo2::field;
    use halo2_proofs::arithmetic::best_multiexp;
    use rand_core::OsRng;

    use super::*;

    fn points(count: usize) -> Vec<G1Affine> {
        (0..count).map(|_| (G1::generator() * Fr::random(OsRng)).to_affine()).collect()
    }

    #[test]
    fn field_elements() {
        for count in [1, 2, 7, 63, 64, 65, 300] {
            let points = points(count);
            let mut values: Vec<Fr> = points.iter().map(|_| Fr::random(OsRng)).collect();
            let multiples = Multiples::new(&points).unwrap();
            for _ in 0..3 {
                let expected = best_multiexp(&values, &points);
                assert_eq!(large(&values, &points), expected, "{count}");
                assert_eq!(multiples.sum(&values), expected, "{count}");
                // Then with values that occur often, the extreme ones among them.
                for (at, value) in values.iter_mut().enumerate().filter(|(at, _)| at % 4 != 1) {
                    *value = [Fr::ZERO, -Fr::ONE, Fr::ONE, field(i64::MIN)][at % 3];
                }
            }
        }
    }

    #[test]
    fn small_integers() {
        for count in [1, 5, 200] {
            let points = points(count);
            for most in [1, 2, 255, 256, 1 << 15, 1 << 40, i64::MAX] {
                let values: Vec<i64> =
                    (0..count as i64).map(|at| [most, -most, most / (at + 1), 0, at % most][at as usize % 5]).collect();
                let elements: Vec<Fr> = values.iter().map(|&value| field(value)).collect();
                assert_eq!(small(&values, &points), best_multiexp(&elements, &points), "{count}, {most}");
            }
            assert_eq!(small(&vec![0; count], &points), G1::identity());
        }
    }

    /// Equal and opposite points have no slope between them.
    #[test]
    fn points_without_a_slope() {
        let [a, b] = points(2)[..] else { panic!() };
        let all: Vec<G1Affine> = [a, a, -a, b, a, -b].into_iter().cycle().take(120).collect();
        let ones = vec![1; all.len()];
        let expected = all.iter().fold(G1::identity(), |sum, point| sum + point);
        assert_eq!(small(&ones, &all), expected);
        let values: Vec<Fr> = ones.iter().map(|&one| field(one)).collect();
        assert_eq!(large(&values, &all), expected);
    }
}
