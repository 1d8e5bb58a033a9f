//! What would become of a transaction: for whoever is about to submit it, or waits for it in vain, since proposers leave out what is refused.
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment::Block;

use super::Reader;
use super::block::{Decoded, Execution};
use crate::rejection::Rejection;
use crate::state::{StoreError, read};
use crate::tx::BlockTime;

impl Reader {
    /// Why a transaction would be refused if it were all of the next block, made at the time of the last one. Nothing is changed. No proof is
    /// verified for this: a transaction with proofs that were not judged yet is checked as by [`Reader::check`] and no further.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn attempt(&self, transaction: &[u8]) -> Result<Option<Rejection>, StoreError> {
        let decoded = Decoded::new(transaction, &self.rules);
        let tasks = match decoded.transaction() {
            Ok(transaction) => transaction.body.payload.kind().tasks(),
            Err(rejection) => return Ok(Some(rejection)),
        };
        if tasks.iter().any(|task| self.verdicts.known(task).is_none()) {
            return Ok(self.check(transaction)?.rejection);
        }
        let state = self.store.snapshot()?;
        let last: Block = read(&state, keys::BLOCK)?.ok_or_else(|| StoreError::Corrupt("no block".into()))?;
        let next = BlockTime { height: last.height.saturating_add(1), time_ms: last.time_ms };
        let committed = state.committed().ok_or_else(|| StoreError::Corrupt("no genesis".into()))?;
        let mut execution = Execution::new(&state, &self.rules, next, &self.verdicts)?;
        Ok(execution.execute(&decoded)?.rejection)
    }
}
