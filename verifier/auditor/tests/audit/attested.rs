//! Answers out of an enclave: what is honest holds whatever comes later, and whatever is changed is refused.
use super::enclave::*;
use super::forge::{self, Records};
use super::tamper::{Row, Tampering};
use super::upstream::*;
use super::world::*;
use assay_ledger::tx::{ApproveMeasurement, DeprecateModel, DeregisterNode, Payload, RevokeMeasurement};
use assay_verifier::audit::{
    Bundle, Check, Ended, Evidence, Missing, Question, RealAnswer, Reason, Scope, Unproven, Verdict, audit,
};
use assay_verifier::digest::{CircuitDigest, Digest32};
use assay_verifier::fetched::{Fetched, SignedFetched};
use assay_verifier::receipt::{Backend, Claim, Grade, ModelId, Receipt, Subject};
use assay_verifier::settlement::node::Platform;
use assay_verifier::settlement::sampling::{Outcome, Sample};
use assay_verifier::settlement::{Reason as Why, keys};
use assay_verifier::tee::Binding;
use assay_verifier::wire::{self, Bytes};

/// Fields of the receipt, of a node that lies and signs.
const RECEIPT: [Row<Receipt>; 15] = [
    ("chain_id", |receipt| receipt.chain_id.push('x'), "chain"),
    ("client_nonce", |receipt| receipt.client_nonce += 1, "receipt_request"),
    ("request_digest", |receipt| receipt.request_digest = Digest32([1; 32]), "request_bytes"),
    ("model", |receipt| receipt.model = ModelId([1; 32]), "model_included"),
    ("subject: another file", |receipt| receipt.subject = Subject::Onnx(Digest32([1; 32])), "settlement"),
    ("subject: a circuit", |receipt| receipt.subject = Subject::Circuit(CircuitDigest([1; 32])), "receipt_claim"),
    ("backend", |receipt| receipt.backend = Backend::Vanilla, "receipt_claim"),
    ("claim", |receipt| receipt.claim = Claim::SignedOnly, "receipt_claim"),
    ("grade: production", |receipt| receipt.grade = Grade::Production, "grade"),
    ("inputs", |receipt| receipt.inputs = Digest32([1; 32]), "inputs"),
    ("records: another", |receipt| receipt.records = vec![Digest32([1; 32])], "records"),
    ("records: none", |receipt| receipt.records.clear(), "records"),
    ("outputs", |receipt| receipt.outputs = Digest32([1; 32]), "outputs"),
    ("price", |receipt| receipt.price += 1, "settlement"),
    ("time_ms", |receipt| receipt.time_ms += 1, "settlement"),
];

/// Parts that somebody changes who can sign nothing.
const PARTS: [Row<Bundle>; 20] = [
    ("request: another record", |bundle| other_record(bundle), "request_bytes"),
    ("records: another one", |bundle| bundle.records = vec![file(|_| {}, "twice")], "records"),
    ("records: one more", |bundle| bundle.records.push(bundle.records[0].clone()), "records"),
    ("records: its signature", |bundle| *bundle.records[0].0.last_mut().unwrap() ^= 1, "records"),
    ("records: its magic", |bundle| bundle.records[0].0[0] ^= 1, "records"),
    ("evidence.inputs", |bundle| reals(bundle).inputs[0].bits[0] ^= 1, "inputs"),
    ("evidence.inputs: a shape", |bundle| reals(bundle).inputs[0].dims.push(1), "inputs"),
    ("evidence.outputs", |bundle| reals(bundle).outputs[0].bits[1] ^= 1, "outputs"),
    ("evidence: integers", |bundle| bundle.evidence = Evidence::Answer(answer()), "receipt_claim"),
    ("attestation.value", |bundle| enclave(bundle).attestation.value.0[30] ^= 1, "attestation_included"),
    ("attestation.proof", |bundle| enclave(bundle).attestation.proof.0[50] ^= 1, "attestation_included"),
    (
        "attestation: the node's",
        |bundle| enclave(bundle).attestation = ledger(bundle).node.clone(),
        "attestation_included",
    ),
    ("attestation.evidence.value", |bundle| enclave(bundle).evidence.value.0[200] ^= 1, "evidence_included"),
    ("attestation.evidence.proof", |bundle| enclave(bundle).evidence.proof.0.clear(), "evidence_included"),
    ("attestation.measurement.value", |bundle| enclave(bundle).measurement.value.0[30] ^= 1, "measurement_included"),
    ("attestation.measurement.proof", |bundle| enclave(bundle).measurement.proof.0[9] ^= 1, "measurement_included"),
    ("attestation.rules.value", |bundle| enclave(bundle).rules.value.0[40] ^= 1, "attestation_rules"),
    ("attestation.rules.proof", |bundle| enclave(bundle).rules.proof.0[9] ^= 1, "attestation_rules"),
    ("settlement.value", |bundle| settled(bundle).value.0[0] ^= 1, "settlement_included"),
    ("model.proof", |bundle| model(bundle).proof.0.clear(), "model_included"),
];

