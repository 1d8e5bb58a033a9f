//! The activation sumcheck: one weight per lane times the rescaled value, from sign and offset.
use assay_verifier::circuit::{CheckedCircuit, Op};
use assay_verifier::field::{EF, F, signed};
use assay_verifier::sumcheck::activation::{DEGREE, LaneClaim, half_width_of, value};
use assay_verifier::sumcheck::layout::{Layout, NodeColumns};
use p3_field::PrimeCharacteristicRing;

use super::channel::Channel;
use super::rounds::{fold, packed_pairs, pair, round, sum_over, sum_pairs};
use crate::witness::Witness;

/// Proves the sum of `weights` times the rescaled tensors over all lanes, after sending it; returns it with the claims left.
pub fn prove(
    channel: &mut Channel<'_>,
    checked: &CheckedCircuit,
    layout: &Layout,
    witness: &Witness,
    weights: Vec<EF>,
) -> (EF, LaneClaim) {
    let (low, half_width) = ranges(checked, layout);
    let signs = witness.signs.iter().map(|&sign| EF::from(signed(sign.into()))).collect();
    let offsets = witness.offsets.iter().map(|&offset| EF::from(F::from_u64(offset))).collect();
    // In the order of the summand: weight, sign, offset, low end, half width.
    let mut arrays: [Vec<EF>; 5] = [weights, signs, offsets, low, half_width];
    let [mut claim] = sum_over(arrays[0].len(), |lane| {
        let [weight, sign, offset, low, half_width] = arrays.each_ref().map(|values| values[lane]);
        [weight * value(sign, offset, low, half_width)]
    });
    let total = claim;
    channel.send(total);
    let mut point = Vec::with_capacity(layout.lane_variables);
    for _ in 0..layout.lane_variables {
        let values = sum_pairs(
            arrays[0].len(),
            |index| terms(arrays.each_ref().map(|values| packed_pairs(values, index))),
            |index| terms(arrays.each_ref().map(|values| pair(values, index))),
        );
        let challenge = round(channel, &values, &mut claim);
        arrays.iter_mut().for_each(|values| fold(values, challenge));
        point.push(challenge);
    }
    point.reverse();
    let claim = LaneClaim { point, sign: arrays[1][0], offset: arrays[2][0] };
    channel.send(claim.sign);
    channel.send(claim.offset);
    (total, claim)
}

/// The summand at 0, 2, 3 and 4, from values at zero and slopes.
fn terms<T: PrimeCharacteristicRing + Copy>(pairs: [(T, T); 5]) -> [T; DEGREE] {
    let mut at = pairs.map(|(zero, _)| zero);
    let mut step = || {
        let [weight, sign, offset, low, half_width] = at;
        at.iter_mut().zip(&pairs).for_each(|(at, (_, slope))| *at += *slope);
        let square = sign.square();
        weight * (low + (T::ONE - square) * offset + (square + sign) * half_width)
    };
    let zero = step();
    step();
    [zero, step(), step(), step()]
}

/// Low end and half width of each lane's range.
fn ranges(checked: &CheckedCircuit, layout: &Layout) -> (Vec<EF>, Vec<EF>) {
    let len = layout.lanes_len();
    let (mut low, mut half_width) = (EF::zero_vec(len), EF::zero_vec(len));
    for (node, columns) in checked.circuit().nodes.iter().zip(&layout.nodes) {
        let (Op::Rescale { low: from, bits, .. }, NodeColumns::Rescale { lanes, .. }) = (&node.op, columns) else {
            continue;
        };
        let range = lanes.offset..lanes.offset + lanes.len();
        low[range.clone()].fill(signed(*from).into());
        half_width[range].fill(half_width_of(*bits).into());
    }
    (low, half_width)
}
