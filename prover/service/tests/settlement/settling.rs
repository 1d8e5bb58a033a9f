//! Is each paid answer settled, alone or in a batch, and is what cannot be settled said to be so?
use assay_ledger::tx::{Evidence, Payload, Settle};
use assay_service::clock::now_ms;
use assay_service::jobs::states::{Payment, Settlement};
use assay_service::ledger::{Presence, read};
use assay_service::settle::{Rounds, Settler};
use assay_service::storage::BlobStore;
use assay_verifier::receipt::{Backend, RequestId};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment;
use std::time::{Duration, Instant};

use crate::requests::{AMOUNT, PRICE, Request};
use crate::world::*;

fn is_verified(world: &World, id: RequestId) -> bool {
    world.job(id).states.settlement == Settlement::Verified
}

fn record(world: &World, id: RequestId) -> Option<payment::Settlement> {
    read(&*world.ledger, &keys::settlement(id)).unwrap()
}

#[test]
fn one_by_each_backend() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let ids = [Request::new(1, Backend::Zkml), Request::new(2, Backend::Vanilla)].map(|request| request.finish(&world));
    let settler = Settler::start(world.parts()).unwrap();
    settler.wake();
    until("both are verified", || ids.iter().all(|id| is_verified(&world, *id)));
    for id in ids {
        let job = world.job(id);
        let settled = job.settled.unwrap();
        let found = record(&world, id).unwrap();
        assert_eq!((found.height, found.time_ms, found.price), (settled.height, settled.time_ms, PRICE));
        assert_eq!((job.states.payment, job.failure), (Payment::Captured, None));
        assert!(job.states.over());
        assert!(!world.blobs.get(settled.evidence.unwrap()).unwrap().is_empty());
    }
    drop(settler);
    world.check_money(2 * PRICE, 0);
}

#[test]
fn a_batch_with_a_bad_leaf_settles_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let requests: Vec<Request> = (1..=6).map(|number| Request::new(number, Backend::Zkml)).collect();
    for request in &requests {
        request.reserve(&world);
        request.answer(&world);
    }
    // The third proof is good, but of another receipt; the fifth is none.
    for request in &requests {
        let proof = match request.number {
            3 => requests[0].proof(),
            5 => b"not a proof".to_vec(),
            _ => request.proof(),
        };
        request.prove(&world, &proof);
    }
    let bad = |request: &&Request| matches!(request.number, 3 | 5);
    let mut rounds = Rounds::new(world.parts());
    rounds.round(now_ms()).unwrap();
    let names: Vec<_> = requests.iter().map(|request| world.job(request.id()).submitted.unwrap().hash).collect();
    assert!(names.iter().all(|name| *name == names[0]), "they are in one transaction");
    until("all have ended", || {
        rounds.round(now_ms()).unwrap();
        let ended = |request: &Request| world.job(request.id()).states.settlement.next().is_empty();
        requests.iter().all(ended)
    });
    for request in &requests {
        let job = world.job(request.id());
        if bad(&request) {
            let code = if request.number == 3 { "ProofInputs" } else { "ProofMalformed" };
            assert_eq!((job.states.settlement, job.states.payment), (Settlement::Rejected, Payment::Reserved));
            assert_eq!(job.failure.unwrap().code, code);
            assert_eq!(record(&world, request.id()), None);
        } else {
            assert_eq!((job.states.settlement, job.states.payment), (Settlement::Verified, Payment::Captured));
        }
    }
    world.check_money(4 * PRICE, 2 * AMOUNT);
}

#[test]
fn a_single_bad_proof_is_rejected_and_holds_up_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = Request::new(1, Backend::Zkml);
    request.reserve(&world);
    request.answer(&world);
    request.prove(&world, b"not a proof");
    let mut rounds = Rounds::new(world.parts());
    rounds.round(now_ms()).unwrap();
    let good = Request::new(2, Backend::Vanilla).finish(&world);
    until("both have ended", || {
        rounds.round(now_ms()).unwrap();
        is_verified(&world, good) && world.job(request.id()).states.settlement == Settlement::Rejected
    });
    assert_eq!(world.job(request.id()).failure.unwrap().code, "ProofMalformed");
    world.check_money(PRICE, AMOUNT);
}

