//! Is every part of a bundle that is changed refused, and by which check? By somebody who can sign nothing, by a node that lies, and by validators who do.
//!
//! `golden/tampered.txt` has all checks that fail for each change; `ASSAY_BLESS=1 cargo test -p assay-verify --test audit` renews it.

use std::path::Path;

use super::forge::{self, Records};
use super::tamper::{Row, Tampering};
use super::world::*;
use assay_ledger::tx::Evidence as Shown;
use assay_verifier::audit::{
    Bundle, Check, Evidence, Missing, Question, Reason, Report, RequestTensor, Scope, Trust, Verdict, audit,
};
use assay_verifier::digest::{CircuitDigest, Digest32, KeyDigest};
use assay_verifier::key::{Engine, Key};
use assay_verifier::proxied::{Ending, Forwarded};
use assay_verifier::receipt::{Backend, Claim, Grade, ModelId, Program, Proven, Proving, Receipt, RequestId, Subject};
use assay_verifier::settlement::light::Root;
use assay_verifier::statement::{Inputs, Proof};
use assay_verifier::wire::{self, Bytes};

/// The receipt's fields, each with the check that catches a node which lies and signs; the signature alone catches all others.
const RECEIPT: [Row<Receipt>; 19] = [
    ("chain_id", |receipt| receipt.chain_id.push('x'), "chain"),
    ("request", |receipt| receipt.request = RequestId([1; 32]), "receipt_request"),
    ("payer", |receipt| receipt.payer = key(PAYEE), "receipt_request"),
    ("client_nonce", |receipt| receipt.client_nonce += 1, "receipt_request"),
    ("request_digest", |receipt| receipt.request_digest = Digest32([1; 32]), "request_bytes"),
    ("model", |receipt| receipt.model = ModelId([1; 32]), "model_included"),
    ("circuit", |receipt| receipt.subject = Subject::Circuit(CircuitDigest([1; 32])), "key_circuit"),
    ("backend", |receipt| receipt.backend = Backend::Vanilla, "receipt_claim"),
    ("claim", |receipt| receipt.claim = Claim::SignedOnly, "receipt_claim"),
    ("grade", |receipt| receipt.grade = Grade::Simulated, "proof_context"),
    ("proving.engine", |receipt| proving(receipt).engine = Engine::Halo2, "key_engine"),
    ("proving.key", |receipt| proving(receipt).key = KeyDigest([1; 32]), "key_digest"),
    ("proving.hiding", |receipt| proving(receipt).hiding ^= true, "key_hiding"),
    ("inputs", |receipt| receipt.inputs = Digest32([1; 32]), "inputs"),
    ("records", |receipt| receipt.records.push(Digest32([1; 32])), "proof_context"),
    ("outputs", |receipt| receipt.outputs = Digest32([1; 32]), "outputs"),
    ("price", |receipt| receipt.price += 1, "proof_context"),
    ("time_ms", |receipt| receipt.time_ms += 1, "proof_context"),
    (
        "proven",
        |receipt| receipt.proven = Some(Proven { previous: Digest32([1; 32]), proof: Digest32([2; 32]) }),
        "receipt_claim",
    ),
];

