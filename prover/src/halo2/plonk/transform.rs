//! Fourier transforms over the rows, and over cosets of them.
//!
//! A column of `n = 8 m` rows is `m` times eight elements side by side. Its values lie row below row in each place, with row `l m + j` in place `l` of number
//! `j`, so that the next row is in the next number; its coefficients lie beside one another, with coefficient `8 a + b` in number `a`, in place `b` with
//! reversed bits. With `w` the root of the rows and `g` the offset of a coset,
//! `p(g w^(l m + j)) = sum_b w^(m b l) (g w^j)^b (sum_a c_(8 a + b) (g^8 w^(8 j))^a)`:
//! eight transforms side by side, one product, and a transform of eight across the places. Transforms run on one thread: there are as many as there
//! are columns.
use std::array::from_fn;

use assay_verifier::halo2::curve::Fr;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::ff::PrimeField;
use rayon::prelude::*;

use super::lanes::{Eight, LANES};

/// Numbers of eight that stay in the nearest cache: stages that keep to so many come first for some, then for the next.
const BLOCK: usize = 1 << 6;

/// The roots of unity of `2^k` rows.
pub struct Transform<E: Eight> {
    k: u32,
    /// The root.
    omega: Fr,
    /// From values on the rows to coefficients.
    back: Turns<E>,
    /// What is turned between the stages of the transform across places, and back.
    across: [E; 2],
    across_back: [E; 2],
}

/// What is multiplied with on the way.
struct Turns<E: Eight> {
    /// Stage by stage, from the one that pairs neighbours.
    stages: Vec<Vec<E::Cell>>,
    /// Between the transforms side by side and the one across.
    between: Vec<E>,
}

/// A coset of the rows' points.
pub struct Coset<E: Eight> {
    /// The offset.
    pub offset: Fr,
    turns: Turns<E>,
}

/// A polynomial: values of eight coefficients side by side.
#[derive(Clone, Debug)]
pub struct Poly<E>(pub Vec<E>);

/// Numbers up to eight, with their bits reversed.
const REVERSED: [usize; LANES] = [0, 4, 2, 6, 1, 5, 3, 7];

impl<E: Eight<Field = Fr>> Transform<E> {
    /// Of `2^k` rows, eight at least.
    pub fn new(k: u32) -> Self {
        let omega = (k..Fr::S).fold(Fr::ROOT_OF_UNITY, |root, _| root.square());
        let inverse = (k..Fr::S).fold(Fr::ROOT_OF_UNITY_INV, |root, _| root.square());
        let across = |root: Fr| {
            let eighth = root.pow_vartime([1u64 << k >> 3]);
            // In places of four and of eight, the higher half by powers of their root.
            [(2, eighth.square()), (4, eighth)].map(|(half, root)| {
                E::factors(&from_fn(|place| {
                    if place & half == 0 { Fr::ONE } else { root.pow_vartime([(place & (half - 1)) as u64]) }
                }))
            })
        };
        let divisor = Fr::TWO_INV.pow_vartime([u64::from(k)]);
        Self {
            k,
            omega,
            back: Turns::new(k, inverse, Fr::ONE, divisor),
            across: across(omega),
            across_back: across(inverse),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        1 << self.k
    }

    /// The point of the second row.
    pub fn omega(&self) -> Fr {
        self.omega
    }

    /// A point, turned by a number of rows.
    pub fn rotate(&self, point: Fr, rows: i32) -> Fr {
        let turned = self.omega.pow_vartime([rows.rem_euclid(1 << self.k) as u64]);
        point * turned
    }

    /// The coset with an offset. Values on it are factors.
    pub fn coset(&self, offset: Fr) -> Coset<E> {
        Coset { offset, turns: Turns::new(self.k, self.omega, offset, Fr::from(E::SCALE)) }
    }

    /// The polynomial with these values on the rows.
    pub fn interpolate(&self, column: &[Fr]) -> Poly<E> {
        let height = column.len() / LANES;
        self.back((0..height).map(|at| E::load(&from_fn(|place| column[place * height + at]))).collect())
    }

    /// The coefficients, of the kind of the values.
    fn back(&self, mut values: Vec<E>) -> Poly<E> {
        let [four, eight] = self.across_back;
        for (value, between) in values.iter_mut().zip(&self.back.between) {
            let halves = value.butterfly::<4>().mul(eight);
            *value = halves.butterfly::<2>().mul(four).butterfly::<1>().mul(*between);
        }
        let pair = |values: &mut [E], half: usize, turns: &[E::Cell]| {
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for ((low, high), turn) in low.iter_mut().zip(high).zip(turns) {
                    (*low, *high) = (low.add(*high), low.lacking(*high).mul(E::splat(turn)));
                }
            }
        };
        let stages = &self.back.stages;
        let (near, far) = stages.split_at(stages.len().min(BLOCK.ilog2() as usize));
        for (stage, turns) in far.iter().enumerate().rev() {
            pair(&mut values, BLOCK << stage, turns);
        }
        let block = BLOCK.min(values.len());
        for values in values.chunks_exact_mut(block) {
            for (stage, turns) in near.iter().enumerate().rev() {
                pair(values, 1 << stage, turns);
            }
        }
        let reversed = self.reversed();
        Poly((0..values.len()).map(|at| values[reversed(at)]).collect())
    }

