//! Is every receipt of a proxied answer refused that is not of the very exchange, and by which check?
use std::path::Path;

use assay_verifier::digest::{CircuitDigest, Digest32, KeyDigest};
use assay_verifier::key::Engine;
use assay_verifier::proxied::{Delivery, Ending, Exchange, Forwarded, ProxiedError, forwarded_digest, verify};
use assay_verifier::receipt::{
    Backend, Claim, Grade, ModelId, Proven, Proving, Receipt, RequestId, Subject, request_digest,
};
use assay_verifier::signature::SigningKey;
use assay_verifier::wire;
use proptest::prelude::*;

const REQUEST: &[u8] = br#"{"model":"small","user":"me","messages":[]}"#;
const FORWARDED: &[u8] = br#"{"model":"small","messages":[]}"#;
const RESPONSE: &[u8] = b"data: {}\n\ndata: [DONE]\n\n";
const PATH: &str = "/v1/chat/completions";
const TIME_MS: u64 = 1_000_000;

fn node() -> SigningKey {
    SigningKey::from_seed([5; 32])
}

fn exchange() -> Exchange<'static> {
    Exchange {
        chain_id: "chain",
        node: node().public(),
        path: PATH,
        model: "small",
        request: REQUEST,
        forwarded: FORWARDED,
        origin: Some("https://upstream.example"),
        status: 200,
        response: RESPONSE,
        window_ms: (TIME_MS - 10, TIME_MS + 10),
    }
}

fn receipt() -> Receipt {
    let (payer, digest) = (node().public(), request_digest(REQUEST));
    let forwarded = Forwarded {
        upstream: "one".into(),
        origin: "https://upstream.example".into(),
        path: PATH.into(),
        model: "small".into(),
        status: 200,
        size: RESPONSE.len() as u64,
        ending: Ending::Complete,
    };
    Receipt {
        chain_id: "chain".into(),
        request: RequestId::new("chain", payer, 7, digest),
        payer,
        client_nonce: 7,
        request_digest: digest,
        model: forwarded.model_id(payer),
        subject: Subject::Upstream(forwarded),
        backend: Backend::Vanilla,
        claim: Claim::Proxied,
        grade: Grade::Production,
        proving: None,
        inputs: forwarded_digest(FORWARDED),
        records: Vec::new(),
        outputs: Delivery::whole(RESPONSE),
        node: payer,
        price: 0,
        time_ms: TIME_MS,
        proven: None,
    }
}

fn forwarded(receipt: &mut Receipt) -> &mut Forwarded {
    match &mut receipt.subject {
        Subject::Upstream(forwarded) => forwarded,
        Subject::Circuit(_) | Subject::Onnx(_) => panic!("the receipt is of an upstream"),
    }
}

/// What a node can lie about and sign, and the check that catches it.
type Change = fn(&mut Receipt);

const TABLE: [(&str, Change, ProxiedError); 24] = [
    ("chain_id", |receipt| receipt.chain_id.push('x'), ProxiedError::Chain),
    ("request", |receipt| receipt.request = RequestId([1; 32]), ProxiedError::RequestId),
    ("payer", |receipt| receipt.payer.0[0] ^= 1, ProxiedError::RequestId),
    ("client_nonce", |receipt| receipt.client_nonce += 1, ProxiedError::RequestId),
    ("request_digest alone", |receipt| receipt.request_digest = Digest32([1; 32]), ProxiedError::RequestId),
    (
        "request_digest",
        |receipt| {
            receipt.request_digest = Digest32([1; 32]);
            receipt.request = receipt.request_id();
        },
        ProxiedError::Request,
    ),
    ("model", |receipt| receipt.model = ModelId([1; 32]), ProxiedError::Model),
    ("subject", |receipt| receipt.subject = Subject::Circuit(CircuitDigest([1; 32])), ProxiedError::Subject),
    ("upstream", |receipt| forwarded(receipt).upstream.push('x'), ProxiedError::Model),
    ("origin", |receipt| forwarded(receipt).origin.push('x'), ProxiedError::Origin),
    ("path", |receipt| forwarded(receipt).path = "/v1/completions".into(), ProxiedError::Path),
    ("model's name", |receipt| forwarded(receipt).model.push('x'), ProxiedError::Model),
    ("status", |receipt| forwarded(receipt).status = 201, ProxiedError::Status),
    ("size", |receipt| forwarded(receipt).size += 1, ProxiedError::Size),
    ("ending", |receipt| forwarded(receipt).ending = Ending::Truncated, ProxiedError::Truncated),
    ("backend", |receipt| receipt.backend = Backend::Zkml, ProxiedError::Claim),
    ("claim", |receipt| receipt.claim = Claim::Proven, ProxiedError::Claim),
    (
        "proving",
        |receipt| {
            receipt.proving = Some(Proving { engine: Engine::Sumcheck, key: KeyDigest([1; 32]), hiding: false });
        },
        ProxiedError::Proof,
    ),
    ("inputs", |receipt| receipt.inputs = Digest32([1; 32]), ProxiedError::Forwarded),
    ("records", |receipt| receipt.records.push(Digest32([1; 32])), ProxiedError::Proof),
    ("outputs", |receipt| receipt.outputs = Digest32([1; 32]), ProxiedError::Response),
    ("time_ms, before", |receipt| receipt.time_ms = TIME_MS - 11, ProxiedError::Time),
    ("time_ms, after", |receipt| receipt.time_ms = TIME_MS + 11, ProxiedError::Time),
    (
        "proven",
        |receipt| receipt.proven = Some(Proven { previous: Digest32([1; 32]), proof: Digest32([1; 32]) }),
        ProxiedError::Proof,
    ),
];

