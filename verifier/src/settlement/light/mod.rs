//! The light client: from a block that is trusted to a later one, by the signatures of validators, and from there to what the state has.
//!
//! Blocks are in CometBFT's own encoding, and what makes one follow from another is decided by `tendermint-light-client-verifier`. Signatures and
//! hashes are those of this crate; there is no clock, the time is an argument. The header of a block has the app hash of the block before
//! it: the state after height `h` is proven by the header of height `h + 1`.
mod rules;

use core::time::Duration;

use prost::Message;
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator::Set;
use tendermint::{Hash, Time};
use tendermint_light_client_verifier::Verifier;
use tendermint_light_client_verifier::options::Options;
use tendermint_light_client_verifier::types::{TrustThreshold, TrustedBlockState, UntrustedBlockState};
use tendermint_proto::v0_38::types as proto;
use thiserror::Error;

pub use rules::{CometHash, validators_hash};
use rules::{accepted, verifier};

use super::Height;
use super::inclusion::{self, InclusionError};

/// Longest encoding of a block, and of a set of validators.
pub const LIGHT_BLOCK_LEN_MAX: usize = 1 << 20;

/// Why a block is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LightError {
    /// Not the encoding of a block and its validators, or too long.
    #[error("malformed block")]
    Malformed,
    /// It is not the block that is trusted.
    #[error("the block is not the trusted one")]
    Root,
    /// It is of another chain.
    #[error("the block is of another chain")]
    Chain,
    /// The validators are not those that the header names, or that were to follow.
    #[error("the validators are not those that the header names")]
    Validators,
    /// The commit is not of this header, or not of these validators.
    #[error("the commit is not one of this header by its validators")]
    Commit,
    /// A signature does not hold.
    #[error("a validator's signature does not hold")]
    Signature,
    /// Less than two thirds of the power have signed.
    #[error("too few validators have signed")]
    Power,
    /// Too few of the trusted validators have signed. A block in between can help.
    #[error("too few of the trusted validators have signed")]
    Trust,
    /// It is not later than what is trusted.
    #[error("the block is not later than the trusted one")]
    Order,
    /// The trusted block is too old to be built on.
    #[error("the trusted block is too old")]
    Expired,
    /// It is from the future.
    #[error("the block is from the future")]
    Future,
    /// Its header proves the state of another height.
    #[error("this header proves the state after height {0}")]
    Height(Height),
    /// The state does not have what is claimed.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
}

/// A header, the commit to it, and the validators of its height and the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightBlock {
    signed: SignedHeader,
    validators: Set,
    next_validators: Set,
}

/// What one starts from, without proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// A header, by its hash.
    Header([u8; 32]),
    /// The genesis: the hash of the first validators. It makes the block of height 1 trusted.
    Validators([u8; 32]),
}

/// When a block is judged, and by what rule. All in milliseconds, times since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The time that counts as now.
    pub now_ms: u64,
    /// For how long validators can be held to account for what they signed.
    pub trusting_ms: u64,
    /// How far ahead of now a block may be.
    pub drift_ms: u64,
}

/// A block that is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    block: LightBlock,
    app_hash: [u8; 32],
}

impl LightBlock {
    /// Reads a block and the validators of the next height: CometBFT's `LightBlock` and `ValidatorSet`, as protobuf.
    ///
    /// # Errors
    /// Too long, or not such.
    pub fn decode(block: &[u8], next_validators: &[u8]) -> Result<Self, LightError> {
        if block.len() > LIGHT_BLOCK_LEN_MAX || next_validators.len() > LIGHT_BLOCK_LEN_MAX {
            return Err(LightError::Malformed);
        }
        let block = proto::LightBlock::decode(block).map_err(|_| LightError::Malformed)?;
        let next_validators = proto::ValidatorSet::decode(next_validators).map_err(|_| LightError::Malformed)?;
        let signed = block.signed_header.ok_or(LightError::Malformed)?;
        let validators = block.validator_set.ok_or(LightError::Malformed)?;
        Ok(Self {
            signed: signed.try_into().map_err(|_| LightError::Malformed)?,
            validators: validators.try_into().map_err(|_| LightError::Malformed)?,
            next_validators: next_validators.try_into().map_err(|_| LightError::Malformed)?,
        })
    }