#[test]
fn batches_of_none_that_can_be_settled_say_why_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let requests = [1, 2].map(|number| Request::new(number, Backend::Zkml));
    for request in requests {
        request.reserve(&world);
        request.answer(&world);
    }
    requests[0].prove(&world, b"not a proof");
    requests[1].prove(&world, &requests[0].proof());
    let codes = || requests.map(|request| world.job(request.id()).failure.map(|failure| failure.code));
    world.round_until("both are rejected", || codes() == [Some("ProofMalformed".into()), Some("ProofInputs".into())]);
    world.check_money(0, 2 * AMOUNT);
}

#[test]
fn what_somebody_else_handed_in_counts() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = Request::new(1, Backend::Vanilla);
    let id = request.finish(&world);
    let settle = Settle { receipt: request.receipt(), evidence: Evidence::Signature };
    done(&sender(&world.ledger, Who::Publisher), Payload::Settle(Box::new(settle)));
    world.round_until("it is verified", || is_verified(&world, id));
    world.check_money(PRICE, 0);
}

#[test]
fn another_receipt_for_the_request_is_no_settlement_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = Request::new(1, Backend::Vanilla);
    let id = request.finish(&world);
    let mut other = request.receipt().receipt;
    other.time_ms += 1;
    let settle = Settle { receipt: other.sign(&secret(Who::Node)), evidence: Evidence::Signature };
    done(&sender(&world.ledger, Who::Publisher), Payload::Settle(Box::new(settle)));
    world.round_until("it is rejected", || world.job(id).states.settlement == Settlement::Rejected);
    assert_eq!(world.job(id).failure.unwrap().code, "RequestSettled");
}

#[test]
fn a_node_that_registers_again_settles_what_waited() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let id = Request::new(1, Backend::Vanilla).finish(&world);
    Presence::start(world.ledger.clone(), world.sender.clone(), &node(), None).unwrap().deregister("a while").unwrap();
    let mut rounds = Rounds::new(world.parts());
    until("it is refused for now", || {
        rounds.round(now_ms()).unwrap();
        world.job(id).failure.is_some()
    });
    let failure = world.job(id).failure.unwrap();
    assert_eq!((failure.code.as_str(), failure.retryable, failure.attempt), ("NodeDeregistered", true, 1));
    assert_eq!(world.job(id).states.settlement, Settlement::Submitted);
    let presence = Presence::start(world.ledger.clone(), world.sender.clone(), &node(), None).unwrap();
    until("it is verified", || {
        rounds.round(now_ms()).unwrap();
        is_verified(&world, id)
    });
    drop(presence);
    world.check_money(PRICE, 0);
}

#[test]
fn a_lost_proof_is_not_settled() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let id = Request::new(1, Backend::Zkml).finish(&world);
    world.blobs.remove(world.job(id).proof.unwrap().blob).unwrap();
    let mut rounds = Rounds::new(world.parts());
    (0..3).for_each(|_| rounds.round(now_ms()).unwrap());
    assert_eq!(world.job(id).states.settlement, Settlement::None);
    world.check_money(0, AMOUNT);
}

/// The interval is that of the service; the figure is printed, and far below what is asked for by the median.
#[test]
fn an_idle_service_settles_within_two_blocks() {
    let folder = tempfile::tempdir().unwrap();
    drop(World::ready(folder.path()));
    let slow = assay_service::ledger::embedded::Start { interval: Duration::from_millis(500), ..start() };
    let world = World::open_with(folder.path(), &slow);
    let settler = Settler::start(world.parts()).unwrap();
    let mut times = Vec::new();
    for number in 1..=3 {
        let request = Request::new(number, Backend::Zkml);
        request.reserve(&world);
        let proof = request.proof();
        let begin = Instant::now();
        request.answer(&world);
        request.prove(&world, &proof);
        settler.wake();
        until("it is verified", || is_verified(&world, request.id()));
        times.push(begin.elapsed());
    }
    times.sort();
    println!("from answer to verified settlement, in blocks of 500 ms: {times:?}");
    assert!(times[1] < Duration::from_secs(4), "{times:?}");
}
