//! A worker has a job as long as it speaks, and nothing that comes under an older lease counts.
use assay_service::jobs::states::{Proving, Settlement};
use assay_service::jobs::{Able, Failure, Hold, Job, JobError, Owner, Progress, Rules, Stage};

use super::sample::*;

fn failure(retryable: bool) -> Failure {
    Failure { code: "proving".into(), text: "no memory".into(), retryable, attempt: 0 }
}

fn lease(store: &Store, worker: u8, now_ms: u64) -> Option<(Job, Hold)> {
    let job = store.lease(public(worker), Able::default(), now_ms).unwrap()?;
    let hold = Hold::of(&job).unwrap();
    Some((job, hold))
}

#[test]
fn a_job_goes_its_way_and_each_step_is_an_event() {
    let store = Store::new();
    store.accept(job(1), payload(1), None, START).unwrap();
    let (leased, hold) = lease(&store, 1, START).unwrap();
    assert_eq!((leased.states.proof, leased.attempts, hold.worker), (Proving::Assigned, 1, public(1)));
    assert!(lease(&store, 2, START).is_none());
    store.heartbeat(hold, Progress { stage: Stage::Loading, percent: 1 }, START + 1).unwrap();
    store.heartbeat(hold, Progress { stage: Stage::Proving, percent: 50 }, START + 2).unwrap();
    assert_eq!(store.waiting(id(1), START + 2).unwrap().progress.percent, 50);
    let proven = prove(&store, hold, START + 3).unwrap();
    assert_eq!((proven.states.proof, proven.lease), (Proving::Ready, None));
    assert_eq!(store.get(id(1)).unwrap(), Some(proven));
    let names: Vec<_> = store.events(id(1), 0, 99).unwrap().iter().map(|event| event.change.names().1).collect();
    assert_eq!(names, ["accepted", "assigned", "proving", "verifying", "ready"]);
    assert_eq!(store.waiting(id(1), START), None);
    // A worker that was not answered asks again, in vain and without harm.
    assert!(matches!(prove(&store, hold, START + 4), Err(JobError::Stale)));
}

#[test]
fn a_silent_worker_loses_the_job_and_is_fenced() {
    let rules = Rules::default();
    let store = Store::new();
    store.accept(job(1), payload(1), None, START).unwrap();
    let (_, old) = lease(&store, 1, START).unwrap();
    store.tick(START + rules.lease_ms).unwrap();
    store.heartbeat(old, Progress::default(), START + rules.lease_ms).unwrap();
    store.tick(START + 2 * rules.lease_ms).unwrap();
    assert_eq!(store.counts(START).leased, 1, "it spoke in time");
    let late = START + 2 * rules.lease_ms + 1;
    store.tick(late).unwrap();
    let requeued = store.get(id(1)).unwrap().unwrap();
    assert_eq!((requeued.states.proof, requeued.lease), (Proving::Queued, None));
    assert_eq!(requeued.failure.unwrap().code, "worker_silent");
    // After the pause the next one has it, under a higher number; the old one is refused everything.
    assert!(lease(&store, 2, late).is_none());
    let (_, new) = lease(&store, 2, late + rules.backoff_ms).unwrap();
    assert!(new.token > old.token);
    for hold in [old, Hold { worker: old.worker, ..new }, Hold { token: new.token + 1, ..new }] {
        assert!(matches!(store.heartbeat(hold, Progress::default(), late), Err(JobError::Stale)));
        assert!(matches!(store.hand_in(hold, late), Err(JobError::Stale)));
        assert!(matches!(store.give_up(hold, failure(true), late), Err(JobError::Stale)));
        assert!(matches!(store.give_back(hold, late), Err(JobError::Stale)));
        assert!(matches!(prove(&store, hold, late), Err(JobError::Stale)));
    }
    prove(&store, new, late + rules.backoff_ms).unwrap();
}

#[test]
fn failures_pause_ever_longer_and_end_some_day() {
    let rules = Rules { attempts_max: 4, ..Rules::default() };
    let store = Store::with(rules);
    store.accept(job(1), payload(1), None, START).unwrap();
    let mut now = START;
    let mut pauses = Vec::new();
    for attempt in 1..=4 {
        let (leased, hold) = lease(&store, attempt as u8, now).unwrap();
        assert_eq!(leased.attempts, attempt);
        store.give_up(hold, failure(true), now).unwrap();
        let job = store.get(id(1)).unwrap().unwrap();
        assert_eq!(job.failure.as_ref().unwrap().attempt, attempt);
        if attempt < 4 {
            assert_eq!(job.states.proof, Proving::Queued);
            pauses.push(job.not_before_ms - now);
            assert!(lease(&store, 9, job.not_before_ms - 1).is_none());
            now = job.not_before_ms;
        } else {
            assert_eq!((job.states.proof, job.failure.unwrap().retryable), (Proving::Failed, false));
        }
    }
    assert_eq!(pauses, [500, 1_000, 2_000]);
    assert!(lease(&store, 9, now + 1_000_000).is_none());
    // What is of no use is not tried again.
    store.accept(job(2), payload(2), None, START).unwrap();
    let (_, hold) = lease(&store, 1, now).unwrap();
    store.give_up(hold, failure(false), now).unwrap();
    assert_eq!(store.get(id(2)).unwrap().unwrap().states.proof, Proving::Failed);
}

