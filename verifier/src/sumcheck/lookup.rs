//! All lookups in one argument: a sum of fractions, by GKR ([PH23], LogUp-GKR).
//!
//! Leaves are fractions `numerator / denominator`: one over a fingerprint for each lookup, minus a multiplicity over a
//! fingerprint for each table entry, zero over one for padding. All lookups hit their tables if and only if (up to the
//! soundness error) the fractions sum to zero. A binary tree adds them; each layer is reduced to the next by a sumcheck.
//!
//! # Soundness
//! The root's numerator must be zero *and* its denominator must not: a zero denominator would hide a pole. Multiplicities are
//! committed before the challenges of the fingerprints. There are fewer leaves than the characteristic.
//!
//! [PH23]: https://eprint.iacr.org/2023/1284
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use super::channel::Channel;
use super::{Step, VerifyError};
use crate::field::EF;

/// What is left to check: the leaves' numerators and denominators at a point.
#[derive(Clone, Debug)]
pub struct LeafClaim {
    /// The point, most significant coordinate first.
    pub point: Vec<EF>,
    /// Claimed numerator there.
    pub numerator: EF,
    /// Claimed denominator there.
    pub denominator: EF,
}

/// Reduces "the fractions of `2^variables` leaves sum to zero" to a claim on the leaves at one point.
///
/// # Errors
/// The root is not zero, or a layer's claim does not hold.
pub fn verify(channel: &mut Channel<'_>, variables: usize) -> Result<LeafClaim, VerifyError> {
    let [mut numerators, mut denominators] = receive_children(channel)?;
    let (sum, product) = add_fractions(numerators, denominators);
    channel.assert_zero(sum, Step::LookupSum)?;
    if product == EF::ZERO {
        return Err(VerifyError::Check(Step::LookupPole));
    }
    let mut last = channel.sample();
    let mut point = alloc::vec![last];
    for _ in 1..variables {
        let numerator = blend(numerators, last);
        let denominator = blend(denominators, last);
        let batch = channel.sample();
        let (next_point, claim) = verify_layer(channel, &point, numerator * batch + denominator)?;
        [numerators, denominators] = receive_children(channel)?;
        let (sum, product) = add_fractions(numerators, denominators);
        channel.assert_zero(sum * batch + product - claim, Step::LookupLayer)?;
        last = channel.sample();
        point = next_point;
        point.push(last);
    }
    Ok(LeafClaim { point, numerator: blend(numerators, last), denominator: blend(denominators, last) })
}

/// One layer's sumcheck. The factor `eq(point, .)` is taken out of each round polynomial: the prover sends the rest's values
/// at 0 and 1 and its leading coefficient.
fn verify_layer(channel: &mut Channel<'_>, point: &[EF], claim: EF) -> Result<(Vec<EF>, EF), VerifyError> {
    let mut claim = claim;
    let mut next = Vec::with_capacity(point.len().saturating_add(1));
    for &x in point.iter().rev() {
        let zero = channel.receive()?;
        let one = channel.receive()?;
        let leading = channel.receive()?;
        channel.assert_zero(zero + x * (one - zero) - claim, Step::LookupRound)?;
        let challenge = channel.sample();
        // The polynomial with these values at 0 and 1 and this leading coefficient of degree two.
        claim = zero + challenge * (one - zero - leading + challenge * leading);
        next.push(challenge);
    }
    next.reverse();
    Ok((next, claim))
}

fn receive_children(channel: &mut Channel<'_>) -> Result<[[EF; 2]; 2], VerifyError> {
    let numerators = [channel.receive()?, channel.receive()?];
    let denominators = [channel.receive()?, channel.receive()?];
    Ok([numerators, denominators])
}

/// `a/b + c/d` as numerator and denominator.
fn add_fractions([p0, p1]: [EF; 2], [q0, q1]: [EF; 2]) -> (EF, EF) {
    (p0 * q1 + p1 * q0, q0 * q1)
}

fn blend([zero, one]: [EF; 2], x: EF) -> EF {
    zero + x * (one - zero)
}
