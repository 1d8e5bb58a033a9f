//! Does an answer from an enclave stand on its attestation, from the registration to the audit?
//!
//! The enclave is that of the software attester, so everything says that it is simulated.
use std::io::Read;
use std::sync::OnceLock;

use assay_circuits::io::{Kind, decode};
use assay_verifier::audit::{Check, Scope};
use assay_verifier::receipt::Grade;
use assay_verifier::tee::{Binding, Evidence, Policy, authenticate};
use assay_verifier::wire;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::client::*;
use crate::evidence::audited;
use crate::payer::*;
use crate::world::World;

const PRICE: u64 = 20;

fn world(format: &str) -> World {
    World::start(|raw| {
        raw.payment = Some("x402".into());
        raw.accounts = [(payer().public().to_string(), BALANCE)].into();
        raw.tee = Some("software".into());
        raw.tee_format = Some(format.into());
    })
}

fn answered(client: &Client, body: &Value) -> Value {
    let header = pay(&client.send("/v1/inference", body));
    client.send_with("/v1/inference", &signed(&header), body).good().json()
}

/// A file of the archive of node tests.
fn node_test(name: &str) -> Vec<u8> {
    static ARCHIVE: OnceLock<Vec<u8>> = OnceLock::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/conformance.zip");
    let archive = ARCHIVE.get_or_init(|| std::fs::read(path).unwrap());
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn tensor(name: &str) -> (Vec<u32>, Vec<f64>) {
    let (_, tensor) = decode(&node_test(name), Kind::Npy).unwrap().remove(0);
    (tensor.dims, tensor.values)
}

#[test]
fn a_circuit_answers_as_it_does_with_a_proof() {
    let world = world("tdx");
    let client = &world.client;
    let model = client.publish(&Model::digits(PRICE));
    deposit(client, 10_000);
    let mut body = request(&model, 1);
    let proven = answered(client, &body);
    body["mode"] = "tee".into();
    let job = answered(client, &body);
    assert_eq!(integers(&job), integers(&proven), "the same exact integers");
    assert_eq!(job["receipt"]["claim"], "attested");
    let assurance = &job["assurance"];
    assert_eq!((&assurance["claim"], &assurance["environment"]), (&json!("attested"), &json!("simulated")));
    let id = text(&job["id"]);
    client.over(id);
    let report = audited(client, id, Scope::Settled);
    assert!(report.holds(), "{:?}", report.rows);
    assert!(report.is_shown(Check::Evidence) && report.is_shown(Check::Measurement));
    let node = client.get("/v1/nodes")[0].clone();
    assert_eq!(node["modes"], json!(["zkml", "tee", "vanilla"]));
    assert_eq!(node["attestation"]["environment"], "simulated");
    let modes = client.get("/v1/supported")["modes"].clone();
    assert!(modes.as_array().unwrap().contains(&json!({ "mode": "tee", "claim": "attested" })));
}

#[test]
fn a_model_that_cannot_be_compiled_is_evaluated_in_floating_point() {
    let world = world("nitro");
    let client = &world.client;
    deposit(client, 10_000);
    let onnx = client.upload(&node_test("dynamicquantizelinear/model.onnx"));
    let mut upload = json!({ "name": "quantize", "version": "1", "price": PRICE, "onnx": onnx });
    let ended = |upload: &Value| {
        let reference = client.send("/v1/models", upload).good().json()["reference"].clone();
        client.until(&format!("/v1/models/{}", text(&reference)), |model| {
            model["compilation"] == "failed" || model["serves"] == true
        })
    };
    let refused = ended(&upload);
    assert_eq!(refused["compilation"], "failed", "{refused}");
    upload["version"] = "2".into();
    upload["execution"] = "float".into();
    let model = ended(&upload);
    assert_eq!(
        (&model["publication"], &model["onnx"], &model["keys"]),
        (&json!("published"), &json!(onnx), &json!([]))
    );

    let (shape, data) = tensor("dynamicquantizelinear/inputs/x.npy");
    let input = json!({ "name": "x", "dtype": "f32", "shape": shape, "data": data });
    let mut body = json!({ "model": model["reference"], "inputs": [input] });
    assert_eq!(client.send("/v1/inference", &body).problem(), (422, "mode".into()), "nothing proves it");
    body["mode"] = "vanilla".into();
    assert_eq!(client.send("/v1/inference", &body).problem(), (422, "mode".into()), "a bare word is not enough");
    body["mode"] = "tee".into();
    let job = answered(client, &body);
    for output in job["outputs"].as_array().unwrap() {
        let (shape, expected) = tensor(&format!("dynamicquantizelinear/outputs/{}.npy", text(&output["name"])));
        assert_eq!(output["shape"], json!(shape));
        let values: Vec<f64> = serde_json::from_value(output["data"].clone()).unwrap();
        for (value, expected) in values.iter().zip(&expected) {
            assert!((value - expected).abs() <= 1e-6 * expected.abs(), "{value} {expected}");
        }
        assert!(output["integers"].is_null() && output["scale"].is_null());
    }
    let id = text(&job["id"]);
    let done = client.over(id);
    assert_eq!(done["states"]["settlement"], "verified", "{done}");
    let report = audited(client, id, Scope::Settled);
    assert!(report.holds(), "{:?}", report.rows);

    for (input, code) in [
        (json!({ "name": "z", "dtype": "f32", "shape": shape, "data": data }), "tensor"),
        (json!({ "name": "x", "dtype": "f32", "shape": [1], "data": [1.0] }), "input"),
    ] {
        body["inputs"] = json!([input]);
        assert_eq!(client.send("/v1/inference", &body).problem(), (422, code.into()), "before any money is spoken of");
    }
}

#[test]
fn evidence_is_made_for_the_nonce_of_whoever_asks() {
    let world = world("nitro");
    let client = &world.client;
    let nonce = "5a".repeat(32);
    let shown = client.get(&format!("/v1/attestation?nonce={nonce}"));
    let evidence: Evidence = wire::decode(&BASE64.decode(text(&shown["evidence"])).unwrap()).unwrap();
    let rules = world.service().ledger.rules();
    let now = assay_service::clock::now_ms();
    let attested = authenticate(&evidence, &rules.trust_roots, &rules.attestation, now).unwrap();
    let binding = |nonce| Binding::new(&rules.chain_id, world.service().node.public(), nonce);
    assert_eq!(attested.check_binding(&binding([0x5a; 32])), Ok(()));
    assert!(attested.check_binding(&binding([0x5b; 32])).is_err());
    assert_eq!(attested.grade(), Grade::Simulated);
    assert!(authenticate(&evidence, &rules.trust_roots, &Policy::usual(Grade::Production), now).is_err());
    assert_eq!(shown["measurement"], hex::encode(attested.measurement()));
    assert_eq!(shown["recorded"]["measurement"], shown["measurement"], "the ledger approved this software");
    assert_eq!(client.read("/v1/attestation?nonce=5a").problem(), (400, "nonce".into()));
    let plain = World::free();
    assert_eq!(plain.client.read(&format!("/v1/attestation?nonce={nonce}")).problem(), (404, "no_enclave".into()));
    let model = plain.client.publish(&Model::digits(0));
    let mut body = request(&model, 1);
    body["mode"] = "tee".into();
    assert_eq!(plain.client.send("/v1/inference", &body).problem(), (501, "mode".into()));
}
