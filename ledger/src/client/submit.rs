//! Transactions on their way: submitted, and waited for.
//!
//! Submitting twice is harmless: a transaction has a nonce, so no chain takes it twice, and a node that has it says so. What a node was told
//! is lost when it is killed before it told others. So who must know waits, and submits again, to another node if need be.
use std::thread::sleep;
use std::time::{Duration, Instant};

use assay_verifier::settlement::Height;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::Client;
use super::answer::{BroadcastAnswer, Outcome, QueryAnswer, TxAnswer};
use super::error::{ClientError, Refused};
use crate::abci::TRIAL_PATH;
use crate::tx::TxHash;

/// How long after a look the next one follows: a fraction of any block's time.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// A transaction in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The block.
    pub height: Height,
    /// Its place there.
    pub index: u32,
    /// What became of it.
    pub outcome: Outcome,
}

impl Client {
    /// Submits a transaction, and gives its name once the node has admitted it. That it was admitted says nothing of the block: proofs and
    /// payloads are judged there.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the code, [`ClientError::Full`], or no answer.
    pub fn submit(&self, transaction: &[u8]) -> Result<TxHash, ClientError> {
        let hash = TxHash::of(transaction);
        let called = self.rpc.call("broadcast_tx_sync", json!({ "tx": BASE64.encode(transaction) }));
        let BroadcastAnswer { code, codespace, log } = match called {
            // The node has it already, in a block or on the way there.
            Err(ClientError::Node { reason, .. }) if reason.contains("already exists in cache") => return Ok(hash),
            Err(ClientError::Node { reason, .. }) if reason.contains("mempool is full") => {
                return Err(ClientError::Full(reason));
            }
            called => called?,
        };
        if code == 0 { Ok(hash) } else { Err(Refused { code, codespace, text: log }.into()) }
    }

    /// What would become of a transaction if it were the next block. Nothing is changed. Its proofs count as good unless the node knows better.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the code, or no answer.
    pub fn attempt(&self, transaction: &[u8]) -> Result<(), ClientError> {
        let params = json!({ "path": TRIAL_PATH, "data": hex::encode(transaction) });
        let QueryAnswer { response } = self.rpc.call("abci_query", params)?;
        match response.code {
            0 => Ok(()),
            code => Err(Refused { code, codespace: response.codespace, text: response.log }.into()),
        }
    }

    /// A transaction in its block, if it is in one.
    ///
    /// The node's index says so. A node that was killed may lack the index of its last block: others have it, and the records of the state
    /// are right in any case.
    ///
    /// # Errors
    /// No answer.
    pub fn find(&self, hash: TxHash) -> Result<Option<Included>, ClientError> {
        let called = self.rpc.call("tx", json!({ "hash": BASE64.encode(hash.0), "prove": false }));
        let TxAnswer { height, index, tx_result } = match called {
            Err(ClientError::Node { reason, .. }) if reason.contains("not found") => return Ok(None),
            called => called?,
        };
        Ok(Some(Included { height, index, outcome: tx_result.into() }))
    }

    /// Waits until a transaction is in a block, and gives what became of it there.
    ///
    /// # Errors
    /// [`ClientError::NotIncluded`] when the time is over: it may still come. No answer, if the last look had none.
    pub fn wait(&self, hash: TxHash, within: Duration) -> Result<Included, ClientError> {
        let start = Instant::now();
        loop {
            let looked = self.find(hash);
            if let Ok(Some(included)) = looked {
                return Ok(included);
            }
            if start.elapsed() >= within {
                return Err(looked.err().unwrap_or(ClientError::NotIncluded { hash, waited: within }));
            }
            sleep(LOOK_INTERVAL);
        }
    }
}