    /// Values of a polynomial on a coset, written to `values`.
    pub fn evaluate(&self, poly: &Poly<E>, coset: &Coset<E>, values: &mut [E]) {
        let reversed = self.reversed();
        for (at, coefficients) in poly.0.iter().enumerate() {
            values[reversed(at)] = *coefficients;
        }
        let pair = |values: &mut [E], half: usize, turns: &[E::Cell]| {
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for ((low, high), turn) in low.iter_mut().zip(high).zip(turns) {
                    let turned = high.mul(E::splat(turn));
                    (*low, *high) = (low.add(turned), low.sub(turned));
                }
            }
        };
        let stages = &coset.turns.stages;
        let (near, far) = stages.split_at(stages.len().min(BLOCK.ilog2() as usize));
        let block = BLOCK.min(values.len());
        for values in values.chunks_exact_mut(block) {
            for (stage, turns) in near.iter().enumerate() {
                pair(values, 1 << stage, turns);
            }
        }
        for (stage, turns) in far.iter().enumerate() {
            pair(values, BLOCK << stage, turns);
        }
        let [four, eight] = self.across;
        for (value, between) in values.iter_mut().zip(&coset.turns.between) {
            let pairs = value.mul(*between).butterfly::<1>();
            *value = pairs.mul(four).butterfly::<2>().mul(eight).butterfly::<4>();
        }
    }

    /// The polynomial, of a degree below the number of rows, with these factors on a coset.
    pub fn interpolate_coset(&self, factors: Vec<E>, coset: &Coset<E>) -> Poly<E> {
        let mut poly = self.back(factors);
        let inverse = coset.offset.invert().expect("offsets are not zero");
        let step = E::factor(inverse.pow_vartime([LANES as u64]));
        let mut scale = E::load(&REVERSED.map(|place| inverse.pow_vartime([place as u64])));
        for coefficients in &mut poly.0 {
            *coefficients = coefficients.mul(scale);
            scale = scale.mul(step);
        }
        poly
    }

    /// The polynomials with these values on the rows.
    pub fn polynomials(&self, columns: &[Vec<Fr>]) -> Vec<Poly<E>> {
        columns.par_iter().map(|column| self.interpolate(column)).collect()
    }

    /// Numbers below an eighth of the rows' with their bits reversed.
    fn reversed(&self) -> impl Fn(usize) -> usize {
        let bits = self.k - LANES.ilog2();
        move |at| at.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0)
    }
}

impl<E: Eight<Field = Fr>> Turns<E> {
    /// For points `offset root^j`, with a scale for all.
    fn new(k: u32, root: Fr, offset: Fr, scale: Fr) -> Self {
        let height = 1usize << k >> LANES.ilog2();
        let stages = (0..height.ilog2())
            .map(|stage| {
                let times = ((LANES * height) >> (stage + 1)) as u64;
                let [first, root] = [offset, root].map(|base| base.pow_vartime([times]));
                powers(root).take(1 << stage).map(|power| E::cell(first * power)).collect()
            })
            .collect();
        let between = powers(root)
            .take(height)
            .map(|power| E::factors(&REVERSED.map(|place| scale * (offset * power).pow_vartime([place as u64]))));
        Self { stages, between: between.collect() }
    }
}

impl<E: Eight<Field = Fr>> Poly<E> {
    /// With these coefficients.
    pub fn new(coefficients: &[Fr]) -> Self {
        let eights = coefficients.as_chunks::<LANES>().0.iter();
        Self(eights.map(|eight| E::load(&REVERSED.map(|place| eight[place]))).collect())
    }

    /// All coefficients.
    pub fn coefficients(&self) -> Vec<Fr> {
        let mut coefficients = Vec::with_capacity(self.0.len() * LANES);
        for eight in &self.0 {
            let eight = eight.store();
            coefficients.extend(REVERSED.map(|place| eight[place]));
        }
        coefficients
    }

    /// The same, to read.
    pub fn read(&self) -> Coefficients<'_, E> {
        Coefficients::Eights(&self.0)
    }

    /// Adds a multiple of another.
    pub fn add(&mut self, factor: E, other: Coefficients<'_, E>) {
        self.0.iter_mut().enumerate().for_each(|(at, to)| *to = to.add(other.at(at).mul(factor)));
    }
}

