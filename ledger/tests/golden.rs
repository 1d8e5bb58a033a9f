//! What others rely on and what must never change by accident: codes, state keys, encodings, app hashes.
//!
//! A change that is meant is blessed by `ASSAY_BLESS=1 cargo test -p assay-ledger --test golden`.
mod common;

use std::fmt::Write;
use std::path::Path;

use assay_ledger::Rejection;
use assay_ledger::tx::{
    ApproveMeasurement, DeprecateModel, DeregisterNode, Heartbeat, Payload, Refund, RevokeMeasurement, SettleBatch,
    Transfer, Withdraw,
};
use assay_verifier::digest::{Digest32, KeyDigest, digest};
use assay_verifier::receipt::{ModelId, RequestId};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::node::{Measurement, Platform};
use assay_verifier::signature::PublicKey;
use common::*;

fn same_as_ever(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("ASSAY_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "{name} has changed");
}

/// What is sent, as the chain is then.
type Step = fn(&Chain) -> Payload;

#[test]
fn codes() {
    let mut text = String::new();
    let mut before = 0;
    for reason in Rejection::ALL {
        assert!(reason.code() > before, "{reason:?} is out of order");
        assert_eq!(Rejection::of_code(reason.code()), Some(*reason));
        before = reason.code();
        writeln!(text, "{} {} {}", reason.code(), reason.codespace(), reason.name()).unwrap();
    }
    same_as_ever("codes.txt", &text);
}

#[test]
fn state_keys() {
    let of = |byte| [byte; 32];
    let record = keys::node(PublicKey(of(0x11)));
    let all = [
        ("block", keys::BLOCK.to_vec()),
        ("totals", keys::TOTALS.to_vec()),
        ("parameters", keys::PARAMETERS.to_vec()),
        ("block hash", keys::block_hash(258)),
        ("account", keys::account(PublicKey(of(0x11)))),
        ("node", record.clone()),
        ("node, version 258", keys::version(&record, 258)),
        ("heartbeat", keys::heartbeat(PublicKey(of(0x11)))),
        ("measurement", keys::measurement(of(0x22))),
        ("attestation", keys::attestation(PublicKey(of(0x11)))),
        ("evidence", keys::evidence(Digest32(of(0x66)))),
        ("model", keys::model(ModelId(of(0x33)))),
        ("verification key", keys::verification_key(KeyDigest(of(0x44)))),
        ("reservation", keys::reservation(RequestId(of(0x55)))),
        ("stake", keys::stake(PublicKey(of(0x11)))),
        ("sample", keys::sample(RequestId(of(0x55)))),
        ("settlement", keys::settlement(RequestId(of(0x55)))),
    ];
    let text = all.iter().map(|(name, key)| format!("{name}: {}\n", key.escape_ascii())).collect::<String>();
    same_as_ever("state_keys.txt", &text);
}

/// One block for each kind of transaction, with the digest of its bytes and the app hash after it.
#[test]
fn app_hashes() {
    let mut chain = Chain::new();
    let mut text = format!("genesis {}\n", hex::encode(chain.app.last().app_hash));
    let mut step = |chain: &mut Chain, name: &str, who: u8, payload: Payload| {
        let transaction = chain.tx(who, payload);
        let results = chain.block(std::slice::from_ref(&transaction));
        assert_eq!(results[0].rejection, None, "{name}");
        let (bytes, app_hash) = (digest("golden", &transaction), chain.app.last().app_hash);
        writeln!(text, "{name} {} {} {}", hex::encode(bytes), results[0].work, hex::encode(app_hash)).unwrap();
    };
    let measurement = Measurement { platform: Platform::Tdx, registers: vec![vec![1; 48]], software: "one".into() };
    let id = measurement.id();
    let approve = ApproveMeasurement { measurement, expires: None };
    let revoke = RevokeMeasurement { measurement: id, from: 20, reason: "old".into() };
    let deprecate = DeprecateModel { model: model(), from: 30, reason: "old".into() };
    step(&mut chain, "Transfer", PAYER, Payload::Transfer(Transfer { to: key(STRANGER), amount: 5 }));
    step(&mut chain, "Deposit", PAYER, deposit(1_000));
    step(&mut chain, "Withdraw", PAYER, Payload::Withdraw(Withdraw { amount: 1 }));
    step(&mut chain, "RegisterNode", NODE, register());
    step(&mut chain, "Heartbeat", NODE, Payload::Heartbeat(Heartbeat {}));
    step(&mut chain, "ApproveMeasurement", GOVERNANCE, Payload::ApproveMeasurement(approve));
    step(&mut chain, "RevokeMeasurement", GOVERNANCE, Payload::RevokeMeasurement(revoke));
    step(&mut chain, "PublishModel without keys", PUBLISHER, publish("model", "1"));
    step(&mut chain, "PublishModel with a key", PUBLISHER, golden::publish("sumcheck"));
    for number in 1..=3 {
        step(&mut chain, "Reserve", PAYER, reserve(authorisation(number)));
    }
    step(&mut chain, "Reserve for a proof", PAYER, reserve(golden::authorisation("sumcheck", 0)));
    step(&mut chain, "Settle with a signature", NODE, settle(receipt(1)));
    step(&mut chain, "Settle with a proof", NODE, golden::settle("sumcheck", 0));
    let leaves = vec![leaf(receipt(1)), leaf(receipt(2))];
    step(&mut chain, "SettleBatch", NODE, Payload::SettleBatch(SettleBatch { leaves }));
    step(&mut chain, "DeprecateModel", PUBLISHER, Payload::DeprecateModel(deprecate));
    step(&mut chain, "DeregisterNode", NODE, Payload::DeregisterNode(DeregisterNode { reason: "tired".into() }));
    chain.wait(authorisation(3).deadline_ms);
    step(&mut chain, "Refund", STRANGER_WITH_MONEY, Payload::Refund(Refund { request: receipt(3).request }));
    enclaves(&mut text);
    same_as_ever("app_hashes.txt", &text);
}

/// The same for a node in an enclave, on a chain that trusts a software attester.
fn enclaves(text: &mut String) {
    let mut chain = enclave::chain();
    writeln!(text, "enclaves {}", hex::encode(chain.app.last().app_hash)).unwrap();
    let steps: [(&str, u8, Step); 4] = [
        ("RegisterNode with a document of Nitro", NODE, |chain| {
            enclave::register_with(enclave::shown(chain, enclave::evidence(chain, NODE, Platform::Nitro)))
        }),
        ("AttestNode with a quote of TDX", NODE, |chain| {
            enclave::attest(enclave::shown(chain, enclave::evidence(chain, NODE, Platform::Tdx)))
        }),
        ("Reserve for an enclave", PAYER, |_| enclave::reserve_attested(1)),
        ("Settle by an attestation", NODE, |_| settle(enclave::attested(1))),
    ];
    for (name, who, payload) in steps {
        let transaction = chain.tx(who, payload(&chain));
        let results = chain.block(std::slice::from_ref(&transaction));
        assert_eq!(results[0].rejection, None, "{name}");
        let (bytes, app_hash) = (digest("golden", &transaction), chain.app.last().app_hash);
        writeln!(text, "{name} {} {} {}", hex::encode(bytes), results[0].work, hex::encode(app_hash)).unwrap();
    }
}

/// Refunds are anyone's to ask for.
const STRANGER_WITH_MONEY: u8 = GOVERNANCE;

#[test]
fn a_genesis_is_read_as_it_is_written() {
    let json = genesis().to_json().unwrap();
    let read = assay_ledger::genesis::RawGenesis::from_json(&json).unwrap();
    assert_eq!((&read, read.check().unwrap()), (&genesis(), Chain::new().genesis));
    same_as_ever("genesis.json", &json);
    same_as_ever("genesis.digest.txt", &format!("{}\n", read.check().unwrap().digest()));
}
