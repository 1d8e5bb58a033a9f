//! What each kind of transaction does when nothing speaks against it.
mod common;

use assay_ledger::Rejection;
use assay_ledger::state::read_at;
use assay_ledger::tx::{
    ApproveMeasurement, DeprecateModel, DeregisterNode, Heartbeat, Payload, Refund, RevokeMeasurement, SettleBatch,
    Transfer, Withdraw,
};
use assay_verifier::settlement::model::Model;
use assay_verifier::settlement::node::{Measurement, Node, Platform};
use assay_verifier::settlement::payment::{Reservation, Settlement, Totals};
use assay_verifier::settlement::{Reason, Versioned, keys};
use common::*;

#[test]
fn money_is_sent_deposited_and_withdrawn() {
    let mut chain = Chain::new();
    chain.good(PAYER, Payload::Transfer(Transfer { to: key(STRANGER), amount: 300_000 }));
    chain.good(PAYER, deposit(400));
    chain.good(PAYER, Payload::Withdraw(Withdraw { amount: 150 }));
    let payer = chain.account(PAYER);
    assert_eq!((payer.nonce, payer.escrow, payer.balance), (3, 250, 1_000_000 - 300_000 - 250 - 3 * FEE));
    assert_eq!(chain.account(STRANGER).balance, 300_000);
    // To oneself, all of it.
    let left = chain.account(STRANGER).balance - FEE;
    chain.good(STRANGER, Payload::Transfer(Transfer { to: key(STRANGER), amount: left }));
    assert_eq!(chain.account(STRANGER).balance, left);
    let totals: Totals = chain.read(keys::TOTALS).unwrap();
    let expected = Totals { balances: SUPPLY - 4 * FEE - 250, escrows: 250, fees: 4 * FEE, ..Totals::default() };
    assert_eq!(totals, expected);
}

#[test]
fn nodes_come_and_go_and_come_back() {
    let mut chain = Chain::new();
    chain.good(NODE, register());
    let totals: Totals = chain.read(keys::TOTALS).unwrap();
    assert_eq!(totals.stakes, node().stake);
    chain.good(NODE, Payload::Heartbeat(Heartbeat {}));
    let alive: assay_verifier::settlement::node::Heartbeat = chain.read(&keys::heartbeat(key(NODE))).unwrap();
    assert_eq!((alive.height, alive.time_ms), (2, 2 * STEP_MS));
    let reason = "moving house".to_string();
    chain.good(NODE, Payload::DeregisterNode(DeregisterNode { reason: reason.clone() }));
    // The stake stays bonded, and counts when it comes back.
    assert_eq!(chain.account(NODE).balance, SUPPLY / 4 - node().stake - 3 * FEE);
    assert_eq!(chain.bytes(&keys::heartbeat(key(NODE))), None);
    chain.good(NODE, register());
    assert_eq!(chain.account(NODE).balance, SUPPLY / 4 - node().stake - 4 * FEE);
    assert_eq!(chain.read::<Totals>(keys::TOTALS).unwrap().stakes, node().stake);
    // The history says when it was a node.
    let state = chain.app.reader().store().snapshot().unwrap();
    let at = |height| read_at::<Node>(&state, &keys::node(key(NODE)), height).unwrap();
    assert_eq!(
        [0, 1, 2, 3, 4].map(|height| at(height).map(|node| node.revision)),
        [None, Some(0), Some(0), None, Some(1)]
    );
    let first = at(1).unwrap();
    assert_eq!((first.valid_to, first.reason), (Some(3), Some(Reason::Owner(reason))));
}

#[test]
fn measurements_are_approved_and_revoked() {
    let mut chain = Chain::new();
    let measurement =
        Measurement { platform: Platform::Nitro, registers: vec![vec![1; 48]; 3], software: "proxy 1.0".into() };
    let id = measurement.id();
    let approve =
        |expires| Payload::ApproveMeasurement(ApproveMeasurement { measurement: measurement.clone(), expires });
    chain.good(GOVERNANCE, approve(Some(9)));
    let revoke = RevokeMeasurement { measurement: id, from: 4, reason: "leaks".into() };
    chain.good(GOVERNANCE, Payload::RevokeMeasurement(revoke));
    let stored: Versioned<Measurement> = chain.read(&keys::measurement(id)).unwrap();
    assert_eq!([0, 1, 3, 4, 9].map(|height| stored.holds_at(height)), [false, true, true, false, false]);
    assert_eq!(stored.reason, Some(Reason::Governance("leaks".into())));
    chain.wait(50_000);
    chain.good(GOVERNANCE, approve(None));
    let again: Versioned<Measurement> = chain.read(&keys::measurement(id)).unwrap();
    assert_eq!((again.revision, again.valid_from, again.valid_to), (1, 4, None));
    let before: Versioned<Measurement> = chain.read(&keys::version(&keys::measurement(id), 0)).unwrap();
    assert_eq!(before, stored);
}

