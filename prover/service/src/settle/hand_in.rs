//! Handing in: settlements by themselves when little is to do, so that each is in the next block, and in batches otherwise.
use assay_ledger::Rejection;
use assay_ledger::tx::{Evidence, Payload, Settle, SettleBatch, TxHash};
use assay_verifier::receipt::{Backend, RequestId};
use assay_verifier::wire::{self, Bytes};

use super::flight::{Cargo, Flight};
use super::round::{Looked, Rounds, SettleError};
use crate::jobs::states::Settlement as State;
use crate::jobs::{Job, JobError, Submitted};
use crate::ledger::{Fate, SendError};
use crate::storage::BlobError;

/// Transactions on their way at once. What comes meanwhile gathers for a batch.
const FLIGHTS_MAX: usize = 4;
/// Jobs that are looked at in a round.
const ROUND_MAX: usize = 256;
/// What a transaction has beside its leaves.
const ENVELOPE: usize = 1_024;

/// A settlement that can be handed in.
struct Leaf {
    id: RequestId,
    settle: Settle,
    size: usize,
}

impl Rounds {
    /// Hands in what is ready, those first whose deadline is next.
    pub(super) fn hand_in(&mut self, now_ms: u64) -> Result<(), SettleError> {
        let settling = |flight: &&Flight| matches!(flight.cargo, Cargo::Settle(_));
        let mut free = FLIGHTS_MAX.saturating_sub(self.flights.iter().filter(settling).count());
        if free == 0 {
            return Ok(());
        }
        let passed_over =
            self.included.len() + self.later.len() + self.flights.iter().map(Flight::count).sum::<usize>();
        let waiting = self.parts.jobs.awaiting_settlement(ROUND_MAX + passed_over);
        let ready = waiting.into_iter().filter(|id| !self.included.contains(id) && !self.is_engaged(*id, now_ms));
        let ready: Vec<RequestId> = ready.take(ROUND_MAX).collect();
        let mut batch = Vec::new();
        let mut size = ENVELOPE;
        let room = usize::try_from(self.parts.ledger.rules().limits.tx_bytes_max).unwrap_or(usize::MAX);
        for id in ready {
            let Some(leaf) = self.leaf(id, now_ms)? else { continue };
            let full = size.saturating_add(leaf.size) > room || batch.len() >= self.leaves_max;
            let alone = self.alone.contains(&id);
            if !batch.is_empty() && (full || alone) {
                self.fly(std::mem::take(&mut batch), now_ms)?;
                size = ENVELOPE;
                free -= 1;
            }
            if free == 0 {
                return Ok(());
            }
            size = size.saturating_add(leaf.size);
            batch.push(leaf);
            if alone {
                self.fly(std::mem::take(&mut batch), now_ms)?;
                size = ENVELOPE;
                free -= 1;
            }
            if free == 0 {
                return Ok(());
            }
        }
        if batch.is_empty() { Ok(()) } else { self.fly(batch, now_ms) }
    }

    /// The settlement of a job, unless there is one, or none can be made.
    fn leaf(&mut self, id: RequestId, now_ms: u64) -> Result<Option<Leaf>, SettleError> {
        let Some(job) = self.parts.jobs.get(id)? else { return Ok(None) };
        match job.states.settlement {
            State::Included => {
                self.included.insert(id);
                return Ok(None);
            }
            // It was handed in before, maybe in another life of this program.
            State::Submitted => match self.look(&job, now_ms)? {
                Looked::Open => {}
                Looked::Settled => return Ok(None),
                Looked::OtherReceipt => {
                    self.reject(&job, Rejection::RequestSettled.code(), now_ms)?;
                    return Ok(None);
                }
            },
            State::None => {}
            State::Challenged | State::Verified | State::Rejected => return Ok(None),
        }
        let deadline_ms = job.authorised.map_or(0, |authorised| authorised.authorisation.deadline_ms);
        if deadline_ms < now_ms {
            self.reject(&job, Rejection::DeadlinePast.code(), now_ms)?;
            return Ok(None);
        }
        let Some(settle) = self.settlement(&job, now_ms)? else { return Ok(None) };
        let size = wire::bytes(&settle).len();
        Ok(Some(Leaf { id, settle, size }))
    }

    fn settlement(&mut self, job: &Job, now_ms: u64) -> Result<Option<Settle>, SettleError> {
        let Some(receipt) = job.answered.clone() else { return Ok(None) };
        let evidence = match (job.backend, &job.proof) {
            (Backend::Zkml, Some(proof)) => match self.parts.blobs.get(proof.blob) {
                Ok(bytes) => Evidence::Proof(Bytes(bytes)),
                Err(error @ (BlobError::Missing(_) | BlobError::Damaged(_))) => {
                    tracing::error!(job = %job.id, %error, "a proof that is to be settled is lost");
                    self.defer(job.id, now_ms);
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            },
            (Backend::Vanilla | Backend::Tee, None) => Evidence::Signature,
            _ => return Ok(None),
        };
        Ok(Some(Settle { receipt, evidence }))
    }

    /// Hands in a transaction, which the jobs know of before.
    fn fly(&mut self, leaves: Vec<Leaf>, now_ms: u64) -> Result<(), SettleError> {
        let (ids, mut leaves): (Vec<_>, Vec<_>) = leaves.into_iter().map(|leaf| (leaf.id, leaf.settle)).unzip();
        let payload = match (leaves.pop(), leaves.is_empty()) {
            (Some(single), true) => Payload::Settle(Box::new(single)),
            (last, _) => {
                leaves.extend(last);
                Payload::SettleBatch(SettleBatch { leaves })
            }
        };
        let jobs = &self.parts.jobs;
        let mut fault = None;
        let note = |hash| {
            fault = jobs.change_all(ids.clone(), now_ms, move |job| submitted(job, hash, now_ms)).err();
            fault.is_none()
        };
        let cargo = Cargo::Settle(ids.clone());
        match self.parts.sender.send_noted(payload, note) {
            Ok(ticket) => self.flights.push(Flight { ticket, cargo }),
            Err(SendError::Refused(reason)) => self.ended(cargo, Fate::Refused(reason), now_ms)?,
            // There will be room.
            Err(SendError::Full) => {}
            Err(error) => {
                tracing::warn!(%error, "settlements are not handed in");
                for id in ids {
                    self.defer(id, now_ms);
                }
            }
        }
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }
}

fn submitted(job: &mut Job, hash: TxHash, time_ms: u64) -> Result<(), JobError> {
    job.states.settlement = State::Submitted;
    job.submitted = Some(Submitted { hash, time_ms });
    Ok(())
}
