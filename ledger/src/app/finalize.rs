//! FinalizeBlock: a decided block is executed, whatever is in it, and its app hash worked out. Nothing is stored before the commit.
use assay_verifier::settlement::keys;

use super::block::{Decoded, Execution, TxResult, tasks};
use super::{App, AppError, supply};
use crate::state::Committed;
use crate::tx::BlockTime;

/// What came of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finalized {
    /// What became of each transaction.
    pub results: Vec<TxResult>,
    /// Height and app hash once it is committed.
    pub committed: Committed,
}

impl App {
    /// Executes a decided block, of whose header this is the hash. Calling it again before the commit starts over.
    ///
    /// # Errors
    /// The state could not be read, the block does not follow the last one, or money is not conserved.
    pub fn finalize(
        &mut self,
        transactions: &[Vec<u8>],
        block: BlockTime,
        hash: [u8; 32],
    ) -> Result<Finalized, AppError> {
        self.follows(block)?;
        self.finalized = None;
        let (rules, verdicts) = (&self.reader.rules, &self.reader.verdicts);
        let state = self.reader.store.snapshot()?;
        let decoded: Vec<Decoded> = transactions.iter().map(|bytes| Decoded::new(bytes, rules)).collect();
        verdicts.judge_all(&state, &tasks(&state, rules, &decoded)?, self.threads)?;
        let mut execution = Execution::new(&state, rules, block, verdicts)?;
        let results = decoded.iter().map(|decoded| execution.execute(decoded)).collect::<Result<_, _>>()?;
        // Last, so that nothing in a block depends on its own hash: a proposal is judged before it has one.
        execution.remember(hash);
        supply(execution.state().read(keys::TOTALS)?, rules)?;
        let staged = self.reader.store.stage(block.height, execution.into_writes())?;
        let committed = staged.committed();
        self.finalized = Some((staged, block));
        Ok(Finalized { results, committed })
    }
}
