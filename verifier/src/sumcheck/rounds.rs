//! Rounds of a sumcheck: from a claimed sum over the corners of a cube to a claim at one random point.
//!
//! Variables are bound from the least significant one up. In each round the prover sends the round polynomial's values at
//! `0, 2, 3, .., degree`; its value at 1 follows from the running claim, so the round check cannot fail on its own and a false
//! claim surfaces at the end ([LFKN92]; [Tha22] section 4.1).
//!
//! [LFKN92]: https://doi.org/10.1145/146585.146605
//! [Tha22]: https://people.cs.georgetown.edu/jthaler/ProofsArgsAndZK.html
use alloc::vec::Vec;
use p3_field::{Field, PrimeCharacteristicRing};

use super::VerifyError;
use super::channel::Channel;
use crate::field::{EF, F};

/// Runs the rounds; returns the point (most significant coordinate first) and the claim there.
///
/// # Errors
/// The proof holds too few messages.
pub fn verify(
    channel: &mut Channel<'_>,
    variables: usize,
    degree: usize,
    claim: EF,
) -> Result<(Vec<EF>, EF), VerifyError> {
    let mut claim = claim;
    let mut point = Vec::with_capacity(variables);
    for _ in 0..variables {
        let mut values = channel.receive_many(degree)?;
        let zero = values.first().copied().unwrap_or_default();
        values.insert(values.len().min(1), claim - zero);
        let challenge = channel.sample();
        claim = interpolate(&values, challenge);
        point.push(challenge);
    }
    point.reverse();
    Ok((point, claim))
}

/// The value at `x` of the polynomial with the given values at `0, 1, 2, ..`.
pub fn interpolate(values: &[EF], x: EF) -> EF {
    let nodes: Vec<F> = (0..values.len() as u64).map(F::from_u64).collect();
    let mut total = EF::ZERO;
    for (i, &value) in values.iter().enumerate() {
        let mut numerator = EF::ONE;
        let mut denominator = F::ONE;
        for (j, &node) in nodes.iter().enumerate() {
            if i != j {
                numerator *= x - node;
                denominator *= nodes.get(i).copied().unwrap_or_default() - node;
            }
        }
        total += value * numerator * denominator.inverse();
    }
    total
}
