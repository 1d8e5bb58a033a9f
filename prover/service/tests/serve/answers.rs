//! Does a caller get answers: one, many, once, later?
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::client::*;
use crate::world::World;

#[test]
fn a_model_answers_and_what_is_served_is_what_is_proven() {
    let world = World::free();
    let client = &world.client;
    let model = client.publish(&Model::digits(0));
    let mut body = request(&model, 1);
    let waited = client.send_with("/v1/inference", &[("prefer", "wait=proof")], &body).good();
    let job = waited.json();
    assert_eq!(
        (&job["states"]["proof"], &job["receipt"]["version"], &job["states"]["over"]),
        (&json!("ready"), &json!(1), &json!(true))
    );
    assert_eq!(waited.header("location"), format!("/v1/jobs/{}", text(&job["id"])));
    assert_eq!(job["assurance"]["claim"], "proven");

    // The same in base64, by the model's other names, and on the node's word.
    let bytes: Vec<u8> = values(&model, 1).iter().flat_map(|value| value.to_le_bytes()).collect();
    body["inputs"][0]["data"] = BASE64.encode(bytes).into();
    for name in ["digits", "digits/1", text(&model["id"])] {
        body["model"] = name.into();
        assert_eq!(integers(&client.send("/v1/inference", &body).good().json()), integers(&job));
    }
    body["mode"] = "vanilla".into();
    let vanilla = client.send("/v1/inference", &body).good().json();
    assert_eq!(integers(&vanilla), integers(&job));
    assert_eq!((&vanilla["receipt"]["claim"], &vanilla["states"]["proof"]), (&json!("signed-only"), &json!("none")));

    // The proof's own outputs are those that were served.
    let proof = client.read(&format!("/v1/proofs/{}", text(&job["proof"]["digest"]))).good();
    let asked = json!({ "key": job["key"], "proof": BASE64.encode(&proof.body) });
    let verified = client.send("/v1/verify", &asked).good().json();
    assert_eq!((&verified["holds"], integers(&verified)), (&json!(true), integers(&job)));
    let digest = client.get(&format!("/v1/receipts/{}", text(&job["id"])));
    assert_eq!(digest["outputs_digest"], vanilla["receipt"]["outputs_digest"]);

    // Each output as a real is its integer, scaled.
    for tensor in job["outputs"].as_array().unwrap() {
        let scale = f64::from(tensor["scale"].as_i64().unwrap() as i32).exp2();
        for (integer, real) in tensor["integers"].as_array().unwrap().iter().zip(tensor["data"].as_array().unwrap()) {
            assert_eq!(integer.as_i64().unwrap() as f64 / scale, real.as_f64().unwrap());
        }
    }
}

#[test]
fn many_are_answered_in_their_order_each_for_itself() {
    let world = World::free();
    let client = &world.client;
    let model = client.publish(&Model::digits(0));
    let mut requests: Vec<Value> = (0..5).map(|number| request(&model, number)).collect();
    requests[1]["model"] = "nobody".into();
    requests[3]["inputs"][0]["shape"] = json!([2, 2]);
    let batch = client.send("/v1/inference:batch", &json!({ "requests": requests })).good().json();
    let items = batch["items"].as_array().unwrap();
    assert_eq!(items.len(), 5);
    assert_eq!((&items[1]["problem"]["code"], &items[1]["problem"]["status"]), (&json!("model"), &json!(404)));
    assert_eq!(items[3]["problem"]["status"], 422);
    for number in [0, 2, 4] {
        let alone = client.send("/v1/inference", &request(&model, number)).good().json();
        assert_eq!(integers(&items[number as usize]["job"]), integers(&alone), "{number}");
    }
    assert_ne!(integers(&items[0]["job"]), integers(&items[2]["job"]));
    let none = client.send("/v1/inference:batch", &json!({ "requests": [] })).good().json();
    assert_eq!(none, json!({ "items": [] }));
    let many = json!({ "requests": vec![request(&model, 0); 257] });
    assert_eq!(client.send("/v1/inference:batch", &many).problem(), (413, "batch_too_large".into()));
}

