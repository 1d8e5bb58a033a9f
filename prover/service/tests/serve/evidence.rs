//! Is there evidence for what was answered, and does it convince somebody who trusts nobody?
use assay_auditor::trust;
use assay_verifier::audit::{Bundle, Question, Report, Scope, audit};
use assay_verifier::wire;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::client::*;
use crate::world::World;

/// Audits the bundle of a request.
pub fn audited(client: &Client, id: &str, scope: Scope) -> Report {
    let bundle = client.read(&format!("/v1/receipts/{id}/bundle")).good();
    let bundle: Bundle = wire::decode(&bundle.body).unwrap();
    let trust = client.read("/v1/trust").good();
    let trust = trust::read(std::str::from_utf8(&trust.body).unwrap()).unwrap();
    audit(&bundle, &trust, &Question { scope, ..Question::default() })
}

#[test]
fn receipts_proofs_and_keys_are_found_by_what_they_are() {
    let world = World::free();
    let client = &world.client;
    let model = client.publish(&Model::digits(0));
    let first = client.send("/v1/inference", &request(&model, 1)).good().json();
    let id = text(&first["id"]);
    let job = client.over(id);
    let latest = client.read(&format!("/v1/receipts/{id}")).good();
    assert_eq!((&latest.json()["version"], &latest.json()["proof"]), (&json!(1), &job["proof"]["digest"]));
    assert_eq!(latest.header("cache-control"), "private, no-cache");
    let tag = latest.header("etag").to_owned();
    let known = client.call("GET", &format!("/v1/receipts/{id}"), &[("if-none-match", &tag)], b"");
    assert_eq!((known.status, known.body.len()), (304, 0));
    // The answer's own receipt is the context of the proof, and stays.
    for receipt in [&first["receipt"], &latest.json()] {
        let digest = text(&receipt["digest"]);
        let kept = client.read(&format!("/v1/receipts/{digest}")).good();
        assert_eq!((&kept.json(), kept.header("etag")), (receipt, format!("\"{digest}\"").as_str()));
        assert!(kept.header("cache-control").contains("immutable"));
        let binary =
            client.call("GET", &format!("/v1/receipts/{digest}"), &[("accept", "application/octet-stream")], b"");
        assert_eq!(BASE64.encode(&binary.good().body), text(&receipt["encoded"]));
    }
    let proof = client.read(&format!("/v1/proofs/{}", text(&job["proof"]["digest"]))).good();
    let key = client.read(&format!("/v1/keys/{}", text(&job["key"]))).good();
    assert!(proof.header("cache-control").contains("immutable") && key.header("cache-control").contains("immutable"));
    assert_eq!(proof.body.len() as u64, job["proof"]["size_bytes"].as_u64().unwrap());
    let key: assay_verifier::key::Key = wire::decode(&key.body).unwrap();
    assert_eq!(key.digest().to_string(), text(&job["key"]));

    let mut asked =
        json!({ "key": job["key"], "proof": BASE64.encode(&proof.body), "context": first["receipt"]["digest"] });
    let holds = |asked: &Value| client.send("/v1/verify", asked).good().json()["holds"] == true;
    assert!(holds(&asked));
    asked["context"] = "00".into();
    assert!(!holds(&asked));
    asked["context"] = Value::Null;
    for place in [proof.body.len() / 3, proof.body.len() - 9] {
        let mut forged = proof.body.clone();
        forged[place] ^= 1;
        asked["proof"] = BASE64.encode(forged).into();
        assert!(!holds(&asked));
    }
    asked["proof"] = "!".into();
    assert_eq!(client.send("/v1/verify", &asked).problem(), (400, "proof".into()));
    asked["key"] = "00".repeat(32).into();
    assert_eq!(client.send("/v1/verify", &asked).problem(), (404, "not_found".into()));

    let report = audited(client, id, Scope::Unsettled);
    assert!(report.holds(), "{:?}", report.rows);
    assert!(!audited(client, id, Scope::Settled).holds(), "it is not settled");
}

#[test]
fn what_is_hidden_stays_so_and_is_proven_all_the_same() {
    let world = World::free();
    let client = &world.client;
    for (name, private_input, private_weights) in [("weights", false, true), ("inputs", true, false)] {
        let keys = json!([{ "engine": "halo2", "private_input": private_input, "private_weights": private_weights }]);
        let model = client.publish(&Model { name, fixture: "operators/gemm", samples: None, price: 0, keys });
        let mut body = request(&model, 1);
        body["engine"] = "halo2".into();
        let job = client.send_with("/v1/inference", &[("prefer", "wait=proof")], &body).good().json();
        assert_eq!((&job["states"]["proof"], &job["engine"]), (&json!("ready"), &json!("halo2")), "{job}");
        let id = text(&job["id"]);
        let report = audited(client, id, Scope::Unsettled);
        assert!(report.holds(), "{name}: {:?}", report.rows);
        // The request is in the bundle only if nothing of it is private.
        let bundle: Bundle = wire::decode(&client.read(&format!("/v1/receipts/{id}/bundle")).good().body).unwrap();
        assert_eq!(bundle.request.is_none(), private_input);
        let proof = client.read(&format!("/v1/proofs/{}", text(&job["proof"]["digest"]))).good();
        let asked = json!({ "key": job["key"], "proof": BASE64.encode(&proof.body) });
        let verified = client.send("/v1/verify", &asked).good().json();
        assert_eq!((&verified["holds"], verified["inputs"].is_null()), (&json!(true), private_input));
        assert_eq!(integers(&verified), integers(&job));
        // The other engine has no key.
        body["engine"] = "sumcheck".into();
        assert_eq!(client.send("/v1/inference", &body).problem(), (422, "engine".into()));
    }
}
