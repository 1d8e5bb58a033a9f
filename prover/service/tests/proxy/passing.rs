//! What passes: which bytes and headers go on, which come back, and what the receipt says of them.
use std::io::Read;

use assay_verifier::proxied::{Delivery, Ending, Forwarded, forwarded_digest};
use assay_verifier::receipt::{Backend, Claim, SignedReceipt, Subject, request_digest};
use assay_verifier::wire;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use ureq::http::{HeaderMap, Request};

use crate::client::Client;
use crate::upstream::events;
use crate::{ANSWER_BYTES, KEYS, Proxied};

pub const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/completions", "/v1/messages"];

/// A request that says something to the upstream.
pub fn saying(path: &str, what: &str, stream: bool) -> Value {
    match path {
        "/v1/messages" => {
            json!({ "model": "claude", "max_tokens": 9, "stream": stream, "messages": [{ "role": "user", "content": what }] })
        }
        "/v1/completions" => json!({ "model": "small", "stream": stream, "prompt": what }),
        _ => json!({ "model": "small", "stream": stream, "messages": [{ "role": "user", "content": what }] }),
    }
}

/// What came of a request, as far as it came.
pub struct Came {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether it ended as HTTP ends.
    pub whole: bool,
}

/// Posts, and reads as far as there is something.
pub fn post(url: &str, headers: &[(&str, &str)], body: &Value) -> Came {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
    let mut request = Request::builder().method("POST").uri(url).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = config.new_agent().run(request.body(body.to_string().into_bytes()).unwrap()).unwrap();
    let (head, body) = response.into_parts();
    let mut bytes = Vec::new();
    let whole = body.into_reader().read_to_end(&mut bytes).is_ok();
    Came { status: head.status.as_u16(), headers: head.headers, body: bytes, whole }
}

impl Came {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }
}

pub fn decoded(text: &str) -> SignedReceipt {
    wire::decode(&BASE64.decode(text).unwrap()).unwrap()
}

/// The receipt that the node keeps.
pub fn kept(client: &Client, came: &Came) -> SignedReceipt {
    let id = came.header("assay-request");
    assert_eq!(id.len(), 64, "{:?}", came.headers);
    let found = client.get(&format!("/v1/receipts/{id}"));
    assert_eq!(found["claim"], "proxied");
    let signed = decoded(found["encoded"].as_str().unwrap());
    assert_eq!(signed.verify(), Ok(()));
    assert_eq!(signed.receipt.request.to_string(), id);
    let digest = found["digest"].as_str().unwrap();
    assert_eq!(client.get(&format!("/v1/receipts/{digest}"))["encoded"], found["encoded"]);
    signed
}

pub fn forwarded(signed: &SignedReceipt) -> &Forwarded {
    match &signed.receipt.subject {
        Subject::Upstream(forwarded) => forwarded,
        Subject::Circuit(_) | Subject::Onnx(_) => panic!("the receipt is of a model"),
    }
}

#[test]
fn answers_pass_as_they_are_and_receipts_say_so() {
    let proxied = Proxied::start();
    let client = &proxied.world.client;
    for path in PATHS {
        for stream in [false, true] {
            let body = saying(path, "hello", stream);
            let came = post(&format!("{}{path}", client.url), &[], &body);
            assert!((came.status, came.whole) == (200, true), "{path} {:?}", String::from_utf8_lossy(&came.body));
            assert!(came.headers.get("assay-receipt").is_none());
            let seen = proxied.upstream.last();
            assert_eq!((seen.path.as_str(), &seen.body[..]), (path, body.to_string().as_bytes()));
            if stream {
                assert_eq!(String::from_utf8_lossy(&came.body), events(path, false).concat());
                assert_eq!(came.header("content-type"), "text/event-stream; charset=utf-8");
            } else {
                let pretty = serde_json::to_string_pretty(&came.json()).unwrap();
                assert_eq!(String::from_utf8_lossy(&came.body), pretty);
            }
            let signed = kept(client, &came);
            let (receipt, forwarded) = (&signed.receipt, forwarded(&signed));
            assert_eq!((receipt.backend, receipt.claim), (Backend::Vanilla, Claim::Proxied));
            assert_eq!(receipt.request_digest, request_digest(body.to_string().as_bytes()));
            assert_eq!(receipt.inputs, forwarded_digest(&seen.body));
            assert_eq!(receipt.outputs, Delivery::whole(&came.body));
            assert_eq!((forwarded.path.as_str(), forwarded.status), (path, 200));
            assert_eq!((forwarded.size, forwarded.ending), (came.body.len() as u64, Ending::Complete));
            assert_eq!(forwarded.origin, proxied.upstream.url);
            assert_eq!(forwarded.model, body["model"].as_str().unwrap());
            assert_eq!(receipt.model, forwarded.model_id(proxied.world.service().node.public()));
        }
    }
}

