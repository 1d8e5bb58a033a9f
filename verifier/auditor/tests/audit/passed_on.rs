//! Answers that were passed on from an upstream.
use super::enclave::LIFETIME_MS;
use super::forge::Records;
use super::tamper::{Row, Tampering};
use super::upstream::*;
use super::world::*;
use assay_ledger::tx::{DeregisterNode, Payload, RevokeMeasurement};
use assay_verifier::audit::{Bundle, Check, Ended, Evidence, Question, Reason, Scope, Unproven, Verdict, audit};
use assay_verifier::digest::{CircuitDigest, Digest32};
use assay_verifier::proxied::{Delivery, Ending};
use assay_verifier::receipt::{Backend, Claim, Grade, ModelId, Receipt, Subject};
use assay_verifier::settlement::node::{Attestation, Platform};
use assay_verifier::settlement::{self, Reason as Why, Versioned, keys};
use assay_verifier::wire::{self, Bytes};

/// Fields of the receipt, of a node that lies and signs. What it may say of an upstream is its word: that is not here.
const RECEIPT: [Row<Receipt>; 15] = [
    ("chain_id", |receipt| receipt.chain_id.push('x'), "chain"),
    ("client_nonce", |receipt| receipt.client_nonce += 1, "receipt_request"),
    ("request_digest", |receipt| receipt.request_digest = Digest32([1; 32]), "request_bytes"),
    ("model", |receipt| receipt.model = ModelId([1; 32]), "upstream"),
    ("subject: a circuit", |receipt| receipt.subject = Subject::Circuit(CircuitDigest([1; 32])), "receipt_claim"),
    ("subject.upstream", |receipt| said(receipt).upstream.push('x'), "upstream"),
    ("subject.model", |receipt| said(receipt).model.push('x'), "upstream"),
    ("subject.size", |receipt| said(receipt).size -= 1, "delivery"),
    ("claim", |receipt| receipt.claim = Claim::SignedOnly, "receipt_claim"),
    ("claim: attested", |receipt| receipt.claim = Claim::Attested, "receipt_claim"),
    ("inputs", |receipt| receipt.inputs = Digest32([1; 32]), "inputs"),
    ("outputs", |receipt| receipt.outputs = Digest32([1; 32]), "outputs"),
    ("records", |receipt| receipt.records.push(Digest32([1; 32])), "receipt_claim"),
    ("price", |receipt| receipt.price = 1, "receipt_claim"),
    ("node", |receipt| receipt.node = key(PAYER), "receipt_signature"),
];

/// What only an enclave's receipt has.
const ENCLAVES: [Row<Receipt>; 4] = [
    ("grade", |receipt| receipt.grade = Grade::Production, "grade"),
    ("backend: vanilla", |receipt| receipt.backend = Backend::Vanilla, "node"),
    ("time_ms: before the attestation", |receipt| receipt.time_ms = START_MS, "attestation"),
    ("time_ms: after it", |receipt| receipt.time_ms += LIFETIME_MS, "attestation"),
];

/// Parts that somebody changes who can sign nothing.
const PARTS: [Row<Bundle>; 12] = [
    ("receipt.subject.origin", |bundle| said(&mut bundle.receipt.receipt).origin.push('x'), "receipt_signature"),
    ("receipt.subject.path", |bundle| said(&mut bundle.receipt.receipt).path.push('x'), "receipt_signature"),
    ("receipt.subject.status", |bundle| said(&mut bundle.receipt.receipt).status = 500, "receipt_signature"),
    (
        "receipt.subject.ending",
        |bundle| said(&mut bundle.receipt.receipt).ending = Ending::Truncated,
        "receipt_signature",
    ),
    ("evidence.forwarded", |bundle| exchange(bundle).forwarded = Some(Bytes(ASKED.into())), "inputs"),
    ("evidence.response", |bundle| exchange(bundle).response.as_mut().unwrap().0[10] ^= 1, "outputs"),
    ("evidence.response: cut", |bundle| exchange(bundle).response.as_mut().unwrap().0.truncate(20), "delivery"),
    ("evidence.response: grown", |bundle| exchange(bundle).response.as_mut().unwrap().0.push(b' '), "delivery"),
    ("evidence: an answer", |bundle| bundle.evidence = Evidence::Answer(answer()), "receipt_claim"),
    ("settlement: a record", |bundle| ledger(bundle).settlement = Some(ledger(bundle).node.clone()), "settlement"),
    ("model: a record", |bundle| ledger(bundle).model = Some(ledger(bundle).node.clone()), "settlement"),
    ("block.proof", |bundle| ledger(bundle).block.proof.0[50] ^= 1, "state"),
];

