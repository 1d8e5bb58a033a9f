//! A request: authorised by the payer, answered and proven by the node.
use std::time::{SystemTime, UNIX_EPOCH};

use assay_ledger::tx::{Evidence, Payload, Reserve, Settle};
use assay_verifier::digest::Digest32;
use assay_verifier::key::Engine;
use assay_verifier::receipt::{Backend, Claim, Grade, Receipt, RequestId, Subject};
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::signature::Domain;
use assay_verifier::wire::{self, Bytes};

use crate::model::Service;
use crate::people::{CHAIN, Who, key, manifest, secret};

/// What a reservation sets aside, and what an answer costs.
pub const AMOUNT: u64 = 100;
pub const PRICE: u64 = 70;
/// How long a request can be settled.
const WITHIN_MS: u64 = 3_600_000;

/// Request `number`: the payer never uses a number twice.
pub struct Request<'a> {
    service: &'a Service,
    number: u64,
    authorisation: Authorisation,
}

impl<'a> Request<'a> {
    pub fn new(service: &'a Service, number: u64) -> Self {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        let authorisation = Authorisation {
            payer: key(Who::Payer),
            client_nonce: number,
            request_digest: Digest32(digest),
            node: key(Who::Node),
            model: manifest(service).id(),
            backend: Backend::Zkml,
            amount: AMOUNT,
            deadline_ms: now_ms() + WITHIN_MS,
        };
        Self { service, number, authorisation }
    }

    pub fn id(&self) -> RequestId {
        self.authorisation.request_id(CHAIN)
    }

    pub fn reserve(&self) -> Payload {
        let signature = secret(Who::Payer).sign(Domain::Authorisation, CHAIN, &self.authorisation);
        Payload::Reserve(Reserve { authorisation: self.authorisation, signature })
    }

    /// The settlement, with a fresh proof.
    pub fn settle(&self, engine: Engine) -> Payload {
        self.settle_changed(engine, |_| {})
    }

    /// The settlement of outputs that the node changed: in the receipt, which it signs, and in what it says that it proves.
    pub fn settle_changed(&self, engine: Engine, change: impl Fn(&mut Vec<Vec<i64>>)) -> Payload {
        let mut answer = self.service.answer(self.number, engine);
        change(&mut answer.statement.outputs);
        let Authorisation { payer, client_nonce, request_digest, node, model, backend, .. } = self.authorisation;
        let receipt = Receipt {
            chain_id: CHAIN.into(),
            request: self.id(),
            payer,
            client_nonce,
            request_digest,
            model,
            subject: Subject::Circuit(self.service.circuit()),
            backend,
            claim: Claim::Proven,
            grade: Grade::Production,
            proving: Some(self.service.proving(engine)),
            inputs: answer.statement.inputs.digest(),
            records: Vec::new(),
            outputs: answer.statement.outputs_digest(),
            node,
            price: PRICE,
            time_ms: now_ms(),
            proven: None,
        };
        // The receipt goes with the answer; the proof is bound to it.
        let mut proof = self.service.prove(&answer, engine, &receipt.digest().0);
        proof.statement.outputs = answer.statement.outputs;
        let evidence = Evidence::Proof(Bytes(wire::encode(&proof)));
        Payload::Settle(Box::new(Settle { receipt: receipt.sign(&secret(Who::Node)), evidence }))
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    now.as_millis().try_into().expect("it is this era")
}