/// Records that validators put into the state, who lie together and sign it.
const RECORDS: [Row<Records>; 28] = [
    ("settlement.attestation_revision", |records| records.settlement().attestation_revision = Some(1), "attestation"),
    ("settlement.attestation_revision: none", |records| records.settlement().attestation_revision = None, "settlement"),
    ("settlement.time_ms: before it was verified", |records| records.settlement().time_ms = START_MS, "attestation"),
    ("attestation.revision", |records| records.enclave().attestation.revision += 1, "attestation"),
    ("attestation.valid_from", |records| records.enclave().attestation.valid_from = 1_000, "attestation"),
    (
        "attestation.valid_to: superseded before",
        |records| records.enclave().attestation.valid_to = Some(9),
        "attestation",
    ),
    ("attestation.platform", |records| records.enclave().attestation.record.platform = Platform::Snp, "evidence"),
    ("attestation.root", |records| records.enclave().attestation.record.root = Digest32([1; 32]), "evidence"),
    ("attestation.grade", |records| records.enclave().attestation.record.grade = Grade::Production, "evidence"),
    ("attestation.evidence", |records| records.enclave().attestation.record.evidence = Digest32([1; 32]), "evidence"),
    ("attestation.measurement", |records| records.enclave().attestation.record.measurement = [1; 32], "evidence"),
    (
        "attestation.measurement_revision",
        |records| records.enclave().attestation.record.measurement_revision += 1,
        "measurement",
    ),
    ("attestation.nonce", |records| records.enclave().attestation.record.nonce = [1; 32], "evidence"),
    (
        "attestation.verified_ms: before it was made",
        |records| records.enclave().attestation.record.verified_ms = 1,
        "evidence",
    ),
    (
        "attestation.verified_ms: after it ended",
        |records| records.enclave().attestation.record.verified_ms += LIFETIME_MS,
        "evidence",
    ),
    ("attestation.expires_ms: later", |records| records.enclave().attestation.record.expires_ms += 1, "evidence"),
    ("attestation.expires_ms: before the settlement", |records| expired(records), "attestation"),
    ("evidence: of another key", |records| document_for(records, NODE, CHAIN), "evidence"),
    ("evidence: of another chain", |records| document_for(records, ENCLAVE, "assay-other"), "evidence"),
    ("measurement.registers", |records| records.enclave().measurement.record.registers[0][0] ^= 1, "measurement"),
    (
        "measurement.valid_from: after it was verified",
        |records| records.enclave().measurement.valid_from = 10,
        "measurement",
    ),
    ("measurement.valid_to: before the settlement", |records| revoked(records), "measurement"),
    ("attestation.rules.chain_id", |records| records.enclave().rules.record.chain_id.push('x'), "attestation_rules"),
    ("attestation.rules.valid_to", |records| records.enclave().rules.valid_to = Some(1), "attestation_rules"),
    ("attestation.rules.trust_roots", |records| records.enclave().rules.record.trust_roots.clear(), "evidence"),
    (
        "attestation.rules.attestation.grade",
        |records| records.enclave().rules.record.attestation.grade = Grade::Production,
        "evidence",
    ),
    ("node.backends", |records| records.node.record.backends = vec![Backend::Vanilla], "node"),
    ("model.program", |records| records.model().record.manifest.program = exact().receipt.program().unwrap(), "model"),
];

fn reals(bundle: &mut Bundle) -> &mut RealAnswer {
    let Evidence::Reals(answer) = &mut bundle.evidence else { panic!("reals") };
    answer
}

/// A record's file.
fn file(change: impl FnOnce(&mut Fetched), source: &str) -> Bytes {
    let mut fetched = Fetched { source: source.into(), ..fetched() };
    change(&mut fetched);
    Bytes(wire::encode(&fetched.sign(&secret(ENCLAVE))))
}