/// Parts of a bundle that somebody changes who can sign nothing.
const PARTS: [Row<Bundle>; 35] = [
    ("receipt.signature", |bundle| bundle.receipt.signature.0[1][3] ^= 1, "receipt_signature"),
    ("request", |bundle| bundle.request.as_mut().unwrap().0.push(b' '), "request_bytes"),
    ("evidence.receipt.signature", |bundle| proven(bundle).receipt.signature.0[0][3] ^= 1, "proven_signature"),
    ("evidence.receipt.receipt", |bundle| proven(bundle).receipt.receipt.price -= 1, "proven_link"),
    ("evidence.receipt.proven", |bundle| proven(bundle).receipt.receipt.proven = None, "proven_link"),
    ("evidence.receipt.proven.previous", |bundle| named(bundle).previous.0[0] ^= 1, "proven_link"),
    ("evidence.receipt.proven.proof", |bundle| named(bundle).proof.0[0] ^= 1, "proof_digest"),
    ("evidence.receipt: the first again", |bundle| proven(bundle).receipt = bundle.receipt.clone(), "proven_link"),
    ("evidence.proof", |bundle| proven(bundle).proof.0[20_000] ^= 1, "proof"),
    ("evidence.proof: its magic", |bundle| proven(bundle).proof.0[0] ^= 1, "proof"),
    ("evidence.proof: cut off", |bundle| proven(bundle).proof.0.truncate(1_000), "proof"),
    (
        "evidence.proof: of another request",
        |bundle| proven(bundle).proof.0 = golden("sumcheck", "proof_1"),
        "proof_digest",
    ),
    ("evidence.proof: of the other engine", |bundle| proven(bundle).proof.0 = golden("halo2", "proof_0"), "proof"),
    ("evidence.key", |bundle| *proven(bundle).key.0.last_mut().unwrap() ^= 1, "key_digest"),
    ("evidence.key: its magic", |bundle| proven(bundle).key.0[0] ^= 1, "key_digest"),
    ("evidence.key: of the other engine", |bundle| proven(bundle).key.0 = golden("halo2", "key"), "key_digest"),
    ("evidence.key: no proof that its weights are in range", without_range, "key"),
    ("evidence: an answer", |bundle| bundle.evidence = Evidence::Answer(answer()), "receipt_claim"),
    ("path: nothing", |bundle| ledger(bundle).path.clear(), "trust_root"),
    ("path: without the root", |bundle| drop(ledger(bundle).path.remove(0)), "trust_root"),
    ("path: without the last", |bundle| drop(ledger(bundle).path.pop()), "state"),
    ("path: backwards", |bundle| ledger(bundle).path.reverse(), "trust_root"),
    ("path: the last twice", |bundle| double_last(bundle), "headers"),
    ("path.block: the root's", |bundle| ledger(bundle).path[0].block.0[60] ^= 1, "trust_root"),
    ("path.block: the last's", |bundle| ledger(bundle).path[1].block.0[60] ^= 1, "headers"),
    ("path.next_validators", |bundle| ledger(bundle).path[1].next_validators.0[10] ^= 1, "headers"),
    ("block.value", |bundle| ledger(bundle).block.value.0[0] ^= 1, "state"),
    ("block.proof", |bundle| ledger(bundle).block.proof.0[50] ^= 1, "state"),
    ("settlement.value", |bundle| settled(bundle).value.0[0] ^= 1, "settlement_included"),
    ("settlement.proof", |bundle| settled(bundle).proof.0.clear(), "settlement_included"),
    ("model.value", |bundle| *model(bundle).value.0.last_mut().unwrap() ^= 1, "model_included"),
    ("model.proof", |bundle| model(bundle).proof = ledger(bundle).node.proof.clone(), "model_included"),
    ("node.value", |bundle| ledger(bundle).node.value.0[4] ^= 1, "node_included"),
    ("rules.value", |bundle| ledger(bundle).rules.value.0[40] ^= 1, "rules_included"),
    ("rules.proof", |bundle| ledger(bundle).rules.proof.0[9] ^= 1, "rules_included"),
];

/// Records that validators put into the state, who lie together and sign it.
const RECORDS: [Row<Records>; 32] = [
    ("block.height", |records| records.block.height += 1, "state"),
    ("block.genesis", |records| records.block.genesis = Digest32([1; 32]), "state"),
    ("settlement.request", |records| records.settlement().request = RequestId([1; 32]), "settlement"),
    ("settlement.receipt", |records| records.settlement().receipt = Digest32([1; 32]), "settlement"),
    ("settlement.backend", |records| records.settlement().backend = Backend::Vanilla, "settlement"),
    ("settlement.proof", |records| records.settlement().proof.as_mut().unwrap().0 = Digest32([1; 32]), "settlement"),
    (
        "settlement.proof.key",
        |records| records.settlement().proof.as_mut().unwrap().1 = KeyDigest([1; 32]),
        "settlement",
    ),
    ("settlement.proof: none", |records| records.settlement().proof = None, "settlement"),
    ("settlement.model", |records| records.settlement().model = ModelId([1; 32]), "settlement"),
    ("settlement.model_revision", |records| records.settlement().model_revision += 1, "model"),
    ("settlement.node", |records| records.settlement().node = key(PAYER), "settlement"),
    ("settlement.node_revision", |records| records.settlement().node_revision += 1, "node"),
    ("settlement.payer", |records| records.settlement().payer = key(NODE), "payment"),
    ("settlement.payee", |records| records.settlement().payee = key(NODE), "payment"),
    ("settlement.price", |records| records.settlement().price += 1, "payment"),
    ("settlement.height: before all", |records| records.settlement().height = 0, "model"),
    ("settlement.height: ahead", |records| records.settlement().height = 1_000, "settlement"),
    ("settlement.time_ms: ahead", |records| records.settlement().time_ms = u64::MAX, "settlement"),
    ("model.revision", |records| records.model().revision += 1, "model"),
    ("model.valid_from", |records| records.model().valid_from = 1_000, "model"),
    ("model.valid_to", |records| records.model().valid_to = Some(1), "model"),
    ("model.manifest", |records| records.model().record.manifest.price += 1, "publisher_signature"),
    ("model.manifest.version", |records| records.model().record.manifest.version.push('1'), "model"),
    (
        "model.manifest.program",
        |records| records.model().record.manifest.program = Program::Circuit(CircuitDigest([1; 32])),
        "model",
    ),
    ("model.manifest.keys", |records| records.model().record.manifest.keys.clear(), "model"),
    ("model.signature", |records| records.model().record.signature.0[1][0] ^= 1, "publisher_signature"),
    ("model.keys", |records| records.model().record.keys[0].hiding ^= true, "model"),
    ("node.backends", |records| records.node.record.backends = vec![Backend::Vanilla], "node"),
    ("node.payee", |records| records.node.record.payee = key(NODE), "payment"),
    ("node.stake", |records| records.node.record.stake = 1, "node"),
    ("rules.chain_id", |records| records.rules.record.chain_id.push('x'), "rules"),
    ("rules.valid_to", |records| records.rules.valid_to = Some(1), "rules"),
];

