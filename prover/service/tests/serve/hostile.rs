//! Is everybody who sends what is none told so, by a problem with a stable code?
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::client::*;
use crate::world::World;

/// Sends bytes as they are, and gives the head and the body of what comes back until the connection is closed.
pub fn raw(url: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    // The service may close before it has everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The code of the problem in such an answer.
fn code(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    assert!(head.to_lowercase().contains("content-type: application/problem+json"), "{answer}");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["status"], status);
    (status, text(&problem["code"]).to_owned())
}

#[test]
fn what_is_no_request_is_refused_by_its_fault() {
    let world = World::free();
    let client = &world.client;
    let model = client.publish(&Model::digits(0));
    let good = request(&model, 1);
    let post =
        |body: &[u8]| client.call("POST", "/v1/inference", &[("content-type", "application/json")], body).problem();
    let deep = "[".repeat(100_000);
    for body in
        ["", "{", "null", "[]", "{}", "\u{0}", deep.as_str(), r#"{"model": "digits", "inputs": [], "extra": 1}"#]
    {
        assert_eq!(post(body.as_bytes()), (400, "json".into()), "{:.40}", body);
    }
    assert_eq!(post(b"\xff\xfe{}"), (400, "json".into()));
    let replaced = |data: &str| {
        let mut body = good.clone();
        body["inputs"][0]["data"] = "DATA".into();
        body.to_string().replace("\"DATA\"", data)
    };
    for data in ["[NaN]", "[Infinity]", "[1e999]", "{}", "[[1]]", "[\"1\"]"] {
        assert_eq!(post(replaced(data).as_bytes()), (400, "json".into()), "{data}");
    }
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        change(&mut body);
        post(body.to_string().as_bytes())
    };
    let tensor = |change: &dyn Fn(&mut Value)| changed(&|body| change(&mut body["inputs"][0])).1;
    let nan: Vec<u8> = values(&model, 1).iter().flat_map(|_| f32::NAN.to_le_bytes()).collect();
    let nan = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, nan);
    assert!(["tensor", "input"].contains(&tensor(&|tensor| tensor["data"] = nan.clone().into()).as_str()));
    assert_eq!(tensor(&|tensor| tensor["data"] = json!([1e39])), "tensor");
    assert_eq!(tensor(&|tensor| tensor["data"] = "!".into()), "tensor");
    assert_eq!(tensor(&|tensor| tensor["data"] = json!([1.0])), "tensor");
    assert_eq!(
        tensor(&|tensor| tensor["shape"] = json!([4_294_967_295u32, 4_294_967_295u32, 4_294_967_295u32])),
        "tensor"
    );
    assert_eq!(tensor(&|tensor| tensor["shape"] = json!(vec![1; 99])), "tensor");
    assert_eq!(tensor(&|tensor| tensor["shape"] = json!([-1])), "json");
    assert_eq!(tensor(&|tensor| tensor["dtype"] = "f16".into()), "json");
    assert_eq!(tensor(&|tensor| tensor["name"] = "other".into()), "tensor");
    assert_eq!(tensor(&|tensor| (tensor["shape"], tensor["data"]) = (json!([1]), json!([1]))), "input");
    let huge: Vec<f64> = values(&model, 1).iter().map(|_| 1e30).collect();
    assert_eq!(tensor(&|tensor| tensor["data"] = json!(huge)), "input");
    assert_eq!(changed(&|body| body["inputs"] = json!([])).1, "input");
    assert_eq!(changed(&|body| body["inputs"] = json!([body["inputs"][0], body["inputs"][0]])).1, "tensor");
    assert_eq!(changed(&|body| body["engine"] = "magic".into()), (400, "engine".into()));
    assert_eq!(changed(&|body| body["engine"] = "halo2".into()), (422, "engine".into()));
    assert_eq!(changed(&|body| body["mode"] = "tee".into()), (501, "mode".into()));
    assert_eq!(changed(&|body| body["deadline_s"] = 0.into()), (400, "deadline".into()));
    assert_eq!(changed(&|body| body["model"] = "../../etc/passwd".into()), (404, "model".into()));
    assert_eq!(changed(&|body| body["model"] = "x".repeat(100_000).into()), (404, "model".into()));
    assert_eq!(client.send_with("/v1/inference", &[("prefer", "wait=soon")], &good).problem(), (400, "prefer".into()));

    let upload = |change: &dyn Fn(&mut Value)| {
        let mut body = json!({ "name": "other", "version": "1", "circuit": "00".repeat(32) });
        change(&mut body);
        client.send("/v1/models", &body).problem()
    };
    assert_eq!(upload(&|_| {}), (422, "blob".into()));
    assert_eq!(upload(&|body| body["name"] = "../x".into()), (400, "name".into()));
    assert_eq!(upload(&|body| body["name"] = "".into()), (400, "name".into()));
    assert_eq!(upload(&|body| body["circuit"] = "zz".into()), (400, "hash".into()));
    assert_eq!(upload(&|body| body["onnx"] = "00".repeat(32).into()), (400, "source".into()));
    assert_eq!(upload(&|body| body["price"] = json!(-1)), (400, "json".into()));
    let other = client.call("PUT", &format!("/v1/blobs/{}", "00".repeat(32)), &[], b"x");
    assert_eq!(other.problem(), (422, "hash".into()));
    // What is no model is one that fails, and says why.
    let junk = client.upload(b"no model at all");
    let model = client.send("/v1/models", &json!({ "name": "junk", "version": "1", "onnx": junk })).good().json();
    let failed =
        client.until(&format!("/v1/models/{}", text(&model["reference"])), |model| model["compilation"] == "failed");
    assert!(failed["failure"]["text"].is_string() && failed["serves"] == false, "{failed}");
    assert_eq!(client.send("/v1/transactions", &json!({})).problem().0, 422);
}

