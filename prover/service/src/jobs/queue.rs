//! Which job is proven next: a pure data structure, without clock or disk.
//!
//! Accounts share the provers by start-time fair queueing: each has a virtual time, which grows by the predicted cost of every job that is begun
//! for it, and the one that is furthest behind goes next. An account that comes back begins at the time of the others: who was away has saved
//! nothing up. Within an account the same rule shares between keys, that is between models, so that a slow model does not hold up a fast one; within a
//! key the order is that of acceptance. Two exceptions, both bounded in virtual time: a job that must begin soon to meet its deadline goes
//! first, and a key that the worker has loaded is preferred to one that it has not.
//!
//! For two accounts that both have jobs waiting all the time, what is begun for one exceeds what is begun for the other by at most one job's
//! cost of each and the two bounds.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use assay_verifier::digest::KeyDigest;
use assay_verifier::receipt::RequestId;
use assay_verifier::signature::PublicKey;

use super::job::{Job, Owner};
use super::rules::Rules;

/// Whom provers are shared between: who may read the job, and who pays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// Who may read it.
    pub owner: Owner,
    /// Who pays.
    pub payer: PublicKey,
}

impl Account {
    /// Of a job.
    pub fn of(job: &Job) -> Self {
        Self { owner: job.owner.clone(), payer: job.payer }
    }
}

/// A job that waits.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The job.
    pub id: RequestId,
    /// Its number in the order of acceptance.
    pub number: u64,
    /// Whose it is.
    pub account: Account,
    /// What it is proven under.
    pub key: KeyDigest,
    /// Predicted cost.
    pub cost_us: u64,
    /// Until when a proof is of use.
    pub deadline_ms: Option<u64>,
    /// It is not begun before.
    pub not_before_ms: u64,
}

impl Entry {
    /// When it must begin at the latest.
    fn begin_by_ms(&self) -> Option<u64> {
        self.deadline_ms.map(|deadline| deadline.saturating_sub(self.cost_us / 1_000))
    }
}

/// What a worker can do.
#[derive(Clone, Debug, Default)]
pub struct Able {
    /// Keys that it has loaded.
    pub loaded: Vec<KeyDigest>,
    /// Keys that it must not be given.
    pub barred: Vec<KeyDigest>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many will probably be begun before.
    pub ahead: usize,
    /// What these will probably take.
    pub ahead_us: u64,
    /// What it takes itself.
    pub own_us: u64,
}

/// The jobs of an account under one key.
#[derive(Default)]
struct Line {
    time: u64,
    jobs: BTreeMap<u64, (RequestId, u64)>,
    cost_us: u64,
}

/// The jobs of an account.
#[derive(Default)]
struct Share {
    time: u64,
    /// The time of the line that was served last.
    clock: u64,
    lines: HashMap<KeyDigest, Line>,
    count: usize,
    cost_us: u64,
}

impl Share {
    /// The first job of the line that is furthest behind, of those that are wanted: the line's time, the job's number, the job.
    fn behind(&self, wanted: impl Fn(&KeyDigest, &Line) -> bool) -> Option<(u64, u64, RequestId)> {
        let lines = self.lines.iter().filter(|(key, line)| wanted(key, line));
        let first = |line: &Line| line.jobs.iter().next().map(|(number, (id, _))| (line.time, *number, *id));
        lines.filter_map(|(_, line)| first(line)).min()
    }
}

/// The queue.
#[derive(Default)]
pub struct Queue {
    entries: HashMap<RequestId, Entry>,
    shares: HashMap<Account, Share>,
    /// The time of the account that was served last.
    clock: u64,
    /// By when jobs must begin.
    urgent: BTreeSet<(u64, u64, RequestId)>,
    /// Jobs whose time has not come.
    early: BTreeSet<(u64, u64, RequestId)>,
}

/// No job is free of cost, or its account could have any number of them.
const COST_MIN_US: u64 = 1_000;

