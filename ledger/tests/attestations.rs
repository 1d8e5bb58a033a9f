//! Nodes in enclaves: attested when they register, settle while that counts, and leave a history.
mod common;

use assay_ledger::genesis::{GenesisError, RawGenesis, RawTrustRoot, RootFault};
use assay_ledger::tx::{DeregisterNode, Payload, RevokeMeasurement, SettleBatch};
use assay_verifier::receipt::{Backend, Grade};
use assay_verifier::settlement::node::{Attestation, Platform};
use assay_verifier::settlement::payment::Settlement;
use assay_verifier::settlement::{Reason, Versioned, keys};
use assay_verifier::tee::dcap::TcbStatus;
use assay_verifier::tee::roots::VENDOR_ROOTS;
use assay_verifier::tee::{Binding, Evidence, authenticate};
use assay_verifier::wire;
use common::enclave::*;
use common::*;

#[test]
fn a_node_registers_with_its_document_and_settles() {
    for platform in [Platform::Nitro, Platform::Tdx] {
        let mut chain = chain();
        let (before, hash) = (chain.app.last(), last_hash(&chain));
        let made_ms = chain.app.last_time_ms();
        registered(&mut chain, platform);
        let found: Versioned<Attestation> = chain.read(&keys::attestation(key(NODE))).unwrap();
        let Attestation { grade, measurement: id, nonce, nonce_height, expires_ms, .. } = found.record;
        assert_eq!((found.revision, found.valid_from), (0, before.height + 1));
        assert_eq!((grade, id), (Grade::Simulated, measurement(platform).id()));
        assert_eq!((nonce, nonce_height, expires_ms), (hash, before.height, made_ms + LIFETIME_MS));
        chain.good(PAYER, reserve_attested(1));
        chain.good(NODE, settle(attested(1)));
        let settled: Settlement = chain.read(&keys::settlement(attested(1).request)).unwrap();
        assert_eq!((settled.backend, settled.attestation_revision, settled.proof), (Backend::Tee, Some(0), None));
    }
}

#[test]
fn whoever_audits_later_has_all_that_was_verified() {
    let mut chain = chain();
    registered(&mut chain, Platform::Tdx);
    let found: Versioned<Attestation> = chain.read(&keys::attestation(key(NODE))).unwrap();
    let record = found.record;
    let bytes = chain.bytes(&keys::evidence(record.evidence)).unwrap();
    let evidence: Evidence = wire::decode_untagged(&bytes).unwrap();
    assert_eq!(evidence.digest(), record.evidence);
    let rules = chain.app.reader().rules();
    let again = authenticate(&evidence, &rules.trust_roots, &rules.attestation, record.verified_ms).unwrap();
    assert_eq!(again.check_binding(&Binding::new(CHAIN, key(NODE), record.nonce)), Ok(()));
    assert_eq!((again.measurement(), again.expires_ms), (record.measurement, record.expires_ms));
    assert_eq!((again.grade(), again.root.certificate), (record.grade, record.root));
}

#[test]
fn a_new_document_takes_the_place_of_the_one_before() {
    let mut chain = chain();
    registered(&mut chain, Platform::Nitro);
    let next = shown(&chain, evidence(&chain, NODE, Platform::Tdx));
    chain.good(NODE, attest(next));
    let key = keys::attestation(key(NODE));
    let now: Versioned<Attestation> = chain.read(&key).unwrap();
    let before: Versioned<Attestation> = chain.read(&keys::version(&key, 0)).unwrap();
    assert_eq!((now.revision, now.record.platform), (1, Platform::Tdx));
    assert_eq!((before.valid_to, before.record.platform), (Some(now.valid_from), Platform::Nitro));
    chain.good(PAYER, reserve_attested(1));
    chain.good(NODE, settle(attested(1)));
    let settled: Settlement = chain.read(&keys::settlement(attested(1).request)).unwrap();
    assert_eq!(settled.attestation_revision, Some(1));
}

#[test]
fn a_revocation_counts_from_its_height_on_and_leaves_what_was_right() {
    let mut chain = chain();
    registered(&mut chain, Platform::Nitro);
    for number in 1..=3 {
        chain.good(PAYER, reserve_attested(number));
    }
    let from = chain.next().height + 2;
    let measurement = measurement(Platform::Nitro).id();
    chain.good(GOVERNANCE, Payload::RevokeMeasurement(RevokeMeasurement { measurement, from, reason: "leaks".into() }));
    chain.good(NODE, settle(attested(1)));
    assert_eq!(chain.next().height, from);
    let batch = Payload::SettleBatch(SettleBatch { leaves: vec![leaf(attested(2))] });
    assert_eq!(chain.send(NODE, batch).rejection, Some(assay_ledger::Rejection::BatchNothingSettled));
    assert_eq!(chain.send(NODE, settle(attested(2))).rejection, Some(assay_ledger::Rejection::MeasurementRevoked));
    // Approved once more, it counts again, by another version of its record.
    chain.good(GOVERNANCE, approve(Platform::Nitro));
    chain.good(NODE, settle(attested(3)));
}

#[test]
fn a_node_that_leaves_is_attested_no_more() {
    let mut chain = chain();
    registered(&mut chain, Platform::Nitro);
    chain.good(NODE, Payload::DeregisterNode(DeregisterNode { reason: "done".into() }));
    let ended: Versioned<Attestation> = chain.read(&keys::attestation(key(NODE))).unwrap();
    assert_eq!((ended.valid_to, ended.reason), (Some(chain.app.last().height), Some(Reason::Owner("done".into()))));
}

fn fault(raw: &RawGenesis) -> String {
    raw.check().unwrap_err().to_string()
}

#[test]
fn a_genesis_keeps_real_and_simulated_apart() {
    let production = || genesis();
    let vendor =
        |grade| RawTrustRoot { platform: Platform::Nitro, certificate: VENDOR_ROOTS[0].certificate.to_string(), grade };
    let own = |grade| RawTrustRoot { grade, ..simulated().trust_roots[0].clone() };
    let with = |raw: RawGenesis, roots: Vec<RawTrustRoot>| RawGenesis { trust_roots: roots, ..raw };
    assert!(with(production(), vec![vendor(Grade::Production)]).check().is_ok());
    assert!(simulated().check().is_ok());
    let cases = [
        (with(production(), vec![own(Grade::Simulated)]), RootFault::Grade),
        (with(production(), vec![own(Grade::Production)]), RootFault::NotVendor),
        (with(production(), vec![vendor(Grade::Simulated)]), RootFault::Vendor),
        (with(simulated(), vec![vendor(Grade::Production)]), RootFault::Grade),
        (with(production(), vec![vendor(Grade::Production), own(Grade::Simulated)]), RootFault::Grade),
    ];
    for (raw, expected) in cases {
        assert!(matches!(raw.check(), Err(GenesisError::Root(found)) if found == expected), "{}", fault(&raw));
    }
    let twice = with(production(), vec![vendor(Grade::Production); 2]);
    assert!(matches!(twice.check(), Err(GenesisError::Twice("trust_roots"))));
    let mut lax = simulated();
    lax.attestation.tcb_statuses.push(TcbStatus::Revoked);
    assert!(matches!(lax.check(), Err(GenesisError::Revoked)));
    let mut eternal = simulated();
    eternal.attestation.lifetime_ms = 0;
    assert!(matches!(eternal.check(), Err(GenesisError::TooSmall("attestation.lifetime_ms"))));
    // Roots are one set, whatever their order.
    let mut turned = simulated();
    turned.trust_roots.reverse();
    assert_eq!(turned.check().unwrap().digest(), simulated().check().unwrap().digest());
}
