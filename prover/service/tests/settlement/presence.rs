//! Is the node registered once, and alive for as long as it runs?
use assay_ledger::Rejection;
use assay_ledger::genesis::RawGenesis;
use assay_service::ledger::{Ledger, Presence, PresenceError, read};
use assay_verifier::settlement::node::Heartbeat;
use assay_verifier::settlement::{keys, node::Node};
use std::sync::Arc;

use crate::world::*;

fn heartbeat(ledger: &dyn Ledger) -> Heartbeat {
    read(ledger, &keys::heartbeat(key(Who::Node))).unwrap().expect("it is registered")
}

#[test]
fn it_is_registered_once_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = chain(folder.path());
    let sender = Arc::new(sender(&ledger, Who::Node));
    let presence = Presence::start(ledger.clone(), sender.clone(), &node(), None).unwrap();
    assert_eq!(presence.record().unwrap(), Some(node()));
    drop(presence);
    // Another record does not replace it.
    let other = Node { endpoint: "http://elsewhere".into(), ..node() };
    let presence = Presence::start(ledger.clone(), sender.clone(), &other, None).unwrap();
    assert_eq!(presence.record().unwrap(), Some(node()));
    assert_eq!(account(&*ledger, Who::Node).nonce, 1);
    presence.deregister("maintenance").unwrap();
    let presence = Presence::start(ledger.clone(), sender, &other, None).unwrap();
    assert_eq!(presence.record().unwrap(), Some(other));
}

#[test]
fn who_cannot_stake_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = chain(folder.path());
    let poor = Arc::new(sender(&ledger, Who::Payee));
    let refused = Presence::start(ledger.clone(), poor, &node(), None).err().unwrap();
    assert!(matches!(refused, PresenceError::Poor { stake: STAKE, .. }), "{refused}");
    let node = Node { stake: 1, ..node() };
    let little = Presence::start(ledger.clone(), Arc::new(sender(&ledger, Who::Node)), &node, None).err().unwrap();
    assert!(matches!(little, PresenceError::Refused(Rejection::StakeTooLow)), "{little}");
}

#[test]
fn it_shows_signs_of_life() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = RICH.map(|who| (key(who), BALANCE));
    let quick = RawGenesis { heartbeat_window_ms: 150, ..RawGenesis::usual(CHAIN, &accounts) };
    std::fs::create_dir(folder.path().join("chain")).unwrap();
    std::fs::write(folder.path().join("chain/genesis.json"), quick.to_json().unwrap()).unwrap();
    let ledger = chain(folder.path());
    let presence = Presence::start(ledger.clone(), Arc::new(sender(&ledger, Who::Node)), &node(), None).unwrap();
    let first = heartbeat(&*ledger);
    until("three signs of life", || account(&*ledger, Who::Node).nonce >= 4);
    assert!(heartbeat(&*ledger).time_ms >= first.time_ms + 100);
    drop(presence);
}
