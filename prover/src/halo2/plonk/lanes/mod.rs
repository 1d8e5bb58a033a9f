//! Eight elements of a field side by side, which steps work on together.
//!
//! Everything that takes long in a proof is written for [`Eight`]: transforms, constraints, sums of points. Where the processor multiplies
//! eight pairs of 52 bits at once (`ifma`, chosen when compiling), that is several times as fast as one element after the other
//! (`plain`), which is what all other processors do and what tests compare with.
//!
//! # Two readings
//! Products are of Montgomery's kind, and the radix of eight elements may be another than that of one. So eight elements are read in one of two ways:
//! as *values*, which is what [`Eight::load`] makes of elements and [`Eight::store`] takes, or as *factors*, [`Eight::SCALE`] times as large.
//! A value times a factor is a value, a factor times a factor is a factor; sums are what their terms are.
#[cfg(all(target_arch = "x86_64", target_feature = "avx512ifma", target_feature = "avx512vl"))]
mod ifma;
#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "avx512ifma", target_feature = "avx512vl"))))]
mod plain;

use std::fmt::Debug;

use assay_verifier::halo2::curve::Fr;
use halo2_proofs::halo2curves::bn256::Fq;
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::serde::SerdeObject;

#[cfg(all(target_arch = "x86_64", target_feature = "avx512ifma", target_feature = "avx512vl"))]
pub use ifma::Ifma as Fast;
#[cfg(test)]
pub use plain::Plain;
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx512ifma", target_feature = "avx512vl")))]
pub use plain::Plain as Fast;

/// Elements in one.
pub const LANES: usize = 8;

/// A field of the curve.
pub trait Base: PrimeField + SerdeObject {
    /// Its order, in words from the lowest.
    #[cfg_attr(
        not(all(target_arch = "x86_64", target_feature = "avx512ifma", target_feature = "avx512vl")),
        allow(dead_code, reason = "elements one by one are the library's")
    )]
    const ORDER: [u64; 4];
}

impl Base for Fr {
    const ORDER: [u64; 4] =
        [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];
}

impl Base for Fq {
    const ORDER: [u64; 4] =
        [0x3c20_8c16_d87c_fd47, 0x9781_6a91_6871_ca8d, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];
}

/// Eight elements.
pub trait Eight: Copy + Debug + Send + Sync + 'static {
    /// Of this field.
    type Field: Base;
    /// One of them, as it lies in memory where eight are taken from eight places.
    type Cell: Copy + Debug + Default + Send + Sync + 'static;
    /// What factors are of values.
    const SCALE: u64;

    /// Values.
    fn load(elements: &[Self::Field; LANES]) -> Self;
    /// The elements of values.
    fn store(self) -> [Self::Field; LANES];
    /// From eight places, read as they were when they were put there.
    fn gather(cells: [&Self::Cell; LANES]) -> Self;
    /// To eight places.
    fn scatter(self) -> [Self::Cell; LANES];
    /// The same eight times.
    fn splat(cell: &Self::Cell) -> Self;
    /// Zeros.
    fn zero() -> Self;
    /// Sums.
    fn add(self, other: Self) -> Self;
    /// Differences.
    fn sub(self, other: Self) -> Self;
    /// Differences of which nothing but products are made.
    fn lacking(self, other: Self) -> Self;
    /// With the other sign in these places.
    fn negated(self, negative: [bool; LANES]) -> Self;
    /// Products.
    fn mul(self, other: Self) -> Self;
    /// In each place the element `BY` places further on, round and round.
    fn turn<const BY: i32>(self) -> Self;
    /// Of elements whose places differ in the bit `D` alone the sum in the lower place, and the lower less the higher one in the higher.
    fn butterfly<const D: usize>(self) -> Self;

    /// Factors.
    fn factors(elements: &[Self::Field; LANES]) -> Self {
        let scale = Self::Field::from(Self::SCALE);
        Self::load(&elements.map(|element| element * scale))
    }

    /// The same factor eight times.
    fn factor(element: Self::Field) -> Self {
        Self::factors(&[element; LANES])
    }

    /// The same value eight times.
    fn value(element: Self::Field) -> Self {
        Self::load(&[element; LANES])
    }

    /// A factor as it lies in memory.
    fn cell(element: Self::Field) -> Self::Cell {
        let [cell, ..] = Self::factor(element).scatter();
        cell
    }
}

