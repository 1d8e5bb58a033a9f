//! PrepareProposal: of the transactions that wait, those that this block can hold and that succeed in it, in their order.
use super::block::{Decoded, Execution, tasks};
use super::{App, AppError};
use crate::tx::BlockTime;

impl App {
    /// Chooses transactions for a block of at most so many bytes. The others are left for later blocks, or are good for none.
    ///
    /// # Errors
    /// The state could not be read, or the block does not follow the last one.
    pub fn prepare(&self, waiting: &[Vec<u8>], bytes_max: u64, block: BlockTime) -> Result<Vec<Vec<u8>>, AppError> {
        self.follows(block)?;
        let (rules, verdicts) = (&self.reader.rules, &self.reader.verdicts);
        let state = self.reader.store.snapshot()?;
        let decoded: Vec<Decoded> = waiting.iter().map(|bytes| Decoded::new(bytes, rules)).collect();
        verdicts.judge_all(&state, &tasks(&state, rules, &decoded)?, self.threads)?;
        let mut execution = Execution::new(&state, rules, block, verdicts)?;
        let (mut chosen, mut room) = (Vec::new(), bytes_max);
        for (bytes, decoded) in waiting.iter().zip(&decoded) {
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if size > room || decoded.rejection().is_some() {
                continue;
            }
            if execution.attempt(decoded)? {
                room -= size;
                chosen.push(bytes.clone());
            }
        }
        Ok(chosen)
    }
}
