//! What is known of open jobs without the database: the queue, the leases, and who waits for what. Small entries only.
//!
//! The writer holds the lock from its first change until these are durable, so nobody sees here what could still be lost.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use assay_verifier::receipt::RequestId;
use assay_verifier::signature::PublicKey;

use super::error::JobError;
use super::job::Job;
use super::quarantine::Quarantined;
use super::queue::{Account, Entry, Queue};
use super::rules::Rules;
use super::states::{Execution, Payment, Proving, Settlement};
use super::watch::Progress;

/// A lease as it is kept in memory: a worker that speaks extends it without a write.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The worker.
    pub worker: PublicKey,
    /// The lease's number.
    pub token: u64,
    /// Until when it may be silent.
    pub until_ms: u64,
    /// Until when a proof is of use.
    pub deadline_ms: Option<u64>,
    /// Predicted cost.
    pub cost_us: u64,
    /// Whether the worker has said that it began.
    pub begun: bool,
    /// How far it is.
    pub progress: Progress,
}

/// Number and predicted cost of jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// How many.
    pub count: usize,
    /// What they take.
    pub cost_us: u64,
}

/// The index.
#[derive(Default)]
pub struct Index {
    /// Those that wait for a worker.
    pub queue: Queue,
    /// Those that a worker has.
    pub held: HashMap<RequestId, Held>,
    /// Those without an answer, by number.
    pub pending: BTreeMap<u64, RequestId>,
    /// Those that can be settled or are about to be, by deadline and number.
    pub settling: BTreeSet<(u64, u64, RequestId)>,
    /// Those with money set aside that no block has settled, by deadline and number.
    pub reserved: BTreeSet<(u64, u64, RequestId)>,
    /// Settlements that the ledger wants proven after all, by number.
    pub challenged: BTreeMap<u64, RequestId>,
    /// Workers that get nothing.
    pub quarantine: HashMap<PublicKey, Quarantined>,
    /// When workers asked last.
    pub asked: HashMap<PublicKey, u64>,
    /// Open jobs by state.
    pub states: BTreeMap<(&'static str, &'static str), usize>,
    /// What is to be proven, all and by account.
    total: Load,
    loads: HashMap<Account, Load>,
}

/// A worker that did not ask for so long is not counted upon.
const FORGET_MS: u64 = 60_000;

/// Whether a proof of it is still to be made.
fn to_be_proven(job: &Job) -> bool {
    let answered = job.states.execution == Execution::Done;
    job.proving.is_some()
        && job.states.execution != Execution::Failed
        && !job.states.proof.next().is_empty()
        && !(answered && job.states.proof == Proving::None)
}

/// The deadline of the money.
fn pay_by_ms(job: &Job) -> u64 {
    job.authorised.as_ref().map_or(u64::MAX, |authorised| authorised.authorisation.deadline_ms)
}

fn settles(job: &Job) -> bool {
    let states = &job.states;
    let shown = states.proof == Proving::Ready || (job.proving.is_none() && states.proof == Proving::None);
    let left = !matches!(states.settlement, Settlement::Challenged | Settlement::Verified | Settlement::Rejected);
    states.payment == Payment::Reserved && states.execution == Execution::Done && shown && left
}

fn refunds(job: &Job) -> bool {
    let settled = matches!(job.states.settlement, Settlement::Included | Settlement::Challenged | Settlement::Verified);
    job.states.payment == Payment::Reserved && !settled
}

