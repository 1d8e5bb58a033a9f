//! Answers on a node's word that were drawn to be proven: what became of them.
use super::forge::Records;
use super::sampled::sampled;
use super::tamper::{Row, Tampering};
use super::world::*;
use assay_verifier::audit::{Bundle, Check, Missing, Reason, SampleProof, Sampled, Unproven, Verdict};
use assay_verifier::digest::{Digest32, KeyDigest};
use assay_verifier::receipt::proof_digest;
use assay_verifier::settlement::sampling::Outcome;
use assay_verifier::wire;

fn shown(bundle: &mut Bundle) -> &mut Sampled {
    ledger(bundle).sample.as_mut().unwrap()
}

fn proof(bundle: &mut Bundle) -> &mut SampleProof {
    shown(bundle).proof.as_mut().unwrap()
}

const PARTS: [Row<Bundle>; 7] = [
    ("sample.record.value", |bundle| *shown(bundle).record.value.0.last_mut().unwrap() ^= 1, "sample"),
    ("sample.record.proof", |bundle| shown(bundle).record.proof.0[20] ^= 1, "sample"),
    ("sample.record: the node's", |bundle| shown(bundle).record = ledger(bundle).node.clone(), "sample"),
    ("sample.proof.proof", |bundle| *proof(bundle).proof.0.last_mut().unwrap() ^= 1, "sample_proof"),
    (
        "sample.proof.proof: of another request",
        |bundle| proof(bundle).proof.0 = golden("sumcheck", "proof_0"),
        "sample_proof",
    ),
    ("sample.proof.key", |bundle| *proof(bundle).key.0.last_mut().unwrap() ^= 1, "sample_proof"),
    ("sample.proof.key: of the other engine", |bundle| proof(bundle).key.0 = golden("halo2", "key"), "sample_proof"),
];

const RECORDS: [Row<Records>; 5] = [
    ("sample.outcome: missed", |records| records.sample().outcome = Outcome::Missed(400), "sample"),
    ("sample.outcome.proof", |records| *outcome(records).0 = Digest32([1; 32]), "sample_proof"),
    ("sample.outcome.key", |records| *outcome(records).1 = KeyDigest([1; 32]), "sample"),
    ("sample.height: before the settlement", |records| records.sample().height = 1, "sample"),
    ("sample.height: ahead", |records| records.sample().height = 1_000, "sample"),
];

fn outcome(records: &mut Records) -> (&mut Digest32, &mut KeyDigest) {
    let Outcome::Proven(proof, key) = &mut records.sample().outcome else { panic!("proven") };
    (proof, key)
}

/// Goes through the tables.
pub fn tamper(seen: &mut Tampering) {
    let mut world = World::drawn("sumcheck", 5);
    world.prove("sumcheck");
    let bundle = world.sampled_bundle("sumcheck");
    seen.of("a drawn answer", &world.trust());
    seen.parts(&bundle, &PARTS);
    seen.records(&bundle, &RECORDS);
    // The validators name the proof of another request, which is genuine.
    let other = golden("sumcheck", "proof_0");
    let digest = proof_digest(&other);
    let mut forged = super::forge::records(&bundle, |records| *outcome(records).0 = digest);
    proof(&mut forged).proof.0 = other;
    seen.refused("the validators", "sample: the proof of another request", &forged, "sample_proof");
    // Other numbers than the request's.
    let mut changed = bundle;
    let text = String::from_utf8(changed.request.as_ref().unwrap().0.clone()).unwrap();
    changed.request.as_mut().unwrap().0 = text.replacen("\"data\":[", "\"data\":[1", 1).into_bytes();
    seen.refused("anyone", "request: another number", &changed, "request_values");
}

#[test]
fn drawn_and_proven() {
    for engine in ["sumcheck", "halo2"] {
        let mut world = World::drawn(engine, 5);
        // Nothing is known yet.
        let report = audited(&world.sampled_bundle(engine), &world.trust());
        assert!(report.holds(), "{report:#?}");
        assert_eq!(report.verdict(Check::Sample), Some(&Verdict::NotShown(Missing::Sample)));
        let open = &report.unproven;
        assert!(open.contains(&Unproven::Sample) && open.contains(&Unproven::Computation));
        world.prove(engine);
        let mut bundle = world.sampled_bundle(engine);
        assert_eq!(wire::decode(&wire::encode(&bundle)), Ok(bundle.clone()));
        let report = audited(&bundle, &world.trust());
        assert!(report.holds() && not_shown(&report).is_empty(), "{report:#?}");
        // The proof says what a claimed one says.
        assert!(report.is_shown(Check::SampleProof) && report.is_shown(Check::RequestValues));
        let open = &report.unproven;
        assert!(!open.contains(&Unproven::Sample) && !open.contains(&Unproven::Computation), "{open:?}");
        assert_eq!(open.contains(&Unproven::InsecureSrs), engine == "halo2");
        assert!(report.shown.unwrap().ports.is_some() && report.assurance.is_some());
        // Without the proof it is the validators' word.
        shown(&mut bundle).proof = None;
        let report = audited(&bundle, &world.trust());
        assert!(report.holds() && report.is_shown(Check::Sample), "{report:#?}");
        assert_eq!(report.verdict(Check::SampleProof), Some(&Verdict::NotShown(Missing::Proof)));
        assert!(report.unproven.contains(&Unproven::Computation));
    }
}

#[test]
fn a_missed_sample_is_refused() {
    let mut world = World::drawn("sumcheck", 3);
    world.miss("sumcheck", 3);
    let mut bundle = world.sampled_bundle("sumcheck");
    shown(&mut bundle).proof = None;
    let report = audited(&bundle, &world.trust());
    assert!(!report.holds());
    assert_eq!(failing(&report), ["sample"]);
    assert_eq!(report.verdict(Check::Sample), Some(&Verdict::Fails(Reason::Missed(400))));
    let Some(Verdict::Fails(reason)) = report.verdict(Check::Sample) else { panic!("it fails") };
    assert!(reason.to_string().contains("lost 400 of its stake"));
    assert_eq!(report.sample.unwrap().outcome, Outcome::Missed(400));
    // Whoever withholds it hides it, and the report says that nothing is known.
    ledger(&mut bundle).sample = None;
    let report = audited(&bundle, &world.trust());
    assert!(report.holds() && report.unproven.contains(&Unproven::Sample));
}

/// Of an answer with a claimed proof nothing is drawn.
#[test]
fn a_proof_has_no_sample() {
    let mut world = World::drawn("sumcheck", 5);
    world.prove("sumcheck");
    let sample = world.sampled_bundle("sumcheck").ledger.unwrap().sample;
    world.settle("sumcheck", 0);
    let mut bundle = world.bundle("sumcheck", 0);
    ledger(&mut bundle).sample = sample;
    assert_eq!(failing(&audited(&bundle, &world.trust())), ["sample"]);
    assert_ne!(sampled("sumcheck").0, bundle.receipt);
}
