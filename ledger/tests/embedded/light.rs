//! Light clients take the chain for what it is, and nothing that was changed in it.
use assay_ledger::LightBytes;
use assay_ledger::app::{Proof, Query};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::light::{Clock, LIGHT_BLOCK_LEN_MAX, LightBlock, LightError, Root, Trusted};
use prost::Message;
use tendermint_proto::v0_38::types as proto;

use super::common::{CHAIN, STRANGER, key};
use super::node::*;

const DAY_MS: u64 = 86_400_000;
const BLOCKS: u64 = 6;

fn clock() -> Clock {
    Clock { now_ms: START_MS + 1_000 * BLOCKS, trusting_ms: DAY_MS, drift_ms: 1_000 }
}

#[test]
fn the_chain_is_followed_from_the_genesis_to_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let node = grown(folder.path(), BLOCKS);
    let block = |height| node.light_block(height).unwrap().unwrap();
    let first = Trusted::begin(CHAIN, node.root(), block(1)).unwrap();
    // One by one, and all at once.
    let mut trusted = first.clone();
    for height in 2..=BLOCKS {
        trusted = trusted.advance(block(height), &clock()).unwrap();
    }
    assert_eq!(first.advance(block(BLOCKS), &clock()).unwrap(), trusted);
    assert_eq!(
        Trusted::begin(CHAIN, Root::Header(trusted.block().hash().as_bytes().try_into().unwrap()), block(BLOCKS)),
        Ok(trusted.clone())
    );
    assert_eq!((trusted.block().height(), trusted.block().time_ms()), (BLOCKS, START_MS + 1_000 * BLOCKS));
    // What is proven is the state after the block before.
    let query = Query { key: keys::account(key(STRANGER)), height: Some(BLOCKS - 1), proof: Proof::Wanted };
    let answer = node.query(&query).unwrap();
    assert_eq!(answer.app_hash, trusted.app_hash());
    let (value, proof) = (answer.value.as_deref(), answer.proof.unwrap());
    assert_eq!(trusted.includes(BLOCKS - 1, &query.key, value, &proof), Ok(()));
    assert!(matches!(trusted.includes(BLOCKS - 1, &query.key, None, &proof), Err(LightError::Inclusion(_))));
    assert!(matches!(trusted.includes(BLOCKS - 1, &query.key, Some(b"more"), &proof), Err(LightError::Inclusion(_))));
    for height in [0, BLOCKS - 2, BLOCKS] {
        assert_eq!(trusted.includes(height, &query.key, value, &proof), Err(LightError::Height(BLOCKS - 1)));
    }
}

#[test]
fn time_and_order_are_minded() {
    let folder = tempfile::tempdir().unwrap();
    let node = grown(folder.path(), BLOCKS);
    let block = |height| node.light_block(height).unwrap().unwrap();
    let first = Trusted::begin(CHAIN, node.root(), block(1)).unwrap();
    let at = |now_ms| Clock { now_ms, ..clock() };
    let first_ms = START_MS + 1_000;
    assert_eq!(first.advance(block(3), &at(first_ms + DAY_MS)), Err(LightError::Expired));
    assert!(first.advance(block(3), &at(first_ms + DAY_MS - 1)).is_ok());
    assert_eq!(first.advance(block(3), &at(first_ms + 1_000)), Err(LightError::Future));
    assert!(first.advance(block(3), &at(first_ms + 1_001)).is_ok());
    assert_eq!(first.advance(block(3), &at(u64::MAX)), Err(LightError::Future));
    let third = first.advance(block(3), &clock()).unwrap();
    for height in 1..=3 {
        assert_eq!(third.advance(block(height), &clock()), Err(LightError::Order));
    }
    assert_eq!(Trusted::begin("other", node.root(), block(1)), Err(LightError::Chain));
    assert_eq!(Trusted::begin(CHAIN, node.root(), block(2)), Err(LightError::Root));
    assert_eq!(Trusted::begin(CHAIN, Root::Header([1; 32]), block(2)), Err(LightError::Root));
    assert_eq!(Trusted::begin(CHAIN, Root::Validators([1; 32]), block(1)), Err(LightError::Root));
}

type Change = fn(&mut proto::LightBlock);

fn header(block: &mut proto::LightBlock) -> &mut proto::Header {
    block.signed_header.as_mut().unwrap().header.as_mut().unwrap()
}

fn commit(block: &mut proto::LightBlock) -> &mut proto::Commit {
    block.signed_header.as_mut().unwrap().commit.as_mut().unwrap()
}

