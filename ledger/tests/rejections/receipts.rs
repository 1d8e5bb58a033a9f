//! Receipts: every field is checked against something.
use assay_ledger::Rejection;
use assay_ledger::tx::{DeregisterNode, Evidence, Heartbeat, Payload, RegisterNode, Settle, SettleBatch};
use assay_verifier::digest::{CircuitDigest, Digest32, KeyDigest};
use assay_verifier::key::Engine;
use assay_verifier::proxied::{Ending, Forwarded};
use assay_verifier::receipt::{Backend, Claim, ModelId, Proving, Receipt, RequestId, Subject};
use assay_verifier::settlement::node::Node;
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::wire::Bytes;

use crate::Seen;
use crate::common::*;

pub fn all(seen: &mut Seen) {
    fields(seen);
    nodes(seen);
    batches(seen);
}

/// A chain where request 1 is reserved.
fn reserved() -> Chain {
    let mut chain = Chain::ready();
    chain.good(PAYER, reserve(authorisation(1)));
    chain
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

fn fields(seen: &mut Seen) {
    let mut chain = reserved();
    let good = || receipt(1);
    let changed = |change: &dyn Fn(&mut Receipt)| {
        let mut receipt = good();
        change(&mut receipt);
        receipt
    };
    // The request's identity follows where the change is not about it.
    let consistent = |change: &dyn Fn(&mut Receipt)| {
        let mut receipt = changed(change);
        receipt.request = receipt.request_id();
        receipt
    };
    let proving = Proving { engine: Engine::Sumcheck, key: KeyDigest([1; 32]), hiding: false };
    let tee = |receipt: &mut Receipt| (receipt.backend, receipt.claim) = (Backend::Tee, Claim::Attested);
    let table = [
        (changed(&|receipt| receipt.chain_id = "other".into()), Rejection::ReceiptChain),
        (good().proven(b"proof"), Rejection::ReceiptVersion),
        (changed(&|receipt| receipt.request = RequestId([1; 32])), Rejection::ReceiptRequest),
        (changed(&|receipt| receipt.payer = key(PUBLISHER)), Rejection::ReceiptRequest),
        (changed(&|receipt| receipt.client_nonce += 1), Rejection::ReceiptRequest),
        (changed(&|receipt| receipt.request_digest = Digest32([9; 32])), Rejection::ReceiptRequest),
        (changed(&tee), Rejection::ReceiptBackend),
        (changed(&|receipt| receipt.backend = Backend::Tee), Rejection::ReceiptClaim),
        (changed(&|receipt| receipt.claim = Claim::Proven), Rejection::ReceiptClaim),
        (changed(&|receipt| receipt.proving = Some(proving)), Rejection::ReceiptClaim),
        (consistent(&|receipt| receipt.client_nonce += 1), Rejection::ReservationUnknown),
        (consistent(&|receipt| receipt.payer = key(PUBLISHER)), Rejection::ReservationUnknown),
        (changed(&|receipt| receipt.model = ModelId([1; 32])), Rejection::ReceiptModel),
        (changed(&|receipt| receipt.subject = Subject::Circuit(CircuitDigest([1; 32]))), Rejection::ReceiptCircuit),
        (changed(&|receipt| receipt.subject = upstream()), Rejection::ReceiptCircuit),
        (changed(&|receipt| receipt.claim = Claim::Proxied), Rejection::ReceiptClaim),
        (changed(&|receipt| receipt.price = 101), Rejection::ReceiptPrice),
        (changed(&|receipt| receipt.price = u64::MAX), Rejection::ReceiptPrice),
    ];
    for (receipt, why) in table {
        seen.refused(&mut chain, NODE, settle(receipt), why);
    }
    let evidence = Evidence::Proof(Bytes(vec![1]));
    let with_proof = Settle { evidence, ..leaf(good()) };
    seen.refused(&mut chain, NODE, Payload::Settle(Box::new(with_proof)), Rejection::EvidenceKind);
    // Signed by somebody else than the node that is named.
    let forged = Settle { receipt: good().sign(&secret(PAYER)), evidence: Evidence::Signature };
    seen.refused(&mut chain, PAYER, Payload::Settle(Box::new(forged)), Rejection::ReceiptSignature);
    let mut edited = leaf(good());
    edited.receipt.receipt.price += 1;
    seen.refused(&mut chain, NODE, Payload::Settle(Box::new(edited)), Rejection::ReceiptSignature);
    // Another node's receipt for the same request, rightly signed.
    let other = Receipt { node: key(PUBLISHER), ..good() }.sign(&secret(PUBLISHER));
    let other = Settle { receipt: other, evidence: Evidence::Signature };
    seen.refused(&mut chain, PUBLISHER, Payload::Settle(Box::new(other)), Rejection::ReceiptNode);
    // A payer who asked for a proof is not served with a signature.
    let proven = Authorisation { backend: Backend::Zkml, ..authorisation(2) };
    chain.good(PAYER, reserve(proven));
    seen.refused(&mut chain, NODE, settle(receipt(2)), Rejection::ReceiptBackend);
    // A model that nobody published can be reserved, but not settled.
    let unknown = ModelId([2; 32]);
    chain.good(PAYER, reserve(Authorisation { model: unknown, ..authorisation(3) }));
    let unpublished = Receipt { model: unknown, ..receipt(3) };
    seen.refused(&mut chain, NODE, settle(unpublished), Rejection::ModelUnknown);
    chain.good(NODE, settle(good()));
    seen.refused(&mut chain, NODE, settle(good()), Rejection::RequestSettled);
    // A second answer to a request that was settled.
    seen.refused(&mut chain, NODE, settle(changed(&|receipt| receipt.price = 1)), Rejection::RequestSettled);
    chain.wait(authorisation(1).deadline_ms);
    seen.refused(&mut chain, NODE, settle(receipt(2)), Rejection::DeadlinePast);
}

fn nodes(seen: &mut Seen) {
    let mut chain = reserved();
    let heartbeat = || Payload::Heartbeat(Heartbeat {});
    let window = chain.app.reader().rules().heartbeat_window_ms;
    let late = Authorisation { deadline_ms: window + 50_000, ..authorisation(2) };
    chain.good(PAYER, reserve(late));
    // The last moment of the window is a step after this block.
    chain.wait(STEP_MS + window);
    seen.refused(&mut chain, NODE, settle(receipt(2)), Rejection::HeartbeatMissed);
    chain.good(NODE, heartbeat());
    chain.good(NODE, settle(receipt(2)));
    let again = Authorisation { deadline_ms: late.deadline_ms, ..authorisation(3) };
    chain.good(PAYER, reserve(again));
    chain.good(NODE, Payload::DeregisterNode(DeregisterNode { reason: String::new() }));
    seen.refused(&mut chain, NODE, settle(receipt(3)), Rejection::NodeDeregistered);
    let narrow = Node { backends: vec![Backend::Zkml], ..node() };
    chain.good(NODE, Payload::RegisterNode(RegisterNode { node: narrow, attestation: None }));
    seen.refused(&mut chain, NODE, settle(receipt(3)), Rejection::NodeLacksBackend);
    // Never registered at all.
    let stranger = Authorisation { node: key(PUBLISHER), ..again };
    chain.good(PAYER, reserve(Authorisation { client_nonce: 4, ..stranger }));
    let mut receipt = Receipt { node: key(PUBLISHER), client_nonce: 4, ..receipt(3) };
    receipt.request = receipt.request_id();
    let unknown = Settle { receipt: receipt.sign(&secret(PUBLISHER)), evidence: Evidence::Signature };
    seen.refused(&mut chain, PUBLISHER, Payload::Settle(Box::new(unknown)), Rejection::NodeUnknown);
}

fn batches(seen: &mut Seen) {
    let mut chain = reserved();
    let batch = |leaves| Payload::SettleBatch(SettleBatch { leaves });
    seen.refused(&mut chain, NODE, batch(vec![]), Rejection::BatchLength);
    seen.refused(&mut chain, NODE, batch(vec![leaf(receipt(2)); 257]), Rejection::BatchLength);
    seen.refused(&mut chain, NODE, batch(vec![leaf(receipt(2)); 2]), Rejection::BatchNothingSettled);
}
