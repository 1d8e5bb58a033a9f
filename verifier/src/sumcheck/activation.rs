//! Rescaled tensors: from claims on them to claims on the committed limbs.
//!
//! A rescaled tensor is not committed itself. With `sign` in -1, 0, 1 and `offset` in `0 .. 2^bits`,
//! `y = low + (1 - sign^2) * offset + (sign^2 + sign) * half_width`, where `2 * half_width = 2^bits - 1`: inside the range the offset
//! counts, below it the low end, above it the high end. All claims on rescaled tensors are added with random weights to one
//! weight per lane; one sumcheck over all lanes leaves the values of sign, offset and weights at one point.
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use super::channel::Channel;
use super::eq::eq_range;
use super::layout::{Layout, NodeColumns};
use super::{Step, VerifyError, rounds};
use crate::circuit::{CheckedCircuit, Op};
use crate::field::{EF, F, signed};

/// Degree of the round polynomials.
pub const DEGREE: usize = 4;

/// Claims on signs and offsets over all lanes at one point.
#[derive(Clone, Debug)]
pub struct LaneClaim {
    /// The point, most significant coordinate first.
    pub point: Vec<EF>,
    /// Claimed value of the signs.
    pub sign: EF,
    /// Claimed value of the offsets.
    pub offset: EF,
}

/// Verifies that the weighted sum of all rescaled tensors is `claim`; returns the point and the value that the weights
/// must have there, with the claims on the columns.
///
/// # Errors
/// The proof holds too few messages.
pub fn verify(channel: &mut Channel<'_>, layout: &Layout, claim: EF) -> Result<(LaneClaim, EF), VerifyError> {
    let (point, claim) = rounds::verify(channel, layout.lane_variables, DEGREE, claim)?;
    let (sign, offset) = (channel.receive()?, channel.receive()?);
    Ok((LaneClaim { point, sign, offset }, claim))
}

/// Checks the end of the sumcheck: `weights * y = claim`, with `y` from sign, offset and the ranges of all lanes.
///
/// # Errors
/// It does not hold.
pub fn finish(
    channel: &Channel<'_>,
    checked: &CheckedCircuit,
    layout: &Layout,
    lane: &LaneClaim,
    weights: EF,
    claim: EF,
) -> Result<(), VerifyError> {
    let (mut low, mut half_width) = (EF::ZERO, EF::ZERO);
    for (node, columns) in checked.circuit().nodes.iter().zip(&layout.nodes) {
        let (Op::Rescale { low: from, bits, .. }, NodeColumns::Rescale { lanes, .. }) = (&node.op, columns) else {
            continue;
        };
        let all: EF = lanes.row_weights(&lane.point).into_iter().sum();
        low += all * signed(*from);
        half_width += all * half_width_of(*bits);
    }
    channel.assert_zero(weights * value(lane.sign, lane.offset, low, half_width) - claim, Step::Activation)
}

/// `y` from its parts.
pub fn value(sign: EF, offset: EF, low: EF, half_width: EF) -> EF {
    let square = sign.square();
    low + (EF::ONE - square) * offset + (square + sign) * half_width
}

/// `(2^bits - 1) / 2` in the field.
pub fn half_width_of(bits: u8) -> F {
    (F::TWO.exp_u64(bits.into()) - F::ONE) * crate::field::inverse_power_of_two(1)
}

/// Equality weights of all valid lanes of a block at the claim's point, as rows and inner factors.
pub fn lane_weights(block: &super::layout::Block, point: &[EF]) -> (Vec<EF>, Vec<EF>) {
    (block.row_weights(point), eq_range(block.inner_point(point), 0, block.inner))
}