#[test]
fn tampered_blocks_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = grown(folder.path(), BLOCKS);
    let first = Trusted::begin(CHAIN, node.root(), node.light_block(1).unwrap().unwrap()).unwrap();
    let LightBytes { block: bytes, next_validators: next } = node.light_bytes(4).unwrap().unwrap();
    assert!(first.advance(LightBlock::decode(&bytes, &next).unwrap(), &clock()).is_ok());
    let headers: [Change; 13] = [
        |block| header(block).version.as_mut().unwrap().app += 1,
        |block| header(block).version.as_mut().unwrap().block += 1,
        |block| header(block).chain_id.push('x'),
        |block| header(block).time.as_mut().unwrap().nanos ^= 1,
        |block| header(block).last_block_id.as_mut().unwrap().hash[0] ^= 1,
        |block| header(block).last_commit_hash[0] ^= 1,
        |block| header(block).data_hash[0] ^= 1,
        |block| header(block).consensus_hash[0] ^= 1,
        |block| header(block).app_hash[31] ^= 1,
        |block| header(block).last_results_hash[0] ^= 1,
        |block| header(block).evidence_hash[0] ^= 1,
        |block| header(block).proposer_address[0] ^= 1,
        |block| header(block).app_hash.truncate(31),
    ];
    let others: [(Change, LightError); 11] = [
        (|block| header(block).height += 1, LightError::Malformed),
        (|block| header(block).validators_hash[0] ^= 1, LightError::Validators),
        (|block| header(block).next_validators_hash[0] ^= 1, LightError::Validators),
        (|block| commit(block).round += 1, LightError::Signature),
        (|block| commit(block).block_id.as_mut().unwrap().hash[0] ^= 1, LightError::Commit),
        (
            |block| commit(block).block_id.as_mut().unwrap().part_set_header.as_mut().unwrap().total += 1,
            LightError::Signature,
        ),
        (|block| commit(block).signatures[0].signature[5] ^= 1, LightError::Signature),
        (|block| commit(block).signatures[0].timestamp.as_mut().unwrap().seconds += 1, LightError::Signature),
        (|block| commit(block).signatures[0].validator_address[0] ^= 1, LightError::Commit),
        (|block| commit(block).signatures.clear(), LightError::Commit),
        (|block| block.validator_set.as_mut().unwrap().validators[0].voting_power += 1, LightError::Malformed),
    ];
    let headers = headers.map(|change| (change, LightError::Commit));
    for (number, (change, why)) in headers.iter().chain(&others).enumerate() {
        let mut block = proto::LightBlock::decode(bytes.as_slice()).unwrap();
        change(&mut block);
        let advanced = LightBlock::decode(&block.encode_to_vec(), &next);
        let advanced = advanced.and_then(|block| first.advance(block, &clock()));
        assert_eq!(advanced.as_ref(), Err(why), "{number}");
    }
}

/// Another validator signs a chain that is right in itself.
#[test]
fn another_validators_chain_is_not_this_one() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let node = grown(folders[0].path(), 2);
    let forger = try_open(folders[1].path(), 2).unwrap();
    grow(&forger, 3);
    let first = Trusted::begin(CHAIN, node.root(), node.light_block(1).unwrap().unwrap()).unwrap();
    let forged = |height| forger.light_block(height).unwrap().unwrap();
    assert_eq!(first.advance(forged(2), &clock()), Err(LightError::Validators));
    assert_eq!(first.advance(forged(3), &clock()), Err(LightError::Trust));
    assert_eq!(Trusted::begin(CHAIN, node.root(), forged(1)), Err(LightError::Root));
    assert!(Trusted::begin(CHAIN, forger.root(), forged(1)).is_ok());
}

/// Whatever the bytes are, they are refused without a panic, and long ones before they are looked at.
#[test]
fn changed_bytes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = grown(folder.path(), 2);
    let first = Trusted::begin(CHAIN, node.root(), node.light_block(1).unwrap().unwrap()).unwrap();
    let LightBytes { block: bytes, next_validators: next } = node.light_bytes(2).unwrap().unwrap();
    let true_block = LightBlock::decode(&bytes, &next).unwrap();
    let mut refused = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let Ok(block) = LightBlock::decode(&changed, &next) else { continue };
            match first.advance(block.clone(), &clock()) {
                // Only what is not signed may differ: who proposes next, and priorities.
                Ok(trusted) => {
                    assert_eq!((trusted.app_hash(), block.hash()), (first_of(&true_block, &first), true_block.hash()))
                }
                Err(_) => refused += 1,
            }
        }
        assert!(LightBlock::decode(&bytes[..at], &next).is_err() || at == 0);
    }
    assert!(refused > 1_000);
    let long = vec![0; LIGHT_BLOCK_LEN_MAX + 1];
    assert_eq!(LightBlock::decode(&long, &next), Err(LightError::Malformed));
    assert_eq!(LightBlock::decode(&bytes, &long), Err(LightError::Malformed));
    assert_eq!(LightBlock::decode(&[], &[]), Err(LightError::Malformed));
}

fn first_of(block: &LightBlock, first: &Trusted) -> [u8; 32] {
    first.advance(block.clone(), &clock()).unwrap().app_hash()
}
