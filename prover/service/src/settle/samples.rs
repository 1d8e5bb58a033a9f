//! Samples: settlements on the node's word that the chain has drawn. Each is proven after all, by the workers as any other job, and the proof is shown
//! to the ledger before the time for it has passed. One that is not proven costs stake.
use std::sync::Arc;

use assay_ledger::Rejection;
use assay_ledger::tx::{Payload, ProveSample};
use assay_verifier::receipt::{Backend, ModelId, Proving, RequestId};
use assay_verifier::settlement::model::Model;
use assay_verifier::settlement::payment::{BlockHash, Settlement};
use assay_verifier::settlement::sampling::{Outcome, Sample, Sampling, can_be_drawn};
use assay_verifier::settlement::{Height, Versioned, keys};
use assay_verifier::wire::Bytes;

use super::flight::{Cargo, Flight};
use super::outcome::{Verdict, verdict};
use super::round::{Rounds, SettleError};
use crate::jobs::states::{Proving as ProofState, Settlement as State};
use crate::jobs::{Failure, Job, Submitted};
use crate::ledger::{Fate, LedgerError, SendError, read};

/// Samples that are looked at in a round.
const ROUND_MAX: usize = 64;

/// What makes a proof of a model's answers that were given without one.
#[derive(Clone, Copy, Debug)]
pub struct Provable {
    /// Engine and key, which must take public inputs.
    pub proving: Proving,
    /// Predicted time, in microseconds.
    pub cost_us: u64,
}

/// Finds what proves a model's answers, if this node has it.
pub type FindProvable = Arc<dyn Fn(ModelId) -> Option<Provable> + Send + Sync>;

impl Rounds {
    /// Whether a settlement was drawn. The block after it, which draws, must be there.
    pub(super) fn is_drawn(&self, job: &Job, settled: Height) -> Result<bool, LedgerError> {
        if job.backend == Backend::Zkml {
            return Ok(false);
        }
        let ledger = &*self.parts.ledger;
        let decides = keys::block_hash(Sampling::drawn_at(settled));
        let Some(BlockHash { hash, .. }) = read(ledger, &decides)? else {
            // Too long ago to be drawn.
            return Ok(false);
        };
        let settlement: Option<Settlement> = read(ledger, &keys::settlement(job.id))?;
        let model: Option<Versioned<Model>> = read(ledger, &keys::model(job.model))?;
        let (Some(settlement), Some(model)) = (settlement, model) else { return Ok(false) };
        Ok(can_be_drawn(&settlement, &model.record) && ledger.rules().sampling.draws(&hash, job.id))
    }

    /// Shows the ledger the proofs of samples that are there.
    pub(super) fn samples(&mut self, now_ms: u64) -> Result<(), SettleError> {
        let engaged = self.later.len() + self.flights.iter().map(Flight::count).sum::<usize>();
        let challenged = self.parts.jobs.challenged(ROUND_MAX + engaged);
        let open: Vec<RequestId> = challenged.into_iter().filter(|id| !self.is_engaged(*id, now_ms)).collect();
        for id in open.into_iter().take(ROUND_MAX) {
            let Some(job) = self.parts.jobs.get(id)? else { continue };
            if self.concluded(&job, now_ms)? {
                continue;
            }
            match (job.states.proof, job.proof, job.proving) {
                (ProofState::Ready, Some(proof), Some(proving)) => {
                    let file = self.parts.blobs.get(proof.blob)?;
                    self.show(&job, proving, file, now_ms)?;
                }
                // There will be no proof. What that costs the ledger says in time.
                (ProofState::None | ProofState::Failed | ProofState::Cancelled | ProofState::Expired, ..) => {
                    self.defer(id, now_ms);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes over what the ledger says became of a sample, if it does.
    fn concluded(&mut self, job: &Job, now_ms: u64) -> Result<bool, SettleError> {
        let ledger = &*self.parts.ledger;
        let sampling = ledger.rules().sampling;
        let found: Option<Sample> = read(ledger, &keys::sample(job.id))?;
        // The header that proves the record is that of the next block.
        if found.is_some_and(|sample| sample.height >= ledger.height().unwrap_or(0)) {
            return Ok(true);
        }
        let evidence = found.map(|_| self.evidence(job)).transpose()?;
        let failure = match found.map(|sample| sample.outcome) {
            Some(Outcome::Proven(..)) => None,
            Some(Outcome::Missed(cut)) => {
                Some(format!("it was drawn and not proven in time, which cost {cut} of the stake"))
            }
            None => {
                let settled = job.settled.map_or(0, |settled| settled.height);
                // As long after the time for the proof nobody can ask for the penalty any more.
                if ledger.height()? < sampling.free_from(settled) {
                    return Ok(false);
                }
                Some("it was drawn and not proven in time".into())
            }
        };
        self.later.remove(&job.id);
        self.parts.jobs.change(job.id, now_ms, move |job| {
            job.states.settlement = if failure.is_none() { State::Verified } else { State::Rejected };
            if let (Some(settled), Some(evidence)) = (&mut job.settled, evidence) {
                settled.evidence = Some(evidence);
            }
            job.failure =
                failure.map(|text| Failure { code: "sample_missed".into(), text, retryable: false, attempt: 1 });
            Ok(())
        })?;
        Ok(true)
    }

    fn show(&mut self, job: &Job, proving: Proving, proof: Vec<u8>, now_ms: u64) -> Result<(), SettleError> {
        let Some(answered) = &job.answered else { return Ok(()) };
        let (receipt, id) = (answered.receipt.clone(), job.id);
        let payload = Payload::ProveSample(Box::new(ProveSample { receipt, key: proving.key, proof: Bytes(proof) }));
        let jobs = self.parts.jobs.clone();
        let mut fault = None;
        let note = |hash| {
            fault = jobs
                .change(id, now_ms, move |job| {
                    job.submitted = Some(Submitted { hash, time_ms: now_ms });
                    Ok(())
                })
                .err();
            fault.is_none()
        };
        let cargo = Cargo::Sample(id);
        match self.parts.sender.send_noted(payload, note) {
            Ok(ticket) => self.flights.push(Flight { ticket, cargo }),
            Err(SendError::Refused(reason)) => self.ended(cargo, Fate::Refused(reason), now_ms)?,
            Err(error) => {
                tracing::warn!(%error, "the proof of a sample is not handed in");
                self.defer(id, now_ms);
            }
        }
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// What came of a proof that was shown. The next round reads what the ledger says.
    pub(super) fn shown(&mut self, id: RequestId, fate: &Fate, now_ms: u64) -> Result<(), SettleError> {
        let Fate::Refused(reason) = fate else { return Ok(()) };
        tracing::warn!(job = %id, code = reason.code(), "the ledger refuses the proof of a sample");
        if *reason != Rejection::SampleConcluded && verdict(reason.code()) == Verdict::Final {
            let (code, text) = (reason.name().to_owned(), reason.text().to_owned());
            self.parts.jobs.change(id, now_ms, |job| {
                job.failure = Some(Failure { code, text, retryable: false, attempt: 1 });
                Ok(())
            })?;
        }
        self.defer(id, now_ms);
        Ok(())
    }
}
