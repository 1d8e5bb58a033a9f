//! Lists of jobs: by page for people, by what is to be done for the other parts of the service, and numbers for operators.
use std::collections::BTreeMap;
use std::time::Duration;

use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{ModelId, RequestId};
use redb::ReadableDatabase;

use super::error::JobError;
use super::index::Index;
use super::job::{Job, Owner};
use super::states::{Execution, Payment, Proving, Settlement};
use super::store::Jobs;
use super::tables::{EVIDENCE, JOBS, NUMBERS, OWNED, record};
use super::watch::Progress;

/// Which jobs are listed: those that have all that is named.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this version of a model.
    pub model: Option<ModelId>,
    /// In this state of the answer.
    pub execution: Option<Execution>,
    /// In this state of the proof.
    pub proof: Option<Proving>,
    /// In this state of the settlement.
    pub settlement: Option<Settlement>,
    /// In this state of the payment.
    pub payment: Option<Payment>,
}

impl Filter {
    fn takes(&self, job: &Job) -> bool {
        let states = &job.states;
        self.model.is_none_or(|model| job.model == model)
            && self.execution.is_none_or(|state| states.execution == state)
            && self.proof.is_none_or(|state| states.proof == state)
            && self.settlement.is_none_or(|state| states.settlement == state)
            && self.payment.is_none_or(|state| states.payment == state)
    }
}

/// A page of jobs, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Where the next page begins, if there may be one. Jobs that come later do not move it.
    pub next: Option<u64>,
}

/// Jobs that are looked at for one page: a filter that takes few must not read everything at once.
const LOOKED_AT: usize = 2_000;

/// How long a job will probably wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How many proofs will probably be begun before its own; 0 too if it is being proven.
    pub position: usize,
    /// When its proof will probably be there, counted from now.
    pub eta_ms: u64,
    /// How far its worker is.
    pub progress: Progress,
}

/// Numbers for operators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that wait for a worker.
    pub queued: usize,
    /// Jobs that a worker has.
    pub leased: usize,
    /// Jobs whose proof is to be made, those included that have no answer yet.
    pub to_prove: usize,
    /// What these will probably take, in microseconds of proving.
    pub to_prove_us: u64,
    /// Workers that asked lately, one at least.
    pub workers: u64,
    /// Workers that get nothing.
    pub quarantined: usize,
    /// Jobs that are not over, by state: its kind and its name.
    pub states: BTreeMap<(&'static str, &'static str), usize>,
}

impl Jobs {
    /// A page of jobs, of one owner or of all, before a cursor or from the newest.
    ///
    /// # Errors
    /// The database's.
    pub fn list(
        &self,
        owner: Option<&Owner>,
        filter: &Filter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, JobError> {
        let transaction = self.database().begin_read()?;
        let (jobs, before) = (transaction.open_table(JOBS)?, before.unwrap_or(u64::MAX));
        let mut page = Page { jobs: Vec::new(), next: None };
        let mut take = |number: u64, id: [u8; 32], looked: usize| -> Result<bool, JobError> {
            page.next = Some(number);
            let found = record(&jobs, RequestId(id))?.map(|record| record.job);
            page.jobs.extend(found.filter(|job| filter.takes(job)));
            Ok(page.jobs.len() < limit && looked < LOOKED_AT)
        };
        match owner {
            Some(Owner(owner)) => {
                let owned = transaction.open_table(OWNED)?;
                for (looked, entry) in owned.range((owner.as_str(), 0)..(owner.as_str(), before))?.rev().enumerate() {
                    let (key, id) = entry?;
                    if !take(key.value().1, id.value(), looked + 1)? {
                        return Ok(page);
                    }
                }
            }
            None => {
                let numbers = transaction.open_table(NUMBERS)?;
                for (looked, entry) in numbers.range(..before)?.rev().enumerate() {
                    let (number, id) = entry?;
                    if !take(number.value(), id.value(), looked + 1)? {
                        return Ok(page);
                    }
                }
            }
        }
        page.next = None;
        Ok(page)
    }

    /// The job that a receipt or a proof belongs to, by its digest.
    ///
    /// # Errors
    /// The database's.
    pub fn of_evidence(&self, digest: Digest32) -> Result<Option<RequestId>, JobError> {
        let transaction = self.database().begin_read()?;
        let found = transaction.open_table(EVIDENCE)?.get(digest.0)?;
        Ok(found.map(|id| RequestId(id.value())))
    }

    /// Jobs without an answer, oldest first: what is to be taken up after a start.
    pub fn pending_execution(&self) -> Vec<RequestId> {
        self.index().pending.values().copied().collect()
    }

    /// Jobs that can be settled or are about to be, those first whose deadline is nearest, at most so many.
    pub fn awaiting_settlement(&self, most: usize) -> Vec<RequestId> {
        self.index().settling.iter().take(most).map(|&(.., id)| id).collect()
    }

    /// Settled jobs that the ledger wants proven after all, oldest first, at most so many.
    pub fn challenged(&self, most: usize) -> Vec<RequestId> {
        self.index().challenged.values().take(most).copied().collect()
    }

    /// Jobs whose money is set aside although its deadline has passed, at most so many.
    pub fn awaiting_refund(&self, now_ms: u64, most: usize) -> Vec<RequestId> {
        let index = self.index();
        let due = index.reserved.iter().take_while(|(deadline, ..)| *deadline < now_ms);
        due.take(most).map(|&(.., id)| id).collect()
    }

    /// How long a job will probably wait, if its proof is to be made or being made.
    pub fn waiting(&self, id: RequestId, now_ms: u64) -> Option<Waiting> {
        let index = self.index();
        if let Some(held) = index.held.get(&id) {
            return Some(Waiting {
                position: 0,
                eta_ms: left_us(held.cost_us, held.progress) / 1_000,
                progress: held.progress,
            });
        }
        let standing = index.queue.standing(id)?;
        let running: u64 = index.held.values().map(|held| left_us(held.cost_us, held.progress)).sum();
        let before_us = (standing.ahead_us + running) / index.workers(now_ms);
        let eta_ms = (before_us + standing.own_us) / 1_000;
        Some(Waiting { position: standing.ahead, eta_ms, progress: Progress::default() })
    }

    /// Numbers for operators.
    pub fn counts(&self, now_ms: u64) -> Counts {
        let index: &Index = &self.index();
        let load = index.load();
        Counts {
            queued: index.queue.len(),
            leased: index.held.len(),
            to_prove: load.count,
            to_prove_us: load.cost_us,
            workers: index.workers(now_ms),
            quarantined: index.quarantine.len(),
            states: index.states.iter().filter(|(_, count)| **count > 0).map(|(name, count)| (*name, *count)).collect(),
        }
    }

    /// How often workers were told that there may be something for them; see [`Jobs::wait_for_work`].
    pub fn rung(&self) -> u64 {
        self.watchers().rung()
    }

    /// Waits until workers were told more often than that, or so long. Ask for a job between the two.
    pub fn wait_for_work(&self, rung: u64, longest: Duration) {
        self.watchers().wait(rung, longest);
    }
}

/// What is left of a proof.
fn left_us(cost_us: u64, progress: Progress) -> u64 {
    cost_us / 100 * u64::from(100u8.saturating_sub(progress.percent))
}
