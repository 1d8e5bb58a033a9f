//! Does `assay proxy` hand on what the node signed, and nothing else?
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use assay_service::clock::now_ms;
use assay_service::outbound::client;
use assay_service::proxy::local::{Local, run};
use assay_verifier::proxied::{Delivery, Ending};
use assay_verifier::receipt::{Claim, SignedReceipt};
use assay_verifier::signature::SigningKey;
use assay_verifier::wire;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::sync::oneshot;

use crate::Proxied;
use crate::middle::{Answer, Middle};
use crate::passing::{Came, PATHS, decoded, forwarded, post, saying};
use crate::upstream::events;
use crate::world::World;

/// A verifying endpoint of this process.
pub struct Verifying {
    pub url: String,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Verifying {
    /// One that asks `server` and trusts the node of `world`.
    pub fn start(server: &str, world: &World, change: impl FnOnce(&mut Local)) -> Self {
        let service = world.service();
        let mut local = Local {
            client: client(None).unwrap(),
            server: server.into(),
            bearer: None,
            chain_id: service.ledger.rules().chain_id.clone(),
            node: service.node.public(),
            origin: None,
            timeout: Duration::from_secs(20),
            answer_bytes_max: 1 << 20,
        };
        change(&mut local);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    ran = run(Arc::new(local), listener, std::future::pending()) => ran.unwrap(),
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        };
        Self { url, running: Some((stop, std::thread::spawn(serve))) }
    }
}

impl Drop for Verifying {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }
}

/// The code and text of an error.
fn refused(came: &Came) -> (u16, String, String) {
    let error = &came.json()["error"];
    (came.status, error["code"].as_str().unwrap().into(), error["message"].as_str().unwrap().into())
}

#[test]
fn what_is_verified_is_handed_on_as_it_is() {
    let proxied = Proxied::start();
    let origin = proxied.upstream.url.clone();
    let local = Verifying::start(&proxied.world.client.url, &proxied.world, |local| local.origin = Some(origin));
    for path in PATHS {
        let mut body = saying(path, "hello", true);
        body["user"] = "me".into();
        let came = post(&format!("{}{path}", local.url), &[], &body);
        assert_eq!((came.status, came.whole), (200, true), "{:?}", String::from_utf8_lossy(&came.body));
        assert_eq!(String::from_utf8_lossy(&came.body), events(path, false).concat());
        assert_eq!(came.header("content-type"), "text/event-stream; charset=utf-8");
        let came = post(&format!("{}{path}", local.url), &[], &saying(path, "hello", false));
        assert_eq!(serde_json::to_string_pretty(&came.json()).unwrap().as_bytes(), came.body);
        let came = post(&format!("{}{path}", local.url), &[], &saying(path, "status 429", false));
        assert_eq!((came.status, came.header("retry-after")), (429, "7"));
        assert_eq!(came.json()["error"]["message"], "said by the upstream");
        // What the node itself refuses.
        let (status, code, message) =
            refused(&post(&format!("{}{path}", local.url), &[], &saying(path, "redirect", false)));
        assert_eq!((status, code.as_str()), (502, "node"));
        assert!(message.contains("redirection"), "{message}");
    }
}

#[test]
fn a_stream_that_was_cut_is_an_error() {
    let proxied = Proxied::start();
    let local = Verifying::start(&proxied.world.client.url, &proxied.world, |_| {});
    for path in PATHS {
        for word in ["cut", "end", "pause"] {
            let came = post(&format!("{}{path}", local.url), &[], &saying(path, word, true));
            let (status, code, _) = refused(&came);
            assert_eq!((status, code.as_str()), (502, "cut"), "{path} {word}");
            assert!(!String::from_utf8_lossy(&came.body).contains("Hello"));
        }
    }
}

#[test]
fn another_node_another_chain_and_another_upstream_are_refused() {
    let proxied = Proxied::start();
    let (url, world) = (&proxied.world.client.url, &proxied.world);
    let node = SigningKey::from_seed([1; 32]).public();
    let wrong = [
        (Verifying::start(url, world, |local| local.node = node), "another node"),
        (Verifying::start(url, world, |local| local.chain_id.push('x')), "another chain"),
        (Verifying::start(url, world, |local| local.origin = Some("https://other.example".into())), "another upstream"),
    ];
    for (local, words) in &wrong {
        for stream in [false, true] {
            let came = post(&format!("{}{}", local.url, PATHS[0]), &[], &saying(PATHS[0], "hello", stream));
            let (status, code, message) = refused(&came);
            assert_eq!((status, code.as_str()), (502, "receipt"));
            assert!(message.contains(words), "{message} does not say {words}");
        }
    }
    let away = Verifying::start("http://127.0.0.1:1", world, |_| {});
    let came = post(&format!("{}{}", away.url, PATHS[0]), &[], &saying(PATHS[0], "hello", true));
    assert_eq!(refused(&came).1, "unreachable");
}