impl Queue {
    /// How many wait, early ones included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether some can be begun.
    pub fn ripe(&self) -> bool {
        self.entries.len() > self.early.len()
    }

    /// Adds a job. Its time has come once [`Queue::ripen`] says so.
    pub fn insert(&mut self, entry: Entry) {
        self.remove(entry.id);
        if let Some(begin_by) = entry.begin_by_ms() {
            self.urgent.insert((begin_by, entry.number, entry.id));
        }
        if entry.not_before_ms > 0 {
            self.early.insert((entry.not_before_ms, entry.number, entry.id));
        } else {
            self.line_up(&entry);
        }
        self.entries.insert(entry.id, entry);
    }

    fn line_up(&mut self, entry: &Entry) {
        let clock = self.clock;
        let share = self.shares.entry(entry.account.clone()).or_default();
        if share.count == 0 {
            share.time = share.time.max(clock);
        }
        let line = share.lines.entry(entry.key).or_default();
        if line.jobs.is_empty() {
            line.time = line.time.max(share.clock);
        }
        let cost = entry.cost_us.max(COST_MIN_US);
        line.jobs.insert(entry.number, (entry.id, cost));
        line.cost_us += cost;
        share.cost_us += cost;
        share.count += 1;
    }

    /// Lines up the jobs whose time has come, and says whether there were any.
    pub fn ripen(&mut self, now_ms: u64) -> bool {
        let mut any = false;
        while let Some(&(time, number, id)) = self.early.first().filter(|(time, ..)| *time <= now_ms) {
            self.early.remove(&(time, number, id));
            if let Some(entry) = self.entries.get(&id).cloned() {
                self.line_up(&entry);
                any = true;
            }
        }
        any
    }

    /// Takes a job out.
    pub fn remove(&mut self, id: RequestId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        if let Some(begin_by) = entry.begin_by_ms() {
            self.urgent.remove(&(begin_by, entry.number, id));
        }
        let early = self.early.remove(&(entry.not_before_ms, entry.number, id));
        if let Some(share) = self.shares.get_mut(&entry.account).filter(|_| !early)
            && let Some(line) = share.lines.get_mut(&entry.key)
            && let Some((_, cost)) = line.jobs.remove(&entry.number)
        {
            line.cost_us -= cost;
            share.cost_us -= cost;
            share.count -= 1;
            // What is not ahead of the others need not be remembered.
            if line.jobs.is_empty() && line.time <= share.clock {
                share.lines.remove(&entry.key);
            }
            if share.count == 0 && share.time <= self.clock {
                self.shares.remove(&entry.account);
            }
        }
        Some(entry)
    }

    /// Jobs that cannot meet their deadlines any more, early ones included.
    pub fn late(&self, now_ms: u64) -> Vec<RequestId> {
        self.urgent.range(..(now_ms, 0, RequestId([0; 32]))).map(|&(.., id)| id).collect()
    }

    /// Takes out the job that goes next to a worker.
    pub fn take(&mut self, able: &Able, now_ms: u64, rules: &Rules) -> Option<Entry> {
        self.ripen(now_ms);
        let allowed = |key: &KeyDigest| !able.barred.contains(key);
        let first = |share: &Share| share.behind(|key, _| allowed(key)).map(|(_, number, id)| (share.time, number, id));
        let (least, _, next) = self.shares.values().filter_map(first).min()?;
        let urgent = self.soonest(least, now_ms, rules, allowed);
        let id = urgent.or_else(|| self.loaded(least, able, rules, allowed)).unwrap_or(next);
        self.clock = self.clock.max(least);
        self.charge(id);
        let entry = self.remove(id);
        self.purge();
        entry
    }

