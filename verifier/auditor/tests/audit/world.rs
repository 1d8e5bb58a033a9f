//! A chain in a temporary folder that settles what the prover's golden files hold, and the bundles that it can show.

use std::path::Path;

use assay_ledger::Options;
use assay_ledger::comet::ValidatorKey;
use assay_ledger::embedded::{Embedded, Outcome, Settings};
use assay_ledger::genesis::{Genesis, RawGenesis, RawTrustRoot, USUAL_SAMPLING};
use assay_ledger::tx::{Body, Deposit, Evidence as Shown, Payload, PublishModel, RegisterNode, Reserve, Settle};
use assay_verifier::audit::{
    Answer, Attested, Bundle, Evidence, Ledger, PathBlock, Proven, Question, Record, Report, RequestTensor, Sampled,
    Trust, Verdict, audit,
};
use assay_verifier::digest::{CircuitDigest, SrsDigest};
use assay_verifier::key::Key;
use assay_verifier::receipt::{
    Backend, Claim, Grade, Program, Receipt, RequestId, SignedReceipt, Subject, request_digest,
};
use assay_verifier::settlement::model::{Manifest, Model, Visibility};
use assay_verifier::settlement::node::{Attestation, Measurement, Node};
use assay_verifier::settlement::payment::{Authorisation, Settlement};
use assay_verifier::settlement::sampling::Sampling;
use assay_verifier::settlement::{self, Versioned, keys};
use assay_verifier::signature::{Domain, PublicKey, SigningKey};
use assay_verifier::statement::{Inputs, outputs_digest};
use assay_verifier::tee::Policy;
use assay_verifier::wire::{self, Bytes};
use tempfile::TempDir;

use super::enclave::attester;

pub const CHAIN: &str = "assay-golden-1";
pub const PAYER: u8 = 1;
pub const NODE: u8 = 2;
pub const PUBLISHER: u8 = 3;
pub const GOVERNANCE: u8 = 4;
pub const PAYEE: u8 = 5;
/// A node that answers in an enclave.
pub const ENCLAVE: u8 = 6;
pub const VALIDATOR: u8 = 9;
/// Time of the genesis; blocks are a second apart.
pub const START_MS: u64 = 1_000_000;
pub const PRICE: u64 = 70;

pub fn secret(who: u8) -> SigningKey {
    SigningKey::from_seed([who; 32])
}

pub fn key(who: u8) -> PublicKey {
    secret(who).public()
}

/// A file that the prover's tests made for the ledger's.
pub fn golden(engine: &str, name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ledger/tests/golden");
    std::fs::read(folder.join(engine).join(name)).unwrap()
}

pub fn receipt(engine: &str, number: u64) -> SignedReceipt {
    wire::decode(&golden(engine, &format!("receipt_{number}"))).unwrap()
}

pub fn request(engine: &str, number: u64) -> Vec<u8> {
    golden(engine, &format!("request_{number}"))
}

/// A genesis that trusts the software attester.
fn genesis(sampling: Sampling) -> Genesis {
    let Key::Halo2(halo2) = wire::decode(&golden("halo2", "key")).unwrap() else { panic!("a key of halo2") };
    let srs: SrsDigest = halo2.srs.digest();
    let accounts = [PAYER, NODE, PUBLISHER, GOVERNANCE, ENCLAVE].map(|who| (key(who), 1_000_000));
    let roots = attester().roots().map(|root| RawTrustRoot {
        platform: root.platform,
        certificate: root.certificate.to_string(),
        grade: root.grade,
    });
    let genesis = RawGenesis {
        governance: key(GOVERNANCE).to_string(),
        srs: vec![srs.to_string()],
        trust_roots: roots.to_vec(),
        attestation: Policy::usual(Grade::Simulated),
        sampling,
        ..RawGenesis::usual(CHAIN, &accounts)
    };
    genesis.check().unwrap()
}

/// Integers of an answer that is not proven.
pub fn answer() -> Answer {
    Answer { inputs: Inputs::Public(vec![vec![1, 2, 3]]), outputs: vec![vec![-4], vec![5, 6]] }
}

pub const VANILLA_REQUEST: &[u8] = b"what is it?";

