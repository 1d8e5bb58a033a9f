//! How the next token is chosen from logits: in integers only, so that whoever has a proof can repeat the choice.

/// Weight of the most likely token.
const TOP_BITS: u32 = 32;
/// A logit that is this much smaller, numerator and denominator, halves a token's weight: `ln 2` times a temperature of 0.8.
const HALVING: (i64, i64) = (5, 9);

/// Chooses a token by its weight: the largest logit weighs `2^32`, and for each whole 5/9 that a logit lies below it, a weight is
/// halved. The real value of a logit is `integer * 2^-scale`. The same seed and step choose alike.
pub fn choose(logits: &[i64], scale: i8, seed: u64, step: u64) -> usize {
    let best = logits.iter().copied().max().unwrap_or(0);
    let weights: Vec<u64> = logits.iter().map(|&logit| weight(best - logit, scale)).collect();
    let total: u64 = weights.iter().sum();
    let mut rest = ((u128::from(random(seed, step)) * u128::from(total)) >> 64) as u64;
    let chosen = weights.iter().position(|&weight| {
        let here = rest < weight;
        rest = rest.saturating_sub(weight);
        here
    });
    chosen.unwrap_or(0)
}

/// The weight of a logit that is `gap` smaller than the largest.
fn weight(gap: i64, scale: i8) -> u64 {
    let (numerator, denominator) = HALVING;
    // gap * 2^-scale / (numerator / denominator), the power of two on the side where it is whole.
    let (up, down) = (u32::from((-scale).max(0).unsigned_abs()), u32::from(scale.max(0).unsigned_abs()));
    let halvings = (i128::from(gap * denominator) << up) / (i128::from(numerator) << down);
    u32::try_from(halvings).ok().and_then(|halvings| (1u64 << TOP_BITS).checked_shr(halvings)).unwrap_or(0)
}

/// The generator SplitMix64, started from a seed, at a step.
fn random(seed: u64, step: u64) -> u64 {
    let mut state = seed.wrapping_add((step + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::{choose, random, weight};

    #[test]
    fn weights_are_halved_for_each_step_below_the_largest() {
        // 5/9 at a scale of 2^-6 is 35.6.
        let expected =
            [(0, 1 << 32), (35, 1 << 32), (36, 1 << 31), (72, 1 << 30), (36 * 40, 0), (i64::from(i32::MAX), 0)];
        for (gap, expected) in expected {
            assert_eq!(weight(gap, 6), expected, "{gap}");
        }
        assert_eq!(weight(1, -3), 1 << (32 - 14), "8 is 14.4 times 5/9");
    }

    #[test]
    fn tokens_are_chosen_as_often_as_they_weigh() {
        let logits = [0, 36, -3000, 72];
        let mut counts = [0; 4];
        (0..7000).for_each(|step| counts[choose(&logits, 6, 1, step)] += 1);
        for (count, expected) in counts.into_iter().zip([1000i32, 2000, 0, 4000]) {
            assert!((i32::abs(count - expected)) < 200, "{counts:?}");
        }
        assert_eq!(choose(&[7], 0, 3, 9), 0);
    }

    #[test]
    fn random_numbers_are_those_of_splitmix64() {
        assert_eq!([0, 1].map(|step| random(1234567, step)), [6457827717110365317, 3203168211198807973]);
    }
}
