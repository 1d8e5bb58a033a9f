//! Is a node's enclave on the ledger for as long as it runs, and is one that the chain does not trust refused?
use std::path::Path;
use std::sync::Arc;

use assay_ledger::genesis::{RawGenesis, RawTrustRoot};
use assay_service::attester::{Enclave, Format};
use assay_service::config::Tee;
use assay_service::jobs::states::Settlement;
use assay_service::ledger::embedded::{Chain, Start};
use assay_service::ledger::{Attesting, Ledger, Presence, PresenceError, Sender, read};
use assay_service::settle::bundle::Show;
use assay_verifier::audit::{Check, Scope};
use assay_verifier::receipt::{Backend, Grade};
use assay_verifier::settlement::node::{Attestation, Node};
use assay_verifier::settlement::sampling::{Sampling, WHOLE_PPM};
use assay_verifier::settlement::{Versioned, keys};
use assay_verifier::tee::{Policy, TeeError};

use crate::bundles::{audited, of};
use crate::requests::Request;
use crate::world::*;

fn enclave(folder: &Path) -> Arc<Enclave> {
    let tee = Tee::Software { seed: folder.join("attester.seed"), format: Format::Nitro };
    Arc::new(Enclave::open(&tee).unwrap())
}

fn attesting(enclave: &Arc<Enclave>) -> Option<Attesting> {
    Some(Attesting { enclave: Arc::clone(enclave), governs: true })
}

fn attested() -> Node {
    Node { backends: vec![Backend::Zkml, Backend::Tee, Backend::Vanilla], ..node() }
}

/// A chain that accepts the enclave's documents, each for so long.
fn trusting(folder: &Path, enclave: &Enclave, lifetime_ms: u64) -> Arc<Chain> {
    let accounts = RICH.map(|who| (key(who), BALANCE));
    let roots = enclave.roots().into_iter().map(|root| RawTrustRoot {
        platform: root.platform,
        certificate: root.certificate.to_string(),
        grade: root.grade,
    });
    let raw = RawGenesis {
        trust_roots: roots.collect(),
        attestation: Policy { lifetime_ms, ..Policy::usual(Grade::Simulated) },
        ..RawGenesis::usual(CHAIN, &accounts)
    };
    std::fs::create_dir(folder.join("chain")).unwrap();
    std::fs::write(folder.join("chain/genesis.json"), raw.to_json().unwrap()).unwrap();
    chain(folder)
}

fn signer(ledger: &Arc<Chain>) -> Arc<Sender> {
    Arc::new(sender(ledger, Who::Node))
}

fn found(ledger: &dyn Ledger) -> Versioned<Attestation> {
    read(ledger, &keys::attestation(key(Who::Node))).unwrap().expect("it is attested")
}

#[test]
fn it_is_attested_at_each_start_and_before_the_last_document_ends() {
    let folder = tempfile::tempdir().unwrap();
    let enclave = enclave(folder.path());
    let ledger = trusting(folder.path(), &enclave, 86_400_000);
    let sender = signer(&ledger);
    let start = || Presence::start(ledger.clone(), sender.clone(), &attested(), attesting(&enclave)).unwrap();
    drop(start());
    assert_eq!((found(&*ledger).revision, found(&*ledger).record.grade), (0, Grade::Simulated));
    drop(start());
    assert_eq!(found(&*ledger).revision, 1, "whatever ran before may have been other software");

    let folder = tempfile::tempdir().unwrap();
    let ledger = trusting(folder.path(), &enclave, 1_000);
    let sender = signer(&ledger);
    let presence = Presence::start(ledger.clone(), sender, &attested(), attesting(&enclave)).unwrap();
    until("two renewals", || found(&*ledger).revision >= 2);
    let Versioned { record, .. } = found(&*ledger);
    assert!(record.expires_ms > record.verified_ms);
    drop(presence);
}

#[test]
fn a_node_that_gets_an_enclave_is_registered_anew_with_the_stake_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let enclave = enclave(folder.path());
    let ledger = trusting(folder.path(), &enclave, 86_400_000);
    let sender = signer(&ledger);
    drop(Presence::start(ledger.clone(), sender.clone(), &node(), None).unwrap());
    let before = account(&*ledger, Who::Node).balance;
    let presence = Presence::start(ledger.clone(), sender.clone(), &attested(), attesting(&enclave)).unwrap();
    assert_eq!(presence.record().unwrap(), Some(attested()));
    assert!(before - account(&*ledger, Who::Node).balance < STAKE, "fees only");
    drop(presence);
    // And back again.
    let presence = Presence::start(ledger.clone(), sender, &node(), None).unwrap();
    assert_eq!(presence.record().unwrap(), Some(node()));
    assert!(found(&*ledger).valid_to.is_some());
}

#[test]
fn an_enclave_that_the_chain_does_not_trust_is_refused_with_the_reason() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ledger = trusting(folder.path(), &enclave(folder.path()), 86_400_000);
    let other = enclave(elsewhere.path());
    let sender = signer(&ledger);
    let refused = Presence::start(ledger.clone(), sender, &attested(), attesting(&other)).err().unwrap();
    assert!(matches!(refused, PresenceError::Evidence(TeeError::UnknownRoot)), "{refused}");
    // A chain without simulated roots has those of the vendors.
    let folder = tempfile::tempdir().unwrap();
    let ledger = chain(folder.path());
    let refused = Presence::start(ledger.clone(), signer(&ledger), &attested(), attesting(&other));
    let refused = refused.err().unwrap();
    assert!(matches!(refused, PresenceError::Evidence(TeeError::WrongGrade)), "{refused}");
}

#[test]
fn what_an_enclave_answered_is_drawn_proven_and_audited() {
    let folder = tempfile::tempdir().unwrap();
    let enclave = enclave(folder.path());
    let sampling = Sampling { share_ppm: WHOLE_PPM, blocks: 1_000, cut: 500 };
    let start = Start { simulated_roots: enclave.roots(), sampling, ..start() };
    let world = World::ready_as(folder.path(), &start, &attested(), attesting(&enclave));
    let request = Request::new(1, Backend::Tee);
    let id = request.finish(&world);
    world.round_until("it is drawn", || world.job(id).states.settlement == Settlement::Challenged);
    let audit = || audited(&world, &of(&world, &world.job(id), Show::Public), Scope::Settled);
    let report = audit();
    assert!(report.holds() && report.is_shown(Check::Evidence), "{:?}", report.rows);
    assert!(!report.is_shown(Check::Sample));
    request.prove(&world, &request.proof());
    world.round_until("it is proven", || world.job(id).states.settlement == Settlement::Verified);
    let report = audit();
    assert!(report.holds() && report.is_shown(Check::SampleProof), "{:?}", report.rows);
}