/// Coefficients of a polynomial, wherever they lie.
#[derive(Clone, Copy, Debug)]
pub enum Coefficients<'a, E> {
    /// Eight side by side.
    Eights(&'a [E]),
    /// One after the other, as the library has them.
    Single(&'a [Fr]),
}

impl<E: Eight<Field = Fr>> Coefficients<'_, E> {
    /// Whether they are the same in memory.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Eights(a), Self::Eights(b)) => std::ptr::eq(*a, *b),
            (Self::Single(a), Self::Single(b)) => std::ptr::eq(*a, *b),
            _ => false,
        }
    }

    #[inline(always)]
    fn at(&self, index: usize) -> E {
        match self {
            Self::Eights(eights) => eights[index],
            Self::Single(single) => {
                let eight = &single[index * LANES..][..LANES];
                E::load(&REVERSED.map(|place| eight[place]))
            }
        }
    }

    /// The value at a point.
    pub fn evaluate(&self, point: Fr) -> Fr {
        // Several sums side by side, as a product takes long until it is there.
        const SUMS: usize = 4;
        let count = match self {
            Self::Eights(eights) => eights.len(),
            Self::Single(single) => single.len() / LANES,
        };
        let eighth = point.pow_vartime([LANES as u64]);
        let step = E::factor(eighth.pow_vartime([SUMS as u64]));
        let mut sums = [E::zero(); SUMS];
        for first in (0..count).step_by(SUMS).rev() {
            for (sum, index) in sums.iter_mut().zip(first..) {
                *sum = sum.mul(step);
                if index < count {
                    *sum = sum.add(self.at(index));
                }
            }
        }
        let eighth = E::factor(eighth);
        let sum = sums.into_iter().rev().reduce(|sum, next| sum.mul(eighth).add(next)).unwrap_or(E::zero()).store();
        REVERSED.iter().rev().fold(Fr::ZERO, |value, &place| value * point + sum[place])
    }
}

/// One, and all powers.
pub fn powers(base: Fr) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(Fr::ONE), move |power| Some(*power * base))
}

#[cfg(test)]
mod tests {
    //! Against polynomials evaluated point by point.
    use rand_core::OsRng;

    use super::super::lanes::{Fast, Plain};
    use super::*;

    fn at(coefficients: &[Fr], point: Fr) -> Fr {
        coefficients.iter().rev().fold(Fr::ZERO, |value, coefficient| value * point + coefficient)
    }

    fn values_and_coefficients_by<E: Eight<Field = Fr>>() {
        for k in 3..12 {
            let transform = Transform::<E>::new(k);
            let rows = transform.rows();
            let values: Vec<Fr> = (0..rows).map(|_| Fr::random(OsRng)).collect();
            let [poly] = &transform.polynomials(std::slice::from_ref(&values))[..] else { panic!() };
            let coefficients = poly.coefficients();
            assert_eq!(Poly::<E>::new(&coefficients).coefficients(), coefficients);
            let step = (rows / 64).max(1);
            for row in (0..rows).step_by(step) {
                assert_eq!(at(&coefficients, transform.rotate(Fr::ONE, row as i32)), values[row]);
            }
            assert_eq!(transform.rotate(transform.rotate(Fr::ONE, 3), -3), Fr::ONE);
            let point = Fr::random(OsRng);
            assert_eq!(poly.read().evaluate(point), at(&coefficients, point));
            assert_eq!(Coefficients::<E>::Single(&coefficients).evaluate(point), at(&coefficients, point));
            let coset = transform.coset(Fr::from(5));
            let mut there = vec![E::zero(); rows / LANES];
            transform.evaluate(poly, &coset, &mut there);
            let one = E::value(Fr::ONE);
            for row in (0..rows).step_by(step) {
                let found = there[row % (rows / LANES)].mul(one).store()[row / (rows / LANES)];
                assert_eq!(at(&coefficients, transform.rotate(coset.offset, row as i32)), found);
            }
            assert_eq!(transform.interpolate_coset(there, &coset).coefficients(), coefficients);
            let mut twice = poly.clone();
            twice.add(E::factor(Fr::from(7)), poly.read());
            twice.add(E::factor(Fr::from(4)), Coefficients::Single(&coefficients));
            assert_eq!(twice.coefficients(), coefficients.iter().map(|c| *c * Fr::from(12)).collect::<Vec<Fr>>());
        }
    }

    #[test]
    fn values_and_coefficients() {
        values_and_coefficients_by::<Fast<Fr>>();
        values_and_coefficients_by::<Plain<Fr>>();
    }
}
