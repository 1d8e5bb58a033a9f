//! What can go wrong in a chain of one process.
use thiserror::Error;

use crate::app::AppError;
use crate::rejection::Rejection;
use crate::state::StoreError;

/// Why a call failed. After a block that failed the node makes no more: it has to be opened anew.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    /// The application failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// Blocks could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain's id, the validator's key, a height or a time are none that headers can have.
    #[error("no header can be made: {0}")]
    Header(tendermint::Error),
    /// What is stored was signed by another key.
    #[error("the chain has another validator")]
    OtherValidator,
    /// A thread could not be started.
    #[error(transparent)]
    Thread(#[from] std::io::Error),
    /// The node has failed before.
    #[error("the node has stopped because a block failed")]
    Stopped,
}

impl From<tendermint::Error> for EmbeddedError {
    fn from(error: tendermint::Error) -> Self {
        Self::Header(error)
    }
}

/// Why a transaction does not wait for a block.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// It is refused.
    #[error("{}", .0.text())]
    Refused(Rejection),
    /// Too many are waiting.
    #[error("too many transactions are waiting")]
    Full,
    /// The node failed.
    #[error(transparent)]
    Node(#[from] EmbeddedError),
}
