//! A ledger that loses what it is given, or cannot be reached, as often as it is told to.
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use assay_ledger::tx::TxHash;
use assay_ledger::{LightBytes, Proven};
use assay_service::ledger::embedded::Chain;
use assay_service::ledger::{Ledger, LedgerError, Whereabouts};
use assay_verifier::audit::Trust;
use assay_verifier::settlement::Height;
use assay_verifier::settlement::parameters::Parameters;

pub struct Lossy {
    pub chain: Arc<Chain>,
    /// Transactions that are taken and forgotten.
    pub loses: AtomicU32,
    /// Transactions that arrive although there is no answer.
    pub silent: AtomicU32,
}

fn take(count: &AtomicU32) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

impl Ledger for Lossy {
    fn rules(&self) -> &Parameters {
        self.chain.rules()
    }

    fn trust(&self) -> &Trust {
        self.chain.trust()
    }

    fn height(&self) -> Result<Height, LedgerError> {
        self.chain.height()
    }

    fn wait_height(&self, height: Height, longest: Duration) -> Result<bool, LedgerError> {
        self.chain.wait_height(height, longest)
    }

    fn record(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        self.chain.record(key)
    }

    fn proven(&self, key: &[u8], height: Height) -> Result<Proven, LedgerError> {
        self.chain.proven(key, height)
    }

    fn light_block(&self, height: Height) -> Result<Option<LightBytes>, LedgerError> {
        self.chain.light_block(height)
    }

    fn attempt(&self, transaction: &[u8]) -> Result<(), LedgerError> {
        self.chain.attempt(transaction)
    }

    fn submit(&self, transaction: &[u8]) -> Result<TxHash, LedgerError> {
        if take(&self.loses) {
            return Ok(TxHash::of(transaction));
        }
        let submitted = self.chain.submit(transaction);
        if take(&self.silent) {
            return Err(LedgerError::Unavailable("as it was told".into()));
        }
        submitted
    }

    fn wait(&self, hash: TxHash, longest: Duration) -> Result<Whereabouts, LedgerError> {
        self.chain.wait(hash, longest)
    }
}
