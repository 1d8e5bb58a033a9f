//! What is committed is there after a restart, what is not is not; the past is provable as long as it is kept.
mod common;

use assay_ledger::app::{AppError, Misuse, Proof, Query, QueryError};
use assay_ledger::state::{Store, StoreError};
use assay_ledger::tx::{BlockTime, Payload, Transfer};
use assay_ledger::{App, Options};
use assay_verifier::settlement::inclusion::{InclusionError, verify};
use assay_verifier::settlement::keys;
use common::*;

fn transfer(amount: u64) -> Payload {
    Payload::Transfer(Transfer { to: key(STRANGER), amount })
}

#[test]
fn a_stop_between_finalize_and_commit_loses_nothing_but_that_block() {
    let mut chain = Chain::ready();
    let last = chain.app.last();
    let (block, transaction) = (chain.next(), chain.tx(PAYER, transfer(5)));
    let lost = chain.app.finalize(std::slice::from_ref(&transaction), block, hash(block.height)).unwrap();
    chain = chain.restart();
    assert_eq!(chain.app.last(), last);
    assert!(matches!(chain.app.commit(), Err(AppError::Misuse(Misuse::NothingFinalized))));
    // Replay gives the same app hash, also when it is finalized twice.
    assert_eq!(chain.app.finalize(std::slice::from_ref(&transaction), block, hash(block.height)).unwrap(), lost);
    assert_eq!(chain.block_at(block, &[transaction]), lost);
    chain = chain.restart();
    assert_eq!(chain.app.last(), lost.committed);
    assert_eq!(chain.app.last_time_ms(), block.time_ms);
    assert_eq!(chain.account(STRANGER).balance, 5);
}

#[test]
fn blocks_follow_each_other() {
    let mut chain = Chain::ready();
    let next = chain.next();
    for height in [0, next.height - 1, next.height + 1, u64::MAX] {
        let asked = chain.app.finalize(&[], BlockTime { height, ..next }, hash(height));
        assert!(matches!(asked, Err(AppError::Misuse(Misuse::Height { .. }))));
    }
    let early = BlockTime { time_ms: chain.app.last_time_ms() - 1, ..next };
    assert!(matches!(chain.app.process(&[], early), Err(AppError::Misuse(Misuse::Time))));
    assert!(matches!(chain.app.prepare(&[], 1 << 20, early), Err(AppError::Misuse(Misuse::Time))));
    assert!(matches!(chain.app.finalize(&[], early, hash(early.height)), Err(AppError::Misuse(Misuse::Time))));
}

#[test]
fn another_chains_database_is_refused() {
    let Chain { app, options, folder, .. } = Chain::ready();
    drop(app);
    let mut other = genesis();
    other.stake_min += 1;
    let opened = App::open(&other.check().unwrap(), &options);
    assert!(matches!(opened, Err(AppError::Store(StoreError::OtherChain(_)))));
    drop(folder);
}

fn ask(chain: &Chain, key: &[u8], height: Option<u64>) -> Result<assay_ledger::app::Answer, QueryError> {
    chain.app.reader().query(&Query { key: key.to_vec(), height, proof: Proof::Wanted })
}

