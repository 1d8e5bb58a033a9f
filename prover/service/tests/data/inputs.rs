//! Records as inputs: the receipt names them, and with it the proof's context.
use assay_verifier::audit::{Bundle, Evidence};
use assay_verifier::digest::Digest32;
use assay_verifier::fetched::SignedFetched;
use assay_verifier::signature::SigningKey;
use assay_verifier::statement::Proof;
use assay_verifier::wire::{self, Bytes};
use serde_json::{Value, json};

use crate::Node;
use crate::client::{Model, integers, text};
use crate::source::document;

fn request(model: &Value, data: Value) -> Value {
    let port = &model["inputs"][0];
    json!({ "model": model["reference"], "inputs": [{ "name": port["name"], "dtype": "f32", "shape": port["shape"], "data": data }] })
}

#[test]
fn a_record_is_an_input_and_is_bound_by_the_proof() {
    let node = Node::start();
    let client = &node.world.client;
    let model = client.publish(&Model::digits(0));
    let record = node.fetch("/json", Some("$.image")).good().json();
    let digest = text(&record["digest"]);
    let job = client.send("/v1/inference", &request(&model, json!({ "record": digest }))).good().json();
    assert_eq!(job["receipt"]["records"], json!([digest]));
    let numbers: Vec<f64> = document()["image"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|cell| cell.as_f64().unwrap())
        .collect();
    let plain = client.send("/v1/inference", &request(&model, json!(numbers))).good().json();
    assert_eq!(integers(&plain), integers(&job));
    assert_eq!(plain["receipt"]["records"], json!([]));
    assert_eq!(plain["receipt"]["inputs_digest"], job["receipt"]["inputs_digest"]);
    let id = text(&job["id"]);
    assert_eq!(client.over(id)["states"]["proof"], "ready");
    let bundle: Bundle = wire::decode(&client.read(&format!("/v1/receipts/{id}/bundle")).good().body).unwrap();
    let receipt = &bundle.receipt.receipt;
    assert_eq!(receipt.records, [digest.parse::<Digest32>().unwrap()]);
    let Evidence::Proof(proven) = &bundle.evidence else { panic!("there is a proof") };
    let Bytes(file) = &proven.proof;
    let proof: Proof = wire::decode(file).unwrap();
    assert_eq!(proof.statement.context, receipt.digest().0);
    // Without the record it is another receipt, of which there is no proof.
    let mut without = receipt.clone();
    without.records.clear();
    assert_ne!(without.digest(), receipt.digest());
}

#[test]
fn what_is_no_record_of_this_node_is_no_input() {
    let node = Node::start();
    let client = &node.world.client;
    let model = client.publish(&Model::digits(0));
    let refused = |record: &str| client.send("/v1/inference", &request(&model, json!({ "record": record }))).problem();
    assert_eq!(refused("1"), (422, "tensor".into()));
    assert_eq!(refused(&"00".repeat(32)), (404, "record".into()));
    let fetched =
        |path: &str, extract: Option<&str>| text(&node.fetch(path, extract).good().json()["digest"]).to_owned();
    assert_eq!(refused(&fetched("/json", None)), (422, "record".into()));
    assert_eq!(refused(&fetched("/json", Some("$.words"))), (422, "record".into()));
    assert_eq!(refused(&fetched("/json", Some("$.now.wind"))), (422, "tensor".into()));
    // A file that somebody uploads who can sign, though not for this node.
    let good = fetched("/json", Some("$.image"));
    let accept = [("accept", "application/octet-stream")];
    let file = client.call("GET", &format!("/v1/data/records/{good}"), &accept, b"").good().body;
    let signed: SignedFetched = wire::decode(&file).unwrap();
    let forger = SigningKey::from_seed([1; 32]);
    let mut own = signed.fetched.clone();
    own.node = forger.public();
    let mut unsigned = signed.clone();
    unsigned.fetched.time_ms += 1;
    let mut elsewhere = signed.fetched.clone();
    elsewhere.chain_id.push('x');
    let node_key = node.world.service().node.clone();
    for forged in [own.sign(&forger), signed.fetched.clone().sign(&forger), unsigned, elsewhere.sign(&node_key)] {
        let digest = client.upload(&wire::encode(&forged));
        assert_eq!(digest, forged.digest().to_string());
        assert_eq!(refused(&digest), (404, "record".into()));
        assert_eq!(client.read(&format!("/v1/data/records/{digest}")).problem(), (404, "not_found".into()));
    }
    // Nor are other files of the store.
    let other = client.upload(b"something else");
    assert_eq!(client.read(&format!("/v1/data/records/{other}")).problem(), (404, "not_found".into()));
}