/// The receipt of an answer on the node's word.
pub fn vanilla() -> Receipt {
    let (answer, request_digest) = (answer(), request_digest(VANILLA_REQUEST));
    Receipt {
        chain_id: CHAIN.into(),
        request: RequestId::new(CHAIN, key(PAYER), 77, request_digest),
        payer: key(PAYER),
        client_nonce: 77,
        request_digest,
        model: manifest("vanilla").id(),
        subject: Subject::Circuit(CircuitDigest([7; 32])),
        backend: Backend::Vanilla,
        claim: Claim::SignedOnly,
        grade: Grade::Production,
        proving: None,
        inputs: answer.inputs.digest(),
        records: Vec::new(),
        outputs: outputs_digest(&answer.outputs),
        node: key(NODE),
        price: PRICE,
        time_ms: START_MS,
        proven: None,
    }
}

/// What is published: a model of the golden key of an engine, or one without keys.
pub fn manifest(name: &str) -> Manifest {
    let key: Option<Key> = (name != "vanilla").then(|| wire::decode(&golden(name, "key")).unwrap());
    Manifest {
        publisher: self::key(PUBLISHER),
        name: name.into(),
        version: "1".into(),
        program: Program::Circuit(key.as_ref().map_or(CircuitDigest([7; 32]), |key| key.circuit().digest())),
        keys: key.iter().map(Key::digest).collect(),
        price: 50,
        visibility: Visibility::Public,
    }
}

/// A chain with its people.
pub struct World {
    pub node: Embedded,
    genesis: Genesis,
    _folder: TempDir,
    nonces: [u64; 10],
}

impl World {
    /// A chain with a node, three models and money of the payer.
    pub fn new() -> Self {
        Self::of(VALIDATOR)
    }

    /// The same, where every answer is drawn that can be.
    pub fn drawing(blocks: u64) -> Self {
        Self::with(VALIDATOR, Sampling { share_ppm: 1_000_000, blocks, cut: 400 })
    }

    /// The same, with the blocks of another validator.
    pub fn of(validator: u8) -> Self {
        Self::with(validator, USUAL_SAMPLING)
    }

