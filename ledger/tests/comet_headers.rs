//! Headers that CometBFT v0.38.25 made: a chain of four validators, of which one was away.
use std::fs;
use std::path::Path;

use assay_ledger::comet::{CometGenesis, CometGenesisError, ValidatorKey};
use assay_ledger::genesis::RawGenesis;
use assay_verifier::settlement::light::{Clock, LightBlock, LightError, Root, Trusted, validators_hash};
use assay_verifier::signature::SigningKey;
use prost::Message;
use serde::de::DeserializeOwned;
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator::{Info, Set};
use tendermint_proto::v0_38::types as proto;

const CHAIN: &str = "assay-local";

fn golden<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/comet").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn validators() -> proto::ValidatorSet {
    Set::without_proposer(golden::<Vec<Info>>("validators.json")).into()
}

fn changed(height: u64, change: fn(&mut proto::LightBlock)) -> Result<LightBlock, LightError> {
    let signed: SignedHeader = golden(&format!("signed_header_{height}.json"));
    let mut block = proto::LightBlock { signed_header: Some(signed.into()), validator_set: Some(validators()) };
    change(&mut block);
    LightBlock::decode(&block.encode_to_vec(), &validators().encode_to_vec())
}

fn block(height: u64) -> LightBlock {
    changed(height, |_| ()).unwrap()
}

fn commit(block: &mut proto::LightBlock) -> &mut proto::Commit {
    block.signed_header.as_mut().unwrap().commit.as_mut().unwrap()
}

/// The place of a validator that has signed.
fn signer(block: &mut proto::LightBlock) -> usize {
    commit(block).signatures.iter().position(|vote| !vote.signature.is_empty()).unwrap()
}

#[test]
fn the_genesis_says_what_light_clients_begin_with() {
    let keys = [1u8, 2, 3].map(|seed| ValidatorKey::from_seed([seed; 32]));
    let state = RawGenesis::usual(CHAIN, &[(SigningKey::from_seed([9; 32]).public(), 1_000)]);
    let text = CometGenesis::new(state, "2026-11-21T22:47:03Z", &keys).unwrap().to_json().unwrap();
    let root = |text: &str| CometGenesis::from_json(text).unwrap().root();
    let members: Vec<_> = keys.iter().map(|key| (key.bytes(), 10)).collect();
    assert_eq!(root(&text).unwrap(), Root::Validators(validators_hash(&members).unwrap()));
    for power in ["-1", "ten", "9223372036854775807"] {
        let changed = text.replace(r#""power": "10""#, &format!(r#""power": "{power}""#));
        assert!(matches!(root(&changed), Err(CometGenesisError::Validators)), "{power}");
    }
    let mut none: serde_json::Value = serde_json::from_str(&text).unwrap();
    none["validators"] = serde_json::json!([]);
    assert!(matches!(root(&none.to_string()), Err(CometGenesisError::Validators)));
}

#[test]
fn they_are_followed() {
    let clock = Clock { now_ms: block(6).time_ms(), trusting_ms: 86_400_000, drift_ms: 10_000 };
    let named = golden::<SignedHeader>("signed_header_2.json").commit.block_id.hash;
    let root = Root::Header(named.as_bytes().try_into().unwrap());
    let trusted = Trusted::begin(CHAIN, root, block(2)).unwrap();
    let fifth = trusted.advance(block(5), &clock).unwrap();
    let sixth = fifth.advance(block(6), &clock).unwrap();
    assert_eq!(trusted.advance(block(6), &clock), Ok(sixth.clone()));
    let header = golden::<SignedHeader>("signed_header_6.json").header;
    assert_eq!(sixth.app_hash(), header.app_hash.as_bytes());
    assert_eq!(header.last_block_id.unwrap().hash, fifth.block().hash());

    // With two of four signatures there are too few; a forged one is none.
    let fewer = changed(5, |block| {
        let place = signer(block);
        commit(block).signatures[place] = proto::CommitSig { block_id_flag: 1, ..Default::default() };
    });
    assert_eq!(trusted.advance(fewer.unwrap(), &clock), Err(LightError::Power));
    let forged = changed(5, |block| {
        let place = signer(block);
        commit(block).signatures[place].signature[0] ^= 1;
    });
    assert_eq!(trusted.advance(forged.unwrap(), &clock), Err(LightError::Signature));
    let twice = changed(5, |block| {
        let place = signer(block);
        let vote = commit(block).signatures[place].clone();
        commit(block).signatures = vec![vote; 4];
    });
    assert_eq!(trusted.advance(twice.unwrap(), &clock), Err(LightError::Commit));
    let without = changed(5, |block| {
        block.validator_set.as_mut().unwrap().validators.pop();
        block.validator_set.as_mut().unwrap().total_voting_power = 0;
        commit(block).signatures.pop();
    });
    assert_eq!(trusted.advance(without.unwrap(), &clock), Err(LightError::Validators));
}
