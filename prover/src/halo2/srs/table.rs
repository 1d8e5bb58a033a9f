//! Multiples of the generator from tables.
//!
//! A scalar is written in signed digits of `w` bits. For each place there is a table of the multiples `1..=2^(w-1)` of
//! `2^(w place) G`, so that a product is one mixed addition for each place and no doubling.
use assay_verifier::halo2::curve::{Fr, G1, G1Affine};
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::halo2curves::group::{Curve, Group};
use rayon::prelude::*;

/// Points that are normalised together.
const BATCH: usize = 1 << 10;

/// Tables of multiples of the generator.
pub struct Table {
    /// Bits of a digit.
    width: u32,
    /// Multiples for each place.
    places: Vec<Vec<G1Affine>>,
}

impl Table {
    /// Tables whose cost is least for a number of products.
    pub fn new(products: usize) -> Self {
        // One place more than the bits of a scalar need, for the last carry.
        let places = |width: u32| (Fr::NUM_BITS / width + 1) as usize;
        let width = (2..=16).min_by_key(|&width| places(width) * ((1 << (width - 1)) + products)).unwrap_or(8);
        let mut bases = vec![G1::generator()];
        for place in 1..places(width) {
            bases.push((0..width).fold(bases[place - 1], |base, _| base.double()));
        }
        let multiples = |base: &G1| {
            let base_affine = base.to_affine();
            let count = 1 << (width - 1);
            let multiples: Vec<G1> =
                std::iter::successors(Some(*base), |point| Some(point + base_affine)).take(count).collect();
            normalise(&multiples)
        };
        Self { width, places: bases.par_iter().map(multiples).collect() }
    }

    /// One product.
    fn multiply(&self, scalar: &Fr) -> G1 {
        let bytes = scalar.to_repr();
        let (modulus, half) = (1i64 << self.width, 1i64 << (self.width - 1));
        let mut carry = 0;
        let mut sum = G1::identity();
        for (place, multiples) in self.places.iter().enumerate() {
            let mut digit = bits(bytes.as_ref(), place * self.width as usize, self.width) + carry;
            carry = i64::from(digit > half);
            digit -= carry * modulus;
            match digit {
                0 => {}
                1.. => sum += multiples[digit as usize - 1],
                _ => sum -= multiples[-digit as usize - 1],
            }
        }
        sum
    }

    /// Products with all scalars.
    pub fn products(&self, scalars: &[Fr]) -> Vec<G1Affine> {
        let some = |scalars: &[Fr]| normalise(&scalars.iter().map(|scalar| self.multiply(scalar)).collect::<Vec<G1>>());
        scalars.par_chunks(BATCH).flat_map_iter(some).collect()
    }
}

/// Affine coordinates, with one inversion for all.
fn normalise(points: &[G1]) -> Vec<G1Affine> {
    let mut affine = vec![G1Affine::identity(); points.len()];
    G1::batch_normalize(points, &mut affine);
    affine
}

/// At most 16 bits of a little-endian integer.
fn bits(bytes: &[u8], start: usize, count: u32) -> i64 {
    let window =
        (0..3).map(|place| i64::from(bytes.get(start / 8 + place).copied().unwrap_or(0)) << (8 * place)).sum::<i64>();
    (window >> (start % 8)) & ((1 << count) - 1)
}