#[test]
fn a_lie_in_any_field_is_caught_by_the_check_that_it_concerns() {
    assert_eq!(verify(&receipt().sign(&node()), &exchange()), Ok(()));
    for (field, change, error) in TABLE {
        let mut lied = receipt();
        change(&mut lied);
        assert_eq!(verify(&lied.sign(&node()), &exchange()), Err(error), "{field}");
        // Whoever cannot sign for the node gets no further than the signature.
        let mut forged = receipt().sign(&node());
        change(&mut forged.receipt);
        assert_eq!(verify(&forged, &exchange()), Err(ProxiedError::Signature), "{field}");
    }
    let other = SigningKey::from_seed([6; 32]);
    assert_eq!(verify(&receipt().sign(&other), &exchange()), Err(ProxiedError::Signature));
    let others = Receipt { node: other.public(), ..receipt() };
    assert_eq!(verify(&others.sign(&other), &exchange()), Err(ProxiedError::Node));
}

#[test]
fn what_came_is_compared_with_what_was_signed() {
    let signed = receipt().sign(&node());
    let refused = |exchange: Exchange<'_>| verify(&signed, &exchange).unwrap_err();
    assert_eq!(refused(Exchange { response: &RESPONSE[..RESPONSE.len() - 1], ..exchange() }), ProxiedError::Size);
    let mut altered = RESPONSE.to_vec();
    altered[6] ^= 1;
    assert_eq!(refused(Exchange { response: &altered, ..exchange() }), ProxiedError::Response);
    assert_eq!(refused(Exchange { request: FORWARDED, ..exchange() }), ProxiedError::Request);
    assert_eq!(refused(Exchange { forwarded: REQUEST, ..exchange() }), ProxiedError::Forwarded);
    assert_eq!(refused(Exchange { status: 500, ..exchange() }), ProxiedError::Status);
    assert_eq!(verify(&signed, &Exchange { origin: None, ..exchange() }), Ok(()));
}

/// Files of the fuzz target, which are frozen here. A change that is meant is blessed by `ASSAY_BLESS=1`.
fn same_as_ever(name: &str, file: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/decode_signed").join(name);
    if std::env::var_os("ASSAY_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, file).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == file, "{name} has another encoding than before");
}

#[test]
fn receipts_have_one_encoding() {
    same_as_ever("proxied", &wire::encode(&receipt().sign(&node())));
    let mut cut = receipt();
    forwarded(&mut cut).ending = Ending::Truncated;
    same_as_ever("proxied_truncated", &wire::encode(&cut.sign(&node())));
}

proptest! {
    #[test]
    fn pieces_have_the_digest_of_the_whole(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20)) {
        let mut delivery = Delivery::default();
        pieces.iter().for_each(|piece| delivery.pass(piece));
        let whole = pieces.concat();
        prop_assert_eq!(delivery.size(), whole.len() as u64);
        prop_assert_eq!(delivery.digest(), Delivery::whole(&whole));
    }
}
