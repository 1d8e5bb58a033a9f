//! The field of the sumcheck engine: Goldilocks, and its quadratic extension for challenges.
use p3_field::extension::BinomialExtensionField;
use p3_field::{Field, PrimeCharacteristicRing};

/// The base field, `p = 2^64 - 2^32 + 1`; committed values live here.
pub type F = p3_goldilocks::Goldilocks;
/// Its quadratic extension; challenges and claims live here.
pub type EF = BinomialExtensionField<F, 2>;

/// The field element of a signed integer below `2^62` in absolute value.
pub fn signed(value: i64) -> F {
    let magnitude = F::from_u64(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// The inverse of `2^bits`.
pub fn inverse_power_of_two(bits: u32) -> F {
    F::TWO.exp_u64(bits.into()).inverse()
}
