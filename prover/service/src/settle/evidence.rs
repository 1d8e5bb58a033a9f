//! Evidence: that the ledger has a settlement, proven from the trusted root on, as an auditor will check it later.
//!
//! The state after a height is proven by the header of the next one, so evidence is of the last state but one. All that is waiting for it is proven by
//! the same header. What the ledger's node says is verified before it is kept: a node that lies is found out here and not by the auditor.
use std::collections::BTreeMap;

use assay_verifier::audit::{Attested, Ledger as Shown, Record, Sampled, Trust};
use assay_verifier::receipt::{Backend, Receipt, RequestId};
use assay_verifier::settlement::light::Trusted;
use assay_verifier::settlement::model::Model;
use assay_verifier::settlement::node::{Attestation, Measurement, Node};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Block, Settlement};
use assay_verifier::settlement::{self, Height, Versioned, keys};
use assay_verifier::signature::PublicKey;
use assay_verifier::wire::{self, Bytes};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::round::{Rounds, SettleError};
use super::samples::Provable;
use crate::jobs::Job;
use crate::jobs::states::{Payment, Proving as ProofState, Settlement as State};
use crate::ledger::{Ledger, LedgerError, Path, path};
use crate::storage::BlobId;

/// Settlements that are proven in a round.
const ROUND_MAX: usize = 256;

/// A state that is proven, and the records of it that were asked for.
struct Proven<'a> {
    ledger: &'a dyn Ledger,
    trust: &'a Trust,
    path: Path,
    height: Height,
    records: BTreeMap<Vec<u8>, Record>,
}

fn not_proven(what: &str) -> LedgerError {
    LedgerError::NotProven(what.into())
}

impl<'a> Proven<'a> {
    /// The state before the last block.
    fn new(ledger: &'a dyn Ledger, last: Height) -> Result<Self, LedgerError> {
        let trust = ledger.trust();
        let path = path(trust, &|height| ledger.light_block(height), last)?;
        Ok(Self { ledger, trust, path, height: last.saturating_sub(1), records: BTreeMap::new() })
    }

    /// The record under a key, with its proof, which was verified.
    fn record(&mut self, key: &[u8]) -> Result<Record, LedgerError> {
        self.find(key)?.ok_or_else(|| not_proven("a record that a settlement names is not there"))
    }

    /// The same of a record that need not be there.
    fn find(&mut self, key: &[u8]) -> Result<Option<Record>, LedgerError> {
        if let Some(record) = self.records.get(key) {
            return Ok(Some(record.clone()));
        }
        let shown = self.ledger.proven(key, self.height)?;
        let Some(value) = shown.value else { return Ok(None) };
        let end: &Trusted = &self.path.end;
        end.includes(self.height, key, Some(&value), &shown.proof)?;
        let record = Record { value: Bytes(value), proof: Bytes(shown.proof) };
        self.records.insert(key.to_vec(), record.clone());
        Ok(Some(record))
    }

    fn read<T: Serialize + DeserializeOwned>(&mut self, key: &[u8]) -> Result<(Record, T), LedgerError> {
        let record = self.record(key)?;
        let value = settlement::decode(&record.value.0)?;
        Ok((record, value))
    }

    /// That version of a record with a history which is wanted, from the last one back.
    fn version<T>(&mut self, key: &[u8], wanted: impl Fn(&Versioned<T>) -> bool) -> Result<Record, LedgerError>
    where
        Versioned<T>: Serialize + DeserializeOwned,
    {
        let (mut record, mut found) = self.read::<Versioned<T>>(key)?;
        while !wanted(&found) {
            let before = found
                .revision
                .checked_sub(1)
                .ok_or_else(|| not_proven("a version that a settlement names is not there"))?;
            (record, found) = self.read(&keys::version(key, before))?;
        }
        Ok(record)
    }

    /// What the ledger has of the node behind a receipt that is never settled.
    fn of_node(&mut self, receipt: &Receipt) -> Result<Shown, LedgerError> {
        let (block, at) = self.read::<Block>(keys::BLOCK)?;
        let height = at.height;
        let counts = |found: &Versioned<Attestation>| {
            (found.record.verified_ms..found.record.expires_ms).contains(&receipt.time_ms)
        };
        let enclave = receipt.backend == Backend::Tee;
        Ok(Shown {
            path: self.path.blocks.clone(),
            block,
            settlement: None,
            model: None,
            node: self.version::<Node>(&keys::node(receipt.node), |node| node.holds_at(height))?,
            rules: self.version::<Parameters>(keys::PARAMETERS, |rules| rules.holds_at(height))?,
            attestation: enclave.then(|| self.attested(receipt.node, height, counts)).transpose()?,
            sample: None,
        })
    }

