//! Can a record be shown to somebody who has only the chain's root? And is a transaction's fate known before it is submitted?
use std::time::Duration;

use assay_ledger::Rejection;
use assay_ledger::app::QueryError;
use assay_ledger::embedded::{Embedded, Outcome, SubmitError};
use assay_ledger::tx::TxHash;
use assay_verifier::settlement::keys;
use assay_verifier::settlement::light::{Clock, Trusted};
use assay_verifier::settlement::payment::Account;

use super::common::{CHAIN, NODE, PAYER, STRANGER, SUPPLY, key};
use super::node::*;

const BLOCKS: u64 = 4;

/// What somebody who has only the root trusts after a block.
fn follow(node: &Embedded, height: u64) -> Trusted {
    let block = |height| node.light_bytes(height).unwrap().unwrap().decode().unwrap();
    let clock = Clock { now_ms: START_MS + 1_000 * height, trusting_ms: 1 << 40, drift_ms: 1_000 };
    Trusted::begin(CHAIN, node.root(), block(1)).unwrap().advance(block(height), &clock).unwrap()
}

#[test]
fn a_record_is_shown_with_its_block() {
    let folder = tempfile::tempdir().unwrap();
    let node = grown(folder.path(), BLOCKS);
    let of = keys::account(key(STRANGER));
    let shown = node.proven(&of, Some(2)).unwrap();
    assert_eq!((shown.height, shown.record::<Account>().unwrap().unwrap().balance), (2, 2));
    let trusted = follow(&node, 3);
    assert_eq!(shown.app_hash, trusted.app_hash());
    assert_eq!(trusted.includes(shown.height, &shown.key, shown.value.as_deref(), &shown.proof), Ok(()));
    // That there is nothing is shown as well.
    let absent = node.proven(b"nothing", Some(2)).unwrap();
    assert_eq!((&absent.value, absent.record::<Account>()), (&None, Ok(None)));
    assert_eq!(trusted.includes(2, b"nothing", None, &absent.proof), Ok(()));
    assert!(matches!(node.proven(&of, Some(BLOCKS + 1)), Err(QueryError::NotKept(height)) if height == BLOCKS + 1));
    assert!(node.light_bytes(BLOCKS + 1).unwrap().is_none());

    // The last state is proven by the header of a block that is not there yet.
    let last = node.proven(&of, None).unwrap();
    assert_eq!((last.height, last.record::<Account>()), (BLOCKS, node.record(&of).map_err(|_| unreachable!())));
    assert!(!node.wait_height(BLOCKS + 1, Duration::ZERO).unwrap());
    node.make_block(START_MS + 1_000 * (BLOCKS + 1)).unwrap();
    assert!(node.wait_height(BLOCKS + 1, Duration::ZERO).unwrap());
    let trusted = follow(&node, BLOCKS + 1);
    assert_eq!(trusted.includes(last.height, &last.key, last.value.as_deref(), &last.proof), Ok(()));
}

#[test]
fn a_trial_says_why_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let node = grown(folder.path(), 1);
    let before = node.last().unwrap();
    for (bytes, why) in [
        (vec![1, 2, 3], Rejection::UnknownVersion),
        (pay(0, 1), Rejection::NonceUsed),
        (pay(2, 1), Rejection::NonceAhead),
        // Admission does not look at payloads, so this one would wait in vain.
        (pay(1, SUPPLY), Rejection::InsufficientBalance),
    ] {
        assert!(matches!(node.attempt(&bytes), Err(SubmitError::Refused(rejection)) if rejection == why), "{why:?}");
    }
    assert!(node.attempt(&pay(1, 1)).is_ok());
    assert_eq!(node.outcome(TxHash::of(&pay(1, 1))).unwrap(), Outcome::Unknown);
    assert_eq!(node.last().unwrap(), before);
    let [payer, other] = [PAYER, NODE].map(|who| node.record::<Account>(&keys::account(key(who))).unwrap().unwrap());
    assert_eq!((payer.nonce, other.nonce), (1, 0));
}