#[test]
fn a_request_under_a_key_is_made_once() {
    let world = World::free();
    let client = &world.client;
    let model = client.publish(&Model::digits(0));
    let (body, key) = (request(&model, 1), [("idempotency-key", "one")]);
    let first = client.send_with("/v1/inference", &key, &body).good();
    client.over(text(&first.json()["id"]));
    let again = client.send_with("/v1/inference", &key, &body).good();
    assert_eq!(again.body, first.body, "not the same bytes");
    assert_eq!(client.get("/v1/jobs")["jobs"].as_array().unwrap().len(), 1);
    let other = client.send_with("/v1/inference", &key, &request(&model, 2));
    assert_eq!(other.problem(), (409, "idempotency_key_used".into()));
    for bad in ["", "with space", &"x".repeat(129)] {
        let refused = client.send_with("/v1/inference", &[("idempotency-key", bad)], &body);
        assert_eq!(refused.problem(), (400, "idempotency_key".into()), "{bad:?}");
    }

    // Many at the same moment make one job, and all that are answered are answered alike: the first with its proof, or without.
    let headers = |number: u32| {
        [("idempotency-key", "two"), ("prefer", if number.is_multiple_of(2) { "wait=proof" } else { "wait=0" })]
    };
    let ask = |number| client.send_with("/v1/inference", &headers(number), &body);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|number| scope.spawn(move || ask(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let last = ask(0).good();
    for answer in answers {
        match answer.status {
            200 => assert_eq!(answer.body, last.body),
            _ => assert_eq!(answer.problem(), (409, "idempotency_key_busy".into())),
        }
    }
    assert_eq!(client.get("/v1/jobs")["jobs"].as_array().unwrap().len(), 2);
}

#[test]
fn jobs_are_listed_followed_and_cancelled() {
    let world = World::start(|raw| raw.workers = Some(0));
    let client = &world.client;
    let model = client.publish(&Model::digits(0));
    let made: Vec<String> = (0..7)
        .map(|number| text(&client.send("/v1/inference", &request(&model, number)).good().json()["id"]).to_owned())
        .collect();
    // Newest first, page by page.
    let (mut seen, mut path) = (Vec::new(), "/v1/jobs?limit=3".to_owned());
    loop {
        let page = client.get(&path);
        let jobs = page["jobs"].as_array().unwrap();
        assert!(jobs.len() <= 3);
        seen.extend(jobs.iter().map(|job| text(&job["id"]).to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/jobs?limit=3&cursor={next}");
    }
    assert_eq!(seen, made.iter().rev().cloned().collect::<Vec<_>>());
    assert_eq!(client.read("/v1/jobs?cursor=nonsense").problem(), (400, "cursor".into()));

    let (first, last) = (&made[0], &made[6]);
    assert_eq!(client.get(&format!("/v1/jobs/{last}"))["queue_position"], 6);
    let forget = client.call("DELETE", &format!("/v1/jobs/{last}"), &[], b"");
    assert_eq!(forget.problem(), (409, "job_not_over".into()));
    let path = format!("/v1/jobs/{first}/cancel");
    let cancelled = client.send(&path, &json!({})).good().json();
    assert_eq!(
        (&cancelled["states"]["proof"], &cancelled["failure"]["code"]),
        (&json!("cancelled"), &json!("cancelled"))
    );
    assert_eq!(cancelled["states"]["over"], true);
    assert_eq!(client.send(&path, &json!({})).problem(), (409, "job_over".into()));
    assert_eq!(client.get(&format!("/v1/jobs/{last}"))["queue_position"], 5);

    // Its events are all there, numbered; whoever comes back gets the rest.
    let events = events(&client.read(&format!("/v1/jobs/{first}/events")).good());
    let values: Vec<_> = events.iter().map(|(_, event)| (text(&event["state"]), text(&event["value"]))).collect();
    assert_eq!(values, [("job", "accepted"), ("proof", "cancelled")]);
    assert!(events.iter().enumerate().all(|(place, (number, _))| *number == place as u64 + 1));
    let missed = [("last-event-id", "1")];
    let rest = self::events(&client.call("GET", &format!("/v1/jobs/{first}/events"), &missed, b"").good());
    assert_eq!(rest, events[1..]);
    let bad = client.call("GET", &format!("/v1/jobs/{first}/events"), &[("last-event-id", "x")], b"");
    assert_eq!(bad.problem(), (400, "last_event_id".into()));
}

#[test]
fn a_listener_hears_what_happens_until_it_is_over() {
    let world = World::free();
    let client = &world.client;
    let model = client.publish(&Model::digits(0));
    let job = client.send("/v1/inference", &request(&model, 1)).good().json();
    let path = format!("/v1/jobs/{}/events", text(&job["id"]));
    // The answer ends when nothing more will happen.
    let heard = events(&client.read(&path).good());
    let proofs: Vec<_> =
        heard.iter().filter(|(_, event)| event["state"] == "proof").map(|(_, event)| text(&event["value"])).collect();
    assert_eq!(proofs.last(), Some(&"ready"), "{heard:?}");
    let times: Vec<_> = heard.iter().map(|(_, event)| event["time_ms"].as_u64().unwrap()).collect();
    assert!(times.is_sorted());
    for (number, _) in &heard {
        let later = events(&client.call("GET", &path, &[("last-event-id", &number.to_string())], b"").good());
        assert_eq!(later, heard[*number as usize..]);
    }
}

/// Numbered events of a stream. Those of progress have no number.
fn events(answer: &Answer) -> Vec<(u64, Value)> {
    let text = String::from_utf8(answer.body.clone()).unwrap();
    let event = |block: &str| {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        Some((field("id:")?.parse().unwrap(), serde_json::from_str(field("data:")?).unwrap()))
    };
    text.split("\n\n").filter_map(event).collect()
}

#[test]
fn the_service_says_what_it_is() {
    let world = World::free();
    let client = &world.client;
    client.publish(&Model::digits(0));
    assert_eq!(client.read("/healthz").good().body, b"ok\n");
    client.read("/readyz").good();
    let nodes = client.get("/v1/nodes");
    assert_eq!((&nodes[0]["registered"], &nodes[0]["endpoint"]), (&json!(true), &json!(client.url)));
    let supported = client.get("/v1/supported");
    assert_eq!((&supported["payment"], supported["engines"].as_array().unwrap().len()), (&json!("free"), 2));
    let models = client.get("/v1/models");
    assert_eq!((&models["models"][0]["name"], &models["models"][0]["serves"]), (&json!("digits"), &json!(true)));
    let metrics = client.read("/metrics").good();
    let metrics = String::from_utf8(metrics.body).unwrap();
    for name in
        ["assay_http_requests_total{", "assay_ledger_height ", "assay_workers 1", "assay_http_duration_seconds_bucket"]
    {
        assert!(metrics.contains(name), "no {name}: {metrics}");
    }
    for path in ["/v1/chat/completions", "/v1/completions", "/v1/messages"] {
        let refused = client.send(path, &json!({ "model": "unknown" }));
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (501, &json!("not_implemented")));
    }
    let fetch = json!({ "url": "https://source.example/" });
    assert_eq!(client.send("/v1/data/fetch", &fetch).problem(), (403, "source".into()));
    assert_eq!(client.read("/v1/attestation?nonce=1").problem(), (400, "nonce".into()));
    assert!(client.read("/docs/").status == 200);

    let document = client.get("/openapi.json");
    let endpoints = [
        ("/v1/models", "post"),
        ("/v1/models", "get"),
        ("/v1/models/{publisher}/{name}/{version}", "get"),
        ("/v1/models/check", "post"),
        ("/v1/inference", "post"),
        ("/v1/inference:batch", "post"),
        ("/v1/chat/completions", "post"),
        ("/v1/completions", "post"),
        ("/v1/messages", "post"),
        ("/v1/data/fetch", "post"),
        ("/v1/data/records/{digest}", "get"),
        ("/v1/data/records/{digest}/body", "get"),
        ("/v1/jobs", "get"),
        ("/v1/jobs/{id}", "get"),
        ("/v1/jobs/{id}", "delete"),
        ("/v1/quarantine", "get"),
        ("/v1/quarantine/{worker}", "delete"),
        ("/v1/jobs/{id}/cancel", "post"),
        ("/v1/jobs/{id}/events", "get"),
        ("/v1/receipts/{id}", "get"),
        ("/v1/receipts/{id}/bundle", "get"),
        ("/v1/proofs/{digest}", "get"),
        ("/v1/keys/{digest}", "get"),
        ("/v1/verify", "post"),
        ("/v1/attestation", "get"),
        ("/v1/nodes", "get"),
        ("/v1/supported", "get"),
        ("/v1/blobs/{sha256}", "put"),
        ("/v1/accounts/{key}", "get"),
        ("/v1/transactions", "post"),
        ("/v1/trust", "get"),
        ("/v1/work/lease", "post"),
        ("/v1/work/{job}/proof", "post"),
        ("/healthz", "get"),
        ("/readyz", "get"),
        ("/metrics", "get"),
    ];
    for (path, method) in endpoints {
        assert!(document["paths"][path][method].is_object(), "{method} {path} is not in the document");
    }
}
