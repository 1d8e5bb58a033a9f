//! Does the money go back when its deadline has passed, and only then?
use assay_ledger::tx::{Payload, Refund};
use assay_service::clock::now_ms;
use assay_service::jobs::states::{Execution, Payment, Settlement};
use assay_service::settle::Rounds;
use assay_verifier::receipt::Backend;

use crate::requests::{AMOUNT, PRICE, Request, change};
use crate::world::*;

/// Ends soon.
fn short(number: u64, within_ms: u64) -> Request {
    Request { deadline_ms: now_ms() + within_ms, ..Request::new(number, Backend::Zkml) }
}

#[test]
fn what_is_not_proven_in_time_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = short(1, 1_500);
    let id = request.reserve(&world);
    request.answer(&world);
    let mut rounds = Rounds::new(world.parts());
    rounds.round(now_ms()).unwrap();
    world.check_money(0, AMOUNT);
    until("it is refunded", || {
        rounds.round(now_ms()).unwrap();
        world.job(id).states.payment == Payment::Refunded
    });
    assert!(now_ms() > request.deadline_ms);
    assert_eq!(world.job(id).states.settlement, Settlement::None);
    world.check_money(0, 0);
}

#[test]
fn what_has_no_answer_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let id = short(1, 300).reserve(&world);
    change(&world, id, |job| job.states.execution = Execution::Failed);
    world.round_until("it is refunded", || world.job(id).states.payment == Payment::Refunded);
    assert!(world.job(id).states.over());
    world.check_money(0, 0);
}

#[test]
fn a_proof_that_comes_too_late_is_rejected_and_refunded() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = short(1, 500);
    let id = request.reserve(&world);
    request.answer(&world);
    until("the deadline passes", || now_ms() > request.deadline_ms);
    request.prove(&world, &request.proof());
    world.round_until("it is refunded", || world.job(id).states.payment == Payment::Refunded);
    let job = world.job(id);
    assert_eq!((job.states.settlement, job.failure.unwrap().code), (Settlement::Rejected, "DeadlinePast".into()));
    world.check_money(0, 0);
}

#[test]
fn what_was_refused_goes_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = short(1, 3_000);
    let id = request.reserve(&world);
    request.answer(&world);
    request.prove(&world, b"not a proof");
    let mut rounds = Rounds::new(world.parts());
    let state = || {
        let states = world.job(id).states;
        (states.settlement, states.payment)
    };
    until("it is rejected", || {
        rounds.round(now_ms()).unwrap();
        state() == (Settlement::Rejected, Payment::Reserved)
    });
    until("it is refunded", || {
        rounds.round(now_ms()).unwrap();
        state() == (Settlement::Rejected, Payment::Refunded)
    });
    world.check_money(0, 0);
}

#[test]
fn a_refund_that_somebody_else_asked_for_counts() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = short(1, 300);
    let id = request.reserve(&world);
    until("the deadline passes", || now_ms() > request.deadline_ms + 5);
    done(&sender(&world.ledger, Who::Payer), Payload::Refund(Refund { request: id }));
    world.round_until("it is refunded", || world.job(id).states.payment == Payment::Refunded);
    world.check_money(0, 0);
}

#[test]
fn what_is_settled_is_not_refunded() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = Request { backend: Backend::Vanilla, ..short(1, 2_000) };
    let id = request.finish(&world);
    world.round_until("it is verified", || world.job(id).states.settlement == Settlement::Verified);
    let mut rounds = Rounds::new(world.parts());
    until("the deadline passes", || {
        rounds.round(now_ms()).unwrap();
        now_ms() > request.deadline_ms + 100
    });
    assert_eq!(world.job(id).states.payment, Payment::Captured);
    world.check_money(PRICE, 0);
}
