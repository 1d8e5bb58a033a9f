//! A client of the ledger: transactions are submitted and waited for, records are read with proofs, events are followed. It speaks to the
//! RPC endpoint of one CometBFT node, over HTTP.
//!
//! A node is asked, not trusted, where it can be helped: records are verified against an app hash of the caller's ([`Root`]). That the app hash is
//! that of the chain is the caller's to know, from a header that a light client verified; [`Client::last`] gives the node's own word.
//!
//! Calls block. Where that is not wanted, they belong on a thread for blocking work; a client is cheap to clone and can be shared.
mod answer;
mod error;
mod events;
mod light;
mod records;
mod rpc;
mod signer;
mod submit;

use std::time::Duration;

use assay_verifier::settlement::Height;
use serde_json::json;

pub use answer::{Block, Event, Header, Outcome, Status};
pub use error::{ClientError, Refused};
pub use events::{BlockEvents, Watch};
pub use records::Root;
pub use signer::Signer;
pub use submit::Included;

use rpc::Rpc;

/// How long a call may take if nothing else is said. Nodes of a chain with large blocks take their time to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client of one node.
#[derive(Clone)]
pub struct Client {
    rpc: Rpc,
}

impl Client {
    /// A client of the node at an address, `http://HOST:PORT`. Nothing is asked yet.
    ///
    /// # Errors
    /// Not such an address.
    pub fn new(address: &str) -> Result<Self, ClientError> {
        Self::with_timeout(address, TIMEOUT)
    }

    /// A client whose calls take no longer than this.
    ///
    /// # Errors
    /// Not an address.
    pub fn with_timeout(address: &str, timeout: Duration) -> Result<Self, ClientError> {
        Ok(Self { rpc: Rpc::new(address, timeout)? })
    }

    /// The address.
    pub fn address(&self) -> &str {
        self.rpc.address()
    }

    /// Which chain the node follows, and how far it is.
    ///
    /// # Errors
    /// No answer.
    pub fn status(&self) -> Result<Status, ClientError> {
        let answer: answer::StatusAnswer = self.rpc.call("status", json!({}))?;
        Ok(answer.into())
    }

    /// The state that the node's application has committed last, by the node's own word.
    ///
    /// # Errors
    /// No answer.
    pub fn last(&self) -> Result<Root, ClientError> {
        let answer: answer::InfoAnswer = self.rpc.call("abci_info", json!({}))?;
        Ok(Root { height: answer.response.height, app_hash: answer.response.app_hash })
    }

    /// A header, by the node's own word; the last one if no height is said.
    ///
    /// # Errors
    /// There is none, or no answer.
    pub fn header(&self, height: Option<Height>) -> Result<Header, ClientError> {
        let answer: answer::HeaderAnswer = self.rpc.call("header", at(height))?;
        answer.header.ok_or(ClientError::NoBlock(height.unwrap_or_default()))
    }

    /// A block, by the node's own word; the last one if no height is said.
    ///
    /// # Errors
    /// There is none, or no answer.
    pub fn block(&self, height: Option<Height>) -> Result<Block, ClientError> {
        let answer: answer::BlockAnswer = self.rpc.call("block", at(height))?;
        let hash = answer.block_id.hash;
        let body = answer.block.ok_or(ClientError::NoBlock(height.unwrap_or_default()))?;
        Ok(Block { hash, header: body.header, transactions: body.data.transactions() })
    }
}

/// Parameters that name a height, or none.
fn at(height: Option<Height>) -> serde_json::Value {
    height.map_or_else(|| json!({}), |height| json!({ "height": height.to_string() }))
}
