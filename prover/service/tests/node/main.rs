//! Does `assay node` register a node with the documents of a software attester, and say what the ledger has of it?
//!
//! The ledger is a chain in process, behind a node that answers as CometBFT does: those of the ledger's own tests.
#[allow(dead_code, reason = "the ledger's tests use all of it")]
#[path = "../../../../ledger/tests/client/answers.rs"]
mod answers;
#[path = "../../../../ledger/tests/common/mod.rs"]
mod common;
#[allow(dead_code, reason = "the ledger's tests use all of it")]
#[path = "../../../../ledger/tests/client/node.rs"]
mod node;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;

use assay_ledger::genesis::{RawGenesis, RawTrustRoot};
use assay_ledger::tx::{ApproveMeasurement, Payload, RevokeMeasurement};
use assay_service::attester::{Format, SoftwareAttester, Times, measure};
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::{Attestation, Measurement, Platform};
use assay_verifier::settlement::{Versioned, keys};
use assay_verifier::tee::{Binding, Policy, TeeError, authenticate};
use common::{Chain, GOVERNANCE, NODE, genesis, key};
use node::Node;
use serde_json::{Value, json};
use support::Folder;

/// A ledger that trusts the attester of a folder and approved this program, in both formats.
struct World {
    folder: Folder,
    node: Node,
    ids: [[u8; 32]; 2],
}

fn attester(folder: &Folder) -> Value {
    let (code, said) = folder.json(&["node", "attester", "--attester", "attester.seed"]);
    assert_eq!((code, &said["grade"]), (0, &json!("simulated")));
    said
}

fn measurement(said: &Value) -> Measurement {
    let registers = said["registers"].as_array().unwrap().iter();
    Measurement {
        platform: serde_json::from_value(said["platform"].clone()).unwrap(),
        registers: registers.map(|register| hex::decode(register.as_str().unwrap()).unwrap()).collect(),
        software: said["software"].as_str().unwrap().into(),
    }
}

impl World {
    fn new() -> Self {
        let folder = Folder::new();
        std::fs::write(folder.path("node.seed"), hex::encode([NODE; 32])).unwrap();
        let said = attester(&folder);
        let root = |root: &Value| {
            let (platform, certificate) = root.as_str().unwrap().split_once(':').unwrap();
            let platform: Platform = serde_json::from_value(json!(platform)).unwrap();
            RawTrustRoot { platform, certificate: certificate.into(), grade: Grade::Simulated }
        };
        let trust_roots = said["trust_roots"].as_array().unwrap().iter().map(root).collect();
        let raw = RawGenesis { trust_roots, attestation: Policy::usual(Grade::Simulated), ..genesis() };
        let node = Node::of(Chain::of(&raw), Arc::new(|_, answer| answer));
        let measurements: Vec<_> = said["measurements"].as_array().unwrap().iter().map(measurement).collect();
        let ids = [0, 1].map(|at: usize| measurements[at].id());
        let world = Self { folder, node, ids };
        for measurement in measurements {
            world.govern(Payload::ApproveMeasurement(ApproveMeasurement { measurement, expires: None }));
        }
        world
    }

    /// A block with a transaction of governance.
    fn govern(&self, payload: Payload) {
        let mut ledger = self.node.ledger.lock().unwrap();
        let transaction = ledger.chain.tx(GOVERNANCE, payload);
        ledger.block(vec![transaction]);
        let result = &ledger.blocks.last().unwrap()[0].1;
        assert_eq!(result.rejection, None);
    }

    fn register(&self, format: &str) -> Vec<String> {
        let line =
            "node register --key node.seed --endpoint https://node.example --stake 5000 --attester attester.seed";
        let rpc = ["--format", format, "--rpc", &self.node.address].map(String::from);
        line.split(' ').map(String::from).chain(rpc).collect()
    }

    fn json(&self, arguments: &[String]) -> (i32, Value) {
        self.folder.json(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn status(&self) -> (i32, Value) {
        self.json(&["node", "status", &key(NODE).to_string(), "--rpc", &self.node.address].map(String::from))
    }

    fn attestation(&self) -> Versioned<Attestation> {
        self.node.ledger.lock().unwrap().chain.read(&keys::attestation(key(NODE))).unwrap()
    }
}

#[test]
fn a_node_is_registered_renewed_and_seen() {
    let world = World::new();
    let (code, registered) = world.json(&world.register("nitro"));
    assert_eq!((code, &registered["did"], &registered["grade"]), (0, &json!("registered"), &json!("simulated")));
    assert_eq!(registered["evidence"], world.attestation().record.evidence.to_string());
    let (code, status) = world.status();
    assert_eq!((code, &status["registered"], &status["may_answer_in_enclave"]), (0, &json!(true), &json!(true)));
    let shown = &status["attestation"];
    assert_eq!((&shown["platform"], &shown["grade"]), (&json!("Nitro"), &json!("simulated")));
    assert_eq!(shown["measurement"], hex::encode(world.ids[0]));
    assert!(shown["software"].as_str().unwrap().contains("simulated"));

    let (code, renewed) = world.json(&world.register("tdx"));
    assert_eq!((code, &renewed["did"]), (0, &json!("attested")));
    let found = world.attestation();
    assert_eq!((found.revision, found.record.platform), (1, Platform::Tdx));

    let from = world.node.ledger.lock().unwrap().chain.next().height;
    let revoke = RevokeMeasurement { measurement: world.ids[1], from, reason: "leaks".into() };
    world.govern(Payload::RevokeMeasurement(revoke));
    world.node.empty_block();
    let (code, status) = world.status();
    assert_eq!((code, &status["attestation"]["counts"]), (1, &json!(false)));
    assert!(status["attestation"]["why_not"].as_str().unwrap().contains("no longer approved"));
}

#[test]
fn what_a_document_has_to_carry() {
    let world = World::new();
    let line = ["node", "binding", "--key", "node.seed", "--rpc", &world.node.address].map(String::from);
    let (code, said) = world.json(&line);
    assert_eq!((code, &said["node"]), (0, &json!(key(NODE).to_string())));
    let nonce: [u8; 32] = hex::decode(said["nonce"].as_str().unwrap()).unwrap().try_into().unwrap();
    let binding = Binding::new(common::CHAIN, key(NODE), nonce);
    assert_eq!(said["digest"], hex::encode(binding.digest));
    assert_eq!(said["report_data"], hex::encode(binding.report_data()));
}

#[test]
fn an_attester_is_its_file() {
    let folder = Folder::new();
    let first = attester(&folder);
    assert_eq!(attester(&folder), first, "the same seed, the same roots and measurements");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path("attester.seed")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let attester = SoftwareAttester::open(&folder.path("attester.seed")).unwrap();
    let binding = Binding::new("chain", key(NODE), [1; 32]);
    let times = Times { made_ms: 1_790_000_000_000, lifetime_ms: 60_000 };
    for format in [Format::Nitro, Format::Tdx] {
        let measurement = measure(format).unwrap();
        let evidence = attester.attest(&measurement, binding, times);
        let ask = |grade| authenticate(&evidence, &attester.roots(), &Policy::usual(grade), times.made_ms);
        let found = ask(Grade::Simulated).unwrap();
        assert_eq!((found.measurement(), found.grade()), (measurement.id(), Grade::Simulated));
        assert_eq!(found.check_binding(&binding), Ok(()));
        assert_eq!(ask(Grade::Production), Err(TeeError::WrongGrade));
    }
    std::fs::write(folder.path("broken.seed"), "not a seed").unwrap();
    folder.refuses(&["node", "attester", "--attester", "broken.seed"], &["broken.seed"]);
}