#[test]
fn models_are_published_and_deprecated_with_notice() {
    let mut chain = Chain::ready();
    let from = chain.next().height + 2;
    let deprecate = DeprecateModel { model: model(), from, reason: "a better one".into() };
    chain.good(PUBLISHER, Payload::DeprecateModel(deprecate));
    let stored: Versioned<Model> = chain.read(&keys::model(model())).unwrap();
    assert_eq!((stored.valid_to, stored.record.manifest), (Some(from), manifest("model", "1")));
    // What is reserved can still be settled until then.
    chain.good(PAYER, reserve(authorisation(1)));
    assert_eq!(chain.next().height, from);
    chain.refused(NODE, settle(receipt(1)), Rejection::ModelNotInForce);
}

#[test]
fn a_request_is_reserved_settled_and_paid() {
    let mut chain = Chain::ready();
    // Anyone hands it in; the payer has signed.
    chain.good(NODE, reserve(authorisation(1)));
    assert_eq!(chain.account(PAYER).escrow, 900);
    let stored: Reservation = chain.read(&keys::reservation(receipt(1).request)).unwrap();
    assert_eq!(stored, Reservation { authorisation: authorisation(1), height: 4 });
    let before = chain.account(NODE).balance;
    let events = chain.good(PUBLISHER, settle(receipt(1))).events;
    assert_eq!((chain.account(NODE).balance, chain.account(PAYER).escrow), (before + 70, 930));
    assert_eq!(chain.bytes(&keys::reservation(receipt(1).request)), None);
    let settlement: Settlement = chain.read(&keys::settlement(receipt(1).request)).unwrap();
    let expected = Settlement {
        request: receipt(1).request,
        receipt: receipt(1).digest(),
        backend: receipt(1).backend,
        proof: None,
        model: model(),
        model_revision: 0,
        node: key(NODE),
        node_revision: 0,
        heartbeat: 1,
        attestation_revision: None,
        payer: key(PAYER),
        payee: key(NODE),
        price: 70,
        returned: 30,
        height: 5,
        time_ms: 5 * STEP_MS,
    };
    assert_eq!(settlement, expected);
    let [event] = events.as_slice() else { panic!("one event") };
    assert_eq!(event.kind, "settle");
    assert!(event.attributes.contains(&("request", receipt(1).request.to_string())));
}

#[test]
fn what_nobody_earned_goes_back() {
    let mut chain = Chain::ready();
    chain.good(PAYER, reserve(authorisation(1)));
    let refund = || Payload::Refund(Refund { request: receipt(1).request });
    // The deadline itself still belongs to the node.
    chain.wait(authorisation(1).deadline_ms - STEP_MS);
    chain.refused(PUBLISHER, refund(), Rejection::DeadlineAhead);
    chain.good(PUBLISHER, refund());
    assert_eq!(chain.account(PAYER).escrow, 1_000);
    chain.refused(PUBLISHER, refund(), Rejection::ReservationUnknown);
}

#[test]
fn leaves_of_a_batch_are_judged_one_by_one() {
    let mut chain = Chain::ready();
    for number in 1..=3 {
        chain.good(PAYER, reserve(authorisation(number)));
    }
    let mut forged = leaf(receipt(2));
    forged.receipt.receipt.price = 71;
    let leaves = vec![leaf(receipt(1)), forged, leaf(receipt(9)), leaf(receipt(1)), leaf(receipt(3))];
    let result = chain.good(NODE, Payload::SettleBatch(SettleBatch { leaves }));
    let codes: Vec<u32> = result.data.as_chunks::<4>().0.iter().map(|code| u32::from_le_bytes(*code)).collect();
    let refused =
        [Rejection::ReceiptSignature, Rejection::ReservationUnknown, Rejection::RequestSettled].map(Rejection::code);
    assert_eq!(codes, [0, refused[0], refused[1], refused[2], 0]);
    assert_eq!(chain.account(PAYER).escrow, 1_000 - 100 - 2 * 70);
    let kinds: Vec<&str> = result.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["settle", "settle", "leaf_refused", "leaf_refused", "leaf_refused"]);
}
