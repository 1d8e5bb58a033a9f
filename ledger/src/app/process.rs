//! ProcessProposal: a proposal is good if every transaction in it succeeds, within the budgets. So a proposer cannot fill blocks with what
//! is refused, and a forged proof never gets the votes of validators.
use super::block::{Decoded, Execution, Unfit, tasks};
use super::{App, AppError};
use crate::tx::BlockTime;

impl App {
    /// Judges a proposal on a fork of the state.
    ///
    /// # Errors
    /// The state could not be read. A proposal that does not follow the last block is no error but misuse of its proposer: it is reported
    /// as such and the caller refuses it.
    pub fn process(&self, transactions: &[Vec<u8>], block: BlockTime) -> Result<Result<(), Unfit>, AppError> {
        self.follows(block)?;
        let (rules, verdicts) = (&self.reader.rules, &self.reader.verdicts);
        let decoded: Vec<Decoded> = transactions.iter().map(|bytes| Decoded::new(bytes, rules)).collect();
        // No proof is verified for a proposal that is refused without.
        for (position, decoded) in decoded.iter().enumerate() {
            if let Some(rejection) = decoded.rejection() {
                return Ok(Err(Unfit { position, rejection }));
            }
        }
        let state = self.reader.store.snapshot()?;
        verdicts.judge_all(&state, &tasks(&state, rules, &decoded)?, self.threads)?;
        let mut execution = Execution::new(&state, rules, block, verdicts)?;
        for (position, decoded) in decoded.iter().enumerate() {
            if let Some(rejection) = execution.execute(decoded)?.rejection {
                return Ok(Err(Unfit { position, rejection }));
            }
        }
        Ok(Ok(()))
    }
}