/// A request that takes its input from another record, which is there.
fn other_record(bundle: &mut Bundle) {
    let other = floating_with(Fetched { source: "elsewhere".into(), ..fetched() }.sign(&secret(ENCLAVE)));
    bundle.request = Some(Bytes(other.request));
}

fn expired(records: &mut Records) {
    let time_ms = records.settlement().time_ms;
    records.enclave().attestation.record.expires_ms = time_ms;
}

fn revoked(records: &mut Records) {
    let height = records.settlement().height;
    records.enclave().measurement.valid_to = Some(height - 1);
}

/// A document that is genuine, of somebody else or for another chain.
fn document_for(records: &mut Records, who: u8, chain: &str) {
    let enclave = records.enclave();
    let found = &mut enclave.attestation.record;
    let binding = Binding::new(chain, key(who), found.nonce);
    enclave.evidence = document(found.platform, binding, found.verified_ms);
    found.evidence = enclave.evidence.digest();
}

/// Goes through the tables.
pub fn tamper(seen: &mut Tampering) {
    let mut world = World::enclave(Platform::Nitro);
    let bundle = world.settle_attested(&floating());
    seen.of("an answer out of an enclave", &world.trust());
    seen.receipt(&bundle, &secret(ENCLAVE), &RECEIPT);
    seen.parts(&bundle, &PARTS);
    seen.records(&bundle, &RECORDS);
}

#[test]
fn settled_answers_of_both_platforms_and_programs() {
    for platform in [Platform::Nitro, Platform::Tdx] {
        let mut world = World::enclave(platform);
        for answered in [exact(), floating()] {
            let bundle = world.settle_attested(&answered);
            assert_eq!(wire::decode(&wire::encode(&bundle)), Ok(bundle.clone()));
            let report = audited(&bundle, &world.trust());
            assert!(report.holds() && not_shown(&report).is_empty(), "{report:#?}");
            assert!(report.is_shown(Check::Evidence) && report.is_shown(Check::Measurement));
            let enclave = report.enclave.as_ref().unwrap();
            assert_eq!((enclave.platform, enclave.grade()), (platform, Grade::Simulated));
            assert_eq!(report.measurement.as_ref().unwrap().record.software, "assay 0.1");
            let open = &report.unproven;
            for what in
                [Unproven::EnclaveVendor, Unproven::EnclaveSoftware, Unproven::EnclavePhysical, Unproven::Simulated]
            {
                assert!(open.contains(&what), "{what:?}");
            }
            assert!(!open.contains(&Unproven::Computation) && report.later.is_empty());
            let float = matches!(answered.receipt.subject, Subject::Onnx(_));
            assert_eq!(open.contains(&Unproven::OtherMachines), float);
            assert_eq!(open.contains(&Unproven::Sources), float);
            // Its numbers were compared with the request's, one input with those of a record.
            assert_eq!(report.is_shown(Check::RequestValues), float);
            assert_eq!((report.reals.is_some(), report.fetched.len()), (float, usize::from(float)));
        }
    }
}

#[test]
fn what_is_withheld_is_said() {
    let mut world = World::enclave(Platform::Nitro);
    let mut bundle = world.settle_attested(&floating());
    (bundle.request, bundle.evidence) = (None, Evidence::Signature);
    bundle.records.clear();
    let report = audited(&bundle, &world.trust());
    assert!(report.holds(), "{report:#?}");
    assert_eq!(not_shown(&report), ["request_bytes", "records", "inputs", "outputs", "request_values"]);
    let open = [Unproven::Request, Unproven::RequestValues, Unproven::Records, Unproven::Answer];
    assert!(open.iter().all(|what| report.unproven.contains(what)) && report.fetched.is_empty());
    // The enclave is not for the parties to withhold.
    ledger(&mut bundle).attestation = None;
    let report = audited(&bundle, &world.trust());
    assert!(!report.holds() && failing(&report).is_empty());
    assert_eq!(report.verdict(Check::Evidence), Some(&Verdict::NotShown(Missing::Attestation)));
    assert!(report.unproven.contains(&Unproven::Computation));
    ledger(&mut bundle).settlement = None;
    let report = audited(&bundle, &world.trust());
    assert_eq!(report.verdict(Check::SettlementIncluded), Some(&Verdict::NotShown(Missing::Settlement)));
    bundle.ledger = None;
    let report = audited(&bundle, &world.trust());
    assert!(!report.holds());
    assert_eq!(report.verdict(Check::Evidence), Some(&Verdict::NotShown(Missing::Ledger)));
    // Whoever asks for no ledger has the node's word.
    let report = audit(&bundle, &world.trust(), &Question { scope: Scope::Unsettled, ..Question::default() });
    assert!(report.holds() && report.unproven.contains(&Unproven::Computation));
}