/// Records that validators put into the state, who lie together and sign it.
const RECORDS: [Row<Records>; 6] = [
    ("node.valid_to", |records| records.node.valid_to = Some(records.block.height), "node"),
    ("node.valid_from", |records| records.node.valid_from = records.block.height + 1, "node"),
    ("rules.valid_to", |records| records.rules.valid_to = Some(1), "rules"),
    ("attestation.valid_to", |records| deregistered(records), "attestation"),
    (
        "measurement.valid_to",
        |records| records.enclave.as_mut().unwrap().measurement.valid_to = Some(records.block.height),
        "measurement",
    ),
    ("attestation.nonce", |records| records.enclave().attestation.record.nonce = [1; 32], "evidence"),
];

/// The attestation ended with the node's registration.
fn deregistered(records: &mut Records) {
    let height = records.block.height;
    let attestation = &mut records.enclave().attestation;
    (attestation.valid_to, attestation.reason) = (Some(height), Some(Why::Owner("tired".into())));
}

/// Goes through the tables.
pub fn tamper(seen: &mut Tampering) {
    let world = World::enclave(Platform::Nitro);
    for (what, backend) in
        [("an upstream's answer out of an enclave", Backend::Tee), ("an upstream's answer", Backend::Vanilla)]
    {
        let bundle = world.proxied_bundle(&proxied(backend));
        let node = secret(who(backend));
        seen.of(what, &world.trust());
        seen.receipt(&bundle, &node, &RECEIPT);
        seen.parts(&bundle, &PARTS);
        if backend == Backend::Tee {
            seen.receipt(&bundle, &node, &ENCLAVES);
            seen.records(&bundle, &RECORDS);
        }
        let attested = world.proxied_bundle(&proxied(Backend::Tee)).ledger.unwrap().attestation;
        if backend == Backend::Vanilla {
            let mut decorated = bundle;
            ledger(&mut decorated).attestation = attested;
            seen.refused("anyone", "attestation: another node's", &decorated, "attestation");
        }
    }
}

#[test]
fn what_was_passed_on_holds() {
    let world = World::enclave(Platform::Nitro);
    for backend in [Backend::Tee, Backend::Vanilla] {
        let bundle = world.proxied_bundle(&proxied(backend));
        assert_eq!(wire::decode(&wire::encode(&bundle)), Ok(bundle.clone()));
        let report = audited(&bundle, &world.trust());
        assert!(report.holds() && not_shown(&report).is_empty(), "{report:#?}");
        assert!(report.verdict(Check::Settlement).is_none() && report.verdict(Check::Model).is_none());
        let open = &report.unproven;
        assert!(open.contains(&Unproven::Upstream) && open.contains(&Unproven::Moment), "{open:?}");
        // The state is from before the answer; one from after it shows that nothing had ended.
        let receipt = Receipt { time_ms: START_MS + 8_000, ..proxied(backend) };
        let later = audited(&world.proxied_bundle(&receipt), &world.trust());
        assert!(later.holds(), "{later:#?}");
        assert_eq!(later.unproven.contains(&Unproven::Moment), backend == Backend::Vanilla);
        assert_eq!(open.contains(&Unproven::PassedOn), backend == Backend::Vanilla);
        assert_eq!(open.contains(&Unproven::EnclaveVendor), backend == Backend::Tee);
        assert!(!open.contains(&Unproven::Cut) && !open.contains(&Unproven::Computation));
        // The request names its caller, and what was sent does not.
        assert!(open.contains(&Unproven::Forwarded));
    }
}

#[test]
fn bodies_may_be_withheld_and_the_ledger_if_that_is_asked_for() {
    let world = World::enclave(Platform::Nitro);
    let mut bundle = world.proxied_bundle(&proxied(Backend::Vanilla));
    (exchange(&mut bundle).forwarded, exchange(&mut bundle).response) = (None, None);
    let report = audited(&bundle, &world.trust());
    assert!(report.holds(), "{report:#?}");
    assert_eq!(not_shown(&report), ["inputs", "outputs", "delivery"]);
    assert!(report.unproven.contains(&Unproven::Answer));
    bundle.evidence = Evidence::Signature;
    assert!(audited(&bundle, &world.trust()).holds());
    bundle.ledger = None;
    let report = audited(&bundle, &world.trust());
    assert!(!report.holds() && failing(&report).is_empty());
    let question = Question { scope: Scope::Unsettled, ..Question::default() };
    assert!(audit(&bundle, &world.trust(), &question).holds());
}

