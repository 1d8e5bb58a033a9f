//! Events, block by block, since a height.
//!
//! They are polled from stored results of blocks, not pushed over CometBFT's WebSocket: a subscription there ends with its connection and with
//! each restart of the node, and is cut when its reader is slow, so what happened meanwhile has to be fetched anyway. A height is a place to
//! go on from that survives all of it: each block is seen once and in order, also by a reader that was away, and from any node.
use assay_verifier::settlement::Height;
use serde_json::json;

use super::Client;
use super::answer::{Outcome, ResultsAnswer};
use super::error::ClientError;

/// What happened in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEvents {
    /// The block.
    pub height: Height,
    /// What became of its transactions, in their order.
    pub transactions: Vec<Outcome>,
}

/// Blocks that were not seen yet.
pub struct Watch {
    client: Client,
    next: Height,
    last: Height,
}

impl Client {
    /// Follows events from a block on; the first block is number 1.
    pub fn watch(&self, from: Height) -> Watch {
        Watch { client: self.clone(), next: from.max(1), last: 0 }
    }

    /// What happened in a block.
    ///
    /// # Errors
    /// There is no such block yet, or it is not kept any more; no answer.
    pub fn results(&self, height: Height) -> Result<BlockEvents, ClientError> {
        let answer: ResultsAnswer = self.rpc.call("block_results", json!({ "height": height.to_string() }))?;
        let transactions = answer.txs_results.unwrap_or_default().into_iter().map(Outcome::from).collect();
        Ok(BlockEvents { height, transactions })
    }
}

impl Watch {
    /// The next block if it is there. After an error the same block is asked for again.
    ///
    /// # Errors
    /// No answer, or the node does not keep the block any more.
    pub fn poll(&mut self) -> Result<Option<BlockEvents>, ClientError> {
        if self.next > self.last {
            // Results are stored before the application commits.
            self.last = self.client.last()?.height;
        }
        if self.next > self.last {
            return Ok(None);
        }
        let block = self.client.results(self.next)?;
        self.next = self.next.saturating_add(1);
        Ok(Some(block))
    }

    /// The block that comes next: where to go on after a restart.
    pub fn position(&self) -> Height {
        self.next
    }

    /// Goes on at another node.
    pub fn switch(self, client: &Client) -> Self {
        Self { client: client.clone(), last: 0, ..self }
    }
}
