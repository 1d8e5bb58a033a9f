//! Sums of multiples of points: commitments.
//!
//! Scalars are cut into signed digits; for each place the points of one digit are summed in a bucket (Pippenger). Columns of small integers have one or two
//! places instead of thirty, and negative ones are as small as positive ones. Where multiples of the points are kept, there is one set of buckets for
//! all places.
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use assay_verifier::halo2::curve::{Fr, G1, G1Affine};
use halo2_proofs::halo2curves::bn256::Fq;
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::group::Group;
use rayon::prelude::*;

use super::bucket::Buckets;
use super::lanes::Eight;
use super::point::{Point, Points, affine, double};

/// What one addition in a bucket costs, in multiplications.
const ADD: usize = 9;
/// What one bucket costs when buckets are weighted and summed.
const BUCKET: usize = 20;
/// Widest digit.
const WIDTH_MAX: u32 = 14;
/// Fewest points for which inversions pay.
const BATCH_MIN: usize = 64;
/// Bytes of kept multiples.
const KEPT_BYTES: usize = 64 << 20;
/// Points that one task doubles.
const TASK: usize = 1 << 11;
/// Multiples of points by the weights of all places, so that one set of buckets takes the digits of all: these can be wider then.
pub struct Multiples<E: Eight> {
    width: u32,
    /// Number of points.
    count: usize,
    /// The points, then their multiples by the weight of the next place, and so on.
    multiples: Points<E>,
}

impl<E: Eight<Field = Fq>> Multiples<E> {
    /// Of points. Nothing if they take too much memory.
    pub fn new(points: &[Point<E::Cell>]) -> Option<Self> {
        let cost = |width: u32| places(Fr::NUM_BITS, width) * points.len() * ADD + (BUCKET << (width - 1));
        let width = (2..=WIDTH_MAX).min_by_key(|&width| cost(width))?;
        let places = places(Fr::NUM_BITS, width);
        (places * size_of_val(points) <= KEPT_BYTES).then_some(())?;
        let mut multiples = points.to_vec();
        for place in 1..places {
            multiples.extend_from_within((place - 1) * points.len()..);
            let next = &mut multiples[place * points.len()..];
            next.par_chunks_mut(TASK).for_each(|points| (0..width).for_each(|_| double::<E>(points)));
        }
        Some(Self { width, count: points.len(), multiples })
    }

    /// `sum values[i] points[i]` for as many values as points.
    pub fn sum(&self, values: &[Fr]) -> G1 {
        let grouped = Grouped::new(values);
        if grouped.scalars.len() < values.len() / 4 {
            return grouped.sum::<E>(&self.multiples[..self.count]);
        }
        let places = (self.multiples.len() / self.count) as u32;
        let digits =
            (0..places).flat_map(|place| grouped.all.iter().map(move |scalar| digit(scalar, place, self.width)));
        Buckets::<E>::new(digits, &self.multiples, 1 << (self.width - 1)).weighted()
    }
}

/// `sum values[i] points[i]`.
pub fn large<E: Eight<Field = Fq>>(values: &[Fr], points: &[Point<E::Cell>]) -> G1 {
    Grouped::new(values).sum::<E>(points)
}