    /// What the ledger has of a job.
    fn of(&mut self, job: &Job) -> Result<Shown, LedgerError> {
        let (block, at) = self.read::<Block>(keys::BLOCK)?;
        if at.height != self.height || self.trust.genesis.is_some_and(|genesis| genesis != at.genesis) {
            return Err(not_proven("the state is of another height or genesis"));
        }
        let (settlement, found) = self.read::<Settlement>(&keys::settlement(job.id))?;
        let answered = job.answered.as_ref().map(|answered| answered.receipt.digest());
        if found.request != job.id || Some(found.receipt) != answered || found.price != job.price {
            return Err(not_proven("the settlement is of another receipt"));
        }
        let model = self.version::<Model>(&keys::model(found.model), |model| model.revision == found.model_revision)?;
        let node = self.version::<Node>(&keys::node(found.node), |node| node.revision == found.node_revision)?;
        let rules = self.version::<Parameters>(keys::PARAMETERS, |rules| rules.holds_at(found.height))?;
        Ok(Shown {
            path: self.path.blocks.clone(),
            block,
            settlement: Some(settlement),
            model: Some(model),
            node,
            rules,
            attestation: found
                .attestation_revision
                .map(|wanted| self.attested(found.node, found.height, |attestation| attestation.revision == wanted))
                .transpose()?,
            sample: self.find(&keys::sample(job.id))?.map(|record| Sampled { record, proof: None }),
        })
    }

    /// An attestation of a node, as it counted at a height.
    fn attested(
        &mut self,
        node: PublicKey,
        height: Height,
        wanted: impl Fn(&Versioned<Attestation>) -> bool,
    ) -> Result<Attested, LedgerError> {
        let attestation = self.version(&keys::attestation(node), wanted)?;
        let Versioned { valid_from, record, .. }: Versioned<Attestation> = settlement::decode(&attestation.value.0)?;
        let measurement = keys::measurement(record.measurement);
        // The software may have been approved once more since it was attested; by that approval it counted then.
        let approved = |found: &Versioned<Measurement>| {
            let held = found.valid_from <= height && found.valid_to.is_none_or(|end| height <= end);
            held || found.revision <= record.measurement_revision
        };
        Ok(Attested {
            attestation,
            evidence: self.record(&keys::evidence(record.evidence))?,
            measurement: self.version(&measurement, approved)?,
            rules: self.version::<Parameters>(keys::PARAMETERS, |rules| rules.holds_at(valid_from))?,
        })
    }
}

/// The ledger's part of the bundle of an answer that is never settled: who its node is, and by which enclave it answered.
///
/// # Errors
/// The ledger does not answer, or has no such node.
pub fn of_node(ledger: &dyn Ledger, receipt: &Receipt) -> Result<Shown, LedgerError> {
    Proven::new(ledger, ledger.height()?)?.of_node(receipt)
}

impl Rounds {
    /// Proves what is in blocks, keeps the evidence, and counts the money as the node's.
    pub(super) fn prove(&mut self, now_ms: u64) -> Result<(), SettleError> {
        let open: Vec<RequestId> =
            self.included.iter().copied().filter(|id| !self.is_engaged(*id, now_ms)).take(ROUND_MAX).collect();
        if open.is_empty() {
            return Ok(());
        }
        let last = self.parts.ledger.height()?;
        let mut jobs = Vec::new();
        for id in open {
            match self.parts.jobs.get(id)? {
                Some(job) if job.states.settlement == State::Included => {
                    // The header that proves it is that of a later block.
                    if job.settled.is_some_and(|settled| settled.height < last) {
                        jobs.push(job);
                    }
                }
                _ => drop(self.included.remove(&id)),
            }
        }
        if jobs.is_empty() {
            return Ok(());
        }
        let ledger = self.parts.ledger.clone();
        let mut proven = Proven::new(&*ledger, last)?;
        for job in jobs {
            match proven.of(&job) {
                Ok(shown) => self.keep(&job, &shown, now_ms)?,
                Err(error) => {
                    tracing::error!(job = %job.id, %error, "a settlement that is in a block is not proven");
                    self.defer(job.id, now_ms);
                }
            }
        }
        Ok(())
    }

    /// What the ledger has of a job by now.
    pub(super) fn evidence(&self, job: &Job) -> Result<BlobId, SettleError> {
        let ledger = &*self.parts.ledger;
        let shown = Proven::new(ledger, ledger.height()?)?.of(job)?;
        Ok(self.parts.blobs.put(&wire::bytes(&shown))?)
    }

    fn keep(&mut self, job: &Job, shown: &Shown, now_ms: u64) -> Result<(), SettleError> {
        let evidence = self.parts.blobs.put(&wire::bytes(shown))?;
        let drawn = self.is_drawn(job, job.settled.map_or(0, |settled| settled.height))?;
        let provable = if drawn { (self.parts.provable)(job.model) } else { None };
        if drawn && provable.is_none() {
            tracing::error!(job = %job.id, "a settlement was drawn, and there is nothing here to prove it with");
        }
        self.parts.jobs.change(job.id, now_ms, move |job| {
            if let Some(settled) = &mut job.settled {
                settled.evidence = Some(evidence);
            }
            job.states.settlement = if drawn { State::Challenged } else { State::Verified };
            if let Some(Provable { proving, cost_us }) = provable {
                (job.proving, job.cost_us, job.deadline_ms) = (Some(proving), cost_us, None);
                job.states.proof = ProofState::Queued;
            }
            job.states.payment = Payment::Captured;
            job.failure = None;
            Ok(())
        })?;
        self.included.remove(&job.id);
        self.later.remove(&job.id);
        Ok(())
    }
}
