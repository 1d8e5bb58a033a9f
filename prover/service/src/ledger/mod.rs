//! The ledger as the service sees it: an embedded chain of this process, or a node of CometBFT elsewhere. Calls block.
use std::time::Duration;

use assay_ledger::Rejection;
use assay_ledger::tx::TxHash;
use assay_verifier::settlement::Height;
use assay_verifier::settlement::light::Root;
use assay_verifier::settlement::parameters::Parameters;
use thiserror::Error;

/// Why the ledger gave nothing.
#[derive(Clone, Debug, Error)]
pub enum LedgerError {
    /// A transaction is refused, with the stable code.
    #[error("refused with code {code}: {0}", code = .0.code())]
    Refused(Rejection),
    /// A code that this version does not know.
    #[error("refused with code {code}: {text}")]
    RefusedUnknown {
        /// The code.
        code: u32,
        /// What the node says.
        text: String,
    },
    /// It has no room for more transactions now.
    #[error("the ledger has no room for more transactions now")]
    Full,
    /// It does not answer, or not with what can be right. Trying again may help.
    #[error("the ledger does not answer: {0}")]
    Unavailable(String),
    /// What it answers is not proven: nothing of it is believed.
    #[error("the ledger's answer is not proven: {0}")]
    NotProven(String),
}

/// Where a transaction is.
#[derive(Clone, Debug)]
pub enum Whereabouts {
    /// In a block: its height, and why it was refused there if it was. Of a batch, the code of each leaf, 0 for what is settled.
    Included {
        /// The block.
        height: Height,
        /// Why it failed.
        refused: Option<Rejection>,
        /// The leaves.
        leaves: Vec<u32>,
    },
    /// It waits.
    Waiting,
    /// It will not come, for this reason.
    Dropped(Rejection),
    /// Nobody knows it.
    Unknown,
}

/// A record with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The record's bytes, or nothing if there is none.
    pub value: Option<Vec<u8>>,
    /// The ICS-23 proof against the app hash after [`Shown::height`].
    pub proof: Vec<u8>,
    /// The height.
    pub height: Height,
}

/// A light block as auditors read it: CometBFT's `LightBlock` and the validators of the next height, as protobuf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightBytes {
    /// The block.
    pub block: Vec<u8>,
    /// The next validators.
    pub next_validators: Vec<u8>,
}

/// A ledger.
pub trait Ledger: Send + Sync {
    /// The rules of the chain.
    fn rules(&self) -> &Parameters;

    /// What light clients of this chain begin with.
    fn root(&self) -> Root;

    /// The last committed height.
    ///
    /// # Errors
    /// No answer.
    fn height(&self) -> Result<Height, LedgerError>;

    /// The record under a key, as it is now. It may be believed as far as the ledger's node is.
    ///
    /// # Errors
    /// No answer.
    fn record(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError>;

    /// The record under a key after a height, with its proof.
    ///
    /// # Errors
    /// No answer, or that height is not kept any more.
    fn record_at(&self, key: &[u8], height: Height) -> Result<Shown, LedgerError>;

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

    /// Hands in a transaction. That says nothing of the block.
    ///
    /// # Errors
    /// It is refused, there is no room, or no answer.
    fn submit(&self, transaction: Vec<u8>) -> Result<TxHash, LedgerError>;

    /// Where a transaction is, after at most so long.
    ///
    /// # Errors
    /// No answer.
    fn wait(&self, hash: TxHash, longest: Duration) -> Result<Whereabouts, LedgerError>;
}
