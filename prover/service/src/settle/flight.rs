//! Transactions on their way, and what comes of them.
use assay_ledger::Rejection;
use assay_verifier::receipt::RequestId;

use super::outcome::{Verdict, verdict};
use super::round::{Looked, Rounds, SettleError};
use crate::jobs::states::{Payment, Settlement as State};
use crate::jobs::{Failure, Job};
use crate::ledger::{Fate, Ticket};

/// The first pause after something that may go well later; each one is twice as long as the one before.
const PAUSE_MS: u64 = 1_000;
/// The longest one.
const PAUSE_MAX_MS: u64 = 60_000;

/// A transaction on its way.
pub struct Flight {
    pub ticket: Ticket,
    pub cargo: Cargo,
}

/// What it is to do.
#[derive(Clone, Debug)]
pub enum Cargo {
    /// To settle, one or many.
    Settle(Vec<RequestId>),
    /// To refund.
    Refund(RequestId),
    /// To show the proof of a sample.
    Sample(RequestId),
}

impl Flight {
    /// How many jobs it is about.
    pub fn count(&self) -> usize {
        match &self.cargo {
            Cargo::Settle(ids) => ids.len(),
            Cargo::Refund(_) | Cargo::Sample(_) => 1,
        }
    }

    /// Whether it is about a job.
    pub fn has(&self, id: RequestId) -> bool {
        match &self.cargo {
            Cargo::Settle(ids) => ids.contains(&id),
            Cargo::Refund(of) | Cargo::Sample(of) => *of == id,
        }
    }
}

/// A job that is left alone.
#[derive(Clone, Copy, Debug)]
pub struct Later {
    pub attempts: u32,
    pub not_before_ms: u64,
}

impl Rounds {
    /// Takes what has ended.
    pub(super) fn land(&mut self, now_ms: u64) -> Result<(), SettleError> {
        let mut flights = std::mem::take(&mut self.flights).into_iter();
        let mut outcome = Ok(());
        for flight in flights.by_ref() {
            match flight.ticket.look() {
                None => self.flights.push(flight),
                Some(fate) => outcome = self.ended(flight.cargo, fate, now_ms),
            }
            if outcome.is_err() {
                break;
            }
        }
        // Of those that were not looked at nothing is forgotten. One that ended in a fault is found again by its job.
        self.flights.extend(flights);
        outcome
    }

    /// What came of a transaction.
    pub(super) fn ended(&mut self, cargo: Cargo, fate: Fate, now_ms: u64) -> Result<(), SettleError> {
        let ids = match cargo {
            Cargo::Refund(id) => return self.refunded(id, &fate, now_ms),
            Cargo::Sample(id) => return self.shown(id, &fate, now_ms),
            Cargo::Settle(ids) => ids,
        };
        match fate {
            Fate::Done { leaves, .. } => {
                for (place, id) in ids.iter().enumerate() {
                    // A single settlement has no leaves.
                    match leaves.get(place).copied().unwrap_or_default() {
                        0 => self.settled(*id, now_ms)?,
                        code => self.refused(*id, code, now_ms)?,
                    }
                }
            }
            Fate::Refused(reason) if ids.len() > 1 => self.batch_refused(ids, reason),
            Fate::Refused(reason) => {
                for id in ids {
                    self.refused(id, reason.code(), now_ms)?;
                }
            }
            // What became of it the ledger's records say in the next round.
            Fate::Gone => {}
        }
        Ok(())
    }

    /// A block is said to have settled a job.
    fn settled(&mut self, id: RequestId, now_ms: u64) -> Result<(), SettleError> {
        let Some(job) = self.parts.jobs.get(id)? else { return Ok(()) };
        match self.look(&job, now_ms)? {
            Looked::Settled => Ok(()),
            // The node that was asked may be behind the one that said so.
            Looked::Open => {
                self.defer(id, now_ms);
                Ok(())
            }
            Looked::OtherReceipt => self.reject(&job, Rejection::RequestSettled.code(), now_ms),
        }
    }

    /// No leaf of a batch would be settled, or there is no room for it.
    fn batch_refused(&mut self, ids: Vec<RequestId>, reason: Rejection) {
        match reason {
            Rejection::TooLarge | Rejection::BlockBytes | Rejection::BlockWork | Rejection::BatchLength => {
                self.leaves_max = (ids.len() / 2).max(1);
            }
            // Each will say why.
            _ => self.alone.extend(ids),
        }
    }

    /// The ledger refuses a job.
    fn refused(&mut self, id: RequestId, code: u32, now_ms: u64) -> Result<(), SettleError> {
        let Some(job) = self.parts.jobs.get(id)? else { return Ok(()) };
        match verdict(code) {
            Verdict::Look => match self.look(&job, now_ms)? {
                Looked::Settled => Ok(()),
                Looked::Open | Looked::OtherReceipt => self.reject(&job, code, now_ms),
            },
            Verdict::Later => {
                if code == Rejection::HeartbeatMissed.code() {
                    self.beat();
                }
                let attempt = self.defer(id, now_ms);
                let failure = Failure { retryable: true, attempt, ..failure(code) };
                self.parts.jobs.change(id, now_ms, |job| {
                    job.failure = Some(failure);
                    Ok(())
                })?;
                Ok(())
            }
            Verdict::Final => self.reject(&job, code, now_ms),
        }
    }

    /// It will never be settled. What is set aside goes back after the deadline.
    pub(super) fn reject(&mut self, job: &Job, code: u32, now_ms: u64) -> Result<(), SettleError> {
        tracing::warn!(job = %job.id, code, "the ledger refuses a settlement for good");
        self.later.remove(&job.id);
        self.alone.remove(&job.id);
        self.parts.jobs.change(job.id, now_ms, move |job| {
            job.states.settlement = State::Rejected;
            job.failure = Some(failure(code));
            Ok(())
        })?;
        Ok(())
    }

    /// Leaves a job alone for a while; gives the number of the attempt.
    pub(super) fn defer(&mut self, id: RequestId, now_ms: u64) -> u32 {
        let attempts = self.later.get(&id).map_or(0, |later| later.attempts).saturating_add(1);
        let pause = PAUSE_MS.saturating_mul(1 << (attempts - 1).min(16)).min(PAUSE_MAX_MS);
        self.later.insert(id, Later { attempts, not_before_ms: now_ms.saturating_add(pause) });
        attempts
    }

    /// The node's sign of life was too old. Whether the next one arrives shows when the settlement is tried again.
    fn beat(&self) {
        let payload = assay_ledger::tx::Payload::Heartbeat(assay_ledger::tx::Heartbeat {});
        if let Err(error) = self.parts.sender.send(payload) {
            tracing::warn!(%error, "the node's heartbeat is not on the ledger");
        }
    }

    /// The payer has the money back.
    pub(super) fn pay_back(&mut self, id: RequestId, now_ms: u64) -> Result<(), SettleError> {
        self.later.remove(&id);
        self.parts.jobs.change(id, now_ms, |job| {
            if job.states.settlement == State::Submitted {
                job.states.settlement = State::Rejected;
                job.failure = Some(failure(Rejection::DeadlinePast.code()));
            }
            job.states.payment = Payment::Refunded;
            Ok(())
        })?;
        Ok(())
    }
}

/// A refusal as jobs keep it.
fn failure(code: u32) -> Failure {
    let (code, text) = match Rejection::of_code(code) {
        Some(reason) => (reason.name().to_owned(), reason.text().to_owned()),
        None => (format!("Code{code}"), "a reason that this version does not know".to_owned()),
    };
    Failure { code, text, retryable: false, attempt: 1 }
}
