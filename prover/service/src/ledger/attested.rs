//! The attestation of a node that answers in an enclave: shown with its registration, and again before it expires.
use std::sync::Arc;
use std::time::Duration;

use assay_ledger::Rejection;
use assay_ledger::tx::{ApproveMeasurement, AttestNode, Payload, ShownEvidence, Transfer};
use assay_verifier::settlement::node::{Attestation, Measurement};
use assay_verifier::settlement::payment::BlockHash;
use assay_verifier::settlement::{Height, Versioned, keys};
use assay_verifier::tee::{Attested, Binding, authenticate};

use super::presence::{PresenceError, send};
use super::{Ledger, LedgerError, Sender, read};
use crate::attester::{Enclave, Times};
use crate::clock::now_ms;

/// The enclave of a node on a ledger.
pub struct Attesting {
    /// What makes the documents.
    pub enclave: Arc<Enclave>,
    /// Whether this node governs the chain, which is one of its own: then it approves the software that it runs.
    pub governs: bool,
}

impl Attesting {
    /// A document that is bound to a recent block.
    pub(super) fn show(&self, ledger: &dyn Ledger, sender: &Sender) -> Result<ShownEvidence, PresenceError> {
        let rules = ledger.rules();
        let (nonce_height, block) = nonce(ledger, sender)?;
        let binding = Binding::new(&rules.chain_id, sender.key(), block.hash);
        let times = Times { made_ms: block.time_ms, lifetime_ms: rules.attestation.lifetime_ms };
        let evidence = self.enclave.attest(binding, times)?;
        if self.governs {
            let known = authenticate(&evidence, &rules.trust_roots, &rules.attestation, block.time_ms);
            self.approve(ledger, sender, &known.map_err(PresenceError::Evidence)?)?;
        }
        Ok(ShownEvidence { evidence, nonce_height })
    }

    /// Approves the software that this node runs, unless it is approved.
    fn approve(&self, ledger: &dyn Ledger, sender: &Sender, attested: &Attested) -> Result<(), PresenceError> {
        let found: Option<Versioned<Measurement>> = read(ledger, &keys::measurement(attested.measurement()))?;
        let next = ledger.height()?.saturating_add(1);
        if found.is_some_and(|found| found.holds_at(next)) {
            return Ok(());
        }
        let software = format!("assay {}", env!("CARGO_PKG_VERSION"));
        let measurement = Measurement { platform: attested.platform, registers: attested.registers.clone(), software };
        match send(sender, Payload::ApproveMeasurement(ApproveMeasurement { measurement, expires: None })) {
            Err(PresenceError::Refused(Rejection::MeasurementExists)) => Ok(()),
            sent => sent,
        }
    }

    /// Shows a new document.
    pub(super) fn renew(&self, ledger: &dyn Ledger, sender: &Sender) -> Result<(), PresenceError> {
        let shown = self.show(ledger, sender)?;
        send(sender, Payload::AttestNode(Box::new(AttestNode { shown })))
    }

    /// How long until a new document is due: when the last one has counted for half of its time, so that there is time to try again.
    pub(super) fn due(&self, ledger: &dyn Ledger, sender: &Sender) -> Result<Duration, LedgerError> {
        let last: Option<Versioned<Attestation>> = read(ledger, &keys::attestation(sender.key()))?;
        let half = |last: &Attestation| last.expires_ms.saturating_sub(last.verified_ms) / 2;
        let next = last.map_or(0, |last| last.record.verified_ms.saturating_add(half(&last.record)));
        Ok(Duration::from_millis(next.saturating_sub(now_ms())))
    }
}

/// The last block, and what its document has to carry. If it was long ago, since nothing happened, there is a new one first.
fn nonce(ledger: &dyn Ledger, sender: &Sender) -> Result<(Height, BlockHash), PresenceError> {
    // The document is made as of that block, so most of its time must lie ahead.
    let policy = &ledger.rules().attestation;
    let age_max = (policy.age_max_ms / 2).min(policy.lifetime_ms / 4);
    let last = || -> Result<_, LedgerError> {
        let height = ledger.height()?;
        let found: Option<BlockHash> = read(ledger, &keys::block_hash(height))?;
        let fresh = found.filter(|found| now_ms().saturating_sub(found.time_ms) <= age_max);
        Ok(fresh.map(|found| (height, found)))
    };
    if let Some(found) = last()? {
        return Ok(found);
    }
    make_block(sender)?;
    last()?.ok_or_else(|| LedgerError::Unavailable("the last block is not remembered".into()).into())
}

/// A block, for whatever is in it: only a node can give a sign of life, and this may be none yet.
fn make_block(sender: &Sender) -> Result<(), PresenceError> {
    send(sender, Payload::Transfer(Transfer { to: sender.key(), amount: 1 }))
}
