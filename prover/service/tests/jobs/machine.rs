//! Whatever is done in whatever order, with restarts in between: states move legally, no job is lost, numbers of leases rise.
use std::collections::BTreeMap;

use assay_service::jobs::states::{Execution, Proving};
use assay_service::jobs::{Able, Change, Failure, Hold, JobError, Owner, Progress, Rules};
use proptest::prelude::*;

use super::sample::*;

#[derive(Clone, Debug)]
enum Step {
    Accept { owner: u8, model: u8, cost_ms: u64, deadline_ms: Option<u64>, answered: bool },
    Answer(usize),
    Lease { worker: u8, loaded: u8 },
    Heartbeat(usize),
    HandIn(usize),
    Prove(usize),
    GiveUp(usize, bool),
    GiveBack(usize),
    Cancel(usize),
    Wait(u64),
    Tick,
    Quarantine(u8),
    Readmit(u8),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let deadline = prop::option::weighted(0.3, 0u64..60_000);
    let accept = (0u8..3, 0u8..3, 1u64..3_000, deadline, any::<bool>()).prop_map(
        |(owner, model, cost_ms, deadline_ms, answered)| Step::Accept { owner, model, cost_ms, deadline_ms, answered },
    );
    let which = 0usize..64;
    prop_oneof![
        6 => accept,
        3 => which.clone().prop_map(Step::Answer),
        6 => (0u8..3, 0u8..3).prop_map(|(worker, loaded)| Step::Lease { worker, loaded }),
        2 => which.clone().prop_map(Step::Heartbeat),
        2 => which.clone().prop_map(Step::HandIn),
        3 => which.clone().prop_map(Step::Prove),
        2 => (which.clone(), any::<bool>()).prop_map(|(which, retryable)| Step::GiveUp(which, retryable)),
        1 => which.clone().prop_map(Step::GiveBack),
        1 => which.prop_map(Step::Cancel),
        3 => (0u64..15_000).prop_map(Step::Wait),
        3 => Just(Step::Tick),
        1 => (0u8..3).prop_map(Step::Quarantine),
        1 => (0u8..3).prop_map(Step::Readmit),
        1 => Just(Step::Reopen),
    ]
}

/// What a simple list would know.
#[derive(Default)]
struct Model {
    jobs: Vec<u64>,
    /// Every lease that was ever given.
    holds: Vec<Hold>,
    /// The one that counts, by job.
    live: BTreeMap<u64, Hold>,
    last_token: u64,
}

impl Model {
    fn hold(&self, which: usize) -> Option<(u64, Hold, bool)> {
        let hold = *self.holds.get(which % self.holds.len().max(1))?;
        let number = *self.jobs.iter().find(|number| id(**number) == hold.job)?;
        Some((number, hold, self.live.get(&number) == Some(&hold)))
    }

    /// What is kept follows from the events, and these are legal.
    fn check(&mut self, store: &Store) -> Result<(), TestCaseError> {
        let mut queued = 0;
        for number in &self.jobs {
            let job = store.get(id(*number)).unwrap();
            prop_assert!(job.is_some(), "job {number} is lost");
            let job = job.unwrap();
            let events = store.events(id(*number), 0, 1_000).unwrap();
            let (mut execution, mut proof) = (None, None);
            for (place, event) in (1..).zip(&events) {
                prop_assert_eq!(event.number, place);
                match event.change {
                    Change::Execution(to) => {
                        prop_assert!(execution.is_none_or(|from: Execution| from.next().contains(&to)));
                        execution = Some(to);
                    }
                    Change::Proof(to) => {
                        prop_assert!(proof.is_none_or(|from: Proving| from.next().contains(&to)), "{proof:?} to {to}");
                        proof = Some(to);
                    }
                    _ => {}
                }
            }
            prop_assert!(proof.is_none_or(|proof| proof == job.states.proof));
            prop_assert!(execution.is_none_or(|execution| execution == job.states.execution));
            let with_worker = matches!(job.states.proof, Proving::Assigned | Proving::Proving | Proving::Verifying);
            prop_assert_eq!(with_worker, job.lease.is_some());
            prop_assert_eq!(Hold::of(&job), self.live.get(number).copied(), "one lease, the last one");
            queued += usize::from(job.states.proof == Proving::Queued);
        }
        let counts = store.counts(START);
        prop_assert_eq!((counts.queued, counts.leased), (queued, self.live.len()));
        Ok(())
    }

    /// Leases that ended by themselves.
    fn refresh(&mut self, store: &Store) {
        self.live.retain(|number, hold| Hold::of(&store.get(id(*number)).unwrap().unwrap()) == Some(*hold));
    }
}

