//! Intervals of integers, and the arithmetic that bounds every intermediate value.
use serde::{Deserialize, Serialize};

/// Every accumulator stays strictly below this in absolute value, so that nothing wraps in a 64-bit field.
pub const BOUND: i128 = 1 << 61;

/// A closed interval of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Smallest value.
    pub low: i64,
    /// Largest value.
    pub high: i64,
}

impl Range {
    /// The interval `[low, high]`, or nothing when it is empty or not within the bound.
    pub fn new(low: i128, high: i128) -> Option<Self> {
        let inside = low <= high && low > BOUND.saturating_neg() && high < BOUND;
        inside.then_some(())?;
        Some(Self { low: i64::try_from(low).ok()?, high: i64::try_from(high).ok()? })
    }

    /// Values of a signed integer of `bits` bits.
    pub fn signed(bits: u8) -> Option<Self> {
        let half = 1i128.checked_shl(u32::from(bits).checked_sub(1)?)?;
        Self::new(half.checked_neg()?, half.checked_sub(1)?)
    }

    /// Whether the value lies in the interval.
    pub fn contains(&self, value: i64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The interval with zero included.
    pub fn with_zero(&self) -> Self {
        Self { low: self.low.min(0), high: self.high.max(0) }
    }

    /// Sums of one member of each.
    pub fn plus(&self, other: Self) -> Option<Self> {
        Self::new(
            i128::from(self.low).checked_add(other.low.into())?,
            i128::from(self.high).checked_add(other.high.into())?,
        )
    }

    /// Multiples by a constant.
    pub fn times(&self, factor: i64) -> Option<Self> {
        self.product(Self { low: factor, high: factor })
    }

    /// Products of one member of each.
    pub fn product(&self, other: Self) -> Option<Self> {
        let mut corners =
            [(self.low, other.low), (self.low, other.high), (self.high, other.low), (self.high, other.high)]
                .map(|(a, b)| i128::from(a).saturating_mul(b.into()));
        corners.sort_unstable();
        let [low, _, _, high] = corners;
        Self::new(low, high)
    }

    /// Sums of `count` members.
    pub fn sum(&self, count: u64) -> Option<Self> {
        Self::new(i128::from(self.low).checked_mul(count.into())?, i128::from(self.high).checked_mul(count.into())?)
    }
}
