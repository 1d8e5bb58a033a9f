//! What can go wrong for a client.
use std::fmt;
use std::time::Duration;

use assay_verifier::settlement::Height;
use assay_verifier::settlement::inclusion::InclusionError;
use assay_verifier::wire::WireError;
use thiserror::Error;

use crate::rejection::Rejection;
use crate::tx::TxHash;

/// A transaction was refused, in CheckTx or in its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The stable code.
    pub code: u32,
    /// What the code is about.
    pub codespace: String,
    /// What the node says.
    pub text: String,
}

impl Refused {
    /// The reason, if this version knows the code.
    pub fn rejection(&self) -> Option<Rejection> {
        Rejection::of_code(self.code)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, codespace, text } = self;
        let name = self.rejection().map_or("unknown to this version", Rejection::name);
        write!(f, "refused with code {code} ({codespace}, {name}): {text}")
    }
}

/// Why a call gave nothing.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Not an address.
    #[error("{0:?} is not http://HOST:PORT")]
    Address(String),
    /// Nobody answers, or not in time. What was asked may have been done all the same.
    #[error("no answer from {address}: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// What the system says.
        reason: String,
    },
    /// The node answers that it cannot.
    #[error("{method}: the node says: {reason}")]
    Node {
        /// What was called.
        method: &'static str,
        /// What it says.
        reason: String,
    },
    /// What answers is no CometBFT of this version, or no node of this ledger.
    #[error("{method}: not an answer of CometBFT: {reason}")]
    Malformed {
        /// What was called.
        method: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The transaction was refused.
    #[error("{0}")]
    Refused(Refused),
    /// The node has no room for transactions that wait.
    #[error("the node has no room for more transactions: {0}")]
    Full(String),
    /// The transaction is in no block that the node knows.
    #[error("transaction {hash} is in no block after {}", humantime::format_duration(*waited))]
    NotIncluded {
        /// Which.
        hash: TxHash,
        /// How long it was waited for.
        waited: Duration,
    },
    /// There is no such block, not yet or not any more.
    #[error("the node has no block {0}")]
    NoBlock(Height),
    /// The application does not answer a query.
    #[error("the query is refused with code {code}: {reason}")]
    Query {
        /// The query's code.
        code: u32,
        /// Why.
        reason: String,
    },
    /// An answer about another state than was asked for.
    #[error("asked for the state at height {asked}, answered for height {answered}")]
    OtherHeight {
        /// What was asked for.
        asked: Height,
        /// What was answered.
        answered: Height,
    },
    /// What the node gives as a block and its validators is none that light clients would read, or is that of another height.
    #[error("the node's block {0} cannot be one")]
    NotABlock(Height),
    /// The proof does not show what the node says. Nothing of the answer is to be believed.
    #[error("the node's answer is not proven: {0}")]
    NotProven(#[from] InclusionError),
    /// Proven or not, it is not a record of this version.
    #[error("not a record of the kind that was asked for: {0}")]
    Record(#[from] WireError),
}

impl From<Refused> for ClientError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