fn proving(receipt: &mut Receipt) -> &mut Proving {
    receipt.proving.as_mut().unwrap()
}

fn named(bundle: &mut Bundle) -> &mut Proven {
    proven(bundle).receipt.receipt.proven.as_mut().unwrap()
}

/// The range proof is not part of a key's digest; that it is there and holds is the key's own check.
fn without_range(bundle: &mut Bundle) {
    let Ok(Key::Sumcheck(mut key)) = wire::decode(&proven(bundle).key.0) else { panic!("a key of sumcheck") };
    key.range = None;
    proven(bundle).key.0 = wire::encode(&Key::Sumcheck(key));
}

fn double_last(bundle: &mut Bundle) {
    let last = ledger(bundle).path[1].clone();
    ledger(bundle).path.push(last);
}

/// A bundle whose node says something else, in both receipts, and signs.
fn lied(bundle: &Bundle, change: impl Fn(&mut Receipt)) -> Bundle {
    let mut bundle = bundle.clone();
    change(&mut bundle.receipt.receipt);
    let receipt = bundle.receipt.receipt.clone();
    let proof = proven(&mut bundle).proof.0.clone();
    proven(&mut bundle).receipt = receipt.proven(&proof).sign(&secret(NODE));
    bundle.receipt = receipt.sign(&secret(NODE));
    bundle
}

#[test]
fn whatever_is_changed_is_refused() {
    let mut seen = Tampering::default();
    proofs(&mut seen);
    super::attested::tamper(&mut seen);
    super::passed_on::tamper(&mut seen);
    super::drawn::tamper(&mut seen);
    seen.finish();
}

fn proofs(seen: &mut Tampering) {
    let mut world = World::new();
    world.settle("sumcheck", 0);
    let (bundle, trust) = (world.bundle("sumcheck", 0), world.trust());
    seen.of("a proof", &trust);
    for (part, change, by) in RECEIPT {
        let mut stolen = bundle.clone();
        change(&mut stolen.receipt.receipt);
        seen.refused("anyone", &format!("receipt.{part}"), &stolen, "receipt_signature");
        seen.refused("the node", &format!("receipt.{part}"), &lied(&bundle, change), by);
    }
    seen.parts(&bundle, &PARTS);
    seen.records(&bundle, &RECORDS);
    world.settle("halo2", 0);
    let halo2 = world.bundle("halo2", 0);
    seen.of("a proof of halo2", &trust);
    seen.records(&halo2, &[("rules.srs", |records| records.rules.record.srs.clear(), "srs")]);
}

#[test]
fn another_trust_refuses() {
    let mut world = World::new();
    world.settle("sumcheck", 0);
    let (bundle, trust) = (world.bundle("sumcheck", 0), world.trust());
    let refused = |trust: Trust| failing(&audited(&bundle, &trust));
    assert_eq!(refused(Trust { root: Root::Validators([1; 32]), ..trust.clone() }), ["trust_root"]);
    assert_eq!(refused(Trust { root: Root::Header([1; 32]), ..trust.clone() }), ["trust_root"]);
    assert_eq!(refused(Trust { genesis: Some(Digest32([1; 32])), ..trust.clone() }), ["state"]);
    assert_eq!(refused(Trust { chain_id: "another".into(), ..trust.clone() }), ["chain", "trust_root"]);
    // Another validator's chain, right in itself.
    let mut other = World::of(VALIDATOR + 1);
    other.settle("sumcheck", 0);
    let forged = other.bundle("sumcheck", 0);
    assert!(audited(&forged, &other.trust()).holds());
    assert_eq!(failing(&audited(&forged, &trust)), ["trust_root"]);
    let mut spliced = forged;
    ledger(&mut spliced).path[0] = bundle.ledger.as_ref().unwrap().path[0].clone();
    assert_eq!(failing(&audited(&spliced, &trust)), ["headers"]);
}

