//! Attestations: everything that a document can be refused for, and what its node may no longer settle.
use assay_ledger::Rejection;
use assay_ledger::tx::{DeregisterNode, Payload, RegisterNode, RevokeMeasurement, ShownEvidence};
use assay_verifier::receipt::{Backend, Grade, Receipt};
use assay_verifier::settlement::node::{Node, Platform};
use assay_verifier::tee::software::{Attester, Claims, NitroDraft, TdxDraft};
use assay_verifier::tee::{Binding, Evidence};

use crate::Seen;
use crate::common::enclave::*;
use crate::common::*;

pub fn all(seen: &mut Seen) {
    registrations(seen);
    nitro_documents(seen);
    quotes(seen);
    grades(seen);
    replays(seen);
    settlements(seen);
}

/// Registers the node with these claims in a Nitro document.
fn with_claims(chain: &Chain, change: impl Fn(&mut Claims)) -> Payload {
    let mut claims = claims(chain, NODE, Platform::Nitro);
    change(&mut claims);
    register_with(shown(chain, attester().nitro(&claims).sign()))
}

fn with_nitro(chain: &Chain, change: impl Fn(&mut NitroDraft)) -> Payload {
    let mut draft = attester().nitro(&claims(chain, NODE, Platform::Nitro));
    change(&mut draft);
    register_with(shown(chain, draft.sign()))
}

fn with_tdx(chain: &Chain, change: impl Fn(&mut TdxDraft)) -> Payload {
    let mut draft = attester().tdx(&claims(chain, NODE, Platform::Tdx));
    change(&mut draft);
    register_with(shown(chain, draft.sign()))
}

fn registrations(seen: &mut Seen) {
    let mut chain = chain();
    let without = Payload::RegisterNode(RegisterNode { node: enclave(), attestation: None });
    seen.refused(&mut chain, NODE, without, Rejection::AttestationMissing);
    let shown_now = shown(&chain, evidence(&chain, NODE, Platform::Nitro));
    let unasked = RegisterNode { node: node(), attestation: Some(Box::new(shown_now)) };
    seen.refused(&mut chain, NODE, Payload::RegisterNode(unasked), Rejection::AttestationMissing);
    // A document for somebody else's key, shown by a node that saw it.
    let other = shown(&chain, evidence(&chain, PUBLISHER, Platform::Nitro));
    seen.refused(&mut chain, NODE, register_with(other), Rejection::AttestationBinding);
    let last = chain.app.last();
    let binding = Binding::new("another-chain", key(NODE), last_hash(&chain));
    let payload = with_claims(&chain, |claims| claims.binding = binding);
    seen.refused(&mut chain, NODE, payload, Rejection::AttestationBinding);
    let payload = with_claims(&chain, |claims| claims.binding = Binding::new(CHAIN, key(NODE), [1; 32]));
    seen.refused(&mut chain, NODE, payload, Rejection::AttestationNonce);
    // The right nonce of another block than the one that is named; a block ahead; one that was never there.
    for nonce_height in [last.height - 1, last.height + 500, u64::MAX] {
        let evidence = evidence(&chain, NODE, Platform::Nitro);
        let why = if nonce_height < last.height { Rejection::AttestationNonce } else { Rejection::NonceNotRemembered };
        seen.refused(&mut chain, NODE, register_with(ShownEvidence { evidence, nonce_height }), why);
    }
    let old = chain.app.last();
    let kept = ShownEvidence { evidence: evidence(&chain, NODE, Platform::Tdx), nonce_height: old.height };
    chain.wait(chain.app.last_time_ms() + 400_000);
    seen.refused(&mut chain, NODE, register_with(kept), Rejection::NonceNotRemembered);
    let stranger = shown(&chain, evidence(&chain, PUBLISHER, Platform::Nitro));
    seen.refused(&mut chain, PUBLISHER, attest(stranger), Rejection::NodeUnknown);
    chain.good(PUBLISHER, register());
    let stranger = shown(&chain, evidence(&chain, PUBLISHER, Platform::Nitro));
    seen.refused(&mut chain, PUBLISHER, attest(stranger), Rejection::NodeLacksBackend);
}

fn nitro_documents(seen: &mut Seen) {
    let mut chain = chain();
    let now = chain.app.last_time_ms();
    let payload = with_nitro(&chain, |draft| draft.module_id.clear());
    seen.refused(&mut chain, NODE, payload, Rejection::EvidenceMalformed);
    let payload = with_nitro(&chain, |draft| draft.chain[1].authority = None);
    seen.refused(&mut chain, NODE, payload, Rejection::CertificateChain);
    let payload = with_nitro(&chain, |draft| draft.chain[2].to_ms = now);
    seen.refused(&mut chain, NODE, payload, Rejection::CertificateTime);
    let payload = with_nitro(&chain, |draft| draft.registers[1] = vec![0; 48]);
    seen.refused(&mut chain, NODE, payload, Rejection::EnclaveDebug);
    let payload = with_nitro(&chain, |draft| draft.registers[1] = vec![9; 48]);
    seen.refused(&mut chain, NODE, payload, Rejection::MeasurementNotApproved);
    let mut forged = evidence(&chain, NODE, Platform::Nitro);
    if let Evidence::Nitro(document) = &mut forged {
        *document.0.0.last_mut().unwrap() ^= 1;
    }
    let payload = register_with(shown(&chain, forged));
    seen.refused(&mut chain, NODE, payload, Rejection::EvidenceSignature);
    let payload = with_nitro(&chain, |draft| draft.timestamp_ms += 100_000);
    seen.refused(&mut chain, NODE, payload, Rejection::EvidenceTime);
    // A document that was made long before its nonce can only be a forged one; it is refused by its own time, too.
    chain.wait(now + 1_000_000);
    let payload = with_nitro(&chain, |draft| draft.timestamp_ms -= 400_000);
    seen.refused(&mut chain, NODE, payload, Rejection::EvidenceTime);
    let measurement = measurement(Platform::Nitro).id();
    let from = chain.next().height;
    let revoke = RevokeMeasurement { measurement, from, reason: "leaks".into() };
    chain.good(GOVERNANCE, Payload::RevokeMeasurement(revoke));
    let payload = with_nitro(&chain, |_| {});
    seen.refused(&mut chain, NODE, payload, Rejection::MeasurementNotApproved);
}