impl Index {
    /// Follows a change of a job, which may be new or removed.
    pub fn follow(&mut self, number: u64, before: Option<&Job>, after: Option<&Job>) {
        let Some(id) = before.or(after).map(|job| job.id) else { return };
        if let Some(job) = before {
            self.count(
                job,
                |count| *count = count.saturating_sub(1),
                |load, cost| {
                    load.count = load.count.saturating_sub(1);
                    load.cost_us = load.cost_us.saturating_sub(cost);
                },
            );
            self.pending.remove(&number);
            self.challenged.remove(&number);
            self.settling.remove(&(pay_by_ms(job), number, id));
            self.reserved.remove(&(pay_by_ms(job), number, id));
        }
        let queued = after.filter(|job| job.states.proof == Proving::Queued);
        match queued.and_then(|job| Some((job, job.proving?))) {
            Some((job, proving)) => self.queue.insert(Entry {
                id,
                number,
                account: Account::of(job),
                key: proving.key,
                cost_us: job.cost_us,
                deadline_ms: job.deadline_ms,
                not_before_ms: job.not_before_ms,
            }),
            None => drop(self.queue.remove(id)),
        }
        match after.and_then(|job| job.lease.as_ref().map(|lease| (job, lease))) {
            None => drop(self.held.remove(&id)),
            Some((job, lease)) => {
                let fresh = Held {
                    worker: lease.worker,
                    token: lease.token,
                    until_ms: lease.until_ms,
                    deadline_ms: job.deadline_ms,
                    cost_us: job.cost_us,
                    begun: job.states.proof != Proving::Assigned,
                    progress: Progress::default(),
                };
                let held = self.held.entry(id).or_insert(fresh);
                *held = match held.token == fresh.token {
                    true => Held { progress: held.progress, until_ms: held.until_ms.max(fresh.until_ms), ..fresh },
                    false => fresh,
                };
            }
        }
        if let Some(job) = after.filter(|job| !job.states.over()) {
            self.count(
                job,
                |count| *count += 1,
                |load, cost| {
                    load.count += 1;
                    load.cost_us += cost;
                },
            );
            if matches!(job.states.execution, Execution::Pending | Execution::Running) {
                self.pending.insert(number, id);
            }
            if job.states.settlement == Settlement::Challenged {
                self.challenged.insert(number, id);
            }
            if settles(job) {
                self.settling.insert((pay_by_ms(job), number, id));
            }
            if refunds(job) {
                self.reserved.insert((pay_by_ms(job), number, id));
            }
        }
    }

    /// Counts a job in or out. Those that are over do not count.
    fn count(&mut self, job: &Job, count: impl Fn(&mut usize), load: impl Fn(&mut Load, u64)) {
        if job.states.over() {
            return;
        }
        let states = &job.states;
        let named = [
            ("execution", states.execution.name()),
            ("proof", states.proof.name()),
            ("settlement", states.settlement.name()),
            ("payment", states.payment.name()),
        ];
        named.into_iter().for_each(|name| count(self.states.entry(name).or_default()));
        if to_be_proven(job) {
            load(&mut self.total, job.cost_us);
            let account = Account::of(job);
            let own = self.loads.entry(account.clone()).or_default();
            load(own, job.cost_us);
            if own.count == 0 {
                self.loads.remove(&account);
            }
        }
    }

    /// How many workers are counted upon, one at least: the service's own begins when it is asked to.
    pub fn workers(&self, now_ms: u64) -> u64 {
        let asked = self.asked.values().filter(|time| **time + FORGET_MS > now_ms).count();
        (asked as u64).max(1)
    }

    /// Notes that a worker asked.
    pub fn asked(&mut self, worker: PublicKey, now_ms: u64) {
        if self.asked.len() > 1_000 {
            self.asked.retain(|_, time| *time + FORGET_MS > now_ms);
        }
        self.asked.insert(worker, now_ms);
    }

    /// What is to be proven.
    pub fn load(&self) -> Load {
        self.total
    }

    /// Whether one more job may wait.
    ///
    /// # Errors
    /// There is too much already, of all or of the account.
    pub fn admit(&self, job: &Job, now_ms: u64, rules: &Rules) -> Result<(), JobError> {
        if !to_be_proven(job) {
            return Ok(());
        }
        let workers = self.workers(now_ms);
        let own = self.loads.get(&Account::of(job)).copied().unwrap_or_default();
        let refused = |load: Load, share: u64| {
            let count = load.count as u64 >= rules.waiting_max as u64 / share;
            let backlog_ms = load.cost_us / 1_000 / workers;
            // One job is always accepted, however long it takes.
            let long = load.count > 0
                && backlog_ms.saturating_add(job.cost_us / 1_000 / workers) > rules.backlog_max_ms / share;
            (count || long).then_some(backlog_ms)
        };
        match refused(self.total, 1).or_else(|| refused(own, 2)) {
            // A tenth of it will be done by then.
            Some(backlog_ms) => Err(JobError::Busy { retry_after_ms: (backlog_ms / 10).clamp(1_000, 60_000) }),
            None => Ok(()),
        }
    }
}

impl Index {
    /// Jobs whose worker is silent, and jobs whose proof comes too late. Never one in both.
    pub fn due(&self, now_ms: u64) -> (Vec<RequestId>, Vec<RequestId>) {
        let mut late = self.queue.late(now_ms);
        let mut silent = Vec::new();
        for (id, held) in &self.held {
            if held.deadline_ms.is_some_and(|deadline| deadline < now_ms) {
                late.push(*id);
            } else if held.until_ms < now_ms {
                silent.push(*id);
            }
        }
        silent.sort();
        (silent, late)
    }
}