/// Revoked and approved again: the ledger settles by the new approval what was attested under the old one.
#[test]
fn software_that_was_approved_anew() {
    let mut world = World::enclave(Platform::Nitro);
    let measurement = measurement(Platform::Nitro);
    let id = measurement.id();
    let from = world.node.last().unwrap().height + 1;
    let revoke = RevokeMeasurement { measurement: id, from, reason: "by mistake".into() };
    world.send(GOVERNANCE, Payload::RevokeMeasurement(revoke));
    world.send(GOVERNANCE, Payload::ApproveMeasurement(ApproveMeasurement { measurement, expires: None }));
    let mut bundle = world.settle_attested(&exact());
    // The approval that the attestation names had ended.
    let report = audited(&bundle, &world.trust());
    assert_eq!(failing(&report), ["measurement"]);
    let state = report.last.unwrap().height - 1;
    enclave(&mut bundle).measurement = world.record(&keys::measurement(id), state);
    let report = audited(&bundle, &world.trust());
    assert!(report.holds() && report.later.is_empty(), "{report:#?}");
}

/// A node in an enclave is drawn as any other that proves nothing.
#[test]
fn a_missed_sample_is_refused() {
    let mut world = World::enclave(Platform::Nitro);
    world.settle_attested(&exact());
    world.block();
    let bundle = world.attested_bundle(&exact());
    let forged = forge::records(&bundle, |records| {
        let outcome = Outcome::Missed(300);
        records.sample = Some(Sample { outcome, height: records.settlement().height + 1 });
    });
    let report = audited(&forged, &world.trust());
    assert_eq!(failing(&report), ["sample"]);
    assert_eq!(report.verdict(Check::Sample), Some(&Verdict::Fails(Reason::Missed(300))));
}

#[test]
fn what_came_later_is_listed_and_fails_nothing() {
    let mut world = World::enclave(Platform::Nitro);
    let early = world.settle_attested(&floating());
    world.attest(Platform::Nitro);
    let report = audited(&world.attested_bundle(&floating()), &world.trust());
    assert!(report.holds(), "{report:#?}");
    let ends: Vec<_> = report.later.iter().map(|later| later.what).collect();
    assert_eq!(ends, [Ended::AttestationSuperseded]);
    let from = world.node.last().unwrap().height + 1;
    let measurement = measurement(Platform::Nitro).id();
    let reason = "a hole was found".to_owned();
    let revoke = RevokeMeasurement { measurement, from, reason: reason.clone() };
    world.send(GOVERNANCE, Payload::RevokeMeasurement(revoke));
    let model = floating().receipt.model;
    world.send(PUBLISHER, Payload::DeprecateModel(DeprecateModel { model, from: from + 1, reason: "old".into() }));
    world.send(ENCLAVE, Payload::DeregisterNode(DeregisterNode { reason: "tired".into() }));
    let report = audited(&world.attested_bundle(&floating()), &world.trust());
    assert!(report.holds(), "{report:#?}");
    let ends: Vec<_> = report.later.iter().map(|later| (later.what, later.height)).collect();
    let superseded = report.attestation.as_ref().unwrap().valid_to.unwrap();
    assert_eq!(
        ends,
        [
            (Ended::ModelDeprecated, from + 1),
            (Ended::NodeDeregistered, from + 2),
            (Ended::AttestationSuperseded, superseded),
            (Ended::MeasurementRevoked, from),
        ]
    );
    assert_eq!(report.later[3].reason, Some(Why::Governance(reason)));
    // The old bundle knows nothing of it, and holds.
    let report = audited(&early, &world.trust());
    assert!(report.holds() && report.later.is_empty());
}

#[test]
fn an_attestation_ends_with_its_node() {
    let mut world = World::enclave(Platform::Nitro);
    world.settle_attested(&exact());
    world.send(ENCLAVE, Payload::DeregisterNode(DeregisterNode { reason: "tired".into() }));
    let report = audited(&world.attested_bundle(&exact()), &world.trust());
    assert!(report.holds(), "{report:#?}");
    let ends: Vec<_> = report.later.iter().map(|later| later.what).collect();
    assert_eq!(ends, [Ended::NodeDeregistered, Ended::AttestationEnded]);
}

