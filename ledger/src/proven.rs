//! What can be shown to others who trust nobody here: a record with the proof that the state has it, and a block as light clients take it.
//!
//! A chain in this process and a node elsewhere give the same: what is proven against whom does not depend on who made the blocks.
use assay_verifier::settlement::light::{LightBlock, LightError};
use assay_verifier::settlement::{self, Height};
use assay_verifier::wire::WireError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is under a key in the state after a block, or that nothing is, with its proof. The header of the next height has the app hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The key, of [`assay_verifier::settlement::keys`].
    pub key: Vec<u8>,
    /// The record's bytes as they are stored.
    pub value: Option<Vec<u8>>,
    /// By ICS-23: for [`assay_verifier::settlement::inclusion::verify`].
    pub proof: Vec<u8>,
    /// The block after which the state is like that.
    pub height: Height,
    /// What the proof leads to.
    pub app_hash: [u8; 32],
}

impl Proven {
    /// The record, if there is one.
    ///
    /// # Errors
    /// Not a record of this kind.
    pub fn record<T: Serialize + DeserializeOwned>(&self) -> Result<Option<T>, WireError> {
        self.value.as_deref().map(settlement::decode).transpose()
    }
}

/// A block's header, commit and validators, and the validators that follow, as [`LightBlock::decode`] takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightBytes {
    /// CometBFT's `LightBlock` as protobuf.
    pub block: Vec<u8>,
    /// Its `ValidatorSet` of the next height as protobuf.
    pub next_validators: Vec<u8>,
}

impl LightBytes {
    /// Decodes them. Nothing is verified.
    ///
    /// # Errors
    /// They are too long for light clients: there are very many validators.
    pub fn decode(&self) -> Result<LightBlock, LightError> {
        LightBlock::decode(&self.block, &self.next_validators)
    }
}
