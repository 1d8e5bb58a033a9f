//! What the program prints of answers that are not proven: out of an enclave, passed on, drawn, and of what ended later.
use std::path::Path;
use std::process::Command;

use super::enclave::{floating, measurement};
use super::sampled::sampled;
use super::upstream::proxied;
use super::world::*;
use assay_auditor::trust;
use assay_ledger::tx::{Payload, RevokeMeasurement};
use assay_verifier::audit::Bundle;
use assay_verifier::receipt::Backend;
use assay_verifier::settlement::node::Platform;
use assay_verifier::wire;
use serde_json::{Value, json};

/// Runs the program on a bundle of a chain; gives whether all holds, the text, and the object.
fn printed(world: &World, bundle: &Bundle) -> (bool, String, Value) {
    let folder = tempfile::tempdir().unwrap();
    let [file, trusted] = ["answer.assay", "trust.json"].map(|name| folder.path().join(name));
    std::fs::write(&file, wire::encode(bundle)).unwrap();
    std::fs::write(&trusted, trust::write(&world.trust())).unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay-verify"));
        let output = command.arg(&file).arg("--trust").arg(&trusted).args(more).output().unwrap();
        assert!(output.stderr.is_empty());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let ((code, text), (again, object)) = (run(&[]), run(&["--json"]));
    assert_eq!(code, again);
    // One line for each fact, whatever the width.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (code == Some(0), text, serde_json::from_str(&object).unwrap())
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn an_enclave() {
    let mut world = World::enclave(Platform::Nitro);
    let bundle = world.settle_attested(&floating());
    let (holds, text, object) = printed(&world, &bundle);
    assert!(holds, "{text}");
    let id = hex::encode(measurement(Platform::Nitro).id());
    has(
        &text,
        &[
            "claim attested by tee, SIMULATED",
            "enclave nitro, simulated evidence",
            &id,
            "approved as \"assay 0.1\"",
            "attested 1970-01-01T00:16:47.000Z, until 1970-01-01T01:16:46",
            "https://prices.example/today at 1970-01-01T00:16:35.000Z by the node's clock",
            "redirected to https://cdn.prices.example/today",
            "of it $.prices",
            "output [1, 2] 0.25, -1e-9",
        ],
    );
    assert!(!text.contains("What came later"));
    let known = &object["known"];
    assert_eq!(known["receipt"]["grade"], "simulated");
    assert_eq!(known["enclave"]["platform"], "nitro");
    assert_eq!(known["enclave"]["measurement"], id);
    assert_eq!(known["enclave"]["software"], "assay 0.1");
    assert_eq!(known["enclave"]["attested_ms"], 1_007_000);
    assert!(known["enclave"]["expires_ms"].as_u64() > Some(4_000_000));
    assert_eq!(known["records"][0]["url"], "https://prices.example/today");
    assert_eq!(known["records"][0]["time_ms"], START_MS - 5_000);
    assert_eq!(known["real_outputs"], json!([{ "shape": [1, 2], "values": [0.25, -1e-9] }]));
    assert_eq!((&known["upstream"], &known["sample"]), (&Value::Null, &Value::Null));

    let from = world.node.last().unwrap().height + 1;
    let measurement = measurement(Platform::Nitro).id();
    let revoke = RevokeMeasurement { measurement, from, reason: "a hole was found".into() };
    world.send(GOVERNANCE, Payload::RevokeMeasurement(revoke));
    let (holds, text, object) = printed(&world, &world.attested_bundle(&floating()));
    assert!(holds, "{text}");
    let line =
        format!("the approval of the enclave's software was revoked, from height {from} on: \"a hole was found\"");
    has(&text, &["What came later, and changes nothing", "measurement_revoked", &line]);
    assert_eq!(object["later"][0]["code"], "measurement_revoked");
    assert_eq!(object["later"][0]["height"], from);
    assert_eq!(object["later"][0]["reason"], "a hole was found");
}

#[test]
fn an_upstream() {
    let world = World::enclave(Platform::Tdx);
    let (holds, text, object) = printed(&world, &world.proxied_bundle(&proxied(Backend::Tee)));
    assert!(holds, "{text}");
    has(
        &text,
        &[
            "claim proxied by tee, SIMULATED",
            "upstream \"cloud\" at https://api.example/v1/chat/completions",
            "its model \"gpt\"",
            "delivered status 200, 36 bytes, complete",
            "enclave tdx, simulated evidence, firmware UpToDate",
        ],
    );
    let upstream = &object["known"]["upstream"];
    assert_eq!((&upstream["origin"], &upstream["model"]), (&json!("https://api.example"), &json!("gpt")));
    assert_eq!((&upstream["status"], &upstream["ending"]), (&json!(200), &json!("complete")));
    assert_eq!(object["known"]["enclave"]["firmware"], "UpToDate");
}

#[test]
fn samples() {
    let mut world = World::drawn("halo2", 5);
    world.prove("halo2");
    let (holds, text, object) = printed(&world, &world.sampled_bundle("halo2"));
    assert!(holds, "{text}");
    has(&text, &["claim signed-only by vanilla", "sample drawn and proven at height", "INSECURE SRS"]);
    assert_eq!(object["known"]["sample"]["outcome"], "proven");

    let mut world = World::drawn("sumcheck", 3);
    world.miss("sumcheck", 3);
    let bundle = world.sampled_bundle("sumcheck");
    assert_eq!(bundle.receipt, sampled("sumcheck").0);
    let (holds, text, object) = printed(&world, &bundle);
    assert!(!holds && text.starts_with("REFUSED"));
    has(
        &text,
        &[
            "✗ sample",
            "the node did not prove it, so it lost 400 of its stake",
            "sample drawn and NOT proven by height",
        ],
    );
    assert_eq!(object["known"]["sample"]["lost"], 400);
}

#[test]
fn the_golden_bundles_of_these_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, claim) in [("enclave", "attested"), ("upstream", "proxied")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay-verify"));
        let command = command.arg(folder.join(format!("../fuzz/golden/{name}.assay")));
        let output = command.arg("--trust").arg(folder.join("tests/golden/trust.json")).arg("--json").output().unwrap();
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&object["verified"], &object["known"]["receipt"]["claim"]), (&json!(true), &json!(claim)));
        assert!(object["checks"].as_array().unwrap().iter().all(|check| check["verdict"] == "holds"), "{object:#}");
    }
}