fn apply(store: &mut Store, model: &mut Model, now: &mut u64, step: Step) -> Result<(), TestCaseError> {
    let failure = |retryable| Failure { code: "x".into(), text: String::new(), retryable, attempt: 0 };
    // What comes under a lease is done exactly if the lease is the last one and lives.
    macro_rules! under_lease {
        ($which:expr, |$hold:ident| $do:expr, $ends:expr) => {
            if let Some((number, $hold, live)) = model.hold($which) {
                let done = $do;
                match live {
                    true => prop_assert!(done.is_ok(), "{done:?}"),
                    false => prop_assert!(matches!(done, Err(JobError::Stale)), "{done:?}"),
                }
                if live && $ends {
                    model.live.remove(&number);
                }
            }
        };
    }
    match step {
        Step::Accept { owner, model: of, cost_ms, deadline_ms, answered } => {
            let number = model.jobs.len() as u64;
            let mut job = job(number);
            job.owner = Owner(format!("owner {owner}"));
            job.proving = job.proving.map(|proving| assay_verifier::receipt::Proving { key: key(of), ..proving });
            job.cost_us = 1_000 * cost_ms;
            job.deadline_ms = deadline_ms.map(|after| *now + after);
            if !answered {
                (job.states.execution, job.states.proof) = (Execution::Pending, Proving::None);
            }
            store.accept(job, payload(number), None, *now).unwrap();
            model.jobs.push(number);
        }
        Step::Answer(which) => {
            let pending = store.pending_execution();
            if let Some(job) = pending.get(which % pending.len().max(1)) {
                let run = |state| {
                    move |job: &mut assay_service::jobs::Job| {
                        job.states.execution = state;
                        if state == Execution::Done {
                            job.states.proof = Proving::Queued;
                        }
                        Ok(())
                    }
                };
                store.change(*job, *now, run(Execution::Running)).unwrap();
                store.change(*job, *now, run(Execution::Done)).unwrap();
            }
        }
        Step::Lease { worker, loaded } => {
            let barred = store.quarantined().iter().any(|entry| entry.worker == public(worker));
            let able = Able { loaded: vec![key(loaded)], barred: vec![] };
            match store.lease(public(worker), able, *now) {
                Err(JobError::Quarantined(_)) => prop_assert!(barred),
                leased => {
                    prop_assert!(!barred);
                    model.refresh(store);
                    if let Some(job) = leased.unwrap() {
                        let hold = Hold::of(&job).unwrap();
                        prop_assert!(hold.token > model.last_token, "numbers of leases rise");
                        model.last_token = hold.token;
                        model.holds.push(hold);
                        prop_assert!(model.live.insert(job.client_nonce, hold).is_none(), "given twice");
                    }
                }
            }
        }
        Step::Heartbeat(which) => under_lease!(which, |hold| store.heartbeat(hold, Progress::default(), *now), false),
        Step::HandIn(which) => under_lease!(which, |hold| store.hand_in(hold, *now), false),
        Step::Prove(which) => under_lease!(which, |hold| prove(store, hold, *now), true),
        Step::GiveUp(which, again) => under_lease!(which, |hold| store.give_up(hold, failure(again), *now), true),
        Step::GiveBack(which) => under_lease!(which, |hold| store.give_back(hold, *now), true),
        Step::Cancel(which) => {
            if let Some(number) = model.jobs.get(which % model.jobs.len().max(1)) {
                let over = store.get(id(*number)).unwrap().unwrap().states.over();
                prop_assert_eq!(store.cancel(id(*number), *now).is_err(), over);
                model.live.remove(number);
            }
        }
        Step::Wait(time) => *now += time,
        Step::Tick => {
            store.tick(*now).unwrap();
            model.refresh(store);
        }
        Step::Quarantine(worker) => {
            store.quarantine(public(worker), "x", "y", *now).unwrap();
            model.live.retain(|_, hold| hold.worker != public(worker));
        }
        Step::Readmit(worker) => drop(store.readmit(public(worker)).unwrap()),
        Step::Reopen => store.reopen(*now),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn states_move_legally_and_nothing_is_lost(steps in prop::collection::vec(step(), 1..80)) {
        let mut store = Store::with(Rules { attempts_max: 3, ..Rules::default() });
        let (mut model, mut now) = (Model::default(), START);
        for step in steps {
            apply(&mut store, &mut model, &mut now, step)?;
            model.check(&store)?;
        }
        // With a worker that does its work everything comes to an end.
        for step in [Step::Tick, Step::Reopen] {
            apply(&mut store, &mut model, &mut now, step)?;
        }
        while !store.pending_execution().is_empty() {
            apply(&mut store, &mut model, &mut now, Step::Answer(0))?;
        }
        for _ in 0..20 * model.jobs.len() + 20 {
            now += Rules::default().lease_ms + 1;
            store.tick(now).unwrap();
            while let Some(job) = store.lease(public(7), Able::default(), now).unwrap() {
                prove(&store, Hold::of(&job).unwrap(), now).unwrap();
            }
        }
        for number in &model.jobs {
            let states = store.get(id(*number)).unwrap().unwrap().states;
            prop_assert!(states.over(), "{number}: {states:?}");
        }
        prop_assert!(store.counts(now).states.is_empty());
    }
}
