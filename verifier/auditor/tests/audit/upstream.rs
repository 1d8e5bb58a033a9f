//! Answers of an upstream that a node passes on.
use assay_verifier::audit::{Bundle, Evidence, Exchange};
use assay_verifier::proxied::{Delivery, Ending, Forwarded, forwarded_digest};
use assay_verifier::receipt::{Backend, Claim, Grade, Receipt, Subject, request_digest};
use assay_verifier::wire::Bytes;

use super::world::*;

pub const ASKED: &[u8] = br#"{"model":"gpt","stream":true,"user":"me"}"#;
pub const SENT: &[u8] = br#"{"model":"gpt","stream":true}"#;
pub const STREAM: &[u8] = b"data: {\"text\":\"yes\"}\n\ndata: [DONE]\n\n";

/// When such an answer is given: the attestation of the node in an enclave counts.
pub const ANSWERED_MS: u64 = START_MS + 60_000;

fn forwarded() -> Forwarded {
    Forwarded {
        upstream: "cloud".into(),
        origin: "https://api.example".into(),
        path: "/v1/chat/completions".into(),
        model: "gpt".into(),
        status: 200,
        size: STREAM.len() as u64,
        ending: Ending::Complete,
    }
}

/// Who passes it on.
pub fn who(backend: Backend) -> u8 {
    if backend == Backend::Tee { ENCLAVE } else { NODE }
}

/// The receipt of such an answer.
pub fn proxied(backend: Backend) -> Receipt {
    let node = key(who(backend));
    let grade = if backend == Backend::Tee { Grade::Simulated } else { Grade::Production };
    let receipt = Receipt {
        payer: node,
        client_nonce: 80,
        request_digest: request_digest(ASKED),
        model: forwarded().model_id(node),
        subject: Subject::Upstream(forwarded()),
        backend,
        claim: Claim::Proxied,
        grade,
        inputs: forwarded_digest(SENT),
        outputs: Delivery::whole(STREAM),
        node,
        price: 0,
        time_ms: ANSWERED_MS,
        ..vanilla()
    };
    Receipt { request: receipt.request_id(), ..receipt }
}

/// What an upstream's receipt says of it.
pub fn said(receipt: &mut Receipt) -> &mut Forwarded {
    let Subject::Upstream(forwarded) = &mut receipt.subject else { panic!("an upstream") };
    forwarded
}

/// What passed.
pub fn exchange(bundle: &mut Bundle) -> &mut Exchange {
    let Evidence::Exchange(exchange) = &mut bundle.evidence else { panic!("an exchange") };
    exchange
}

impl World {
    /// The bundle of such an answer, as of now.
    pub fn proxied_bundle(&self, receipt: &Receipt) -> Bundle {
        let (forwarded, response) = (Some(Bytes(SENT.into())), Some(Bytes(STREAM.into())));
        Bundle {
            receipt: receipt.clone().sign(&secret(who(receipt.backend))),
            request: Some(Bytes(ASKED.into())),
            records: Vec::new(),
            evidence: Evidence::Exchange(Exchange { forwarded, response }),
            ledger: Some(self.ledger(receipt)),
        }
    }
}
