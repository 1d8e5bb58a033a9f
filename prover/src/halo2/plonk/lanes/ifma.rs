//! Eight elements in limbs of 52 bits, which the processor multiplies eight at a time.
//!
//! An element is five limbs from the lowest, each in its place of five vectors. They are below `2^52`, the number is below twice the order `p`, and
//! stands for itself divided by `2^260`, where elements one by one are divided by `2^256`: so factors are sixteen times as large as values.
//!
//! # Bounds
//! `p` is below `2^254`, so `2^260 > 84 p`. The product of `a` and `b` is at most `a b / 2^260 + p`: below `2 p` where `a b < 84 p^2`, as it is for two numbers
//! below `4 p`, which differences are that nothing was taken from again.
use std::array::from_fn;
use std::marker::PhantomData;

use core::arch::x86_64::__m512i;
use pulp::core_arch::x86::{Avx512f, Avx512ifma};

use super::{Base, Eight, LANES};

/// Limbs of an element.
const LIMBS: usize = 5;
/// Bits of a limb.
const BITS: u32 = 52;
/// A limb of ones.
const MASK: u64 = (1 << BITS) - 1;

/// Eight elements.
#[derive(Debug)]
pub struct Ifma<F>([__m512i; LIMBS], PhantomData<F>);

impl<F> Clone for Ifma<F> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Ifma<F> {}

/// The instructions are those that this was compiled for, so the check is none.
#[inline(always)]
fn simd() -> (Avx512f, Avx512ifma) {
    (Avx512f::try_new().expect("compiled for it"), Avx512ifma::try_new().expect("compiled for it"))
}

/// Words in limbs, with zeros below the lowest bit.
#[inline(always)]
const fn limbs(words: [u64; 4]) -> [u64; LIMBS] {
    let [a, b, c, d] = words;
    [a & MASK, (a >> 52 | b << 12) & MASK, (b >> 40 | c << 24) & MASK, (c >> 28 | d << 36) & MASK, d >> 16]
}

/// What is worked out of an order when compiling.
struct Order<F>(PhantomData<F>);

impl<F: Base> Order<F> {
    const LIMBS: [u64; LIMBS] = limbs(F::ORDER);
    const TWICE: [u64; LIMBS] = {
        let [a, b, c, d] = F::ORDER;
        limbs([a << 1, b << 1 | a >> 63, c << 1 | b >> 63, d << 1 | c >> 63])
    };
    /// `-1 / p` modulo `2^52`.
    const INVERSE: u64 = {
        let (mut inverse, mut round) = (1u64, 0);
        // Twice as many right bits each round.
        while round < 6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(F::ORDER[0].wrapping_mul(inverse)));
            round += 1;
        }
        inverse.wrapping_neg() & MASK
    };
}

#[inline(always)]
fn splat(limb: u64) -> __m512i {
    simd().0._mm512_set1_epi64(limb as i64)
}

/// Limbs again, of a number with limbs that are too large or negative.
#[inline(always)]
fn carried(mut limbs: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    let (f, _) = simd();
    let mask = splat(MASK);
    for at in 0..LIMBS - 1 {
        let carry = f._mm512_srai_epi64::<BITS>(limbs[at]);
        limbs[at] = f._mm512_and_si512(limbs[at], mask);
        limbs[at + 1] = f._mm512_add_epi64(limbs[at + 1], carry);
    }
    limbs
}

#[inline(always)]
fn sums(a: [__m512i; LIMBS], b: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    let (f, _) = simd();
    from_fn(|at| f._mm512_add_epi64(a[at], b[at]))
}

#[inline(always)]
fn differences(a: [__m512i; LIMBS], b: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    let (f, _) = simd();
    from_fn(|at| f._mm512_sub_epi64(a[at], b[at]))
}

/// The first where it is not negative, else the second, both not carried yet.
#[inline(always)]
fn positive(first: [__m512i; LIMBS], second: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    let (f, _) = simd();
    let [first, second] = [carried(first), carried(second)];
    let negative = f._mm512_cmplt_epi64_mask(first[LIMBS - 1], splat(0));
    from_fn(|at| f._mm512_mask_blend_epi64(negative, first[at], second[at]))
}

impl<F: Base> Ifma<F> {
    #[inline(always)]
    fn of(limbs: [__m512i; LIMBS]) -> Self {
        Self(limbs, PhantomData)
    }

    /// For each place whether its number has a bit.
    #[inline(always)]
    fn swapped<const D: usize>(self) -> Self {
        let (f, _) = simd();
        Self::of(self.0.map(|limb| match D {
            1 => f._mm512_permutex_epi64::<0b10_11_00_01>(limb),
            2 => f._mm512_shuffle_i64x2::<0b10_11_00_01>(limb, limb),
            _ => f._mm512_shuffle_i64x2::<0b01_00_11_10>(limb, limb),
        }))
    }
}

impl<F: Base> Eight for Ifma<F> {
    type Field = F;
    type Cell = [u64; 4];
    const SCALE: u64 = 16;

    #[inline(always)]
    fn load(elements: &[F; LANES]) -> Self {
        let mut cells = [[0u64; 4]; LANES];
        for (cell, element) in cells.iter_mut().zip(elements) {
            let mut bytes = [0u8; 32];
            element.write_raw(&mut &mut bytes[..]).expect("there is room");
            let (words, _) = bytes.as_chunks::<8>();
            *cell = from_fn(|at| u64::from_le_bytes(words[at]));
        }
        Self::gather(cells.each_ref())
    }

