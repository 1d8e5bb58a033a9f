//! What is fetched, and what the record says of it.
use assay_service::clock::now_ms;
use assay_service::storage::id_of;
use assay_verifier::fetched::{Extracted, SignedFetched};
use assay_verifier::wire;

use crate::Node;
use crate::source::document;

#[test]
fn a_record_says_what_came() {
    let node = Node::start();
    let begun_ms = now_ms();
    let out = node.fetch("/json/deep?a=1", Some("$.now.wind[*]")).good().json();
    let client = &node.world.client;
    let path = format!("/v1/data/records/{}", out["digest"].as_str().unwrap());
    assert_eq!(client.get(&path), out);
    let file = client.call("GET", &path, &[("accept", "application/octet-stream")], b"").good().body;
    let signed: SignedFetched = wire::decode(&file).unwrap();
    assert_eq!(signed.verify(), Ok(()));
    assert_eq!(signed.digest().to_string(), out["digest"].as_str().unwrap());
    let record = &signed.fetched;
    let service = node.world.service();
    assert_eq!((record.node, &record.chain_id), (service.node.public(), &service.ledger.rules().chain_id));
    assert_eq!((record.source.as_str(), record.status), ("plain", 200));
    assert_eq!(record.url, format!("{}/json/deep?a=1", node.server.url));
    assert!(record.redirects.is_empty());
    assert!((begun_ms..=now_ms()).contains(&record.time_ms));
    assert_eq!(record.headers, [("etag".to_owned(), "\"7\"".to_owned())]);
    let values = vec!["1".to_owned(), "2.25".to_owned()];
    assert_eq!(record.extracted, Some(Extracted { path: "$.now.wind[*]".into(), values }));
    let body = client.read(&format!("{path}/body")).good().body;
    assert_eq!(body, document().to_string().into_bytes());
    assert_eq!((record.body.0, record.size), (id_of(&body).0, body.len() as u64));
}

#[test]
fn a_source_is_asked_as_its_entry_says_and_is_told_nothing_of_the_caller() {
    let node = Node::start();
    let body = crate::asked(&format!("{}/json", node.server.url), None);
    let told = [("cookie", "who=caller"), ("user-agent", "caller"), ("x-key", "caller"), ("x-forwarded-for", "caller")];
    node.world.client.send_with("/v1/data/fetch", &told, &body).good();
    let (path, headers) = node.server.last();
    assert_eq!(path, "/json");
    assert!(!format!("{headers:?}").contains("caller"), "{headers:?}");
    let mut names: Vec<&str> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept-encoding", "connection", "host", "user-agent", "x-key"]);
    assert_eq!(headers["x-key"], "of the node");
    assert_eq!(node.server.url.strip_prefix("http://"), headers["host"].to_str().ok());
}

#[test]
fn redirections_on_the_list_are_followed_and_recorded() {
    let node = Node::start();
    let out = node.fetch("/to/json", Some("$.now.temperature")).good().json();
    assert_eq!(out["redirects"], serde_json::json!([format!("{}/json", node.server.url)]));
    assert_eq!(out["extracted"]["values"], serde_json::json!(["1.5"]));
    let whole = format!("/to/x?where={}/json/b", node.server.url);
    assert_eq!(node.fetch(&whole, None).good().json()["redirects"][0], format!("{}/json/b", node.server.url));
    // What is no success is recorded, and nothing is taken out of it.
    assert_eq!(node.fetch("/status/503", None).good().json()["status"], 503);
    assert_eq!(node.fetch("/status/503", Some("$")).problem(), (422, "extract".into()));
}