    fn with(validator: u8, sampling: Sampling) -> Self {
        let genesis = genesis(sampling);
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            blocks: folder.path().join("blocks"),
            app: Options { threads: 1, ..Options::usual(&folder.path().join("state")) },
            validator: ValidatorKey::from_seed([validator; 32]),
        };
        let node = Embedded::open(&genesis, settings).unwrap();
        let mut world = Self { node, genesis, _folder: folder, nonces: [0; 10] };
        world.register("https://node.example");
        for name in ["sumcheck", "halo2", "vanilla"] {
            world.publish(manifest(name));
        }
        world.send(PAYER, Payload::Deposit(Deposit { amount: 10_000 }));
        world
    }

    /// Publishes a model.
    pub fn publish(&mut self, manifest: Manifest) {
        let signature = secret(PUBLISHER).sign(Domain::Model, CHAIN, &manifest);
        let keys = manifest.keys.iter().map(|_| Bytes(golden(&manifest.name, "key"))).collect();
        self.send(PUBLISHER, Payload::PublishModel(PublishModel { manifest, signature, keys }));
    }

    /// Registers the node; again, with another endpoint.
    pub fn register(&mut self, endpoint: &str) {
        let backends = vec![Backend::Zkml, Backend::Vanilla];
        let node = Node { backends, endpoint: endpoint.into(), payee: key(PAYEE), stake: 5_000 };
        self.send(NODE, Payload::RegisterNode(RegisterNode { node, attestation: None }));
    }

    /// Settles one of the golden requests.
    pub fn settle(&mut self, engine: &str, number: u64) {
        let evidence = Shown::Proof(Bytes(golden(engine, &format!("proof_{number}"))));
        self.settle_with(receipt(engine, number), evidence);
    }

    /// Settles one of the golden requests, and has more transactions in the same block after that.
    pub fn settle_and<const N: usize>(&mut self, engine: &str, number: u64, more: [(u8, Payload); N]) {
        let evidence = Shown::Proof(Bytes(golden(engine, &format!("proof_{number}"))));
        let receipt = receipt(engine, number);
        self.reserve(&receipt.receipt);
        let settle = (NODE, Payload::Settle(Box::new(Settle { receipt, evidence })));
        self.send_all([settle].into_iter().chain(more));
    }

    /// Settles a receipt, after its payer reserved what it costs and more.
    pub fn settle_with(&mut self, receipt: SignedReceipt, evidence: Shown) {
        self.reserve(&receipt.receipt);
        self.send(NODE, Payload::Settle(Box::new(Settle { receipt, evidence })));
    }

    fn reserve(&mut self, receipt: &Receipt) {
        let Receipt { payer, client_nonce, request_digest, node, model, backend, .. } = *receipt;
        let (amount, deadline_ms) = (PRICE + 30, START_MS + 3_600_000);
        let authorisation =
            Authorisation { payer, client_nonce, request_digest, node, model, backend, amount, deadline_ms };
        let signature = secret(PAYER).sign(Domain::Authorisation, CHAIN, &authorisation);
        self.send(PAYER, Payload::Reserve(Reserve { authorisation, signature }));
    }

    /// A block with one transaction, which succeeds.
    pub fn send(&mut self, who: u8, payload: Payload) {
        self.send_all([(who, payload)]);
    }

    /// A block with transactions, which succeed.
    fn send_all(&mut self, payloads: impl IntoIterator<Item = (u8, Payload)>) {
        let mut ids = Vec::new();
        for (who, payload) in payloads {
            let nonce = self.nonces[usize::from(who)];
            self.nonces[usize::from(who)] += 1;
            let body = Body { chain_id: CHAIN.into(), signer: key(who), nonce, fee: 10_000, payload };
            ids.push(self.node.submit(body.sign(&secret(who)).encode()).unwrap());
        }
        let height = self.block();
        for id in ids {
            let Outcome::Included(included) = self.node.outcome(id).unwrap() else { panic!("it is not in a block") };
            assert_eq!((included.height, included.result.code), (height, 0), "{}", included.result.log);
        }
    }

    /// A block; gives its height.
    pub fn block(&self) -> u64 {
        let height = self.node.last().unwrap().height + 1;
        self.node.make_block(START_MS + 1_000 * height).unwrap().height
    }

    pub fn record(&self, key: &[u8], after: u64) -> Record {
        self.found(key, after).unwrap()
    }

    fn found(&self, key: &[u8], after: u64) -> Option<Record> {
        let shown = self.node.proven(key, Some(after)).unwrap();
        Some(Record { value: Bytes(shown.value?), proof: Bytes(shown.proof) })
    }

    /// A version of a record, the one in force if none is named.
    fn revision<T>(&self, key: &[u8], revision: Option<u32>, after: u64) -> Record
    where
        Versioned<T>: serde::Serialize + serde::de::DeserializeOwned,
    {
        let current = self.record(key, after);
        let found: Versioned<T> = settlement::decode(&current.value.0).unwrap();
        match revision.filter(|revision| found.revision != *revision) {
            Some(revision) => self.record(&keys::version(key, revision), after),
            None => current,
        }
    }

    pub fn path_block(&self, height: u64) -> PathBlock {
        let bytes = self.node.light_bytes(height).unwrap().unwrap();
        PathBlock { block: Bytes(bytes.block), next_validators: Bytes(bytes.next_validators) }
    }

    /// What the ledger has of a receipt, as of now: its part of a bundle, as the documentation of [`Bundle`] says.
    pub fn ledger(&self, receipt: &Receipt) -> Ledger {
        let after = self.node.last().unwrap().height;
        let last = self.block();
        let settlement =
            (receipt.claim != Claim::Proxied).then(|| self.record(&keys::settlement(receipt.request), after));
        let settled = settlement.as_ref().map(|record| settlement::decode::<Settlement>(&record.value.0).unwrap());
        let settled = settled.as_ref();
        let model = settled
            .map(|settled| self.revision::<Model>(&keys::model(receipt.model), Some(settled.model_revision), after));
        let node = settled.map(|settled| settled.node_revision);
        let sample = self.found(&keys::sample(receipt.request), after);
        Ledger {
            path: vec![self.path_block(1), self.path_block(last)],
            block: self.record(keys::BLOCK, after),
            settlement,
            model,
            node: self.revision::<Node>(&keys::node(receipt.node), node, after),
            rules: self.record(keys::PARAMETERS, after),
            attestation: (receipt.backend == Backend::Tee)
                .then(|| self.attested(receipt, settled.and_then(|settled| settled.attestation_revision), after)),
            sample: sample.map(|record| Sampled { record, proof: None }),
        }
    }

    fn attested(&self, receipt: &Receipt, revision: Option<u32>, after: u64) -> Attested {
        let attestation = self.revision::<Attestation>(&keys::attestation(receipt.node), revision, after);
        let found: Versioned<Attestation> = settlement::decode(&attestation.value.0).unwrap();
        let Attestation { evidence, measurement, measurement_revision, .. } = found.record;
        let measurement = keys::measurement(measurement);
        Attested {
            attestation,
            evidence: self.record(&keys::evidence(evidence), after),
            measurement: self.revision::<Measurement>(&measurement, Some(measurement_revision), after),
            rules: self.record(keys::PARAMETERS, after),
        }
    }

    /// The bundle of a golden request that is settled.
    pub fn bundle(&self, engine: &str, number: u64) -> Bundle {
        let mut bundle = unsettled(engine, number);
        bundle.ledger = Some(self.ledger(&bundle.receipt.receipt));
        bundle
    }

    /// The bundle of the answer on the node's word.
    pub fn vanilla_bundle(&self) -> Bundle {
        Bundle {
            receipt: vanilla().sign(&secret(NODE)),
            request: Some(Bytes(VANILLA_REQUEST.into())),
            records: Vec::new(),
            evidence: Evidence::Answer(answer()),
            ledger: Some(self.ledger(&vanilla())),
        }
    }

    /// What an auditor trusts of this chain.
    pub fn trust(&self) -> Trust {
        Trust { chain_id: CHAIN.into(), root: self.node.root(), genesis: Some(self.genesis.digest()) }
    }
}