    #[inline(always)]
    fn store(self) -> [F; LANES] {
        let order = Order::<F>::LIMBS.map(splat);
        let reduced = Self::of(positive(differences(self.0, order), self.0));
        reduced.scatter().map(|words| {
            let mut bytes = [0u8; 32];
            for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
                *to = word.to_le_bytes();
            }
            F::from_raw_bytes_unchecked(&bytes)
        })
    }

    #[inline(always)]
    fn gather(cells: [&[u64; 4]; LANES]) -> Self {
        let (f, _) = simd();
        let mut words = [[0u64; LANES]; 4];
        for (lane, cell) in cells.into_iter().enumerate() {
            for (words, word) in words.iter_mut().zip(cell) {
                words[lane] = *word;
            }
        }
        let [a, b, c, d] = words.map(pulp::cast::<_, __m512i>);
        let or = |a, b| f._mm512_or_si512(a, b);
        let limbs = [
            a,
            or(f._mm512_srli_epi64::<52>(a), f._mm512_slli_epi64::<12>(b)),
            or(f._mm512_srli_epi64::<40>(b), f._mm512_slli_epi64::<24>(c)),
            or(f._mm512_srli_epi64::<28>(c), f._mm512_slli_epi64::<36>(d)),
            f._mm512_srli_epi64::<16>(d),
        ];
        let mask = splat(MASK);
        Self::of(limbs.map(|limb| f._mm512_and_si512(limb, mask)))
    }

    #[inline(always)]
    fn scatter(self) -> [[u64; 4]; LANES] {
        let (f, _) = simd();
        let [a, b, c, d, e] = self.0;
        let or = |a, b| f._mm512_or_si512(a, b);
        let words = [
            or(a, f._mm512_slli_epi64::<52>(b)),
            or(f._mm512_srli_epi64::<12>(b), f._mm512_slli_epi64::<40>(c)),
            or(f._mm512_srli_epi64::<24>(c), f._mm512_slli_epi64::<28>(d)),
            or(f._mm512_srli_epi64::<36>(d), f._mm512_slli_epi64::<16>(e)),
        ];
        let mut cells = [[0u64; 4]; LANES];
        for (at, words) in words.into_iter().enumerate() {
            let words: [u64; LANES] = pulp::cast(words);
            for (cell, word) in cells.iter_mut().zip(words) {
                cell[at] = word;
            }
        }
        cells
    }

    #[inline(always)]
    fn splat(cell: &[u64; 4]) -> Self {
        Self::of(limbs(*cell).map(splat))
    }

    #[inline(always)]
    fn zero() -> Self {
        Self::of([splat(0); LIMBS])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let all = sums(self.0, other.0);
        Self::of(positive(differences(all, Order::<F>::TWICE.map(splat)), all))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let difference = differences(self.0, other.0);
        Self::of(positive(difference, sums(difference, Order::<F>::TWICE.map(splat))))
    }

    #[inline(always)]
    fn lacking(self, other: Self) -> Self {
        Self::of(carried(sums(differences(self.0, other.0), Order::<F>::TWICE.map(splat))))
    }

    #[inline(always)]
    fn negated(self, negative: [bool; LANES]) -> Self {
        let places = (0..LANES).fold(0u8, |places, lane| places | u8::from(negative[lane]) << lane);
        if places == 0 {
            return self;
        }
        let (f, _) = simd();
        let other = Self::zero().sub(self);
        Self::of(from_fn(|at| f._mm512_mask_blend_epi64(places, self.0[at], other.0[at])))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let (f, ifma) = simd();
        let zero = splat(0);
        let order = Order::<F>::LIMBS.map(splat);
        let inverse = splat(Order::<F>::INVERSE);
        // Each round adds a limb's products and the multiple of the order that makes the lowest limb zero, then leaves that out.
        let mut sum = [zero; LIMBS + 1];
        for limb in other.0 {
            for (sum, own) in sum.iter_mut().zip(self.0) {
                *sum = ifma._mm512_madd52lo_epu64(*sum, own, limb);
            }
            let multiple = ifma._mm512_madd52lo_epu64(zero, sum[0], inverse);
            for (sum, order) in sum.iter_mut().zip(order) {
                *sum = ifma._mm512_madd52lo_epu64(*sum, order, multiple);
            }
            let carry = f._mm512_srli_epi64::<BITS>(sum[0]);
            for at in 0..LIMBS {
                let high = ifma._mm512_madd52hi_epu64(sum[at + 1], self.0[at], limb);
                sum[at] = ifma._mm512_madd52hi_epu64(high, order[at], multiple);
            }
            sum[0] = f._mm512_add_epi64(sum[0], carry);
        }
        let [a, b, c, d, e, _] = sum;
        Self::of(carried([a, b, c, d, e]))
    }

    #[inline(always)]
    fn turn<const BY: i32>(self) -> Self {
        let (f, _) = simd();
        Self::of(self.0.map(|limb| match BY {
            1 => f._mm512_alignr_epi64::<1>(limb, limb),
            _ => f._mm512_alignr_epi64::<7>(limb, limb),
        }))
    }

    #[inline(always)]
    fn butterfly<const D: usize>(self) -> Self {
        let (f, _) = simd();
        let higher = match D {
            1 => 0b1010_1010,
            2 => 0b1100_1100,
            _ => 0b1111_0000,
        };
        let other = self.swapped::<D>();
        let twice = Order::<F>::TWICE.map(splat);
        // Both are sums: of the other, and of the element or twice the order less it.
        let own: [__m512i; LIMBS] = from_fn(|at| f._mm512_mask_sub_epi64(self.0[at], higher, twice[at], self.0[at]));
        let all = sums(other.0, own);
        Self::of(positive(differences(all, twice), all))
    }
}
