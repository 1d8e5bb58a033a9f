//! A round: what came of transactions, what can be handed in, what can be proven, what was drawn, what is to be refunded.
use std::collections::{BTreeMap, BTreeSet};

use assay_verifier::receipt::RequestId;
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment::Settlement;
use thiserror::Error;

use super::Parts;
use super::flight::{Flight, Later};
use crate::jobs::states::Settlement as State;
use crate::jobs::{Job, JobError, Settled};
use crate::ledger::{LedgerError, read};
use crate::storage::BlobError;

/// Why a round was not finished. The next one begins anew.
#[derive(Debug, Error)]
pub enum SettleError {
    /// The jobs.
    #[error(transparent)]
    Jobs(#[from] JobError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The blobs.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// What goes round. Nothing in it is needed after a restart.
pub struct Rounds {
    pub(super) parts: Parts,
    /// Transactions on their way.
    pub(super) flights: Vec<Flight>,
    /// Jobs that are left alone for a while, after something went wrong that may go well later.
    pub(super) later: BTreeMap<RequestId, Later>,
    /// Jobs that are not to be in a batch.
    pub(super) alone: BTreeSet<RequestId>,
    /// Most leaves of a batch.
    pub(super) leaves_max: usize,
    /// Jobs that are in a block and not proven yet.
    pub(super) included: BTreeSet<RequestId>,
}

impl Rounds {
    /// Begins, at the start or after one.
    pub fn new(parts: Parts) -> Self {
        let leaves_max = usize::try_from(parts.ledger.rules().limits.batch_leaves_max).unwrap_or(usize::MAX);
        Self {
            parts,
            flights: Vec::new(),
            later: BTreeMap::new(),
            alone: BTreeSet::new(),
            leaves_max,
            included: BTreeSet::new(),
        }
    }

    /// Whether something is on its way.
    pub fn is_busy(&self) -> bool {
        !self.flights.is_empty() || !self.included.is_empty()
    }

    /// Goes round once.
    ///
    /// # Errors
    /// Jobs, ledger or blobs do not answer.
    pub fn round(&mut self, now_ms: u64) -> Result<(), SettleError> {
        self.land(now_ms)?;
        self.hand_in(now_ms)?;
        self.prove(now_ms)?;
        self.samples(now_ms)?;
        self.refund(now_ms)
    }

    /// Whether a job is on its way, or left alone for now.
    pub(super) fn is_engaged(&self, id: RequestId, now_ms: u64) -> bool {
        self.later.get(&id).is_some_and(|later| later.not_before_ms > now_ms)
            || self.flights.iter().any(|flight| flight.has(id))
    }

    /// Whether the ledger has settled a job by our receipt; if so, the job is told.
    pub(super) fn look(&mut self, job: &Job, now_ms: u64) -> Result<Looked, SettleError> {
        let found: Option<Settlement> = read(&*self.parts.ledger, &keys::settlement(job.id))?;
        let Some(found) = found else { return Ok(Looked::Open) };
        if job.answered.as_ref().is_none_or(|answered| answered.receipt.digest() != found.receipt) {
            return Ok(Looked::OtherReceipt);
        }
        if job.states.settlement == State::None {
            // Somebody else has handed in our receipt.
            self.parts.jobs.change(job.id, now_ms, |job| {
                job.states.settlement = State::Submitted;
                Ok(())
            })?;
        }
        self.parts.jobs.change(job.id, now_ms, move |job| {
            job.states.settlement = State::Included;
            job.settled = Some(Settled { height: found.height, time_ms: found.time_ms, evidence: None });
            Ok(())
        })?;
        self.later.remove(&job.id);
        self.alone.remove(&job.id);
        self.included.insert(job.id);
        Ok(Looked::Settled)
    }
}

/// What the ledger has of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// No settlement.
    Open,
    /// One by our receipt.
    Settled,
    /// One by another receipt.
    OtherReceipt,
}