/// The receipt of an answer, wherever it is.
fn receipt(answer: &Answer) -> SignedReceipt {
    match answer.headers.get("assay-receipt") {
        Some(text) => decoded(text.to_str().unwrap()),
        None => {
            let text = String::from_utf8(answer.body.clone()).unwrap();
            decoded(text.rsplit_once(": assay-receipt ").unwrap().1.trim_end())
        }
    }
}

/// Puts a receipt to an answer, over the one that was there.
fn put(answer: &mut Answer, signed: &SignedReceipt) {
    let text = BASE64.encode(wire::encode(signed));
    if answer.headers.contains_key("assay-receipt") {
        answer.headers.insert("assay-receipt", text.parse().unwrap());
    } else {
        let stream = String::from_utf8(answer.body.clone()).unwrap();
        let stream = stream.rsplit_once(": assay-receipt ").unwrap().0;
        answer.body = format!("{stream}: assay-receipt {text}\n\n").into_bytes();
    }
}

fn replace(answer: &mut Answer, old: &str, new: &str) {
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(text.contains(old), "{text}");
    answer.body = text.replacen(old, new, 1).into_bytes();
}

#[test]
fn an_answer_that_was_altered_after_signing_is_refused() {
    let proxied = Proxied::start();
    let middle = Middle::before(&proxied.world.client.url);
    let local = Verifying::start(&middle.url, &proxied.world, |_| {});
    for path in PATHS {
        for stream in [false, true] {
            let ask = || post(&format!("{}{path}", local.url), &[], &saying(path, "hello", stream));
            middle.does(|_| {});
            assert_eq!(ask().status, 200);
            let caught = |words: &str, change: fn(&mut Answer)| {
                middle.does(change);
                let came = ask();
                let (status, code, message) = refused(&came);
                assert_eq!((status, code.as_str()), (502, "receipt"), "{path} {words}: {message}");
                assert!(message.contains(words), "{path}: {message} does not say {words}");
                assert!(!String::from_utf8_lossy(&came.body).contains("Hello"));
            };
            caught("not the one of the receipt", |answer| replace(answer, "Hello", "Hullo"));
            caught("another length", |answer| replace(answer, "Hello", "Hello!"));
            caught("another status", |answer| answer.status = axum::http::StatusCode::CREATED);
            caught("signature", |answer| {
                let mut signed = receipt(answer);
                signed.receipt.price += 1;
                put(answer, &signed);
            });
            caught("signature", |answer| {
                let mut signed = receipt(answer);
                signed.receipt.outputs = Delivery::whole(b"another answer");
                put(answer, &signed);
            });
            caught("another node", |answer| {
                // Somebody else's word for it.
                let other = SigningKey::from_seed([9; 32]);
                let mut receipt = receipt(answer).receipt;
                (receipt.node, receipt.payer) = (other.public(), other.public());
                put(answer, &receipt.sign(&other));
            });
            caught("no receipt", |answer| {
                answer.headers.remove("assay-receipt");
                let text = String::from_utf8(answer.body.clone()).unwrap();
                answer.body = text.split(": assay-receipt ").next().unwrap().into();
            });
            caught("is none", |answer| {
                let signed = receipt(answer);
                let text = BASE64.encode(wire::encode(&signed));
                if answer.headers.contains_key("assay-receipt") {
                    answer.headers.insert("assay-receipt", text[4..].parse().unwrap());
                } else {
                    replace(answer, &text, &text[4..]);
                }
            });
        }
    }
}

#[test]
fn the_answer_of_another_request_is_refused() {
    let proxied = Proxied::start();
    let middle = Middle::before(&proxied.world.client.url);
    let local = Verifying::start(&middle.url, &proxied.world, |_| {});
    for stream in [false, true] {
        let mut first: Option<(axum::http::HeaderMap, Vec<u8>)> = None;
        middle.does(move |answer| match &first {
            None => first = Some((answer.headers.clone(), answer.body.clone())),
            Some((headers, body)) => (answer.headers, answer.body) = (headers.clone(), body.clone()),
        });
        let ask = |what: &str| post(&format!("{}{}", local.url, PATHS[0]), &[], &saying(PATHS[0], what, stream));
        assert_eq!(ask("hello").status, 200);
        let (status, code, message) = refused(&ask("hello again"));
        assert_eq!((status, code.as_str()), (502, "receipt"));
        assert!(message.contains("another request"), "{message}");
    }
}

