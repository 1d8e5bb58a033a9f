//! Submitting, waiting, reading; restarts, and what does not fit together.
use std::fs;
use std::time::Duration;

use assay_ledger::Rejection;
use assay_ledger::app::{AppError, Proof, Query};
use assay_ledger::embedded::{EmbeddedError, Outcome, SubmitError};
use assay_ledger::state::StoreError;
use assay_ledger::tx::TxHash;
use assay_verifier::settlement::payment::Account;
use assay_verifier::settlement::{decode, keys};

use super::common::{STRANGER, genesis, key};
use super::node::*;

#[test]
fn what_is_submitted_is_in_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path());
    assert_eq!(node.last().unwrap().height, 0);
    // The second waits for the first, whichever comes first.
    let second = node.submit(pay(1, 2)).unwrap();
    let first = node.submit(pay(0, 1)).unwrap();
    assert_eq!(node.submit(pay(0, 1)).unwrap(), first, "submitting again changes nothing");
    assert_eq!(node.outcome(first).unwrap(), Outcome::Waiting);
    assert_eq!(node.wait(first, Duration::ZERO).unwrap(), Outcome::Waiting);
    node.make_block(START_MS).unwrap();
    assert_eq!(included(&node, first), (1, 0, 0));
    assert_eq!(node.outcome(second).unwrap(), Outcome::Waiting);
    node.make_block(START_MS).unwrap();
    assert_eq!(included(&node, second), (2, 0, 0));
    assert_eq!(node.outcome(TxHash::of(b"x")).unwrap(), Outcome::Unknown);
    // Blocks are later than those before them, whatever the clock says.
    assert_eq!(node.block(2).unwrap().unwrap().time_ms(), node.block(1).unwrap().unwrap().time_ms() + 1);
    let query = Query { key: keys::account(key(STRANGER)), height: None, proof: Proof::Unwanted };
    let account: Account = decode(&node.query(&query).unwrap().value.unwrap()).unwrap();
    assert_eq!(account.balance, 3);
    assert!(node.block(3).unwrap().is_none() && node.block(0).unwrap().is_none());
}

#[test]
fn what_is_refused_is_not_admitted_and_what_was_overtaken_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path());
    for (bytes, why) in [(vec![1, 2, 3], Rejection::UnknownVersion), (pay(5_000, 1), Rejection::NonceAhead)] {
        assert!(matches!(node.submit(bytes), Err(SubmitError::Refused(rejection)) if rejection == why));
    }
    let [one, other] = [1, 2].map(|amount| node.submit(pay(0, amount)).unwrap());
    node.make_block(START_MS).unwrap();
    assert_eq!(included(&node, one), (1, 0, 0));
    assert_eq!(node.outcome(other).unwrap(), Outcome::Dropped(Rejection::NonceUsed));
    assert!(matches!(node.submit(pay(0, 1)), Err(SubmitError::Refused(Rejection::NonceUsed))));
}

#[test]
fn blocks_come_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = open(folder.path());
    node.start(Duration::from_millis(5)).unwrap();
    let mut height = 0;
    for nonce in 0..3 {
        let id = node.submit(pay(nonce, 1)).unwrap();
        assert!(matches!(node.wait(id, Duration::from_secs(60)).unwrap(), Outcome::Included(_)));
        height = included(&node, id).0;
    }
    // One more than those with transactions, so that the last state has its header; then none.
    assert!(node.wait_height(height + 1, Duration::from_secs(60)).unwrap(), "the last state has no header");
    assert_eq!(node.block(height + 1).unwrap().unwrap().transactions, Vec::<Vec<u8>>::new());
    let last = node.last().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(node.last().unwrap(), last);
    let happened = node.since(0, usize::MAX).unwrap();
    assert_eq!(happened.len(), 3);
    let first = node.since(0, 1).unwrap();
    assert_eq!(first[..], happened[..first.len()]);
    assert_eq!(node.since(last.height, 10).unwrap(), []);
}

#[test]
fn a_restart_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let node = grown(folder.path(), 3);
    let (last, happened) = (node.last().unwrap(), node.since(0, 10).unwrap());
    let blocks: Vec<_> = (1..=3).map(|height| node.block(height).unwrap().unwrap()).collect();
    drop(node);
    let node = open(folder.path());
    assert_eq!((node.last().unwrap(), node.since(0, 10).unwrap()), (last, happened));
    for block in &blocks {
        assert_eq!(node.block(block.height()).unwrap().as_ref(), Some(block));
        assert_eq!(included(&node, TxHash::of(&block.transactions[0])), (block.height(), 0, 0));
    }
    // What comes after is what would have come without a stop.
    grow(&node, 2);
    let elsewhere = tempfile::tempdir().unwrap();
    let straight = grown(elsewhere.path(), 5);
    assert_eq!(node.last().unwrap(), straight.last().unwrap());
    assert_eq!(node.block(5).unwrap(), straight.block(5).unwrap());
}

/// A kill between the block and its state leaves the block alone; so does a state that was put back from a copy.
#[test]
fn what_the_state_lacks_is_replayed() {
    for lacking in [1, 3] {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy");
        drop(grown(folder.path(), 2));
        fs::copy(folder.path().join("state"), &copy).unwrap();
        let node = open(folder.path());
        grow(&node, lacking);
        let last = node.last().unwrap();
        drop(node);
        fs::copy(&copy, folder.path().join("state")).unwrap();
        let node = open(folder.path());
        assert_eq!(node.last().unwrap(), last);
        grow(&node, 1);
    }
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(grown(folder.path(), 2));
    assert!(matches!(try_open(folder.path(), 2), Err(EmbeddedError::OtherValidator)));
    let mut other = genesis();
    other.stake_min += 1;
    let opened = assay_ledger::embedded::Embedded::open(&other.check().unwrap(), settings(folder.path(), 1));
    assert!(matches!(opened, Err(EmbeddedError::App(AppError::Store(StoreError::OtherChain(_))))));
    // A state ahead of the blocks, and blocks of another chain than the state.
    fs::remove_file(folder.path().join("blocks")).unwrap();
    assert!(matches!(try_open(folder.path(), 1), Err(EmbeddedError::Store(StoreError::OtherChain(_)))));
    let elsewhere = tempfile::tempdir().unwrap();
    let node = open(elsewhere.path());
    for height in 1..=3 {
        node.submit(pay(height - 1, 7)).unwrap();
        node.make_block(START_MS + height).unwrap();
    }
    drop(node);
    fs::copy(elsewhere.path().join("blocks"), folder.path().join("blocks")).unwrap();
    assert!(matches!(try_open(folder.path(), 1), Err(EmbeddedError::Store(StoreError::Corrupt(_)))));
}
