//! Making blocks, one after the other, and replaying those that the state lacks.
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use assay_verifier::settlement::light::CometHash;
use tendermint::block::signed_header::SignedHeader;
use tendermint_proto::v0_38::abci::ExecTxResult;

use super::EmbeddedError;
use super::blocks::{Block, Blocks};
use super::seal::{Parent, Seal};
use super::shared::locked;
use super::waiting::Waiting;
use crate::abci::block::result;
use crate::app::{App, Reader};
use crate::state::{Committed, StoreError};
use crate::tx::{BlockTime, TxHash};

/// The chain as far as it goes.
pub struct Chain {
    app: App,
    blocks: Arc<Blocks>,
    seal: Seal,
    parent: Parent,
}

impl Chain {
    /// Brings state and blocks to the same height.
    pub fn open(mut app: App, blocks: Arc<Blocks>, seal: Seal) -> Result<Self, EmbeddedError> {
        let height = blocks.height()?;
        if app.last().height > height {
            return Err(StoreError::OtherChain("its state is ahead of its blocks").into());
        }
        while app.last().height < height {
            let missing = || StoreError::Corrupt("a block is missing".into());
            let block = blocks.block(app.last().height + 1)?.ok_or_else(missing)?;
            replay(&mut app, &block)?;
        }
        let mut parent = Parent { commit: None, app_hash: app.last().app_hash, results: Vec::new() };
        if let Some(last) = blocks.block(height)? {
            if last.validators != *seal.validators() {
                return Err(EmbeddedError::OtherValidator);
            }
            parent = Parent { commit: Some(last.signed.commit), results: last.results, ..parent };
        }
        Ok(Self { app, blocks, seal, parent })
    }

    /// Whether the last block had transactions: the state after it has no header yet.
    pub fn owes_a_header(&self) -> bool {
        !self.parent.results.is_empty()
    }

    /// Makes a block of what waits. Whatever fails here, nothing may be built on what came of it before it is opened anew.
    pub fn make(
        &mut self,
        waiting: &Mutex<Waiting>,
        reader: &Reader,
        time_ms: u64,
    ) -> Result<Committed, EmbeddedError> {
        let height = self.app.last().height + 1;
        // Light clients want each block to be later than the one before.
        let block = BlockTime { height, time_ms: time_ms.max(self.app.last_time_ms().saturating_add(1)) };
        let bytes_max = reader.rules().limits.block_bytes_max;
        let first = locked(waiting).first(bytes_max);
        let transactions = self.app.prepare(&first, bytes_max, block)?;
        let signed = self.seal.seal(block, &self.parent, &transactions)?;
        let finalized = self.app.finalize(&transactions, block, hash(&signed)?)?;
        let results: Vec<ExecTxResult> = finalized.results.into_iter().map(result).collect();
        let validators = self.seal.validators().clone();
        let made = Block { signed, validators, transactions, results };
        self.blocks.append(&made)?;
        let committed = self.app.commit()?;
        let included: BTreeSet<_> = made.transactions.iter().map(|transaction| TxHash::of(transaction)).collect();
        let reason = |transaction: &[u8]| reader.check(transaction).map(|checked| checked.rejection);
        locked(waiting).settle(first.len(), &included, reason)?;
        self.parent = Parent { commit: Some(made.signed.commit), app_hash: committed.app_hash, results: made.results };
        Ok(committed)
    }
}

/// The hash of a block's header.
fn hash(signed: &SignedHeader) -> Result<[u8; 32], EmbeddedError> {
    let hash = signed.header.hash_with::<CometHash>();
    Ok(hash.as_bytes().try_into().map_err(|_| StoreError::Corrupt("a header without hash".into()))?)
}

/// Executes a stored block again, which must come out as it did.
fn replay(app: &mut App, block: &Block) -> Result<(), EmbeddedError> {
    let differs = || StoreError::Corrupt(format!("block {} does not come out as it did", block.height()));
    if block.signed.header.app_hash.as_bytes() != app.last().app_hash {
        return Err(differs().into());
    }
    let time = BlockTime { height: block.height(), time_ms: block.time_ms() };
    let finalized = app.finalize(&block.transactions, time, hash(&block.signed)?)?;
    if finalized.results.into_iter().map(result).ne(block.results.iter().cloned()) {
        return Err(differs().into());
    }
    app.commit()?;
    Ok(())
}