/// A node that lies about the end and signs it, and somebody who cuts a stream on its way.
#[test]
fn a_truncated_stream_is_not_passed_off_as_complete() {
    let proxied = Proxied::start();
    let middle = Middle::before(&proxied.world.client.url);
    let local = Verifying::start(&middle.url, &proxied.world, |_| {});
    let node = proxied.world.service().node.clone();
    for path in PATHS {
        let ask = || post(&format!("{}{path}", local.url), &[], &saying(path, "hello", true));
        let cut = |answer: &Answer| {
            let text = String::from_utf8(answer.body.clone()).unwrap();
            let (stream, receipt) = text.rsplit_once(": assay-receipt ").unwrap();
            let kept = stream[..stream.len() - 2].rfind("\n\n").unwrap() + 2;
            (stream[..kept].to_owned(), receipt.to_owned())
        };
        // The last event is gone, the receipt is the right one.
        middle.does(move |answer| {
            let (stream, receipt) = cut(answer);
            answer.body = format!("{stream}: assay-receipt {receipt}").into_bytes();
        });
        assert!(refused(&ask()).2.contains("another length"));
        // The node signs what was cut, as cut.
        let lying = |ending: Ending| {
            let node = node.clone();
            move |answer: &mut Answer| {
                let (stream, _) = cut(answer);
                let mut receipt = receipt(answer).receipt;
                receipt.outputs = Delivery::whole(stream.as_bytes());
                if let assay_verifier::receipt::Subject::Upstream(forwarded) = &mut receipt.subject {
                    (forwarded.size, forwarded.ending) = (stream.len() as u64, ending);
                }
                put(answer, &receipt.sign(&node));
                let text = String::from_utf8(answer.body.clone()).unwrap();
                let comment = text.rfind(": assay-receipt ").unwrap();
                answer.body = format!("{stream}{}", &text[comment..]).into_bytes();
            }
        };
        middle.does(lying(Ending::Truncated));
        assert!(refused(&ask()).2.contains("was cut"));
        // And as complete: the stream itself shows that it is not.
        middle.does(lying(Ending::Complete));
        assert!(refused(&ask()).2.contains("does not end as it should"));
        // Nor does it help to call it something else than a stream.
        let node = node.clone();
        middle.does(move |answer| {
            let (stream, _) = cut(answer);
            let mut receipt = receipt(answer).receipt;
            receipt.outputs = Delivery::whole(stream.as_bytes());
            if let assay_verifier::receipt::Subject::Upstream(forwarded) = &mut receipt.subject {
                forwarded.size = stream.len() as u64;
            }
            let text = BASE64.encode(wire::encode(&receipt.sign(&node)));
            answer.headers.insert("assay-receipt", text.parse().unwrap());
            answer.headers.insert("content-type", "application/json".parse().unwrap());
            answer.body = stream.into_bytes();
        });
        let (status, code, message) = refused(&ask());
        assert_eq!((status, code.as_str()), (502, "receipt"));
        assert!(message.contains("does not end as it should"), "{message}");
    }
}

/// A receipt that was right once, for the same request.
#[test]
fn an_old_answer_is_refused() {
    let proxied = Proxied::start();
    let middle = Middle::before(&proxied.world.client.url);
    let local = Verifying::start(&middle.url, &proxied.world, |_| {});
    let node = proxied.world.service().node.clone();
    middle.does(move |answer| {
        let mut receipt = receipt(answer).receipt;
        receipt.time_ms = now_ms() - 3_600_000;
        put(answer, &receipt.sign(&node));
    });
    let came = post(&format!("{}{}", local.url, PATHS[0]), &[], &saying(PATHS[0], "hello", false));
    assert!(refused(&came).2.contains("another time"));
    let node = proxied.world.service().node.clone();
    middle.does(move |answer| {
        let mut receipt = receipt(answer).receipt;
        receipt.claim = Claim::Proven;
        put(answer, &receipt.sign(&node));
    });
    let came = post(&format!("{}{}", local.url, PATHS[0]), &[], &saying(PATHS[0], "hello", false));
    assert!(refused(&came).2.contains("claim"));
    let signed = crate::passing::kept(
        &proxied.world.client,
        &post(&format!("{}{}", proxied.world.client.url, PATHS[0]), &[], &saying(PATHS[0], "hello", false)),
    );
    assert_eq!(forwarded(&signed).ending, Ending::Complete);
}