#[test]
fn paths_lead_nowhere_but_to_endpoints() {
    let world = World::free();
    let url = &world.client.url;
    let ask = |method: &str, path: &str| {
        code(&raw(
            url,
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").as_bytes(),
        ))
    };
    let zeros = "0".repeat(64);
    for path in [
        "/v1/blobs/../../node.seed",
        "/v1/jobs/../../../node.seed",
        "/v1/receipts/%2e%2e%2f%2e%2e%2fnode.seed",
        "/v1/receipts/%00",
        "/v1/proofs/..%2f..%2fjobs.redb",
        "/v1/keys/%ff",
        "/v1/keys/..",
        "/v1/jobs/%F0%9F%98%80",
        "//v1//jobs",
        "/v1/jobs/",
        "/docs/../../node.seed",
        "/docs/%2e%2e/%2e%2e/node.seed",
        &format!("/v1/jobs/{zeros}"),
        &format!("/v1/jobs/{}", "f".repeat(20_000)),
        &format!("/v1/receipts/{zeros}"),
        &format!("/v1/receipts/{zeros}/bundle"),
        &format!("/v1/proofs/{zeros}"),
        &format!("/v1/models/{zeros}/x/y"),
    ] {
        let (status, code) = ask("GET", path);
        assert!([400, 404, 405].contains(&status), "{path:.60}: {status} {code}");
    }
    for path in ["/v1/blobs/..%2f..%2fx", "/v1/blobs/%2e%2e", "/v1/blobs/x", "/v1/blobs/"] {
        let (status, _) = ask("PUT", path);
        assert!([400, 404].contains(&status), "{path}: {status}");
    }
    assert_eq!(ask("DELETE", "/v1/jobs"), (405, "method".into()));
    assert_eq!(ask("BREW", "/v1/jobs"), (405, "method".into()));
    assert_eq!(ask("GET", "/v1/nothing"), (404, "not_found".into()));
    assert_eq!(ask("GET", "/v1/jobs?limit=many"), (400, "request".into()));
    // Nothing was written anywhere.
    assert!(!world.folder().join("x").exists() && !world.folder().parent().unwrap().join("x").exists());
    // What is not HTTP is not answered with anything of ours, and ends.
    for bytes in
        [b"\x16\x03\x01\x02\x00\x01".as_slice(), b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
    {
        let answer = raw(url, bytes);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 505"),
            "{answer}"
        );
    }
    let head = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    let answer = raw(url, head.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(world.client.read("/healthz").status, 200);
}

#[test]
fn a_body_is_read_as_far_as_the_limit() {
    let world = World::free();
    let url = &world.client.url;
    let limit = world.client.get("/v1/supported")["limits"]["body_bytes_max"].as_u64().unwrap() as usize;
    let head = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 100000000\r\n\r\n")
    };
    for path in
        ["/v1/inference", "/v1/inference:batch", "/v1/models", "/v1/models/check", "/v1/verify", "/v1/transactions"]
    {
        let mut sent = head(path).into_bytes();
        // Just what is needed to know, so that the answer is not lost with what was not read.
        sent.resize(sent.len() + limit + 1, b' ');
        assert_eq!(code(&raw(url, &sent)), (413, "body_too_large".into()), "{path}");
    }
    // Whoever sends all of it gets that answer, or is cut off.
    let sent = world.client.attempt("POST", "/v1/inference", &[], &vec![b' '; 100_000_000]);
    assert!(sent.is_none_or(|answer| answer.problem() == (413, "body_too_large".into())));
    assert_eq!(world.client.read("/healthz").status, 200);
}

#[test]
fn whoever_is_no_worker_gets_no_work() {
    use assay_service::clock::now_ms;
    use assay_service::workers::Ask;
    use assay_service::workers::signed::{Asked, HEADER};
    use assay_verifier::signature::SigningKey;
    let world = World::start(|raw| raw.workers = Some(0));
    let client = &world.client;
    let model = client.publish(&Model::digits(0));
    client.send("/v1/inference", &request(&model, 1)).good();
    let (path, body) = ("/v1/work/lease", assay_verifier::wire::encode(&Ask::default()));
    let host = client.url.trim_start_matches("http://").to_owned();
    let stamp = |seed| {
        Asked { method: "POST", host: &host, path, body: &body }
            .stamp(&SigningKey::from_seed([seed; 32]), now_ms())
            .to_string()
    };
    let ask = |stamp: &str| client.call("POST", path, &[(HEADER, stamp)], &body);
    let refused = |stamp: &str| assert_eq!(ask(stamp).problem(), (401, "worker_signature".into()), "{stamp}");
    let (one, other) = (stamp(1), stamp(2));
    // Another's name over one's own signature; a bit of the signature; nothing.
    let (name, rest) = (other.split_once(' ').unwrap().0, one.split_once(' ').unwrap().1);
    refused(&format!("{name} {rest}"));
    let flipped = if one.ends_with('0') { "1" } else { "0" };
    refused(&format!("{}{flipped}", &one[..one.len() - 1]));
    refused("");
    assert_eq!(ask(&one).status, 200);
    refused(&one);
}