    /// Its height.
    pub fn height(&self) -> Height {
        self.signed.header.height.value()
    }

    /// Its time, in milliseconds since 1970.
    pub fn time_ms(&self) -> u64 {
        u64::try_from(self.signed.header.time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
    }

    /// The hash of its header.
    pub fn hash(&self) -> Hash {
        self.signed.header.hash_with::<CometHash>()
    }

    /// The hash of its validators, as its header has it: of the first block, what [`Root::Validators`] names.
    pub fn validators_hash(&self) -> [u8; 32] {
        match self.signed.header.validators_hash {
            Hash::Sha256(hash) => hash,
            Hash::None => [0; 32],
        }
    }

    fn untrusted(&self) -> UntrustedBlockState<'_> {
        let Self { signed, validators, next_validators } = self;
        UntrustedBlockState { signed_header: signed, validators, next_validators: Some(next_validators) }
    }
}

impl Trusted {
    /// Begins with a block that is trusted for what it is. Its commit must hold all the same.
    ///
    /// # Errors
    /// It is another block, or does not hold.
    pub fn begin(chain_id: &str, root: Root, block: LightBlock) -> Result<Self, LightError> {
        let expected = match root {
            Root::Header(hash) => Hash::Sha256(hash) == block.hash(),
            Root::Validators(hash) => block.height() == 1 && Hash::Sha256(hash) == block.signed.header.validators_hash,
        };
        if !expected {
            return Err(LightError::Root);
        }
        if block.signed.header.chain_id.as_str() != chain_id {
            return Err(LightError::Chain);
        }
        accepted(verifier().verify_validator_sets(&block.untrusted()))?;
        accepted(verifier().verify_commit(&block.untrusted()))?;
        Self::of(block)
    }

    /// Goes on to a later block, which need not be the next one.
    ///
    /// # Errors
    /// The block does not follow from the trusted one, by then.
    pub fn advance(&self, block: LightBlock, clock: &Clock) -> Result<Self, LightError> {
        let header = &self.block.signed.header;
        let trusted = TrustedBlockState {
            chain_id: &header.chain_id,
            header_time: header.time,
            height: header.height,
            next_validators: &self.block.next_validators,
            next_validators_hash: header.next_validators_hash,
        };
        let options = Options {
            trust_threshold: TrustThreshold::ONE_THIRD,
            trusting_period: Duration::from_millis(clock.trusting_ms),
            clock_drift: Duration::from_millis(clock.drift_ms),
        };
        let now = time(clock.now_ms).ok_or(LightError::Future)?;
        accepted(verifier().verify_update_header(block.untrusted(), trusted, &options, now))?;
        Self::of(block)
    }

    fn of(block: LightBlock) -> Result<Self, LightError> {
        let app_hash = block.signed.header.app_hash.as_bytes().try_into().map_err(|_| LightError::Malformed)?;
        Ok(Self { block, app_hash })
    }

    /// The block.
    pub fn block(&self) -> &LightBlock {
        &self.block
    }

    /// The app hash in its header: of the state after the block before.
    pub fn app_hash(&self) -> [u8; 32] {
        self.app_hash
    }

    /// Verifies that the state after a height has this value under a key, or no value. The height must be that before this block's.
    ///
    /// # Errors
    /// It is another height, or the proof does not show it.
    pub fn includes(&self, after: Height, key: &[u8], value: Option<&[u8]>, proof: &[u8]) -> Result<(), LightError> {
        let proven = self.block.height().saturating_sub(1);
        if after != proven {
            return Err(LightError::Height(proven));
        }
        Ok(inclusion::verify(&self.app_hash, key, value, proof)?)
    }
}

/// A time as headers have it, if it is before the year 10000.
fn time(milliseconds: u64) -> Option<Time> {
    Time::unix_epoch().checked_add(Duration::from_millis(milliseconds))
}