/// Settled in the block in which the approval ends, before that.
#[test]
fn an_approval_that_ends_in_the_settlements_block() {
    let mut world = World::enclave(Platform::Nitro);
    let bundle = world.settle_attested(&exact());
    let end = |records: &mut Records, before: u64| {
        let height = records.settlement().height;
        records.enclave().measurement.valid_to = Some(height - before);
    };
    let report = audited(&forge::records(&bundle, |records| end(records, 0)), &world.trust());
    assert!(report.holds() && report.later.len() == 1, "{report:#?}");
    let report = audited(&forge::records(&bundle, |records| end(records, 1)), &world.trust());
    assert_eq!(failing(&report), ["measurement"]);
    assert!(report.later.is_empty() && report.unproven.contains(&Unproven::Computation));
}

/// A node says that its evidence is a vendor's; and a ledger that says so too has rules which take no such evidence.
#[test]
fn simulated_evidence_is_never_production() {
    let mut world = World::enclave(Platform::Tdx);
    let mut bundle = world.settle_attested(&exact());
    bundle.receipt = Receipt { grade: Grade::Production, ..exact().receipt }.sign(&secret(ENCLAVE));
    let digest = bundle.receipt.receipt.digest();
    let forged = forge::records(&bundle, |records| records.settlement().receipt = digest);
    assert_eq!(failing(&audited(&forged, &world.trust())), ["grade"]);
    let forged = forge::records(&bundle, |records| {
        records.settlement().receipt = digest;
        let enclave = records.enclave();
        enclave.attestation.record.grade = Grade::Production;
        let rules = &mut enclave.rules.record;
        rules.attestation.grade = Grade::Production;
        rules.trust_roots.iter_mut().for_each(|root| root.grade = Grade::Production);
    });
    let report = audited(&forged, &world.trust());
    assert_eq!(failing(&report), ["evidence"]);
    assert!(report.unproven.contains(&Unproven::Computation));
}

#[test]
fn records_are_the_nodes_own_and_signed() {
    let mut world = World::enclave(Platform::Nitro);
    let honest = fetched();
    let strange = |fetched: Fetched, signer: u8| -> SignedFetched { fetched.sign(&secret(signer)) };
    for record in [
        strange(Fetched { chain_id: "assay-other".into(), ..honest.clone() }, ENCLAVE),
        strange(Fetched { node: key(NODE), ..honest.clone() }, NODE),
        strange(honest, NODE),
    ] {
        let answered = floating_with(record);
        let mut bundle = world.attested_bundle_of(&answered);
        let report = audited(&bundle, &world.trust());
        assert_eq!(failing(&report), ["records"], "{report:#?}");
        // A record that is not shown is none that fails.
        bundle.records.clear();
        assert!(audited(&bundle, &world.trust()).holds());
    }
    // The request names a record, and the receipt is silent about it.
    let mut silent = floating();
    silent.receipt.records.clear();
    silent.records.clear();
    let bundle = world.attested_bundle_of(&silent);
    assert_eq!(failing(&audited(&bundle, &world.trust())), ["records"]);
}

impl World {
    /// Settles an answer of its own nonce; gives its bundle.
    fn attested_bundle_of(&mut self, answered: &Answered) -> Bundle {
        let mut answered = answered.clone();
        answered.receipt.client_nonce = 1_000 + self.node.last().unwrap().height;
        answered.receipt.request = answered.receipt.request_id();
        self.settle_attested(&answered)
    }
}

/// What an upstream's receipt says out of an enclave is judged by the state that is shown and the time of the answer.
#[test]
fn an_answer_that_is_never_settled() {
    let world = World::enclave(Platform::Tdx);
    let report = audited(&world.proxied_bundle(&proxied(Backend::Tee)), &world.trust());
    assert!(report.holds() && not_shown(&report).is_empty(), "{report:#?}");
    let expires_ms = report.enclave.as_ref().unwrap().expires_ms;
    let verified_ms = report.attestation.as_ref().unwrap().record.verified_ms;
    for (time_ms, counts) in
        [(verified_ms - 1, false), (verified_ms, true), (expires_ms - 1, true), (expires_ms, false)]
    {
        let receipt = Receipt { time_ms, ..proxied(Backend::Tee) };
        let report = audited(&world.proxied_bundle(&receipt), &world.trust());
        assert_eq!(failing(&report).contains(&"attestation"), !counts, "{time_ms}");
        assert_eq!(report.unproven.contains(&Unproven::PassedOn), !counts);
    }
}
