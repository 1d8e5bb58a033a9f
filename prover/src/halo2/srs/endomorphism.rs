//! Products of a point with a scalar of any size in half as many doublings.
//!
//! The curve has an endomorphism that multiplies by a cube root of unity `zeta` and only costs one product of coordinates. A
//! scalar is `k1 - k2 zeta` with both parts of half the length (Gallant, Lambert, Vanstone 2001), and the two products share
//! their doublings. The curve library multiplies by doubling and adding in each of 254 steps, which takes four times as long.
use assay_verifier::halo2::curve::{Fr, G1};
use halo2_proofs::halo2curves::CurveExt;
use halo2_proofs::halo2curves::ff::{PrimeField, WithSmallOrderMulGroup};
use halo2_proofs::halo2curves::group::Group;

/// Bits of a part, and one for the carry of signed digits.
const DIGITS: usize = 130;
/// Odd multiples of a point that are kept: `1, 3, .., 15`.
const MULTIPLES: usize = 8;

/// A short basis of the lattice of `(a, b)` with `a + b zeta = 0`: its entries `B` and their quotients `G` by the order of the
/// group, times 2^256.
const B1: [u64; 4] = [0x89d3256894d213e3, 0, 0, 0];
const B2: [u64; 4] = [0x0be4e1541221250b, 0x6f4d8248eeb859fd, 0, 0];
const G1_QUOTIENT: [u64; 4] = [0xd91d232ec7e0b3d7, 0x2, 0, 0];
const G2_QUOTIENT: [u64; 4] = [0x5398fd0300ff6565, 0x4ccef014a773d2d2, 0x2, 0];

/// A scalar in two parts.
#[derive(Clone, Copy)]
pub struct Split([Part; 2]);

#[derive(Clone, Copy)]
struct Part {
    negative: bool,
    magnitude: u128,
}

impl Split {
    /// Splits a scalar.
    pub fn new(scalar: &Fr) -> Self {
        let limbs = limbs(scalar);
        let first = Fr::from_raw(high_half(G2_QUOTIENT, limbs)) * Fr::from_raw(B1);
        let second = Fr::from_raw(high_half(G1_QUOTIENT, limbs)) * Fr::from_raw(B2);
        let k2 = second - first;
        let k1 = scalar + k2 * Fr::ZETA;
        Self([Part::new(&k1), Part::new(&-k2)])
    }

    /// The product with a point.
    pub fn multiply(&self, point: &G1) -> G1 {
        let twice = point.double();
        let mut odd = [*point; MULTIPLES];
        for place in 1..MULTIPLES {
            odd[place] = odd[place - 1] + twice;
        }
        let tables = [odd, odd.map(|point| point.endo())];
        let digits = self.0.map(Part::digits);
        let mut sum = G1::identity();
        let mut started = false;
        for place in (0..DIGITS).rev() {
            if started {
                sum = sum.double();
            }
            for (digits, table) in digits.iter().zip(&tables) {
                match digits[place] {
                    0 => continue,
                    digit @ 1.. => sum += table[digit as usize / 2],
                    digit => sum -= table[-digit as usize / 2],
                }
                started = true;
            }
        }
        sum
    }
}

impl Part {
    /// A scalar that is small, or whose negative is.
    fn new(scalar: &Fr) -> Self {
        let negative = limbs(scalar)[2..] != [0, 0];
        let [low, high, ..] = limbs(&if negative { -scalar } else { *scalar });
        Self { negative, magnitude: u128::from(low) | u128::from(high) << 64 }
    }

    /// Digits that are odd and at most 15, or zero, of which any five neighbours hold at most one that is not zero.
    fn digits(self) -> [i8; DIGITS] {
        let mut digits = [0; DIGITS];
        let (mut rest, mut place) = (self.magnitude, 0);
        while rest != 0 {
            let zeros = rest.trailing_zeros();
            rest >>= zeros;
            place += zeros as usize;
            // From 17 on digits count as negative and carry.
            let low = (rest & 31) as i8;
            let digit = if low > 15 { low - 32 } else { low };
            digits[place] = if self.negative { -digit } else { digit };
            rest = (rest >> 5) + u128::from(digit < 0);
            place += 5;
        }
        digits
    }
}

fn limbs(scalar: &Fr) -> [u64; 4] {
    let bytes = scalar.to_repr();
    [0, 1, 2, 3].map(|limb| (0..8).rev().fold(0, |word, byte| word << 8 | u64::from(bytes.as_ref()[8 * limb + byte])))
}

/// The product of two integers without its lower 256 bits.
fn high_half(left: [u64; 4], right: [u64; 4]) -> [u64; 4] {
    let mut product = [0u64; 8];
    for (i, &left) in left.iter().enumerate() {
        let mut carry = 0;
        for (j, &right) in right.iter().enumerate() {
            let sum = u128::from(product[i + j]) + u128::from(left) * u128::from(right) + carry;
            product[i + j] = sum as u64;
            carry = sum >> 64;
        }
        product[i + 4] = carry as u64;
    }
    [product[4], product[5], product[6], product[7]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2_proofs::halo2curves::ff::Field;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn products_are_those_of_the_curve_library() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let edges = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::ZETA, -Fr::ZETA, Fr::ROOT_OF_UNITY, Fr::TWO_INV, Fr::from(31)];
        let scalars = edges.into_iter().chain(std::iter::repeat_with(|| Fr::random(&mut rng)).take(50));
        let point = G1::generator() * Fr::from(12345);
        for scalar in scalars {
            assert_eq!(Split::new(&scalar).multiply(&point), point * scalar, "{scalar:?}");
        }
        assert_eq!(Split::new(&Fr::from(5)).multiply(&G1::identity()), G1::identity());
    }

    #[test]
    fn parts_are_short() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        for _ in 0..1000 {
            let scalar = Fr::random(&mut rng);
            let Split([first, second]) = Split::new(&scalar);
            let value = |part: Part| {
                let magnitude = Fr::from_u128(part.magnitude);
                if part.negative { -magnitude } else { magnitude }
            };
            assert_eq!(value(first) + value(second) * Fr::ZETA, scalar);
            assert!(first.magnitude.max(second.magnitude) < 1 << 127);
        }
    }
}