#[test]
fn what_belongs_to_another_request_or_node_is_refused() {
    let mut world = World::new();
    for number in 0..2 {
        world.settle("sumcheck", number);
    }
    let trust = world.trust();
    let [first, second] = [0, 1].map(|number| world.bundle("sumcheck", number));
    assert!(audited(&second, &trust).holds());
    // The proof of the second request, which the node names and signs for the first.
    let mut swapped = first.clone();
    proven(&mut swapped).proof = proven(&mut second.clone()).proof.clone();
    let swapped = lied(&swapped, |_| {});
    assert_eq!(
        failing(&audited(&swapped, &trust)),
        ["proof_context", "inputs", "outputs", "request_values", "settlement"]
    );
    // The settlement of the second.
    let swapped = Bundle { ledger: second.ledger.clone(), ..first.clone() };
    assert_eq!(failing(&audited(&swapped, &trust)), ["settlement_included"]);
    // Receipts of another node, which signs what the first one proved.
    let thief = |receipt: &mut Receipt| receipt.node = key(GOVERNANCE);
    let mut stolen = lied(&first, thief);
    let receipt = stolen.receipt.receipt.clone();
    proven(&mut stolen).receipt = proven(&mut stolen).receipt.receipt.clone().sign(&secret(GOVERNANCE));
    stolen.receipt = receipt.sign(&secret(GOVERNANCE));
    assert_eq!(failing(&audited(&stolen, &trust)), ["proof_context", "settlement", "node_included"]);
}

/// All of it made by one hand: model, key, proof and receipts agree, and no ledger knows of them.
#[test]
fn a_forgery_that_is_right_in_itself_has_no_ledger() {
    let world = World::new();
    let forged = unsettled("halo2", 0);
    let report = audited(&forged, &world.trust());
    assert_eq!(failing(&report), [""; 0]);
    assert!(!report.holds());
    // Its own chain is not the trusted one, and of the trusted one it can show no settlement.
    let mut own = World::of(VALIDATOR + 1);
    own.settle("halo2", 0);
    assert_eq!(failing(&audited(&own.bundle("halo2", 0), &world.trust())), ["trust_root"]);
    let mut borrowed = World::new();
    borrowed.settle("sumcheck", 0);
    let shown = borrowed.bundle("sumcheck", 0).ledger;
    let report = audited(&Bundle { ledger: shown, ..forged }, &borrowed.trust());
    assert_eq!(failing(&report), ["settlement_included", "model_included"]);
}

#[test]
fn another_request_is_not_the_one_that_was_answered() {
    let mut world = World::new();
    world.settle("sumcheck", 0);
    let (bundle, trust) = (world.bundle("sumcheck", 0), world.trust());
    let own = request("sumcheck", 0);
    let ask = |bundle: &Bundle, request: &[u8], change: fn(&mut Vec<RequestTensor>)| {
        let mut tensors = tensors(&own);
        change(&mut tensors);
        let question = Question { request: Some(request), tensors: Some(&tensors), ..Question::default() };
        let report = audit(bundle, &trust, &question);
        assert_eq!(report.holds(), failing(&report).is_empty());
        report
    };
    assert!(ask(&bundle, &own, |_| {}).holds());
    let withheld = Bundle { request: None, ..bundle.clone() };
    assert!(ask(&withheld, &own, |_| {}).is_shown(Check::RequestBytes));
    // Either copy may be the wrong one.
    let other = request("sumcheck", 1);
    assert_eq!(failing(&ask(&bundle, &other, |_| {})), ["request_bytes"]);
    let mut changed = bundle.clone();
    changed.request = Some(Bytes(other));
    assert_eq!(failing(&ask(&changed, &own, |_| {})), ["request_bytes"]);
    let value = |report: &Report| report.verdict(Check::RequestValues).cloned();
    let report = ask(&bundle, &own, |tensors| tensors[0].values[4] += 1.0 / 256.0);
    assert_eq!(value(&report), Some(Verdict::Fails(Reason::Value { input: 0, position: 4 })));
    // Less than half a step makes no difference to the integers; what is out of range or no number does.
    assert!(ask(&bundle, &own, |tensors| tensors[0].values[4] += 0.4 / 256.0).holds());
    for value in [f64::NAN, f64::INFINITY, 1e300, -1e9] {
        let mut tensors = tensors(&own);
        tensors[0].values[0] = value;
        let question = Question { tensors: Some(&tensors), ..Question::default() };
        assert_eq!(failing(&audit(&bundle, &trust, &question)), ["request_values"]);
    }
    for change in [
        (|tensors| drop(tensors.pop())) as fn(&mut Vec<RequestTensor>),
        |tensors| tensors.push(tensors[0].clone()),
        |tensors| tensors[1] = tensors[0].clone(),
        |tensors| tensors[0].name.push('x'),
        |tensors| tensors[0].shape.reverse(),
        |tensors| tensors[0].values.truncate(1),
    ] {
        assert_eq!(value(&ask(&bundle, &own, change)), Some(Verdict::Fails(Reason::Tensors)));
    }
}

