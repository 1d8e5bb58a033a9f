//! Why the ledger gave nothing: one list for a chain in this process and for a node elsewhere.
use assay_ledger::Rejection;
use assay_ledger::app::QueryError;
use assay_ledger::client::{ClientError, Refused};
use assay_ledger::embedded::{EmbeddedError, SubmitError};
use assay_ledger::genesis::GenesisError;
use assay_verifier::settlement::light::LightError;
use assay_verifier::wire::WireError;
use thiserror::Error;

/// Why the ledger gave nothing.
#[derive(Debug, Error)]
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
    /// Its records are of another version.
    #[error("a record of the ledger is of another version: {0}")]
    Record(#[from] WireError),
    /// The chain cannot be begun with this.
    #[error("the genesis: {0}")]
    Genesis(#[from] GenesisError),
    /// Files of the chain.
    #[error("{file}: {error}")]
    File {
        /// Which.
        file: String,
        /// What is wrong.
        error: std::io::Error,
    },
}

impl From<Refused> for LedgerError {
    fn from(refused: Refused) -> Self {
        match refused.rejection() {
            Some(reason) => Self::Refused(reason),
            None => Self::RefusedUnknown { code: refused.code, text: refused.text },
        }
    }
}

impl From<EmbeddedError> for LedgerError {
    fn from(error: EmbeddedError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<SubmitError> for LedgerError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(reason) => Self::Refused(reason),
            SubmitError::Full => Self::Full,
            SubmitError::Node(error) => error.into(),
        }
    }
}

impl From<QueryError> for LedgerError {
    fn from(error: QueryError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<ClientError> for LedgerError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(refused) => refused.into(),
            ClientError::Full(_) => Self::Full,
            ClientError::NotProven(error) => Self::NotProven(error.to_string()),
            ClientError::Record(error) => Self::Record(error),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<LightError> for LedgerError {
    fn from(error: LightError) -> Self {
        Self::NotProven(error.to_string())
    }
}
