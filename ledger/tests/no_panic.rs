//! Any bytes are answered: the corpora of the fuzz targets, and bytes at random.
//!
//! Seeds are renewed by `ASSAY_BLESS=1 cargo test -p assay-ledger --test no_panic`.
mod common;
#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use assay_ledger::app::{Proof, Query};
use assay_ledger::tx::{
    ApproveMeasurement, DeprecateModel, DeregisterNode, Heartbeat, Payload, Refund, RevokeMeasurement, SettleBatch,
    Transfer, Withdraw,
};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::node::{Measurement, Platform};
use assay_verifier::wire;
use common::*;
use proptest::prelude::*;
use prost::Message;
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator::{Info, Set};
use tendermint_proto::v0_38::types as proto;

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// One payload of each kind, small ones.
fn payloads() -> Vec<(&'static str, u8, Payload)> {
    let measurement = Measurement { platform: Platform::Tdx, registers: vec![vec![1; 48]], software: "one".into() };
    let enclaves = Chain::of(&enclave::simulated());
    let shown = enclave::shown(&enclaves, enclave::evidence(&enclaves, NODE, Platform::Nitro));
    let revoke = RevokeMeasurement { measurement: measurement.id(), from: 20, reason: "old".into() };
    let deprecate = DeprecateModel { model: model(), from: 30, reason: "old".into() };
    vec![
        ("transfer", PAYER, Payload::Transfer(Transfer { to: key(STRANGER), amount: 5 })),
        ("deposit", PAYER, deposit(1_000)),
        ("withdraw", PAYER, Payload::Withdraw(Withdraw { amount: 1 })),
        ("register_node", NODE, register()),
        ("heartbeat", NODE, Payload::Heartbeat(Heartbeat {})),
        ("deregister_node", NODE, Payload::DeregisterNode(DeregisterNode { reason: "tired".into() })),
        ("approve", PAYER, Payload::ApproveMeasurement(ApproveMeasurement { measurement, expires: Some(9) })),
        ("revoke", PAYER, Payload::RevokeMeasurement(revoke)),
        ("publish_model", PUBLISHER, publish("model", "1")),
        ("deprecate_model", PUBLISHER, Payload::DeprecateModel(deprecate)),
        ("reserve", PAYER, reserve(authorisation(1))),
        ("settle", NODE, settle(receipt(1))),
        ("settle_batch", NODE, Payload::SettleBatch(SettleBatch { leaves: vec![leaf(receipt(1)); 2] })),
        ("refund", PAYER, Payload::Refund(Refund { request: receipt(1).request })),
        ("attest_node", NODE, enclave::attest(shown)),
    ]
}

fn bless() {
    for target in ["check", "execute", "light", "show", "../golden"] {
        fs::create_dir_all(corpus(target)).unwrap();
    }
    for height in [2, 5, 6] {
        let bytes = light_block(height);
        fs::write(corpus("light").join(format!("genuine_{height}")), &bytes).unwrap();
        fs::write(corpus("light").join(format!("../../golden/light_{height}.bin")), &bytes).unwrap();
    }
    fs::write(corpus("light").join("empty"), [0; 2]).unwrap();
    let chain = Chain::new();
    for (name, who, payload) in payloads() {
        fs::write(corpus("execute").join(name), [&[who], wire::bytes(&payload).as_slice()].concat()).unwrap();
        fs::write(corpus("check").join(name), chain.tx(who, payload)).unwrap();
    }
    for (name, key) in [("existence", keys::TOTALS), ("absence", b"other".as_slice())] {
        let query = Query { key: key.to_vec(), height: None, proof: Proof::Wanted };
        let answer = chain.app.reader().query(&query).unwrap();
        fs::write(corpus("show").join(name), answer.proof.unwrap()).unwrap();
    }
    let whole = fs::read(corpus("show").join("absence")).unwrap();
    fs::write(corpus("show").join("empty"), []).unwrap();
    fs::write(corpus("show").join("truncated"), &whole[..whole.len() / 2]).unwrap();
}

/// A block that CometBFT made, with its validators, as the target takes it.
fn light_block(height: u64) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/comet");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let signed: SignedHeader = serde_json::from_str(&read(&format!("signed_header_{height}.json"))).unwrap();
    let validators: Vec<Info> = serde_json::from_str(&read("validators.json")).unwrap();
    let validators: proto::ValidatorSet = Set::without_proposer(validators).into();
    let next = validators.encode_to_vec();
    let block =
        proto::LightBlock { signed_header: Some(signed.into()), validator_set: Some(validators) }.encode_to_vec();
    let length = u16::try_from(block.len()).unwrap().to_le_bytes();
    [&length, block.as_slice(), &next].concat()
}

fn replay(target: &str, run: fn(&[u8])) {
    let mut files: Vec<_> = fs::read_dir(corpus(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 4, "{target} has {} files", files.len());
    for file in files {
        println!("{}", file.display());
        let bytes = fs::read(file).unwrap();
        run(&bytes);
        for at in (0..bytes.len()).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            run(&changed);
            run(&bytes[..at]);
        }
    }
}

#[test]
fn corpora() {
    if std::env::var_os("ASSAY_BLESS").is_some() {
        bless();
    }
    replay("check", targets::check);
    replay("execute", targets::execute);
    replay("light", targets::light);
    replay("show", targets::show);
}

#[test]
fn neighbours_that_never_part() {
    use assay_verifier::settlement::inclusion::{InclusionError, verify};
    use ics23::commitment_proof::Proof::{Exist, Nonexist};
    use ics23::{CommitmentProof, NonExistenceProof};
    use prost_ics23::Message;
    let chain = Chain::new();
    let query = Query { key: keys::TOTALS.to_vec(), height: None, proof: Proof::Wanted };
    let answer = chain.app.reader().query(&query).unwrap();
    let proof = CommitmentProof::decode(answer.proof.unwrap().as_slice()).unwrap();
    let Some(Exist(existence)) = proof.proof else { panic!("the record is there") };
    for (left, right) in [(existence.path.len(), existence.path.len()), (0, 0), (0, 1), (1, 0)] {
        let cut = |len| {
            let mut neighbour = existence.clone();
            let skip = neighbour.path.len() - len;
            neighbour.path.drain(..skip);
            Some(neighbour)
        };
        let absence = NonExistenceProof { key: b"other".to_vec(), left: cut(left), right: cut(right) };
        let bytes = CommitmentProof { proof: Some(Nonexist(absence)) }.encode_to_vec();
        assert_eq!(verify(&answer.app_hash, b"other", None, &bytes), Err(InclusionError::Malformed));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn bytes_at_random(mut bytes in proptest::collection::vec(any::<u8>(), 0..600), tagged in any::<bool>()) {
        if tagged {
            bytes.splice(0..0, *b"ASSAYTX1");
        }
        targets::check(&bytes);
        targets::execute(&bytes);
        targets::show(&bytes);
        targets::light(&bytes);
    }
}
