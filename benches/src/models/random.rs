//! Repeatable random numbers: the same models and inputs on every machine.

/// A linear congruential generator; good enough for weights that nobody reads.
pub struct Random {
    seed: u64,
}

impl Random {
    /// Numbers that depend on the seed alone.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A number in -1 to 1.
    pub fn uniform(&mut self) -> f64 {
        self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.seed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// A number of a distribution that is normal but for its tails, which end at six deviations.
    pub fn normal(&mut self, deviation: f64) -> f64 {
        // Each summand has a variance of one third.
        (0..12).map(|_| self.uniform()).sum::<f64>() * deviation / 2.0
    }

    /// A whole number from 0 to `end - 1`.
    pub fn below(&mut self, end: u32) -> u32 {
        ((self.uniform() + 1.0) / 2.0 * f64::from(end)) as u32
    }
}
