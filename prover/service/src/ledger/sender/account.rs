//! Nonces and what has them: transactions that were signed, in their order, until each has ended.
use std::collections::VecDeque;
use std::sync::mpsc::{self, channel};
use std::time::Instant;

use assay_ledger::Rejection;
use assay_ledger::tx::{Body, Payload, Transfer, TxHash};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::{Height, keys, payment};
use assay_verifier::signature::SigningKey;

use super::{Fate, SendError, Ticket};
use crate::ledger::{Ledger, LedgerError, read};

/// Most transactions on their way. A node takes no nonce that is a thousand ahead.
const WAY_MAX: usize = 256;
/// How often a nonce is looked up anew before it is given up.
const TRIES: usize = 3;

/// A signed transaction that has not ended.
pub struct Sent {
    pub nonce: u64,
    pub payload: Payload,
    pub bytes: Vec<u8>,
    pub hash: TxHash,
    /// Where the chain was when it was handed in last, and when that was.
    pub handed_in: (Height, Instant),
    /// What takes its nonce, and why.
    pub filler: Option<(Vec<u8>, Rejection)>,
    /// Since when its nonce is known to be used.
    pub passed: Option<Instant>,
    fate: mpsc::Sender<Fate>,
}

impl Sent {
    /// Tells what became of it. Nobody may be listening.
    pub fn end(self, fate: Fate) {
        let _ = self.fate.send(fate);
    }
}

/// The account.
pub struct Account {
    key: SigningKey,
    rules: Parameters,
    next: u64,
    pub way: VecDeque<Sent>,
}

/// The account's next nonce in the ledger's state.
pub fn nonce(ledger: &dyn Ledger, key: &SigningKey) -> Result<u64, LedgerError> {
    let account: Option<payment::Account> = read(ledger, &keys::account(key.public()))?;
    Ok(account.unwrap_or_default().nonce)
}

/// Whether a transaction of this kind does no more if it is there twice.
fn repeatable(payload: &Payload) -> bool {
    !matches!(payload, Payload::Transfer(_) | Payload::Deposit(_) | Payload::Withdraw(_))
}

impl Account {
    pub fn new(ledger: &dyn Ledger, key: SigningKey) -> Result<Self, LedgerError> {
        let next = nonce(ledger, &key)?;
        Ok(Self { key, rules: ledger.rules().clone(), next, way: VecDeque::new() })
    }

    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// A transaction, for the least fee.
    fn sign(&self, payload: &Payload, nonce: u64) -> Vec<u8> {
        let body = |fee| Body {
            chain_id: self.rules.chain_id.clone(),
            signer: self.key.public(),
            nonce,
            fee,
            payload: payload.clone(),
        };
        // Numbers are as long whatever they are, so the size is that of any fee.
        let size = body(0).sign(&self.key).encode().len();
        let fee = self.rules.fees.least(u64::try_from(size).unwrap_or(u64::MAX));
        body(fee).sign(&self.key).encode()
    }

    /// A transaction that takes a nonce and does nothing: a unit from the account to itself.
    pub fn filler(&self, nonce: u64) -> Vec<u8> {
        self.sign(&Payload::Transfer(Transfer { to: self.key.public(), amount: 1 }), nonce)
    }

    /// Signs a transaction with the next nonce and hands it in.
    pub fn send(
        &mut self,
        ledger: &dyn Ledger,
        payload: Payload,
        note: impl FnOnce(TxHash) -> bool,
    ) -> Result<Ticket, SendError> {
        if self.way.len() >= WAY_MAX {
            return Err(SendError::Full);
        }
        if self.way.is_empty() {
            // Nothing of ours is on its way, so the state knows best.
            self.next = nonce(ledger, &self.key).map_err(SendError::Ledger)?;
        }
        let bytes = self.sign(&payload, self.next);
        let hash = TxHash::of(&bytes);
        if !note(hash) {
            return Err(SendError::NotNoted);
        }
        let (fate, told) = channel();
        let sent = self.hand_in(ledger, payload, bytes, fate)?;
        let ticket = Ticket { hash: sent.hash, fate: told };
        self.way.push_back(sent);
        Ok(ticket)
    }

    /// Signs a transaction again whose nonce something else has used.
    pub fn again(&mut self, ledger: &dyn Ledger, sent: Sent) {
        if !repeatable(&sent.payload) {
            return sent.end(Fate::Gone);
        }
        let Sent { payload, fate, .. } = sent;
        let bytes = self.sign(&payload, self.next);
        match self.hand_in(ledger, payload, bytes, fate.clone()) {
            Ok(sent) => self.way.push_back(sent),
            Err(SendError::Refused(reason)) => {
                let _ = fate.send(Fate::Refused(reason));
            }
            Err(error) => {
                tracing::warn!(%error, "a transaction could not be handed in again");
                let _ = fate.send(Fate::Gone);
            }
        }
    }

    /// Hands in a signed transaction. One of which it is not known whether it arrived is on its way like one that did.
    fn hand_in(
        &mut self,
        ledger: &dyn Ledger,
        payload: Payload,
        mut bytes: Vec<u8>,
        fate: mpsc::Sender<Fate>,
    ) -> Result<Sent, SendError> {
        let height = ledger.height().map_err(SendError::Ledger)?;
        for _ in 0..TRIES {
            match ledger.submit(&bytes) {
                Ok(_) => break,
                Err(LedgerError::Refused(Rejection::NonceUsed)) => {
                    self.next = self.next.saturating_add(1).max(nonce(ledger, &self.key).map_err(SendError::Ledger)?);
                    bytes = self.sign(&payload, self.next);
                }
                Err(LedgerError::Refused(reason)) => return Err(SendError::Refused(reason)),
                Err(LedgerError::Full) => return Err(SendError::Full),
                Err(error) => {
                    tracing::warn!(%error, "it is not known whether a transaction was handed in");
                    break;
                }
            }
        }
        let (nonce, hash) = (self.next, TxHash::of(&bytes));
        self.next = nonce.saturating_add(1);
        let handed_in = (height, Instant::now());
        Ok(Sent { nonce, payload, bytes, hash, handed_in, filler: None, passed: None, fate })
    }
}