/// The request is sent as it is if nothing in it names the caller.
#[test]
fn a_request_that_names_nobody_is_sent_as_it_is() {
    let world = World::enclave(Platform::Nitro);
    let mut receipt = proxied(Backend::Tee);
    receipt.request_digest = assay_verifier::receipt::request_digest(SENT);
    receipt.request = receipt.request_id();
    let bundle = Bundle { request: Some(Bytes(SENT.into())), ..world.proxied_bundle(&receipt) };
    let report = audited(&bundle, &world.trust());
    assert!(report.holds() && !report.unproven.contains(&Unproven::Forwarded), "{report:#?}");
}

/// A stream that was cut is what it is as long as the receipt says so.
#[test]
fn a_cut_stream_is_never_a_whole_one() {
    let world = World::enclave(Platform::Nitro);
    let cut = &STREAM[..STREAM.len() - 10];
    let with = |ending: Ending| {
        let mut receipt = proxied(Backend::Tee);
        let forwarded = said(&mut receipt);
        (forwarded.size, forwarded.ending) = (cut.len() as u64, ending);
        receipt.outputs = Delivery::whole(cut);
        let mut bundle = world.proxied_bundle(&receipt);
        exchange(&mut bundle).response = Some(Bytes(cut.into()));
        audited(&bundle, &world.trust())
    };
    let report = with(Ending::Truncated);
    assert!(report.holds() && report.unproven.contains(&Unproven::Cut), "{report:#?}");
    let report = with(Ending::Complete);
    assert_eq!(failing(&report), ["delivery"]);
    assert_eq!(report.verdict(Check::Delivery), Some(&Verdict::Fails(Reason::Cut)));
    // A part of a whole answer is none.
    let mut bundle = world.proxied_bundle(&proxied(Backend::Tee));
    exchange(&mut bundle).response = Some(Bytes(cut.into()));
    assert_eq!(failing(&audited(&bundle, &world.trust())), ["outputs", "delivery"]);
}

/// A newer attestation takes nothing from the one that counted when the answer was given.
#[test]
fn an_attestation_that_was_renewed_since() {
    let mut world = World::enclave(Platform::Nitro);
    let receipt = Receipt { time_ms: START_MS + 8_000, ..proxied(Backend::Tee) };
    world.attest(Platform::Nitro);
    // The newer one did not count yet.
    let mut bundle = world.proxied_bundle(&receipt);
    let report = audited(&bundle, &world.trust());
    assert_eq!(failing(&report), ["attestation"]);
    let state = report.last.unwrap().height - 1;
    let shown = enclave(&mut bundle);
    shown.attestation = world.record(&keys::version(&keys::attestation(key(ENCLAVE)), 0), state);
    let found: Versioned<Attestation> = settlement::decode(&shown.attestation.value.0).unwrap();
    shown.evidence = world.record(&keys::evidence(found.record.evidence), state);
    let report = audited(&bundle, &world.trust());
    assert!(report.holds(), "{report:#?}");
    assert_eq!(report.later.iter().map(|later| later.what).collect::<Vec<_>>(), [Ended::AttestationSuperseded]);
    assert!(!report.unproven.contains(&Unproven::Moment) && !report.unproven.contains(&Unproven::PassedOn));
    // It counts no longer than it says.
    let receipt = Receipt { time_ms: found.record.expires_ms, ..receipt };
    bundle.receipt = receipt.sign(&secret(ENCLAVE));
    assert_eq!(failing(&audited(&bundle, &world.trust())), ["attestation"]);
}

/// The state that is shown is the one that counts: a later one has what ended.
#[test]
fn a_state_after_the_end_does_not_stand_for_the_answer() {
    let mut world = World::enclave(Platform::Nitro);
    let early = world.proxied_bundle(&proxied(Backend::Tee));
    let from = world.node.last().unwrap().height + 1;
    let measurement = super::enclave::measurement(Platform::Nitro).id();
    let revoke = RevokeMeasurement { measurement, from, reason: "a hole".into() };
    world.send(GOVERNANCE, Payload::RevokeMeasurement(revoke));
    let late = world.proxied_bundle(&proxied(Backend::Tee));
    assert_eq!(failing(&audited(&late, &world.trust())), ["measurement"]);
    world.send(ENCLAVE, Payload::DeregisterNode(DeregisterNode { reason: "tired".into() }));
    let late = world.proxied_bundle(&proxied(Backend::Tee));
    assert_eq!(failing(&audited(&late, &world.trust())), ["node", "attestation", "measurement"]);
    assert!(audited(&early, &world.trust()).holds());
}