#[test]
fn a_worker_that_stops_gives_its_job_back_without_a_mark() {
    let mut store = Store::new();
    store.accept(job(1), payload(1), None, START).unwrap();
    let (_, hold) = lease(&store, 1, START).unwrap();
    store.give_back(hold, START).unwrap();
    let (leased, _) = lease(&store, 2, START).unwrap();
    assert_eq!((leased.attempts, leased.failure), (1, None));
    // One that is known to be gone loses all it has.
    store.accept(job(2), payload(2), None, START).unwrap();
    lease(&store, 2, START).unwrap();
    store.reopen(START);
    let mut held = store.held_by(public(2));
    held.sort();
    let mut both = [id(1), id(2)];
    both.sort();
    assert_eq!(held, both);
    assert_eq!(store.release(public(2), START).unwrap(), 2);
    assert_eq!((store.counts(START).leased, store.counts(START).queued), (0, 2));
}

#[test]
fn leases_and_their_numbers_outlive_a_restart() {
    let rules = Rules::default();
    let mut store = Store::new();
    store.accept(job(1), payload(1), None, START).unwrap();
    store.accept(job(2), payload(2), None, START).unwrap();
    let (_, first) = lease(&store, 1, START).unwrap();
    store.hand_in(first, START).unwrap();
    // Away for long. Whoever still works has the whole time to say so.
    let back = START + 100 * rules.lease_ms;
    store.reopen(back);
    store.tick(back + rules.lease_ms).unwrap();
    let (_, second) = lease(&store, 2, back).unwrap();
    assert!(second.token > first.token);
    prove(&store, first, back).unwrap();
    store.reopen(back);
    store.tick(back + rules.lease_ms + 1).unwrap();
    assert!(matches!(store.heartbeat(second, Progress::default(), back), Err(JobError::Stale)));
}

#[test]
fn what_cannot_meet_its_deadline_expires() {
    let store = Store::new();
    for number in [1, 2] {
        let mut job = job(number);
        (job.deadline_ms, job.cost_us) = (Some(START + 10_000), 4_000_000);
        store.accept(job, payload(number), None, START).unwrap();
    }
    let (_, hold) = lease(&store, 1, START).unwrap();
    store.tick(START + 6_000).unwrap();
    assert_eq!(store.counts(START).queued, 1);
    store.tick(START + 6_001).unwrap();
    assert_eq!(store.get(id(2)).unwrap().unwrap().states.proof, Proving::Expired);
    // The one that was begun has until the deadline itself.
    store.heartbeat(hold, Progress::default(), START + 10_000).unwrap();
    store.tick(START + 10_000).unwrap();
    store.heartbeat(hold, Progress::default(), START + 10_000).unwrap();
    store.tick(START + 10_001).unwrap();
    let expired = store.get(id(1)).unwrap().unwrap();
    assert_eq!((expired.states.proof, expired.failure.unwrap().code.as_str()), (Proving::Expired, "deadline"));
    assert!(matches!(prove(&store, hold, START + 10_002), Err(JobError::Stale)));
    assert_eq!(expired.states.settlement, Settlement::None);
}

#[test]
fn a_quarantined_worker_gets_nothing_and_keeps_nothing() {
    let mut store = Store::new();
    store.accept(job(1), payload(1), None, START).unwrap();
    let (_, hold) = lease(&store, 1, START).unwrap();
    store.quarantine(public(1), "proof", "the proof does not hold", START).unwrap();
    assert!(matches!(prove(&store, hold, START), Err(JobError::Stale)));
    store.reopen(START + 1_000);
    let asked = store.lease(public(1), Able::default(), START + 1_000);
    assert!(matches!(asked, Err(JobError::Quarantined(worker)) if worker == public(1)));
    assert_eq!(store.quarantined()[0].code, "proof");
    let (leased, _) = lease(&store, 2, START + 1_000).unwrap();
    assert_eq!(leased.id, id(1));
    assert!(store.readmit(public(1)).unwrap());
    assert!(!store.readmit(public(1)).unwrap());
    assert!(lease(&store, 1, START + 1_000).is_none());
}

#[test]
fn workers_wait_for_work_and_are_woken() {
    let store = Store::new();
    let rung = store.rung();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| store.wait_for_work(rung, std::time::Duration::from_secs(60)));
        store.accept(job(1), payload(1), None, START).unwrap();
        waits.join().unwrap();
    });
    assert!(store.rung() > rung);
}

#[test]
fn the_place_in_the_queue_follows_from_what_others_have() {
    let store = Store::new();
    for number in 1..=4 {
        store.accept(job(number), payload(number), None, START).unwrap();
    }
    let mut other = job(5);
    other.owner = Owner("other".into());
    store.accept(other, payload(5), None, START).unwrap();
    let waiting = |number| store.waiting(id(number), START).map(|waiting| (waiting.position, waiting.eta_ms));
    assert_eq!(waiting(1), Some((1, 100)), "the other one may come first");
    assert_eq!(waiting(4), Some((4, 250)));
    assert_eq!(waiting(5), Some((1, 100)));
    assert_eq!(waiting(6), None);
}