#[cfg(test)]
mod tests {
    //! The fast kind against elements one by one.
    use rand_core::OsRng;

    use super::*;

    #[test]
    fn orders() {
        fn check<F: Base>() {
            let [a, b, c, d] = F::ORDER;
            assert_eq!(F::MODULUS, format!("0x{d:016x}{c:016x}{b:016x}{a:016x}"));
        }
        check::<Fr>();
        check::<Fq>();
    }

    /// Elements of which many are close to the ends of the field.
    fn elements<F: Base>() -> [F; LANES] {
        let extremes = [F::ZERO, F::ONE, -F::ONE, F::TWO_INV, -F::TWO_INV, -F::from(2)];
        std::array::from_fn(|_| {
            let random = F::random(OsRng);
            let choice = random.to_repr().as_ref()[0] as usize % 12;
            extremes.get(choice).copied().unwrap_or(random)
        })
    }

    fn compare<E: Eight>() {
        type Slow<E> = plain::Plain<<E as Eight>::Field>;
        for _ in 0..2000 {
            let [a, b, c] = [0; 3].map(|_| elements::<E::Field>());
            let [x, y, z] = [a, b, c].map(|elements| E::load(&elements));
            let [p, q, r] = [a, b, c].map(|elements| Slow::<E>::load(&elements));
            let (s, t) = (E::factors(&a), Slow::<E>::factors(&a));
            let same = |fast: E, slow: Slow<E>| assert_eq!(fast.store(), slow.store());
            same(x, p);
            same(x.add(y), p.add(q));
            same(x.sub(y), p.sub(q));
            same(x.add(y).sub(z.add(z)).add(x), p.add(q).sub(r.add(r)).add(p));
            same(s.mul(y), t.mul(q));
            same(s.mul(y.lacking(z)), t.mul(q.lacking(r)));
            same(y.lacking(z).mul(s), q.lacking(r).mul(t));
            same(s.lacking(E::factors(&c)).mul(y.lacking(z)), t.lacking(Slow::<E>::factors(&c)).mul(q.lacking(r)));
            same(s.mul(s).mul(y), t.mul(t).mul(q));
            let negative = std::array::from_fn(|lane| a[lane].is_odd().into());
            same(x.negated(negative), p.negated(negative));
            same(x.sub(y).negated(negative), p.sub(q).negated(negative));
            same(x.turn::<1>(), p.turn::<1>());
            same(x.turn::<-1>(), p.turn::<-1>());
            same(x.butterfly::<1>(), p.butterfly::<1>());
            same(x.butterfly::<2>(), p.butterfly::<2>());
            same(x.butterfly::<4>(), p.butterfly::<4>());
            let cells = x.sub(y).scatter();
            same(E::gather(cells.each_ref()), p.sub(q));
            same(E::splat(&cells[3]), Slow::<E>::value(a[3] - b[3]));
            same(E::splat(&E::cell(a[1])).mul(y), Slow::<E>::factor(a[1]).mul(q));
            same(E::zero(), Slow::<E>::zero());
            same(E::gather([&E::Cell::default(); LANES]), Slow::<E>::zero());
        }
    }

    #[test]
    fn fast_and_slow() {
        compare::<Fast<Fr>>();
        compare::<Fast<Fq>>();
    }

    /// In elements themselves.
    #[test]
    fn one_by_one() {
        let [a, b] = [elements::<Fr>(), elements::<Fr>()];
        let [x, y] = [a, b].map(|elements| Plain::load(&elements));
        for lane in 0..LANES {
            assert_eq!(x.add(y).store()[lane], a[lane] + b[lane]);
            assert_eq!(x.sub(y).store()[lane], a[lane] - b[lane]);
            assert_eq!(x.lacking(y).store()[lane], a[lane] - b[lane]);
            assert_eq!(x.mul(y).store()[lane], a[lane] * b[lane]);
            assert_eq!(x.turn::<1>().store()[lane], a[(lane + 1) % LANES]);
            assert_eq!(x.turn::<-1>().store()[lane], a[(lane + LANES - 1) % LANES]);
            let other = a[lane ^ 2];
            let expected = if lane & 2 == 0 { a[lane] + other } else { other - a[lane] };
            assert_eq!(x.butterfly::<2>().store()[lane], expected);
        }
    }
}