#[test]
fn whoever_asks_for_the_receipt_gets_it_with_the_answer() {
    let proxied = Proxied::start();
    let client = &proxied.world.client;
    for path in PATHS {
        let prefer = [("prefer", "wait=1, receipt")];
        let came = post(&format!("{}{path}", client.url), &prefer, &saying(path, "hello", false));
        assert_eq!(decoded(came.header("assay-receipt")), kept(client, &came));
        let came = post(&format!("{}{path}", client.url), &prefer, &saying(path, "hello", true));
        let text = String::from_utf8(came.body.clone()).unwrap();
        let (stream, receipt) = text.split_once(": assay-receipt ").unwrap();
        assert_eq!(stream, events(path, false).concat());
        let signed = decoded(receipt.strip_suffix("\n\n").unwrap());
        assert_eq!(signed, kept(client, &came));
        assert_eq!(signed.receipt.outputs, Delivery::whole(stream.as_bytes()));
    }
}

#[test]
fn who_asked_is_kept_back() {
    let proxied = Proxied::start();
    let client = &proxied.world.client;
    let identity = [
        ("authorization", "Bearer of-the-caller"),
        ("x-api-key", "of-the-caller"),
        ("cookie", "who=caller"),
        ("user-agent", "caller/1"),
        ("x-forwarded-for", "198.51.100.7"),
        ("forwarded", "for=198.51.100.7"),
        ("x-real-ip", "198.51.100.7"),
        ("referer", "https://caller.example"),
        ("origin", "https://caller.example"),
        ("openai-organization", "caller"),
        ("openai-project", "caller"),
        ("x-stainless-os", "caller"),
        ("x-request-id", "caller"),
        ("idempotency-key", "caller"),
        ("anthropic-version", "2023-01-01"),
        ("anthropic-beta", "tools-2024"),
        ("openai-beta", "assistants=v2"),
    ];
    for path in PATHS {
        let mut body = saying(path, "hello", false);
        for member in ["user", "safety_identifier", "prompt_cache_key"] {
            body[member] = "caller".into();
        }
        body["metadata"] = json!({ "user_id": "caller" });
        let came = post(&format!("{}{path}", client.url), &identity, &body);
        assert_eq!(came.status, 200);
        let seen = proxied.upstream.last();
        let expected: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(expected, saying(path, "hello", false));
        let mut names: Vec<&str> = seen.headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        let (own, key) = if path == "/v1/messages" {
            assert_eq!(seen.headers["anthropic-version"], "2023-01-01");
            (["anthropic-beta", "anthropic-version", "x-api-key"].as_slice(), KEYS[1].to_owned())
        } else {
            (["authorization", "openai-beta"].as_slice(), format!("Bearer {}", KEYS[0]))
        };
        let mut all =
            [own, &["accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"]].concat();
        all.sort_unstable();
        assert_eq!(names, all, "{path}");
        let header = if path == "/v1/messages" { "x-api-key" } else { "authorization" };
        assert_eq!(seen.headers[header], key);
        assert_eq!(seen.headers["user-agent"], "assay");
        assert!(!format!("{seen:?}").contains("caller"), "{seen:?}");
        // The receipt binds both: what was sent here, and what was sent on.
        let signed = kept(client, &came);
        assert_eq!(signed.receipt.request_digest, request_digest(body.to_string().as_bytes()));
        assert_eq!(signed.receipt.inputs, forwarded_digest(&seen.body));
    }
}

#[test]
fn an_upstreams_refusal_passes_with_its_receipt_and_without_what_names_the_node() {
    let proxied = Proxied::start();
    let client = &proxied.world.client;
    for path in PATHS {
        let came = post(&format!("{}{path}", client.url), &[], &saying(path, "status 429", true));
        assert_eq!((came.status, came.header("retry-after")), (429, "7"));
        assert!(came.headers.get("set-cookie").is_none() && came.headers.get("x-organization").is_none());
        assert_eq!(came.json()["error"]["message"], "said by the upstream");
        assert_eq!(forwarded(&kept(client, &came)).status, 429);
    }
}

#[test]
fn a_stream_that_is_cut_breaks_off_and_its_receipt_says_so() {
    let proxied = Proxied::start();
    let client = &proxied.world.client;
    for path in PATHS {
        for word in ["cut", "end", "pause", "huge"] {
            let came = post(&format!("{}{path}", client.url), &[("prefer", "receipt")], &saying(path, word, true));
            assert_eq!((came.status, came.whole), (200, false), "{path} {word}");
            let signed = kept(client, &came);
            let forwarded = forwarded(&signed);
            assert_eq!(forwarded.ending, Ending::Truncated, "{path} {word}");
            assert!(!String::from_utf8_lossy(&came.body).contains("assay-receipt"));
            // What is handed to a connection that breaks off need not arrive.
            assert!((came.body.len()..=ANSWER_BYTES).contains(&(forwarded.size as usize)), "{path} {word}");
            if word != "huge" {
                let said = events(path, false).concat().into_bytes();
                let handed = &said[..forwarded.size as usize];
                assert!(handed.len() < said.len() && handed.starts_with(&came.body), "{path} {word}");
                assert_eq!(signed.receipt.outputs, Delivery::whole(handed));
            }
        }
    }
    let figures = String::from_utf8(client.read("/metrics").body).unwrap();
    assert!(figures.contains("assay_forwarded_total{upstream=\"openai\",outcome=\"truncated\"} 8"), "{figures}");
    assert!(figures.contains("assay_forwarding 0"), "{figures}");
}
