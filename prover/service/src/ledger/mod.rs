//! The ledger as the service sees it: an embedded chain of this process, or a node of CometBFT elsewhere. Calls block.
//!
//! [`Sender`] is the node's account on it, [`Presence`] keeps the node registered and alive.
mod attested;
pub mod embedded;
mod error;
mod path;
mod presence;
pub mod remote;
mod sender;

use std::time::Duration;

use assay_ledger::tx::TxHash;
use assay_ledger::{LightBytes, Proven, Rejection};
use assay_verifier::audit::Trust;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::{self, Height};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use attested::Attesting;
pub use error::LedgerError;
pub use path::{Path, path};
pub use presence::{Presence, PresenceError, beat};
pub use sender::{Fate, SendError, Sender, Ticket};

/// Where a transaction is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// In a block.
    Included(Included),
    /// It waits.
    Waiting,
    /// It will not come, for this reason.
    Dropped(Rejection),
    /// Nobody knows it.
    Unknown,
}

/// What became of a transaction in its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The block.
    pub height: Height,
    /// Why it was refused there, if it was.
    pub refused: Option<Rejection>,
    /// Of a batch, the code of each leaf, 0 for what is settled.
    pub leaves: Vec<u32>,
}

/// A ledger.
pub trait Ledger: Send + Sync {
    /// The rules of the chain.
    fn rules(&self) -> &Parameters;

    /// What an auditor of this chain begins with.
    fn trust(&self) -> &Trust;

    /// The last committed height.
    ///
    /// # Errors
    /// No answer.
    fn height(&self) -> Result<Height, LedgerError>;

    /// Waits until there is a block of a height, but not longer than that; says whether there is.
    ///
    /// # Errors
    /// No answer.
    fn wait_height(&self, height: Height, longest: Duration) -> Result<bool, LedgerError>;

    /// The record under a key, as it is now. It may be believed as far as the ledger's node is.
    ///
    /// # Errors
    /// No answer.
    fn record(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError>;

    /// The record under a key after a height, with its proof.
    ///
    /// # Errors
    /// No answer, or that height is not kept any more.
    fn proven(&self, key: &[u8], height: Height) -> Result<Proven, LedgerError>;

    /// The light block of a height, if there is one yet.
    ///
    /// # Errors
    /// No answer.
    fn light_block(&self, height: Height) -> Result<Option<LightBytes>, LedgerError>;

    /// What would become of a transaction if it were the next one.
    ///
    /// # Errors
    /// The reason for which it would be refused, or no answer.
    fn attempt(&self, transaction: &[u8]) -> Result<(), LedgerError>;

    /// Hands in a transaction. That says nothing of the block. Handing it in again does no harm.
    ///
    /// # Errors
    /// It is refused, there is no room, or no answer.
    fn submit(&self, transaction: &[u8]) -> Result<TxHash, LedgerError>;

    /// Where a transaction is, after at most so long.
    ///
    /// # Errors
    /// No answer.
    fn wait(&self, hash: TxHash, longest: Duration) -> Result<Whereabouts, LedgerError>;
}

/// Reads the record under a key of [`settlement::keys`], as it is now.
///
/// # Errors
/// No answer, or no such record: the chain is of another version.
pub fn read<T: Serialize + DeserializeOwned>(ledger: &dyn Ledger, key: &[u8]) -> Result<Option<T>, LedgerError> {
    let bytes = ledger.record(key)?;
    Ok(bytes.map(|bytes| settlement::decode(&bytes)).transpose()?)
}

/// The codes of a batch's leaves, four bytes each, little-endian.
fn leaves(data: &[u8]) -> Vec<u32> {
    data.as_chunks::<4>().0.iter().map(|code| u32::from_le_bytes(*code)).collect()
}
