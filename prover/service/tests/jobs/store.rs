//! What the store keeps, refuses, lists and forgets.
use std::time::{Duration, Instant};

use assay_ledger::tx::TxHash;
use assay_service::jobs::states::{Execution, Payment, Proving, Settlement};
use assay_service::jobs::{Answer, Change, Filter, Hold, JobError, Keyed, Owner, Rules, Submitted};
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::RequestId;
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::signature::Signature;
use assay_verifier::statement::InputCommitment;
use assay_verifier::wire::Bytes;

use super::sample::*;

fn keyed(key: &str) -> Option<Keyed> {
    Some(Keyed { key: key.into(), route: "/v1/inference".into(), body: Digest32([7; 32]), answer: None })
}

#[test]
fn what_is_accepted_is_there_after_a_restart() {
    let mut store = Store::new();
    store.accept(job(1), payload(1), keyed("k"), START).unwrap();
    for _ in 0..2 {
        assert_eq!(store.get(id(1)).unwrap(), Some(job(1)));
        assert_eq!(store.payload(id(1)).unwrap(), Some(payload(1)));
        let events = store.events(id(1), 0, 10).unwrap();
        assert_eq!(
            events.iter().map(|event| (event.number, event.change)).collect::<Vec<_>>(),
            [(1, Change::Accepted)]
        );
        assert_eq!(store.remembered(&Owner("somebody".into()), "k", START).unwrap().unwrap().job, id(1));
        assert_eq!(store.counts(START).queued, 1);
        store.reopen(START);
    }
    assert_eq!(store.get(id(2)).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    let store = Store::new();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(store.path()).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_request_is_accepted_once() {
    let store = Store::new();
    store.accept(job(1), payload(1), None, START).unwrap();
    assert!(matches!(store.accept(job(1), payload(1), None, START), Err(JobError::Exists)));
    assert_eq!(store.counts(START).queued, 1);
}

#[test]
fn a_key_is_for_one_request_until_it_is_forgotten() {
    let mut store = Store::new();
    let owner = Owner("somebody".into());
    store.accept(job(1), payload(1), keyed("k"), START).unwrap();
    let Err(JobError::Remembered(found)) = store.accept(job(2), payload(2), keyed("k"), START) else { panic!() };
    assert_eq!((found.job, found.answer, found.body), (id(1), None, Digest32([7; 32])));
    assert_eq!(store.get(id(2)).unwrap(), None);
    let answer = Answer { status: 200, body: Bytes(b"{}".to_vec()) };
    store.remember(&owner, "k", answer.clone()).unwrap();
    store.remember(&owner, "unknown", answer.clone()).unwrap();
    store.reopen(START);
    assert_eq!(store.remembered(&owner, "k", START).unwrap().unwrap().answer, Some(answer));
    assert_eq!(store.remembered(&owner, "unknown", START).unwrap(), None);
    assert_eq!(store.remembered(&Owner("other".into()), "k", START).unwrap(), None);
    let later = START + Rules::default().remember_ms;
    assert_eq!(store.remembered(&owner, "k", later).unwrap(), None);
    store.prune(later).unwrap();
    store.accept(job(3), payload(3), keyed("k"), later).unwrap();
    assert_eq!(store.remembered(&owner, "k", later).unwrap().unwrap().job, id(3));
    // What it was kept for before does not end it early.
    store.prune(later + 1).unwrap();
    assert!(store.remembered(&owner, "k", later + 1).unwrap().is_some());
}

#[test]
fn only_legal_transitions_are_made() {
    let store = Store::new();
    store.accept(job(1), payload(1), None, START).unwrap();
    for to in Proving::ALL {
        let legal = *to == Proving::Queued || Proving::Queued.next().contains(to);
        let asked = store.change(id(1), START, move |job| {
            job.states.proof = *to;
            Err::<(), _>(JobError::Declined("only looking".into()))
        });
        assert!(matches!(asked, Err(JobError::Declined(_))));
        if !legal {
            let asked = store.change(id(1), START, move |job| {
                job.states.proof = *to;
                Ok(())
            });
            assert!(matches!(asked, Err(JobError::Transition { axis: "proof", .. })), "{to}");
        }
    }
    assert!(matches!(store.change(id(9), START, |_| Ok(())), Err(JobError::Unknown)));
    let stolen = store.change(id(1), START, |job| {
        job.owner = Owner("thief".into());
        Ok(())
    });
    assert!(matches!(stolen, Err(JobError::Fixed)));
    assert_eq!(store.get(id(1)).unwrap(), Some(job(1)));
    assert_eq!(store.events(id(1), 0, 10).unwrap().len(), 1);
}

/// A job that is paid for and not answered.
fn paid(number: u64, deadline_ms: u64) -> assay_service::jobs::Job {
    let mut paid = job(number);
    let authorisation = Authorisation {
        payer: paid.payer,
        client_nonce: paid.client_nonce,
        request_digest: paid.request_digest,
        node: public(9),
        model: paid.model,
        backend: paid.backend,
        amount: 10,
        deadline_ms,
    };
    let signature = Signature([[0; 32]; 2]);
    paid.authorised = Some(assay_service::jobs::Authorised { authorisation, signature });
    paid.states.execution = Execution::Pending;
    paid.states.proof = Proving::None;
    paid.states.payment = Payment::Authorised;
    (paid.answered, paid.outputs) = (None, None);
    paid
}

#[test]
fn each_part_of_the_service_finds_what_it_has_to_do() {
    let mut store = Store::new();
    store.accept(paid(1, START + 5_000), payload(1), None, START).unwrap();
    store.accept(paid(2, START + 4_000), payload(2), None, START).unwrap();
    assert_eq!(store.pending_execution(), [id(1), id(2)]);
    assert_eq!(store.counts(START).to_prove, 2);
    for number in [1, 2] {
        store
            .change(id(number), START, |job| {
                job.states.payment = Payment::Reserved;
                job.states.execution = Execution::Running;
                Ok(())
            })
            .unwrap();
    }
    // What was being executed waits again.
    store.reopen(START);
    assert_eq!(store.get(id(1)).unwrap().unwrap().states.execution, Execution::Pending);
    assert_eq!(store.pending_execution(), [id(1), id(2)]);
    assert!(store.awaiting_settlement(9).is_empty());
    let committed = (InputCommitment(vec![[1; 32]]), [2; 32]);
    for number in [1, 2] {
        store
            .change(id(number), START, |job| {
                job.states.execution = Execution::Running;
                Ok(())
            })
            .unwrap();
        let answered = store.answered(id(number), START, Some(committed.clone()), move |job| {
            (job.states.execution, job.states.proof) = (Execution::Done, Proving::Queued);
            job.answered = Some(answered(number));
            Ok(())
        });
        assert_eq!(answered.unwrap(), store.get(id(number)).unwrap().unwrap());
        assert_eq!(store.payload(id(number)).unwrap().unwrap().commitment, Some(committed.clone()));
        let leased = store.lease(public(3), Default::default(), START).unwrap().unwrap();
        assert_eq!(leased.id, id(number));
        prove(&store, Hold::of(&leased).unwrap(), START).unwrap();
    }
    assert!(store.pending_execution().is_empty());
    // The nearest deadline first.
    assert_eq!(store.awaiting_settlement(9), [id(2), id(1)]);
    assert_eq!(store.awaiting_settlement(1), [id(2)]);
    assert!(store.awaiting_refund(START + 4_000, 9).is_empty());
    assert_eq!(store.awaiting_refund(START + 4_001, 9), [id(2)]);
    for hash in [1, 2] {
        store
            .change(id(1), START, move |job| {
                job.states.settlement = Settlement::Submitted;
                job.submitted = Some(Submitted { hash: TxHash([hash; 32]), time_ms: START });
                Ok(())
            })
            .unwrap();
    }
    let submitted = |change| change == Change::Settlement(Settlement::Submitted);
    let events = store.events(id(1), 0, 99).unwrap();
    assert_eq!(events.iter().filter(|event| submitted(event.change)).count(), 2, "each is told: {events:?}");
    store
        .change(id(1), START, |job| {
            job.states.settlement = Settlement::Included;
            Ok(())
        })
        .unwrap();
    assert_eq!(store.awaiting_settlement(9), [id(2), id(1)]);
    assert_eq!(store.awaiting_refund(START + 9_000, 9), [id(2)]);
    store
        .change(id(1), START, |job| {
            job.states.settlement = Settlement::Verified;
            job.states.payment = Payment::Captured;
            Ok(())
        })
        .unwrap();
    store
        .change(id(2), START, |job| {
            job.states.payment = Payment::Refunded;
            Ok(())
        })
        .unwrap();
    store.reopen(START);
    assert!(store.awaiting_settlement(9).is_empty() && store.awaiting_refund(u64::MAX, 9).is_empty());
    assert_eq!(store.counts(START).states.len(), 0);
    // What was paid for is kept until its owner lets go, the rest goes by age.
    let old = START + Rules::default().keep_ms + 1;
    assert_eq!(store.kept_blobs().unwrap().len(), 1);
    assert_eq!(store.prune(old).unwrap().iter().map(|job| job.id).collect::<Vec<_>>(), [id(2)]);
    assert_eq!((store.get(id(2)).unwrap(), store.payload(id(2)).unwrap()), (None, None));
    assert!(store.events(id(2), 0, 9).unwrap().is_empty());
    assert!(matches!(store.forget(&Owner("thief".into()), id(1)), Err(JobError::Unknown)));
    assert_eq!(store.forget(&Owner("somebody".into()), id(1)).unwrap().id, id(1));
    assert!(store.list(None, &Filter::default(), None, 9).unwrap().jobs.is_empty());
}

#[test]
fn what_is_not_over_is_not_removed() {
    let store = Store::new();
    store.accept(job(1), payload(1), None, START).unwrap();
    assert!(store.prune(u64::MAX).unwrap().is_empty());
    assert!(matches!(store.forget(&Owner("somebody".into()), id(1)), Err(JobError::NotOver)));
}

#[test]
fn lists_are_paged_newest_first_and_stay_stable() {
    let store = Store::new();
    let owners = ["one", "two"].map(|name| Owner(name.into()));
    let accept = |number: u64| {
        let mut job = job(number);
        job.owner = owners[number as usize % 2].clone();
        store.accept(job, payload(number), None, START).unwrap();
    };
    (1..=9).for_each(accept);
    let filter = Filter::default();
    let ids = |page: &assay_service::jobs::Page| page.jobs.iter().map(|job| job.client_nonce).collect::<Vec<_>>();
    let first = store.list(Some(&owners[1]), &filter, None, 2).unwrap();
    assert_eq!(ids(&first), [9, 7]);
    accept(11);
    let second = store.list(Some(&owners[1]), &filter, first.next, 2).unwrap();
    assert_eq!(ids(&second), [5, 3]);
    let third = store.list(Some(&owners[1]), &filter, second.next, 2).unwrap();
    assert_eq!((ids(&third), third.next), (vec![1], None));
    assert_eq!(ids(&store.list(None, &filter, None, 99).unwrap()), [11, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    store.cancel(id(4), START).unwrap();
    let cancelled = Filter { proof: Some(Proving::Cancelled), ..filter };
    assert_eq!(ids(&store.list(None, &cancelled, None, 99).unwrap()), [4]);
}

#[test]
fn cancelling_ends_what_has_not_happened() {
    let store = Store::new();
    store.accept(paid(1, START + 5_000), payload(1), None, START).unwrap();
    let cancelled = store.cancel(id(1), START).unwrap();
    assert_eq!((cancelled.states.execution, cancelled.states.proof), (Execution::Failed, Proving::Cancelled));
    store.accept(job(2), payload(2), None, START).unwrap();
    let leased = store.lease(public(3), Default::default(), START).unwrap().unwrap();
    assert_eq!(leased.id, id(2));
    store.cancel(id(2), START).unwrap();
    let hold = Hold::of(&leased).unwrap();
    assert!(matches!(store.heartbeat(hold, Default::default(), START), Err(JobError::Stale)));
    assert!(matches!(prove(&store, hold, START), Err(JobError::Stale)));
    assert!(matches!(store.cancel(id(2), START), Err(JobError::Transition { .. })));
    let mut vanilla = job(3);
    (vanilla.proving, vanilla.states.proof) = (None, Proving::None);
    store.accept(vanilla, payload(3), None, START).unwrap();
    assert!(matches!(store.cancel(id(3), START), Err(JobError::Transition { .. })));
}

#[test]
fn too_much_is_refused_and_nobody_may_fill_the_queue_alone() {
    let rules = Rules { waiting_max: 6, backlog_max_ms: 10_000, ..Rules::default() };
    let store = Store::with(rules);
    for number in 1..=3 {
        store.accept(job(number), payload(number), None, START).unwrap();
    }
    assert!(matches!(store.accept(job(4), payload(4), None, START), Err(JobError::Busy { retry_after_ms: 1_000.. })));
    let other = |number, cost_us| {
        let mut job = job(number);
        (job.owner, job.cost_us) = (Owner("other".into()), cost_us);
        job
    };
    store.accept(other(5, 4_000_000), payload(5), None, START).unwrap();
    assert!(matches!(store.accept(other(6, 2_000_000), payload(6), None, START), Err(JobError::Busy { .. })));
    store.accept(other(7, 500_000), payload(7), None, START).unwrap();
    // What needs no proof is no load.
    let mut vanilla = job(8);
    (vanilla.proving, vanilla.states.proof) = (None, Proving::None);
    store.accept(vanilla, payload(8), None, START).unwrap();
    // What is done makes room.
    let leased = store.lease(public(3), Default::default(), START).unwrap().unwrap();
    assert_eq!(leased.id, id(1));
    prove(&store, Hold::of(&leased).unwrap(), START).unwrap();
    store.accept(job(4), payload(4), None, START).unwrap();
}

#[test]
fn listeners_are_told_after_the_change() {
    let store = Store::new();
    assert!(matches!(store.watch(id(1)), Err(JobError::Unknown)));
    let mut all = store.subscribe();
    store.accept(job(1), payload(1), None, START).unwrap();
    let mut seen = store.watch(id(1)).unwrap();
    let leased = store.lease(public(3), Default::default(), START).unwrap().unwrap();
    assert!(seen.has_changed().unwrap());
    assert_eq!(seen.borrow_and_update().events, 2);
    let progress = assay_service::jobs::Progress { stage: assay_service::jobs::Stage::Proving, percent: 40 };
    store.heartbeat(Hold::of(&leased).unwrap(), progress, START).unwrap();
    assert_eq!((seen.borrow().events, seen.borrow().progress), (3, progress));
    let told: Vec<RequestId> = std::iter::from_fn(|| all.try_recv().ok()).collect();
    assert_eq!(told, [id(1); 3]);
    assert_eq!(store.events(id(1), 1, 9).unwrap().iter().map(|event| event.number).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(store.waiting(id(1), START).unwrap().eta_ms, 30);
}

#[test]
fn many_at_once_share_the_disk() {
    let store = Store::new();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..16u64 {
            let store = &store;
            scope.spawn(move || {
                (0..64).for_each(|n| store.accept(job(100 * thread + n), payload(n), None, START).unwrap());
            });
        }
    });
    let took = begun.elapsed();
    assert_eq!(store.counts(START).queued, 1_024);
    // The service must take a hundred in a second; alone on a disk this is some twenty times as fast.
    assert!(took < Duration::from_secs(10), "{took:?}");
    println!("1024 jobs of 16 threads in {took:?}");
}

#[test]
fn records_are_encoded_as_ever() {
    let name = |bytes: &[u8]| assay_service::storage::id_of(bytes).to_string()[..16].to_owned();
    let failure =
        Some(assay_service::jobs::Failure { code: "c".into(), text: "t".into(), retryable: true, attempt: 1 });
    let change = Change::Payment(Payment::Refunded);
    let event = assay_service::jobs::Event { number: 1, time_ms: START, change, failure };
    let answer = Some(Answer { status: 200, body: Bytes(vec![1]) });
    let (route, body) = ("r".into(), Digest32([1; 32]));
    let remembered = assay_service::jobs::Remembered { route, body, job: id(1), answer, until_ms: START };
    let records = [
        assay_verifier::wire::bytes(&paid(1, START)),
        assay_verifier::wire::bytes(&payload(1)),
        assay_verifier::wire::bytes(&event),
        assay_verifier::wire::bytes(&remembered),
    ];
    // A store of an older version must open: who changes these makes new tables beside the old.
    assert_eq!(
        records.map(|record| name(&record)),
        ["3313e85023beedb2", "de6abf6bf49cb18a", "e4cec8037912d6aa", "6fc5c57d7c5f3fb9"]
    );
}