    /// The job that must begin soonest, if that is soon and its account is not too far ahead.
    fn soonest(
        &self,
        least: u64,
        now_ms: u64,
        rules: &Rules,
        allowed: impl Fn(&KeyDigest) -> bool,
    ) -> Option<RequestId> {
        let until = (now_ms.saturating_add(rules.urgent_ms), u64::MAX, RequestId([0xff; 32]));
        let ahead = least.saturating_add(rules.urgent_ahead_ms * 1_000);
        let fits = |entry: &&Entry| {
            let share = self.shares.get(&entry.account);
            let waits = share
                .and_then(|share| share.lines.get(&entry.key))
                .is_some_and(|line| line.jobs.contains_key(&entry.number));
            waits && allowed(&entry.key) && share.is_some_and(|share| share.time <= ahead)
        };
        let soon = self.urgent.range(..=until).filter_map(|(.., id)| self.entries.get(id));
        soon.filter(|entry| fits(entry)).map(|entry| entry.id).next()
    }

    /// The next job under a key that is loaded, of those that are not too far ahead.
    fn loaded(
        &self,
        least: u64,
        able: &Able,
        rules: &Rules,
        allowed: impl Fn(&KeyDigest) -> bool,
    ) -> Option<RequestId> {
        if able.loaded.is_empty() {
            return None;
        }
        let ahead = rules.loaded_ahead_ms * 1_000;
        let near = self.shares.values().filter(|share| share.time <= least.saturating_add(ahead));
        let best = |share: &Share| {
            let (behind, ..) = share.behind(|key, _| allowed(key))?;
            let wanted = |key: &KeyDigest, line: &Line| {
                allowed(key) && able.loaded.contains(key) && line.time <= behind.saturating_add(ahead)
            };
            share.behind(wanted).map(|(_, number, id)| (share.time, number, id))
        };
        near.filter_map(best).min().map(|(.., id)| id)
    }

    /// Counts a job as begun.
    fn charge(&mut self, id: RequestId) {
        let Some(entry) = self.entries.get(&id) else { return };
        let cost = entry.cost_us.max(COST_MIN_US);
        let Some(share) = self.shares.get_mut(&entry.account) else { return };
        share.time = share.time.saturating_add(cost);
        let least = share.behind(|_, _| true).map_or(0, |(time, ..)| time);
        share.clock = share.clock.max(least);
        if let Some(line) = share.lines.get_mut(&entry.key) {
            line.time = line.time.saturating_add(cost);
        }
    }

    /// Forgets accounts that have nothing and are not ahead, once they are many.
    fn purge(&mut self) {
        let busy = self.entries.len();
        if self.shares.len() > 2 * busy + 64 {
            let clock = self.clock;
            self.shares.retain(|_, share| share.count > 0 || share.time > clock);
        }
    }

    /// Where a job stands, if accounts and keys go in turns from now on.
    pub fn standing(&self, id: RequestId) -> Option<Standing> {
        let entry = self.entries.get(&id)?;
        let (mut ahead, mut ahead_us, own_us) = (0usize, 0u64, entry.cost_us.max(COST_MIN_US));
        let share = self.shares.get(&entry.account);
        if let Some(line) = share.and_then(|share| share.lines.get(&entry.key)) {
            for (_, (_, cost)) in line.jobs.range(..entry.number) {
                ahead += 1;
                ahead_us += cost;
            }
        }
        // While these and it are begun, each of the others gets as much.
        let (count, cost_us) = (ahead + 1, ahead_us + own_us);
        for (key, line) in share.iter().flat_map(|share| &share.lines) {
            if *key != entry.key {
                ahead += line.jobs.len().min(count);
                ahead_us += line.cost_us.min(cost_us);
            }
        }
        let (count, cost_us) = (ahead + 1, ahead_us + own_us);
        for (account, share) in &self.shares {
            if *account != entry.account {
                ahead += share.count.min(count);
                ahead_us += share.cost_us.min(cost_us);
            }
        }
        Some(Standing { ahead, ahead_us, own_us })
    }
}
