//! Joining late: the state of another node, if it has the root that consensus trusts.
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::Block;
use assay_verifier::settlement::{self, Versioned};

use super::App;
use crate::state::{Committed, SnapshotError};

impl App {
    /// Takes over a state from its chunks, in their order. Only an application that has executed nothing does.
    ///
    /// # Errors
    /// The chunks do not lead to the trusted root, or the state was read or written in vain; nothing has changed then.
    pub fn restore(
        &mut self,
        trusted: Committed,
        chunks: impl Iterator<Item = Result<Vec<u8>, SnapshotError>>,
    ) -> Result<(), SnapshotError> {
        if self.last.height != 0 {
            return Err(SnapshotError::Refused("this node has a state of its own"));
        }
        self.finalized = None;
        let restored = self.reader.store.restore(trusted, chunks)?;
        let block: Option<Block> = settlement::decode(&restored.block).ok();
        let block = block.filter(|block| block.height == trusted.height && block.genesis == self.genesis);
        let block = block.ok_or(SnapshotError::Refused("it is not of this chain and height"))?;
        let rules: Option<Versioned<Parameters>> = settlement::decode(&restored.parameters).ok();
        if rules.is_none_or(|rules| rules.record != *self.reader.rules) {
            return Err(SnapshotError::Refused("it has other rules"));
        }
        self.last = restored.commit()?;
        self.last_time_ms = block.time_ms;
        Ok(())
    }
}
