//! Does what the service keeps convince an auditor who trusts nothing but the chain's root?
use assay_service::clock::now_ms;
use assay_service::jobs::states::Settlement;
use assay_service::jobs::{Job, Payload};
use assay_service::ledger::Ledger;
use assay_service::settle::bundle::{BundleError, Show, bundle};
use assay_service::storage::BlobStore;
use assay_verifier::audit::{Bundle, Check, Evidence, Question, Report, Scope, Verdict, audit};
use assay_verifier::receipt::Backend;
use assay_verifier::statement::InputCommitment;
use assay_verifier::wire;

use crate::model::model;
use crate::requests::Request;
use crate::world::*;

pub fn of(world: &World, job: &Job, show: Show) -> Bundle {
    let payload = world.jobs.payload(job.id).unwrap();
    bundle(job, payload.as_ref(), &*world.blobs, || Some(model().key_file()), show).unwrap()
}

pub fn audited(world: &World, bundle: &Bundle, scope: Scope) -> Report {
    let read: Bundle = wire::decode(&wire::encode(bundle)).unwrap();
    let question = Question { scope, now_ms: Some(now_ms()), ..Question::default() };
    audit(&read, world.ledger.trust(), &question)
}

pub fn failed(report: &Report) -> Vec<&'static str> {
    let bad = report.rows.iter().filter(|row| matches!(row.verdict, Verdict::Fails(_)));
    bad.map(|row| row.check.code()).collect()
}

#[test]
fn settled_answers_are_audited() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    for backend in [Backend::Zkml, Backend::Vanilla] {
        let id = Request::new(backend as u64 + 1, backend).finish(&world);
        world.round_until("it is verified", || world.job(id).states.settlement == Settlement::Verified);
        let bundle = of(&world, &world.job(id), Show::Public);
        let report = audited(&world, &bundle, Scope::Settled);
        assert!(report.holds(), "{backend:?}: {:?}", report.rows);
        assert!(report.is_shown(Check::RequestBytes) && report.is_shown(Check::Outputs));
        assert_eq!(report.settlement.unwrap().request, id);

        // Another root, another genesis: nothing of the ledger is believed.
        let mut trust = world.ledger.trust().clone();
        trust.genesis = Some(assay_verifier::digest::Digest32([1; 32]));
        let question = Question::default();
        assert_eq!(failed(&audit(&bundle, &trust, &question)), ["state"]);
        let mut other = bundle.clone();
        other.ledger.as_mut().unwrap().settlement.as_mut().unwrap().value.0[40] ^= 1;
        assert!(failed(&audit(&other, world.ledger.trust(), &question)).contains(&"settlement_included"));
    }
}

#[test]
fn evidence_of_a_later_state_is_as_good() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let first = Request::new(1, Backend::Vanilla).finish(&world);
    world.round_until("it is verified", || world.job(first).states.settlement == Settlement::Verified);
    // The same evidence is made anew, many blocks later, and after a new registration of the node: the settlement names the old one.
    let presence =
        assay_service::ledger::Presence::start(world.ledger.clone(), world.sender.clone(), &node(), None).unwrap();
    presence.deregister("a new address").unwrap();
    let moved = assay_verifier::settlement::node::Node { endpoint: "http://elsewhere".into(), ..node() };
    drop(assay_service::ledger::Presence::start(world.ledger.clone(), world.sender.clone(), &moved, None).unwrap());
    let second = Request::new(2, Backend::Vanilla).finish(&world);
    world.round_until("it is verified", || world.job(second).states.settlement == Settlement::Verified);
    for id in [first, second] {
        let report = audited(&world, &of(&world, &world.job(id), Show::Public), Scope::Settled);
        assert!(report.holds(), "{:?}", report.rows);
    }
}

#[test]
fn answers_that_are_not_settled_have_bundles_too() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = Request::new(1, Backend::Zkml);
    request.reserve(&world);
    let none = bundle(&world.job(request.id()), None, &*world.blobs, || None, Show::Public);
    assert!(matches!(none, Err(BundleError::NoAnswer)));
    request.answer(&world);
    // Not proven yet: the receipt is all there is.
    let early = of(&world, &world.job(request.id()), Show::Public);
    assert_eq!((&early.evidence, &early.ledger), (&Evidence::Signature, &None));
    let report = audited(&world, &early, Scope::Unsettled);
    assert!(!report.holds() && failed(&report).is_empty());
    request.prove(&world, &request.proof());
    let proven = of(&world, &world.job(request.id()), Show::Public);
    assert!(audited(&world, &proven, Scope::Unsettled).holds());
    assert!(!audited(&world, &proven, Scope::Settled).holds());
    let missing = bundle(&world.job(request.id()), None, &*world.blobs, || None, Show::Public);
    assert!(matches!(missing, Err(BundleError::NoKey)));
    world.blobs.remove(world.job(request.id()).proof.unwrap().blob).unwrap();
    let lost = bundle(&world.job(request.id()), None, &*world.blobs, || Some(Vec::new()), Show::Public);
    assert!(matches!(lost, Err(BundleError::Blob(_))));
}

#[test]
fn what_is_private_is_withheld_unless_its_owner_asks() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = Request::new(1, Backend::Vanilla);
    request.reserve(&world);
    request.answer(&world);
    let job = world.job(request.id());
    let open = world.jobs.payload(job.id).unwrap().unwrap();
    let private = Payload { commitment: Some((InputCommitment(vec![[7; 32]]), [3; 32])), ..open.clone() };
    let shown = |payload: &Payload, show| bundle(&job, Some(payload), &*world.blobs, || None, show).unwrap();
    let request_of = |bundle: &Bundle| bundle.request.as_ref().map(|bytes| bytes.0.clone());
    for (payload, show, seen) in [
        (&open, Show::Public, true),
        (&open, Show::Nothing, false),
        (&private, Show::Public, false),
        (&private, Show::All, true),
    ] {
        let bundle = shown(payload, show);
        assert_eq!(request_of(&bundle), seen.then(|| request.bytes()));
        assert_eq!(matches!(bundle.evidence, Evidence::Answer(_)), seen);
        // The seed that opens the commitment is nowhere.
        assert!(!wire::encode(&bundle).windows(32).any(|window| window == [3; 32]));
    }
}
