//! Does each transaction end, in its turn, whatever happens to those before it?
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use assay_ledger::Rejection;
use assay_ledger::tx::{Deposit, Payload, Refund, RegisterNode, Transfer, TxHash};
use assay_service::ledger::{Fate, Ledger, SendError, Sender, Ticket};
use assay_verifier::receipt::RequestId;

use crate::lossy::Lossy;
use crate::world::*;

fn deposit(amount: u64) -> Payload {
    Payload::Deposit(Deposit { amount })
}

/// There is nothing to refund: nothing is wrong with the transaction, but no block takes it.
fn hopeless() -> Payload {
    Payload::Refund(Refund { request: RequestId([9; 32]) })
}

fn fate(ticket: &Ticket) -> Fate {
    ticket.wait(LONGEST).expect("it ends")
}

#[test]
fn many_are_on_their_way_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = chain(folder.path());
    let payer = sender(&ledger, Who::Payer);
    let tickets: Vec<Ticket> = (1..=100).map(|amount| payer.send(deposit(amount)).unwrap()).collect();
    let mut last = 0;
    for ticket in &tickets {
        let Fate::Done { hash, height, .. } = fate(ticket) else { panic!("it was refused") };
        assert_eq!(hash, ticket.hash());
        assert!(height >= last, "they keep their order");
        last = height;
    }
    assert!(last < 100, "a block takes more than one");
    let after = account(&*ledger, Who::Payer);
    assert_eq!((after.nonce, after.escrow), (100, 5_050));
}

#[test]
fn one_that_no_block_takes_does_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = chain(folder.path());
    let payer = sender(&ledger, Who::Payer);
    let tickets = [deposit(1), hopeless(), deposit(2), hopeless(), deposit(4)].map(|what| payer.send(what).unwrap());
    let fates = tickets.each_ref().map(fate);
    for (place, fate) in fates.iter().enumerate() {
        match fate {
            Fate::Done { .. } => assert_eq!(place % 2, 0),
            other => assert_eq!((place % 2, other), (1, &Fate::Refused(Rejection::ReservationUnknown))),
        }
    }
    let after = account(&*ledger, Who::Payer);
    // A refusal is told once the nonce is used by something else.
    assert_eq!((after.nonce, after.escrow), (5, 7));
}

#[test]
fn what_is_refused_at_once_leaves_the_nonce_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = chain(folder.path());
    // The payee has nothing, so it cannot pay a fee.
    let payee = sender(&ledger, Who::Payee);
    let refused = payee.send(deposit(1));
    assert!(matches!(refused, Err(SendError::Refused(Rejection::InsufficientBalance))), "{refused:?}");
    let give = Payload::Transfer(Transfer { to: key(Who::Payee), amount: 100 });
    done(&sender(&ledger, Who::Payer), give);
    done(&payee, deposit(1));
    assert_eq!(account(&*ledger, Who::Payee).nonce, 1);
}

#[test]
fn what_nobody_noted_is_not_handed_in() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = chain(folder.path());
    let payer = sender(&ledger, Who::Payer);
    let mut named = None;
    let refused = payer.send_noted(deposit(1), |hash| {
        named = Some(hash);
        false
    });
    assert!(matches!(refused, Err(SendError::NotNoted)));
    let ticket = payer.send_noted(deposit(2), |hash| Some(hash) != named).unwrap();
    assert!(matches!(fate(&ticket), Fate::Done { .. }));
    assert_eq!(account(&*ledger, Who::Payer).escrow, 2);
}

fn lossy(folder: &std::path::Path, loses: u32, silent: u32) -> (Arc<Lossy>, Sender) {
    let lossy = Lossy { chain: chain(folder), loses: AtomicU32::new(loses), silent: AtomicU32::new(silent) };
    let lossy = Arc::new(lossy);
    let payer = Sender::start(lossy.clone(), secret(Who::Payer)).unwrap();
    (lossy, payer)
}

#[test]
fn what_is_lost_is_handed_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, payer) = lossy(folder.path(), 1, 0);
    let tickets = [1, 2].map(|amount| payer.send(deposit(amount)).unwrap());
    assert!(tickets.iter().all(|ticket| matches!(fate(ticket), Fate::Done { .. })));
    assert_eq!(account(&*ledger, Who::Payer).escrow, 3);
}

#[test]
fn what_arrived_without_an_answer_is_not_there_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, payer) = lossy(folder.path(), 0, 2);
    let tickets = [1, 2].map(|amount| payer.send(deposit(amount)).unwrap());
    assert!(tickets.iter().all(|ticket| matches!(fate(ticket), Fate::Done { .. })));
    let after = account(&*ledger, Who::Payer);
    assert_eq!((after.nonce, after.escrow), (2, 3));
}

#[test]
fn a_nonce_that_somebody_else_used_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    // Both see the same nonce as the next one. What the first life of a program left on its way is such a rival.
    let (ledger, second) = lossy(folder.path(), 3, 0);
    let lost = [deposit(1), Payload::RegisterNode(RegisterNode { node: node(), attestation: None }), deposit(2)];
    let [moves, registers, more] = lost.map(|what| second.send(what).unwrap());
    let first = sender(&ledger.chain, Who::Payer);
    done(&first, deposit(40));
    done(&first, deposit(50));
    // What moves money each time is not repeated, what the ledger takes once is.
    assert_eq!(fate(&moves), Fate::Gone);
    let Fate::Done { hash, .. } = fate(&registers) else { panic!("it is signed again") };
    assert_ne!(hash, registers.hash());
    assert!(matches!(fate(&more), Fate::Done { .. } | Fate::Gone));
    assert!(account(&*ledger, Who::Payer).escrow >= 90);
}

#[test]
fn a_new_life_goes_on_with_the_next_nonce() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<TxHash> = (0..3)
        .map(|_| {
            let ledger = chain(folder.path());
            let payer = sender(&ledger, Who::Payer);
            match payer.send_and_wait(deposit(5), LONGEST).unwrap() {
                Fate::Done { hash, .. } => hash,
                other => panic!("{other:?}"),
            }
        })
        .collect();
    assert!(names[0] != names[1] && names[1] != names[2]);
    let ledger = chain(folder.path());
    assert_eq!(account(&*ledger, Who::Payer).escrow, 15);
    assert!(ledger.height().unwrap() >= 3);
}