/// A proof with a hidden input says nothing of the request's numbers; and one that is bound to something else is for no receipt.
#[test]
fn private_inputs_and_other_contexts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/golden");
    let [key, proof] = ["halo2_key.bin", "halo2_proof.bin"].map(|name| std::fs::read(folder.join(name)).unwrap());
    let (decoded, proof_of): (Key, Proof) = (wire::decode(&key).unwrap(), wire::decode(&proof).unwrap());
    assert!(matches!(proof_of.statement.inputs, Inputs::Private(_)));
    let mut bundle = unsettled("halo2", 0);
    let receipt = &mut bundle.receipt.receipt;
    receipt.subject = Subject::Circuit(decoded.circuit().digest());
    receipt.proving = Some(Proving { engine: Engine::Halo2, key: decoded.digest(), hiding: true });
    receipt.inputs = proof_of.statement.inputs.digest();
    receipt.outputs = proof_of.statement.outputs_digest();
    *proven(&mut bundle) =
        assay_verifier::audit::Proven { proof: Bytes(proof), key: Bytes(key), ..proven(&mut bundle).clone() };
    let bundle = lied(&bundle, |_| {});
    let trust = World::new().trust();
    let tensors = tensors(&request("halo2", 0));
    let question = Question { scope: Scope::Unsettled, tensors: Some(&tensors), ..Question::default() };
    let report = audit(&bundle, &trust, &question);
    assert_eq!(failing(&report), ["proof_context"]);
    assert_eq!(report.verdict(Check::RequestValues), Some(&Verdict::NotShown(Missing::Private)));
}

fn upstream() -> Subject {
    let text = || "upstream".to_owned();
    Subject::Upstream(Forwarded {
        upstream: text(),
        origin: text(),
        path: text(),
        model: text(),
        status: 200,
        size: 1,
        ending: Ending::Complete,
    })
}

/// A settlement on the node's word is none of a proof, and claims that do not fit what answered are refused.
#[test]
fn claims_fit_their_evidence() {
    let mut world = World::new();
    world.settle_with(vanilla().sign(&secret(NODE)), Shown::Signature);
    let (bundle, trust) = (world.vanilla_bundle(), world.trust());
    let with = |change: fn(&mut Receipt)| {
        let mut receipt = vanilla();
        change(&mut receipt);
        failing(&audited(&Bundle { receipt: receipt.sign(&secret(NODE)), ..bundle.clone() }, &trust))
    };
    assert_eq!(with(|_| {}), [""; 0]);
    for change in [
        (|receipt| receipt.claim = Claim::Proven) as fn(&mut Receipt),
        |receipt| receipt.claim = Claim::Attested,
        |receipt| receipt.claim = Claim::Proxied,
        |receipt| receipt.subject = upstream(),
        |receipt| (receipt.claim, receipt.subject) = (Claim::Proxied, upstream()),
        |receipt| receipt.backend = Backend::Tee,
        |receipt| receipt.backend = Backend::Zkml,
    ] {
        assert!(with(change).contains(&"receipt_claim"));
    }
    assert!(with(|receipt| receipt.inputs = Digest32([1; 32])).contains(&"inputs"));
    assert!(with(|receipt| receipt.outputs = Digest32([1; 32])).contains(&"outputs"));
    let mut proof = bundle.clone();
    proof.evidence = unsettled("sumcheck", 0).evidence;
    assert!(failing(&audited(&proof, &trust)).contains(&"receipt_claim"));
    // The validators say that it was proven.
    let forged =
        forge::records(&bundle, |records| records.settlement().proof = Some((Digest32([1; 32]), KeyDigest([2; 32]))));
    assert_eq!(failing(&audited(&forged, &trust)), ["settlement"]);
}