/// The bundle of a golden request without its settlement.
pub fn unsettled(engine: &str, number: u64) -> Bundle {
    let (receipt, proof) = (receipt(engine, number), golden(engine, &format!("proof_{number}")));
    let proven = receipt.receipt.proven(&proof).sign(&secret(NODE));
    let (proof, key) = (Bytes(proof), Bytes(golden(engine, "key")));
    Bundle {
        receipt,
        request: Some(Bytes(request(engine, number))),
        records: Vec::new(),
        evidence: Evidence::Proof(Box::new(Proven { receipt: proven, proof, key })),
        ledger: None,
    }
}

/// The part of a bundle that is a proof.
pub fn proven(bundle: &mut Bundle) -> &mut Proven {
    let Evidence::Proof(proven) = &mut bundle.evidence else { panic!("a proof") };
    proven
}

/// The part of a bundle that is of the ledger.
pub fn ledger(bundle: &mut Bundle) -> &mut Ledger {
    bundle.ledger.as_mut().unwrap()
}

/// The record of its settlement.
pub fn settled(bundle: &mut Bundle) -> &mut Record {
    ledger(bundle).settlement.as_mut().unwrap()
}

/// The record of its model.
pub fn model(bundle: &mut Bundle) -> &mut Record {
    ledger(bundle).model.as_mut().unwrap()
}

/// The part of a bundle that is of an enclave.
pub fn enclave(bundle: &mut Bundle) -> &mut Attested {
    ledger(bundle).attestation.as_mut().unwrap()
}

/// Tensors of a golden request.
pub fn tensors(request: &[u8]) -> Vec<RequestTensor> {
    assay_auditor::request::tensors(request).unwrap()
}

/// Audits with the request's numbers, if they can be read.
pub fn audited(bundle: &Bundle, trust: &Trust) -> Report {
    let request = bundle.request.as_ref();
    let read = request.and_then(|Bytes(bytes)| assay_auditor::request::read(bytes, &bundle.records));
    let question = Question {
        tensors: read.as_ref().and_then(|read| read.tensors.as_deref()),
        named: read.as_ref().map(|read| read.named.as_slice()),
        ..Question::default()
    };
    audit(bundle, trust, &question)
}

/// Codes of checks that fail.
pub fn failing(report: &Report) -> Vec<&'static str> {
    let fails = report.rows.iter().filter(|row| matches!(row.verdict, Verdict::Fails(_)));
    fails.map(|row| row.check.code()).collect()
}

/// Codes of checks that were not made.
pub fn not_shown(report: &Report) -> Vec<&'static str> {
    let open = report.rows.iter().filter(|row| matches!(row.verdict, Verdict::NotShown(_)));
    open.map(|row| row.check.code()).collect()
}