/// `sum values[i] points[i]` for small integers.
pub fn small<E: Eight<Field = Fq>>(values: &[i64], points: &[Point<E::Cell>]) -> G1 {
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
        Buckets::<E>::new(digits, points, 1 << (width - 1)).weighted()
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

/// Hashes scalars by their words, which are as good as random where there are many.
#[derive(Default)]
struct Words(u64);

impl Hasher for Words {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.chunks(8) {
            let word = word.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
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
        let mut known: HashMap<[u64; 4], i32, BuildHasherDefault<Words>> = HashMap::default();
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

    fn sum<E: Eight<Field = Fq>>(&self, points: &[Point<E::Cell>]) -> G1 {
        if self.scalars.len() < BATCH_MIN && self.all.len() < BATCH_MIN {
            return few(&self.all, &affine::<E>(&points[..self.all.len()]));
        }
        let points = Buckets::<E>::new(self.groups.iter().copied(), points, self.scalars.len()).points;
        if points.len() < BATCH_MIN {
            return few(&self.scalars, &affine::<E>(&points));
        }
        let width = width(points.len(), Fr::NUM_BITS);
        let place = |place: usize| {
            let digits = self.scalars.iter().map(|scalar| digit(scalar, place as u32, width));
            Buckets::<E>::new(digits, &points, 1 << (width - 1)).weighted()
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

/// `sum 2^(width place) sums[place]`.
pub(super) fn join(sums: &[G1], width: u32) -> G1 {
    sums.iter().rev().fold(G1::identity(), |all, sum| (0..width).fold(all, |all, _| all.double()) + sum)
}

#[cfg(test)]
mod tests {
    //! Against the library's sums, and sums one by one.
    use assay_verifier::halo2::field;
    use halo2_proofs::arithmetic::{Field, best_multiexp};
    use halo2_proofs::halo2curves::group::Curve;
    use rand_core::OsRng;

    use super::super::lanes::{Fast, Plain};
    use super::super::point::points;
    use super::*;

    fn random_points(count: usize) -> Vec<G1Affine> {
        (0..count).map(|_| (G1::generator() * Fr::random(OsRng)).to_affine()).collect()
    }

    fn field_elements_by<E: Eight<Field = Fq>>() {
        for count in [1, 2, 7, 63, 64, 65, 300, 3000] {
            let affine = random_points(count);
            let points = points::<E>(&affine);
            let mut values: Vec<Fr> = points.iter().map(|_| Fr::random(OsRng)).collect();
            let multiples = Multiples::<E>::new(&points).unwrap();
            for _ in 0..3 {
                let expected = best_multiexp(&values, &affine);
                assert_eq!(large::<E>(&values, &points), expected, "{count}");
                assert_eq!(multiples.sum(&values), expected, "{count}");
                // Then with values that occur often, the extreme ones among them.
                for (at, value) in values.iter_mut().enumerate().filter(|(at, _)| at % 4 != 1) {
                    *value = [Fr::ZERO, -Fr::ONE, Fr::ONE, field(i64::MIN)][at % 3];
                }
            }
        }
    }

    #[test]
    fn field_elements() {
        field_elements_by::<Fast<Fq>>();
        field_elements_by::<Plain<Fq>>();
    }

    fn small_integers_by<E: Eight<Field = Fq>>() {
        for count in [1, 5, 200, 2000] {
            let affine = random_points(count);
            let points = points::<E>(&affine);
            for most in [1, 2, 255, 256, 1 << 15, 1 << 40, i64::MAX] {
                let values: Vec<i64> =
                    (0..count as i64).map(|at| [most, -most, most / (at + 1), 0, at % most][at as usize % 5]).collect();
                let elements: Vec<Fr> = values.iter().map(|&value| field(value)).collect();
                assert_eq!(small::<E>(&values, &points), best_multiexp(&elements, &affine), "{count}, {most}");
            }
            assert_eq!(small::<E>(&vec![0; count], &points), G1::identity());
        }
    }

    #[test]
    fn small_integers() {
        small_integers_by::<Fast<Fq>>();
        small_integers_by::<Plain<Fq>>();
    }

    /// Equal and opposite points have no slope between them.
    #[test]
    fn points_without_a_slope() {
        let [a, b] = random_points(2)[..] else { panic!() };
        let all: Vec<G1Affine> = [a, a, -a, b, a, -b].into_iter().cycle().take(120).collect();
        let ones = vec![1; all.len()];
        let expected = all.iter().fold(G1::identity(), |sum, point| sum + point);
        let points = points::<Fast<Fq>>(&all);
        assert_eq!(small::<Fast<Fq>>(&ones, &points), expected);
        let values: Vec<Fr> = ones.iter().map(|&one| field(one)).collect();
        assert_eq!(large::<Fast<Fq>>(&values, &points), expected);
    }
}