#[test]
fn every_record_and_every_gap_has_a_proof() {
    let mut chain = Chain::ready();
    chain.good(PAYER, reserve(authorisation(1)));
    let app_hash = chain.app.last().app_hash;
    for (key, value) in chain.records() {
        let answer = ask(&chain, &key, None).unwrap();
        assert_eq!((answer.value.as_ref(), answer.app_hash), (Some(&value), app_hash));
        let proof = answer.proof.unwrap();
        assert_eq!(verify(&app_hash, &key, Some(&value), &proof), Ok(()));
        assert_eq!(verify(&app_hash, &key, None, &proof), Err(InclusionError::Kind));
        assert_eq!(verify(&app_hash, b"other", Some(&value), &proof), Err(InclusionError::Fails));
        assert_eq!(verify(&app_hash, &key, Some(b"other"), &proof), Err(InclusionError::Fails));
        assert_eq!(verify(&[1; 32], &key, Some(&value), &proof), Err(InclusionError::Fails));
    }
    for number in 0..50 {
        let key = keys::settlement(receipt(number).request);
        let answer = ask(&chain, &key, None).unwrap();
        let proof = answer.proof.unwrap();
        assert_eq!(answer.value, None);
        assert_eq!(verify(&app_hash, &key, None, &proof), Ok(()));
        assert_eq!(verify(&app_hash, &key, Some(b"x"), &proof), Err(InclusionError::Kind));
        assert_eq!(verify(&app_hash, keys::TOTALS, None, &proof), Err(InclusionError::Fails));
        // Every byte of a proof matters, or the proof shows the same; none makes the verifier panic.
        for at in 0..proof.len() {
            let mut changed = proof.clone();
            changed[at] ^= 1 << (number % 8);
            let _ = verify(&app_hash, keys::TOTALS, None, &changed).unwrap_err();
            let _ = verify(&app_hash, &key, None, &changed);
        }
    }
    assert!(matches!(ask(&chain, b"", None), Err(QueryError::EmptyKey)));
}

#[test]
fn the_past_is_kept_so_far_and_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { pruning_depth: 3, ..Options::usual(&folder.path().join("state")) };
    let mut chain = Chain::new();
    chain.app = App::open(&chain.genesis, &options).unwrap();
    let mut hashes = vec![chain.app.last().app_hash];
    let reserved = receipt(1).request;
    for height in 1..=12 {
        match height {
            1 => chain.good(PAYER, deposit(500)),
            2 => chain.good(PAYER, reserve(authorisation(1))),
            8 => {
                chain.wait(authorisation(1).deadline_ms + 1);
                hashes.push(chain.app.last().app_hash);
                chain.good(PAYER, Payload::Refund(assay_ledger::tx::Refund { request: reserved }))
            }
            _ => chain.good(PAYER, transfer(1)),
        };
        hashes.push(chain.app.last().app_hash);
    }
    let last = chain.app.last().height;
    assert_eq!(last + 1, hashes.len() as u64);
    for height in 0..=last + 1 {
        let found = ask(&chain, &keys::account(key(STRANGER)), Some(height));
        if height + 3 < last || height > last {
            assert!(matches!(found, Err(QueryError::NotKept(_))), "{height}");
            continue;
        }
        let answer = found.unwrap();
        let app_hash = hashes[height as usize];
        assert_eq!(answer.app_hash, app_hash);
        // One more coin with every block.
        let account: assay_verifier::settlement::payment::Account =
            assay_verifier::settlement::decode(answer.value.as_ref().unwrap()).unwrap();
        assert_eq!(account.balance, chain.account(STRANGER).balance - (last - height));
        verify(&app_hash, &keys::account(key(STRANGER)), answer.value.as_deref(), &answer.proof.unwrap()).unwrap();
        // What was removed is provably gone.
        let gone = ask(&chain, &keys::reservation(reserved), Some(height)).unwrap();
        verify(&app_hash, &keys::reservation(reserved), None, &gone.proof.unwrap()).unwrap();
    }
}

#[test]
fn a_node_that_is_given_all_records_goes_on_from_there() {
    let mut chain = Chain::ready();
    chain.good(PAYER, reserve(authorisation(1)));
    chain.good(NODE, settle(receipt(1)));
    let last = chain.app.last();
    let folder = tempfile::tempdir().unwrap();
    let options = Options::usual(&folder.path().join("state"));
    let store = Store::open(&options.database, options.pruning_depth).unwrap();
    let records = chain.records().into_iter().map(|(key, value)| (key, Some(value))).collect();
    let staged = store.stage(last.height, records).unwrap();
    // The root depends on the records alone, not on how they came to be.
    assert_eq!(staged.committed(), last);
    store.commit(staged).unwrap();
    drop(store);
    let mut late = App::open(&chain.genesis, &options).unwrap();
    let (block, transaction) = (chain.next(), chain.tx(PAYER, transfer(5)));
    let finalized = late.finalize(std::slice::from_ref(&transaction), block, hash(block.height)).unwrap();
    assert_eq!(chain.block_at(block, &[transaction]), finalized);
}
