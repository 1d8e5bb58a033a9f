//! CheckTx: whether a transaction may wait for a block. Cheap whatever it is; a proof is not verified here, but left to a pool.
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment::Account;
use assay_verifier::signature::PublicKey;
use assay_verifier::wire;

use super::Reader;
use super::block::Decoded;
use crate::money::account;
use crate::rejection::{Fault, Rejection};
use crate::state::{Overlay, StoreError, read};
use crate::tx::Transaction;
use crate::verdicts::Task;

/// How far ahead of the committed state a nonce may be: so many transactions of one signer can wait for a block.
const NONCE_AHEAD_MAX: u64 = 1 << 10;

/// A transaction that may wait for a block, or the reason why not.
#[derive(Debug)]
pub struct Checked {
    /// Why it is refused, if it is.
    pub rejection: Option<Rejection>,
    /// Its work units.
    pub work: u64,
    /// Proofs whose verdicts are not known yet. Giving them to a [`crate::verdicts::Pool`] saves time later; nothing depends on it.
    pub tasks: Vec<Task>,
}

impl Reader {
    /// Checks a transaction against the committed state: size, encoding, signature, nonce, fee, and verdicts that are known already.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn check(&self, transaction: &[u8]) -> Result<Checked, StoreError> {
        let state = self.store.snapshot()?;
        let decoded = Decoded::new(transaction, &self.rules);
        let work = decoded.work(&state)?;
        let admitted = decoded.transaction().map_err(Fault::from);
        let outcome = admitted.and_then(|transaction| self.admit(&Overlay::new(&state), transaction, work));
        match outcome {
            Ok(tasks) => Ok(Checked { rejection: None, work, tasks }),
            Err(fault) => Ok(Checked { rejection: Some(fault.rejection()?), work, tasks: Vec::new() }),
        }
    }

    /// Of a transaction that was admitted before: its signer and nonce, or that the nonce was used meanwhile. Nothing else is checked again.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn still_waits(&self, transaction: &[u8]) -> Result<Result<(PublicKey, u64), Rejection>, StoreError> {
        let Ok(Transaction { body, .. }) = wire::decode(transaction) else { return Ok(Err(Rejection::Malformed)) };
        let state = self.store.snapshot()?;
        let signer: Option<Account> = read(&state, &keys::account(body.signer))?;
        let used = body.nonce < signer.unwrap_or_default().nonce;
        Ok(if used { Err(Rejection::NonceUsed) } else { Ok((body.signer, body.nonce)) })
    }

    fn admit(&self, state: &Overlay<'_>, transaction: &Transaction, work: u64) -> Result<Vec<Task>, Fault> {
        let body = &transaction.body;
        let signer = account(state, body.signer)?;
        if body.nonce < signer.nonce {
            return Err(Rejection::NonceUsed.into());
        }
        if body.nonce - signer.nonce >= NONCE_AHEAD_MAX {
            return Err(Rejection::NonceAhead.into());
        }
        if body.fee > signer.balance {
            return Err(Rejection::InsufficientBalance.into());
        }
        if work > self.rules.limits.block_work_max {
            return Err(Rejection::BlockWork.into());
        }
        let mut missing = Vec::new();
        let (mut judged, mut refused) = (0, None);
        for task in body.payload.kind().tasks() {
            match self.verdicts.known(&task) {
                Some(Ok(_)) => judged += 1,
                Some(Err(reason)) => refused = Some(reason),
                None => missing.push(task),
            }
        }
        // A batch with a single proof that may hold is of use.
        match refused {
            Some(reason) if judged == 0 && missing.is_empty() => Err(reason.into()),
            _ => Ok(missing),
        }
    }
}