fn quotes(seen: &mut Seen) {
    let mut chain = chain();
    let payload = with_tdx(&chain, |draft| draft.attributes |= 1);
    seen.refused(&mut chain, NODE, payload, Rejection::EnclaveDebug);
    let payload = with_tdx(&chain, |draft| draft.attributes |= 1 << 29);
    seen.refused(&mut chain, NODE, payload, Rejection::EnclaveAttributes);
    let payload = with_tdx(&chain, |draft| draft.revoked[1].push(2));
    seen.refused(&mut chain, NODE, payload, Rejection::CertificateRevoked);
    let payload = with_tdx(&chain, |draft| draft.identity = draft.identity.replace("TD_QE", "QE"));
    seen.refused(&mut chain, NODE, payload, Rejection::EnclavePlatform);
    let payload = with_tdx(&chain, |draft| draft.tcb_info = draft.tcb_info.replace("UpToDate", "OutOfDate"));
    seen.refused(&mut chain, NODE, payload, Rejection::EnclaveFirmware);
    let now = chain.app.last_time_ms();
    let payload = with_tdx(&chain, |draft| draft.lists_ms = (now, now));
    seen.refused(&mut chain, NODE, payload, Rejection::EvidenceTime);
}

fn grades(seen: &mut Seen) {
    // A chain that trusts nobody, in production.
    let mut chain = Chain::new();
    chain.good(GOVERNANCE, approve(Platform::Nitro));
    for platform in [Platform::Nitro, Platform::Tdx] {
        let payload = register_with(shown(&chain, evidence(&chain, NODE, platform)));
        seen.refused(&mut chain, NODE, payload, Rejection::EvidenceGrade);
    }
    let mut chain = crate::common::enclave::chain();
    let claims = claims(&chain, NODE, Platform::Nitro);
    let stranger = Attester::from_seed([8; 32]).nitro(&claims).sign();
    let payload = register_with(shown(&chain, stranger));
    seen.refused(&mut chain, NODE, payload, Rejection::EvidenceRoot);
}

fn replays(seen: &mut Seen) {
    let mut chain = chain();
    let first = shown(&chain, evidence(&chain, NODE, Platform::Nitro));
    chain.good(NODE, register_with(first.clone()));
    seen.refused(&mut chain, NODE, attest(first.clone()), Rejection::AttestationReplayed);
    chain.good(NODE, Payload::DeregisterNode(DeregisterNode { reason: String::new() }));
    seen.refused(&mut chain, NODE, register_with(first), Rejection::AttestationReplayed);
    registered(&mut chain, Platform::Nitro);
}

fn settlements(seen: &mut Seen) {
    let mut chain = chain();
    registered(&mut chain, Platform::Nitro);
    for number in 1..=3 {
        chain.good(PAYER, reserve_attested(number));
    }
    let real = Receipt { grade: Grade::Production, ..attested(1) };
    seen.refused(&mut chain, NODE, settle(real), Rejection::ReceiptGrade);
    let measurement = measurement(Platform::Nitro).id();
    let from = chain.next().height;
    let revoke = RevokeMeasurement { measurement, from, reason: "leaks".into() };
    chain.good(GOVERNANCE, Payload::RevokeMeasurement(revoke));
    seen.refused(&mut chain, NODE, settle(attested(1)), Rejection::MeasurementRevoked);
    chain.good(GOVERNANCE, approve(Platform::Nitro));
    chain.good(NODE, settle(attested(1)));
    chain.wait(chain.app.last_time_ms() + LIFETIME_MS);
    seen.refused(&mut chain, NODE, settle(attested(2)), Rejection::AttestationExpired);
    let renewed = shown(&chain, evidence(&chain, NODE, Platform::Nitro));
    chain.good(NODE, attest(renewed));
    chain.good(NODE, settle(attested(2)));
    // A node that comes back for other work has no attestation in force.
    chain.good(NODE, Payload::DeregisterNode(DeregisterNode { reason: String::new() }));
    let plain = Node { backends: vec![Backend::Zkml], ..node() };
    chain.good(NODE, Payload::RegisterNode(RegisterNode { node: plain, attestation: None }));
    seen.refused(&mut chain, NODE, settle(attested(3)), Rejection::NodeLacksBackend);
}
