//! What is refused, in the shape that the endpoint's clients read, and what nobody is told.
use assay_service::access::{KeyFile, Scope};
use serde_json::{Value, json};

use crate::passing::{Came, PATHS, kept, post, saying};
use crate::{KEYS, Proxied};

/// Status and code of an error in the shape of the endpoint.
fn error(path: &str, came: &Came) -> (u16, String) {
    let body = came.json();
    assert_eq!(came.header("content-type"), "application/json");
    assert!(came.whole && !came.header("x-request-id").is_empty());
    let error = &body["error"];
    assert!(error["message"].is_string() && error["type"].is_string(), "{body}");
    match path {
        "/v1/messages" => assert_eq!(body["type"], "error"),
        _ => assert!(body.as_object().unwrap().len() == 1 && error["param"].is_null(), "{body}"),
    }
    for key in KEYS {
        assert!(!body.to_string().contains(key), "{body}");
    }
    (came.status, error["code"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned())
}

#[test]
fn every_refusal_has_the_shape_of_its_endpoint() {
    let proxied = Proxied::with(|raw| raw.body_bytes_max = Some(10_000));
    let url = &proxied.world.client.url;
    for path in PATHS {
        let say = |what: &str| error(path, &post(&format!("{url}{path}"), &[], &saying(path, what, false)));
        assert_eq!(say("status 401"), (502, "upstream_key".into()));
        assert_eq!(say("status 403"), (502, "upstream_key".into()));
        assert_eq!(say("redirect"), (502, "upstream_answer".into()));
        assert_eq!(say("compressed"), (502, "upstream_answer".into()));
        assert_eq!(say("huge"), (502, "upstream_answer".into()));
        assert_eq!(say("cut"), (502, "upstream_cut".into()));
        assert_eq!(say("broken"), (502, "upstream_cut".into()));
        assert_eq!(say("silent"), (504, "upstream_timeout".into()));
        let send = |headers: &[(&str, &str)], body: Value| error(path, &post(&format!("{url}{path}"), headers, &body));
        let forwarded = proxied.upstream.count();
        assert_eq!(send(&[], json!([])), (400, "json".into()));
        assert_eq!(send(&[], json!({ "messages": [] })), (400, "json".into()));
        assert_eq!(send(&[], json!({ "model": "unknown" })), (404, "model".into()));
        let other = if path == "/v1/messages" { "small" } else { "claude" };
        assert_eq!(send(&[], json!({ "model": other })), (400, "endpoint".into()));
        let beta = if path == "/v1/messages" { "anthropic-beta" } else { "openai-beta" };
        assert_eq!(send(&[(beta, "me@caller.example")], saying(path, "hello", false)), (400, "header".into()));
        let twice = post_text(&format!("{url}{path}"), r#"{"model":"small","model":"claude"}"#);
        assert_eq!(error(path, &twice), (400, "json".into()));
        let large = Value::from("x".repeat(20_000));
        assert_eq!(send(&[], large), (413, "body_too_large".into()));
        let got = proxied.world.client.read(path);
        assert_eq!((got.status, got.json()["error"]["code"].as_str()), (405, Some("method")));
        assert_eq!(proxied.upstream.count(), forwarded);
    }
}

fn post_text(url: &str, body: &str) -> Came {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut response = config.new_agent().post(url).content_type("application/json").send(body).unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Came { status, headers, body: response.body_mut().read_to_vec().unwrap(), whole: true }
}

#[test]
fn an_upstream_that_is_not_there_and_none_at_all() {
    let away =
        Proxied::with(|raw| raw.upstreams.iter_mut().for_each(|upstream| upstream.url = "http://127.0.0.1:1".into()));
    let none = Proxied::with(|raw| raw.upstreams.clear());
    for path in PATHS {
        let came = post(&format!("{}{path}", away.world.client.url), &[], &saying(path, "hello", true));
        assert_eq!(error(path, &came), (502, "upstream_unreachable".into()));
        assert_eq!((came.header("x-should-retry"), came.header("retry-after")), ("true", "1"));
        let came = post(&format!("{}{path}", none.world.client.url), &[], &saying(path, "hello", true));
        assert_eq!(error(path, &came), (501, "not_implemented".into()));
        assert_eq!(came.header("x-should-retry"), "false");
    }
}

#[test]
fn callers_need_keys_and_see_their_own_receipts() {
    let mut keys = Vec::new();
    let proxied = Proxied::with(|raw| {
        raw.access = Some("keys".into());
        let data = raw.data.as_ref().unwrap();
        assay_service::storage::private::folder(data).unwrap();
        let mut file = KeyFile::default();
        let user = vec![Scope::Infer, Scope::Read];
        for (name, scopes) in [("one", user.clone()), ("two", user), ("three", vec![Scope::Read])] {
            keys.push(file.add(name, scopes, 1_000_000).unwrap_or_else(|error| panic!("{error}")).0);
        }
        file.write(&data.join("access.json")).unwrap();
    });
    let url = &proxied.world.client.url;
    let client = |key: &str| crate::client::Client::new(url, Some(key));
    for path in PATHS {
        let send = |headers: &[(&str, &str)]| post(&format!("{url}{path}"), headers, &saying(path, "hello", false));
        assert_eq!(error(path, &send(&[])), (401, "unauthorized".into()));
        assert_eq!(error(path, &send(&[("x-api-key", "other")])), (401, "unauthorized".into()));
        assert_eq!(error(path, &send(&[("x-api-key", &keys[2])])), (403, "forbidden".into()));
        let bearer = format!("Bearer {}", keys[0]);
        for header in [("x-api-key", keys[0].as_str()), ("authorization", bearer.as_str())] {
            let came = send(&[header]);
            assert_eq!(came.status, 200);
            kept(&client(&keys[0]), &came);
            let hidden = client(&keys[1]).read(&format!("/v1/receipts/{}", came.header("assay-request")));
            assert_eq!(hidden.problem(), (404, "not_found".into()));
            assert!(!format!("{:?}", proxied.upstream.last()).contains(&keys[0]));
        }
    }
}

#[test]
fn receipts_are_there_after_a_restart_and_go_by_age() {
    use assay_service::jobs::Owner;
    use assay_service::proxy::Receipts;
    let folder = tempfile::tempdir().unwrap();
    let proxied = Proxied::start();
    let came = post(&format!("{}{}", proxied.world.client.url, PATHS[0]), &[], &saying(PATHS[0], "hello", true));
    let signed = kept(&proxied.world.client, &came);
    let file = folder.path().join("receipts");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let receipts = Receipts::open(&file).unwrap();
    drop(runtime.block_on(receipts.keep(Owner("me".into()), signed.clone())).unwrap());
    drop(receipts);
    let receipts = Receipts::open(&file).unwrap();
    let (id, digest, time_ms) = (signed.receipt.request, signed.receipt.digest(), signed.receipt.time_ms);
    assert_eq!(receipts.get(id).unwrap().unwrap().signed, signed);
    receipts.prune(time_ms).unwrap();
    assert_eq!(receipts.by_digest(digest).unwrap().unwrap().owner, Owner("me".into()));
    receipts.prune(time_ms + 1).unwrap();
    assert_eq!((receipts.get(id).unwrap(), receipts.by_digest(digest).unwrap()), (None, None));
}
