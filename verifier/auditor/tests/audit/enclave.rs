//! Answers out of an enclave, which the software attester stands in for: a node of its own, and what it shows, signs and fetched.
use assay_ledger::tx::{ApproveMeasurement, AttestNode, Evidence as Shown, Payload, RegisterNode, ShownEvidence};
use assay_verifier::audit::{Answer, Bundle, Evidence, RealAnswer};
use assay_verifier::digest::Digest32;
use assay_verifier::fetched::{Extracted, Fetched, SignedFetched};
use assay_verifier::reals::{Reals, inputs_digest, outputs_digest};
use assay_verifier::receipt::{Backend, Claim, Grade, Program, Receipt, Subject, request_digest};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::model::{Manifest, Visibility};
use assay_verifier::settlement::node::{Measurement, Node, Platform};
use assay_verifier::settlement::payment::BlockHash;
use assay_verifier::tee::software::{Attester, Claims};
use assay_verifier::tee::{self, Binding};
use assay_verifier::wire::{self, Bytes};

use super::world::*;

/// Certificates and collateral of documents hold so long.
pub const LIFETIME_MS: u64 = 3_600_000;
/// SHA-256 of the ONNX file.
const FILE: Digest32 = Digest32([8; 32]);

pub fn attester() -> Attester {
    Attester::from_seed([7; 32])
}

/// The software of the enclave.
pub fn measurement(platform: Platform) -> Measurement {
    let count = if platform == Platform::Nitro { 3 } else { 5 };
    let registers = (1u8..).take(count).map(|number| vec![number; 48]).collect();
    Measurement { platform, registers, software: "assay 0.1".into() }
}

/// A model in floating point.
fn onnx() -> Manifest {
    Manifest {
        publisher: key(PUBLISHER),
        name: "onnx".into(),
        version: "1".into(),
        program: Program::Onnx(FILE),
        keys: Vec::new(),
        price: 50,
        visibility: Visibility::Public,
    }
}

impl World {
    /// A chain with a node in an enclave, and a model in floating point.
    pub fn enclave(platform: Platform) -> Self {
        let mut world = Self::new();
        world.enter(platform);
        world
    }

    /// Approves the software, registers the node and publishes the model.
    pub fn enter(&mut self, platform: Platform) {
        let measurement = measurement(platform);
        let approve = ApproveMeasurement { measurement, expires: None };
        self.send(GOVERNANCE, Payload::ApproveMeasurement(approve));
        let (endpoint, payee) = ("https://enclave.example".into(), key(PAYEE));
        let node = Node { backends: vec![Backend::Tee], endpoint, payee, stake: 5_000 };
        let attestation = Some(Box::new(self.shown(platform)));
        self.send(ENCLAVE, Payload::RegisterNode(RegisterNode { node, attestation }));
        self.publish(onnx());
    }

    /// A newer document of the node.
    pub fn attest(&mut self, platform: Platform) {
        let shown = self.shown(platform);
        self.send(ENCLAVE, Payload::AttestNode(Box::new(AttestNode { shown })));
    }

    /// A document that the ledger takes in the next block.
    fn shown(&self, platform: Platform) -> ShownEvidence {
        let nonce_height = self.node.last().unwrap().height;
        let block: BlockHash = self.node.record(&keys::block_hash(nonce_height)).unwrap().unwrap();
        let evidence = document(platform, Binding::new(CHAIN, key(ENCLAVE), block.hash), block.time_ms);
        ShownEvidence { evidence, nonce_height }
    }

    /// Settles an answer out of the enclave; gives its bundle.
    pub fn settle_attested(&mut self, answered: &Answered) -> Bundle {
        self.settle_with(answered.receipt.clone().sign(&secret(ENCLAVE)), Shown::Signature);
        self.attested_bundle(answered)
    }

    /// The bundle of a settled answer out of the enclave, as of now.
    pub fn attested_bundle(&self, answered: &Answered) -> Bundle {
        let Answered { receipt, request, records, evidence } = answered.clone();
        let ledger = Some(self.ledger(&receipt));
        Bundle { receipt: receipt.sign(&secret(ENCLAVE)), request: Some(Bytes(request)), records, evidence, ledger }
    }
}

/// A document of the enclave.
pub fn document(platform: Platform, binding: Binding, time_ms: u64) -> tee::Evidence {
    let registers = measurement(platform).registers;
    let claims = Claims { registers, binding, time_ms, lifetime_ms: LIFETIME_MS };
    match platform {
        Platform::Nitro => attester().nitro(&claims).sign(),
        _ => attester().tdx(&claims).sign(),
    }
}

/// An answer, and what goes with it.
#[derive(Clone)]
pub struct Answered {
    pub receipt: Receipt,
    pub request: Vec<u8>,
    pub records: Vec<Bytes>,
    pub evidence: Evidence,
}

fn asked(receipt: Receipt, client_nonce: u64, request: &[u8]) -> Receipt {
    let receipt = Receipt { client_nonce, request_digest: request_digest(request), ..receipt };
    Receipt { request: receipt.request_id(), ..receipt }
}

/// Of a circuit.
pub fn exact() -> Answered {
    let (backend, claim, grade) = (Backend::Tee, Claim::Attested, Grade::Simulated);
    let receipt = Receipt { backend, claim, grade, node: key(ENCLAVE), ..vanilla() };
    Answered {
        receipt: asked(receipt, 78, VANILLA_REQUEST),
        request: VANILLA_REQUEST.into(),
        records: Vec::new(),
        evidence: Evidence::Answer(Answer { ..answer() }),
    }
}

/// What the node fetched.
pub fn fetched() -> Fetched {
    Fetched {
        chain_id: CHAIN.into(),
        node: key(ENCLAVE),
        source: "prices".into(),
        url: "https://prices.example/today".into(),
        redirects: vec!["https://cdn.prices.example/today".into()],
        time_ms: START_MS - 5_000,
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: Digest32([6; 32]),
        size: 40,
        extracted: Some(Extracted { path: "$.prices".into(), values: vec!["[1.5,[2.25]]".into(), "-3".into()] }),
    }
}

/// Of a model in floating point, with an input that was fetched.
pub fn floating() -> Answered {
    floating_with(fetched().sign(&secret(ENCLAVE)))
}

/// The same, of another record.
pub fn floating_with(record: SignedFetched) -> Answered {
    let digest = record.digest();
    let request = format!(
        r#"{{"model":"onnx/1","inputs":[{{"name":"fee","dtype":"f32","shape":[1],"data":[0.1]}},{{"name":"prices","dtype":"f64","shape":[3],"data":{{"record":"{digest}"}}}}],"nonce":"79"}}"#
    );
    let inputs = vec![Reals::new(vec![3], &[1.5, 2.25, -3.0]), Reals::new(vec![1], &[f64::from(0.1f32)])];
    let outputs = vec![Reals::new(vec![1, 2], &[0.25, -1e-9])];
    let receipt = Receipt {
        model: onnx().id(),
        subject: Subject::Onnx(FILE),
        inputs: inputs_digest(&inputs),
        outputs: outputs_digest(&outputs),
        records: vec![digest],
        ..exact().receipt
    };
    Answered {
        receipt: asked(receipt, 79, request.as_bytes()),
        request: request.into_bytes(),
        records: vec![Bytes(wire::encode(&record))],
        evidence: Evidence::Reals(RealAnswer { inputs, outputs }),
    }
}
