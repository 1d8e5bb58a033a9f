//! Does everybody see what is theirs, and do what their key is for?
use assay_service::access::{KeyFile, Scope};
use serde_json::{Value, json};

use crate::client::*;
use crate::world::World;

const MANY: u32 = 1_000_000;

struct Callers {
    world: World,
    admin: Client,
    alice: Client,
    bob: Client,
    reader: Client,
    slow: Client,
}

fn callers() -> Callers {
    let mut made = Vec::new();
    let world = World::start(|raw| {
        raw.access = Some("keys".into());
        let data = raw.data.clone().unwrap();
        let mut file = KeyFile::default();
        let user = vec![Scope::Read, Scope::Infer];
        let admin = vec![Scope::Read, Scope::Publish, Scope::Admin];
        for (name, scopes, rate) in [
            ("admin", admin, MANY),
            ("alice", user.clone(), MANY),
            ("bob", user, MANY),
            ("reader", vec![Scope::Read], MANY),
            ("slow", vec![Scope::Read], 2),
        ] {
            made.push(file.add(name, scopes, rate).unwrap_or_else(|error| panic!("{error}")).0);
        }
        assay_service::storage::private::folder(&data).unwrap();
        file.write(&data.join("access.json")).unwrap();
    });
    let url = world.client.url.clone();
    let mut clients = made.iter().map(|key| Client::new(&url, Some(key)));
    let mut next = || clients.next().unwrap();
    let (admin, alice, bob, reader, slow) = (next(), next(), next(), next(), next());
    Callers { admin, alice, bob, reader, slow, world }
}

#[test]
fn a_job_is_its_owners_alone() {
    let Callers { admin, alice, bob, reader, world, .. } = callers();
    let model = admin.publish(&Model::digits(0));
    let body = request(&model, 1);
    let key = [("idempotency-key", "mine")];
    let job = alice.send_with("/v1/inference", &key, &body).good().json();
    let id = text(&job["id"]);
    let done = alice.over(id);
    let receipts = [text(&job["receipt"]["digest"]), text(&done["receipt"]["digest"])];
    let mut paths = vec![
        format!("/v1/jobs/{id}"),
        format!("/v1/jobs/{id}/events"),
        format!("/v1/receipts/{id}"),
        format!("/v1/receipts/{id}/bundle"),
        format!("/v1/proofs/{}", text(&done["proof"]["digest"])),
    ];
    paths.extend(receipts.map(|digest| format!("/v1/receipts/{digest}")));
    for path in &paths {
        alice.read(path).good();
        admin.read(path).good();
        for other in [&bob, &reader] {
            // Not a word of difference from what is not there at all.
            assert_eq!(other.read(path).problem(), (404, "not_found".into()), "{path}");
        }
        assert_eq!(world.client.read(path).problem(), (401, "unauthorized".into()), "{path}");
    }
    assert_eq!(bob.send(&format!("/v1/jobs/{id}/cancel"), &json!({})).problem(), (404, "not_found".into()));
    let listed = |client: &Client| client.get("/v1/jobs")["jobs"].as_array().unwrap().len();
    assert_eq!([&alice, &bob, &reader, &admin].map(listed), [1, 0, 0, 1]);
    // Its owner may let go of it, and nobody else.
    let forget = |client: &Client| client.call("DELETE", &format!("/v1/jobs/{id}"), &[], b"");
    assert_eq!(forget(&bob).problem(), (404, "not_found".into()));
    assert_eq!(forget(&reader).problem(), (403, "forbidden".into()));
    assert_eq!(forget(&alice).good().status, 204);
    for path in &paths {
        assert_eq!(alice.read(path).problem(), (404, "not_found".into()), "{path}");
    }
    assert_eq!(forget(&alice).problem(), (404, "not_found".into()));
    let job = alice.send("/v1/inference", &body).good().json();
    // A key is its owner's too: the same one of somebody else is another request.
    let others = bob.send_with("/v1/inference", &key, &body).good().json();
    assert_ne!(others["id"], job["id"]);
    assert_eq!([&alice, &bob, &reader, &admin].map(listed), [1, 1, 0, 2]);
}

#[test]
fn a_key_opens_what_it_is_for() {
    let Callers { admin, alice, reader, slow, world, .. } = callers();
    let model = admin.publish(&Model::digits(0));
    let forbidden = |answer: Answer| assert_eq!(answer.problem(), (403, "forbidden".into()));
    forbidden(reader.send("/v1/inference", &request(&model, 1)));
    forbidden(reader.send("/v1/inference:batch", &json!({ "requests": [] })));
    forbidden(reader.send("/v1/transactions", &json!({})));
    forbidden(alice.send("/v1/models", &json!({})));
    forbidden(alice.call("PUT", &format!("/v1/blobs/{}", "00".repeat(32)), &[], b"x"));
    forbidden(alice.send("/v1/work/lease", &json!({})));
    forbidden(admin.send("/v1/inference", &request(&model, 1)));
    forbidden(alice.read("/v1/quarantine"));
    assert_eq!(admin.get("/v1/quarantine"), json!({ "workers": [] }));
    let worker = format!("/v1/quarantine/{}", "00".repeat(32));
    forbidden(alice.call("DELETE", &worker, &[], b""));
    assert_eq!(admin.call("DELETE", &worker, &[], b"").problem(), (404, "not_found".into()));
    let unknown = Client::new(&world.client.url, Some("assay_nonsense"));
    let document: Value = world.client.get("/openapi.json");
    for (path, methods) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/v1/") {
            continue;
        }
        let place = path.replace(['{', '}'], "");
        for (method, described) in methods.as_object().unwrap() {
            if described["tags"][0] == "later" {
                continue;
            }
            for client in [&world.client, &unknown] {
                let refused = client.call(&method.to_uppercase(), &place, &[], b"");
                if described["tags"][0] == "proxy" {
                    assert_eq!((refused.status, &refused.json()["error"]["code"]), (401, &json!("unauthorized")));
                } else {
                    assert_eq!(refused.problem(), (401, "unauthorized".into()), "{method} {path}");
                }
            }
        }
    }
    // Two a second, and no more: whoever is too fast is told when to come again.
    let answers: Vec<_> = (0..12).map(|_| slow.read("/v1/supported")).collect();
    let late: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!late.is_empty() && late.len() < 11, "{} of 12 were too fast", late.len());
    for answer in late {
        assert_eq!(answer.problem(), (429, "rate_limited".into()));
    }
    alice.read("/v1/supported").good();
}
