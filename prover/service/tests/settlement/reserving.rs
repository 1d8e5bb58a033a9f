//! Is money set aside once, and is a payer released for whom it cannot be?
use assay_ledger::Rejection;
use assay_ledger::tx::{Payload, Withdraw};
use assay_service::jobs::states::Payment;
use assay_service::payments::reserve::ReserveError;
use assay_verifier::receipt::Backend;

use crate::requests::{AMOUNT, Request};
use crate::world::*;

#[test]
fn it_is_set_aside_once() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let id = Request::new(1, Backend::Vanilla).accept(&world);
    let done = world.reserver.reserve(&world.jobs, id, LONGEST).unwrap();
    assert!(done.is_some());
    assert_eq!(world.job(id).states.payment, Payment::Reserved);
    assert_eq!(world.reserver.reserve(&world.jobs, id, LONGEST).unwrap(), None);
    world.check_money(0, AMOUNT);
}

#[test]
fn what_was_set_aside_before_a_stop_counts() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = Request::new(1, Backend::Vanilla);
    let id = request.accept(&world);
    // The ledger has it, and the job does not know.
    let payment = world.job(id).authorised.unwrap();
    let payload = assay_ledger::tx::Reserve { authorisation: payment.authorisation, signature: payment.signature };
    done(&world.sender, Payload::Reserve(payload));
    drop(world);
    let world = World::open(folder.path());
    assert_eq!(world.reserver.reserve(&world.jobs, id, LONGEST).unwrap(), None);
    assert_eq!(world.job(id).states.payment, Payment::Reserved);
    world.check_money(0, AMOUNT);
}

#[test]
fn a_payer_without_money_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    // Nothing was deposited.
    let id = Request::new(1, Backend::Vanilla).accept(&world);
    let refused = world.reserver.reserve(&world.jobs, id, LONGEST).unwrap_err();
    assert!(matches!(refused, ReserveError::Refused(Rejection::InsufficientEscrow)), "{refused}");
    let job = world.job(id);
    assert_eq!((job.states.payment, job.failure.unwrap().code), (Payment::Released, "InsufficientEscrow".into()));
    assert!(matches!(world.reserver.reserve(&world.jobs, id, LONGEST), Err(ReserveError::NotAuthorised)));
}

#[test]
fn a_late_reservation_releases_the_payer() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let id = Request { deadline_ms: 1, ..Request::new(1, Backend::Vanilla) }.accept(&world);
    let refused = world.reserver.reserve(&world.jobs, id, LONGEST).unwrap_err();
    assert!(matches!(refused, ReserveError::Refused(Rejection::DeadlinePast)), "{refused}");
    assert_eq!(world.job(id).states.payment, Payment::Released);
    world.check_money(0, 0);
}

#[test]
fn the_same_request_by_another_authorisation_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = Request::new(1, Backend::Vanilla);
    // The payer has authorised the same request for more, and that one is on the ledger.
    let mut dearer = request.authorisation();
    dearer.amount += 1;
    let payment = assay_service::payments::Payment::sign(dearer, CHAIN, &secret(Who::Payer));
    let payload = assay_ledger::tx::Reserve { authorisation: dearer, signature: payment.signature };
    done(&world.sender, Payload::Reserve(payload));
    let id = request.accept(&world);
    let refused = world.reserver.reserve(&world.jobs, id, LONGEST).unwrap_err();
    assert!(matches!(refused, ReserveError::Refused(Rejection::RequestReserved)), "{refused}");
    assert_eq!(world.job(id).states.payment, Payment::Released);
}

#[test]
fn a_payer_who_asks_for_more_than_it_has_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let payer = sender(&world.ledger, Who::Payer);
    // There is money for two requests, and eight come at once.
    done(&payer, Payload::Withdraw(Withdraw { amount: DEPOSIT - 2 * AMOUNT }));
    let before = account(&*world.ledger, Who::Node).nonce;
    let ids: Vec<_> = (1..=8).map(|number| Request::new(number, Backend::Vanilla).accept(&world)).collect();
    std::thread::scope(|scope| {
        for id in &ids {
            scope.spawn(|| drop(world.reserver.reserve(&world.jobs, *id, LONGEST)));
        }
    });
    let states = ids.iter().map(|id| world.job(*id).states.payment);
    let reserved = states.clone().filter(|state| *state == Payment::Reserved).count();
    let released = states.filter(|state| *state == Payment::Released).count();
    assert_eq!((reserved, released), (2, 6));
    // None was handed in that no block would take.
    assert_eq!(account(&*world.ledger, Who::Node).nonce, before + 2);
}
