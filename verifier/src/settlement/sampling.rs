//! Samples: some of the settlements that rest on a node's word are drawn, and must be proven after all.
//!
//! A settlement in block `h` is drawn by the hash of block `h + 1`, which nobody knew when it was handed in. Whoever was paid for an answer that the
//! model did not give can prove nothing, and loses a part of its stake.
//!
//! # Soundness
//! The draw is as good as the hash: whoever proposes block `h + 1` can choose among the hashes of blocks that it is able to make in its time. On a
//! chain of one validator that is the validator's word.
use serde::{Deserialize, Serialize};

use super::Height;
use super::model::Model;
use super::payment::Settlement;
use crate::digest::{Digest32, KeyDigest, digest};
use crate::receipt::{Backend, RequestId};
use crate::wire;

/// All settlements, in the unit of [`Sampling::share_ppm`].
pub const WHOLE_PPM: u32 = 1_000_000;

/// How settlements are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Of a million, so many are drawn; 0 draws none.
    pub share_ppm: u32,
    /// Within how many blocks after the draw a proof is taken.
    pub blocks: Height,
    /// What a node's stake loses for one that is not proven.
    pub cut: u64,
}

/// What became of a drawn settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was proven, by this proof and under this key.
    Proven(Digest32, KeyDigest),
    /// It was not, and the node's stake lost so much.
    Missed(u64),
}

/// The record of a drawn settlement, once it is known what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// What.
    pub outcome: Outcome,
    /// In which block.
    pub height: Height,
}

impl Sampling {
    /// The block whose hash draws among the settlements of a block.
    pub fn drawn_at(settled: Height) -> Height {
        settled.saturating_add(1)
    }

    /// The last block in which a proof is taken.
    pub fn last(&self, settled: Height) -> Height {
        Self::drawn_at(settled).saturating_add(self.blocks)
    }

    /// From which block on the stake of a node is free that stops being one: everything that it settled can be drawn, proven and, as long again,
    /// penalised before.
    pub fn free_from(&self, stopped: Height) -> Height {
        self.last(stopped).saturating_add(self.blocks).saturating_add(1)
    }

    /// Whether a request is drawn by the hash of the block after its settlement.
    pub fn draws(&self, hash: &[u8; 32], request: RequestId) -> bool {
        let drawn = digest("assay sample v1", &wire::bytes(&(hash, request)));
        let (first, _) = drawn.split_first_chunk().unwrap_or((&[0; 8], &[]));
        // Scaled to 0 .. WHOLE_PPM; the share is exact to one in 2^44.
        let place = u128::from(u64::from_le_bytes(*first)).saturating_mul(u128::from(WHOLE_PPM)) >> 64;
        place < u128::from(self.share_ppm)
    }

    /// Of a million, how likely at least one of so many settlements is drawn, rounded down: how likely a node that lies so often is caught.
    pub fn detection_ppm(&self, settlements: u32) -> u32 {
        // The rest that is not drawn, in units of 2^-62, rounded up at each step.
        let one = 1u128 << 62;
        let kept = u128::from(WHOLE_PPM.saturating_sub(self.share_ppm));
        let mut power = (kept << 62).div_ceil(u128::from(WHOLE_PPM));
        let (mut missed, mut count) = (one, settlements);
        while count > 0 {
            if count & 1 == 1 {
                missed = missed.saturating_mul(power).div_ceil(one);
            }
            power = power.saturating_mul(power).div_ceil(one);
            count >>= 1;
        }
        let caught = one.saturating_sub(missed).saturating_mul(u128::from(WHOLE_PPM));
        u32::try_from(caught >> 62).unwrap_or(WHOLE_PPM)
    }
}

/// Whether a settlement can be drawn: it rests on something else than a proof, and its model has a key under which it could be proven.
pub fn can_be_drawn(settlement: &Settlement, model: &Model) -> bool {
    settlement.backend != Backend::Zkml && model.keys.iter().any(|key| !key.private_input)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    fn sampling(share_ppm: u32) -> Sampling {
        Sampling { share_ppm, blocks: 10, cut: 1 }
    }

    #[test]
    fn as_many_are_drawn_as_the_share_says() {
        let draw = |share, number: u32| {
            let mut request = [0; 32];
            request[..4].copy_from_slice(&number.to_le_bytes());
            sampling(share).draws(&[7; 32], RequestId(request))
        };
        for (share, low, high) in
            [(0, 0, 0), (50_000, 900, 1_100), (500_000, 9_700, 10_300), (WHOLE_PPM, 20_000, 20_000)]
        {
            let drawn = (0..20_000).filter(|number| draw(share, *number)).count();
            assert!((low..=high).contains(&drawn), "{drawn} of 20000 at {share}");
        }
        // Another hash draws others.
        let other = (0..20_000u32).filter(|number| {
            let mut request = [0; 32];
            request[..4].copy_from_slice(&number.to_le_bytes());
            sampling(500_000).draws(&[8; 32], RequestId(request)) != draw(500_000, *number)
        });
        assert!((9_700..10_300).contains(&other.count()));
    }

    #[test]
    fn detection_is_that_of_independent_draws() {
        for share in [0, 1, 1_000, 50_000, 333_333, 999_999, WHOLE_PPM] {
            for settlements in [0, 1, 2, 3, 20, 100, 1_000_000, u32::MAX] {
                let missed = (1.0 - f64::from(share) / 1e6).powf(f64::from(settlements));
                let expected = (1.0 - missed) * 1e6;
                let found = f64::from(sampling(share).detection_ppm(settlements));
                assert!(
                    found <= expected + 1e-3 && found >= expected - 1.01,
                    "{share} {settlements}: {found} {expected}"
                );
            }
        }
    }
}
