//! `kill -9` of server and worker at any moment, under load: nothing that was acknowledged is lost, nothing is charged twice, all evidence holds.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use assay_verifier::audit::Scope;
use serde_json::{Value, json};

use crate::child::{Home, Process};
use crate::client::*;
use crate::evidence::audited;
use crate::payer::*;

const PRICE: u64 = 7;
const DEPOSIT: u64 = 1_000_000;
/// Requests at most: the rest of the time they are proven.
const REQUESTS: usize = 120;
/// Callers at once.
const CALLERS: usize = 3;

/// What a caller was told.
struct Told {
    id: String,
    integers: Value,
}

/// Numbers that look drawn, and are the same in every run.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A caller: asks, pays once, and asks again with the same payment until it is answered.
fn ask(client: &Client, model: &Value, number: usize, stop: &AtomicBool) -> Option<Told> {
    let mut body = request(model, number as u64);
    body["nonce"] = number.to_string().into();
    if number.is_multiple_of(4) {
        body["mode"] = "vanilla".into();
    }
    let body = body.to_string();
    let name = format!("request-{number}");
    let mut payment: Option<String> = None;
    loop {
        let mut headers = vec![("content-type", "application/json")];
        if number.is_multiple_of(3) {
            headers.push(("idempotency-key", &name));
        }
        headers.extend(payment.iter().flat_map(|payment| signed(payment)));
        match client.attempt("POST", "/v1/inference", &headers, body.as_bytes()) {
            Some(answer) if answer.status == 200 => {
                let job = answer.json();
                return Some(Told { id: text(&job["id"]).to_owned(), integers: integers(&job) });
            }
            Some(answer) if answer.status == 402 && payment.is_none() => payment = Some(pay(&answer)),
            Some(answer) => {
                let problem = answer.problem();
                assert!(answer.json()["retryable"] == true, "{problem:?}: {}", answer.json());
            }
            None => {}
        }
        // Whoever has paid nothing yet may leave.
        if payment.is_none() && stop.load(Ordering::Relaxed) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Kills so many times, at moments drawn from a seed.
fn killed(kills: u64, workers: usize, seed: u64) {
    let begun = Instant::now();
    let accounts =
        format!("payment = \"x402\"\nworkers = {workers}\n[accounts]\n\"{}\" = {BALANCE}\n", payer().public());
    let home = Home::new(&accounts);
    let client = &home.client;
    let mut server = home.serve("warn");
    home.ready();
    let model = client.publish(&Model::digits(PRICE));
    deposit(client, DEPOSIT);
    let mut worker = (workers == 0).then(|| home.worker());
    let (stop, next) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut drawn = Drawn(seed);
    let told: Vec<Told> = std::thread::scope(|scope| {
        let caller = || {
            let mut told = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= REQUESTS {
                    break;
                }
                told.extend(ask(client, &model, number, &stop));
            }
            told
        };
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
        for kill in 0..kills {
            std::thread::sleep(Duration::from_millis(drawn.below(600)));
            match &mut worker {
                Some(worker) if drawn.below(3) == 0 => {
                    worker.kill();
                    *worker = home.worker();
                }
                _ => {
                    server.kill();
                    server = home.serve("warn");
                    // Most of the time it gets as far as serving; sometimes it is killed while it starts.
                    if !kill.is_multiple_of(5) {
                        home.ready();
                    }
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    let killing = begun.elapsed();
    home.ready();
    check(&home, &told);
    exported(&home, &mut server, &told[0].id);
    println!("{} requests survived {kills} kills: {killing:?} of killing, {:?} in all", told.len(), begun.elapsed());
}

/// Everything that is there comes to its end, each once.
fn check(home: &Home, told: &[Told]) {
    let client = &home.client;
    let jobs = all(client);
    let ids: BTreeSet<&str> = told.iter().map(|told| told.id.as_str()).collect();
    assert_eq!(ids.len(), told.len(), "two payments made one request");
    assert!(ids.iter().all(|id| jobs.contains_key(*id)), "a request was acknowledged and is lost");
    let (mut captured, mut ends) = (0, BTreeMap::new());
    for id in jobs.keys() {
        let job = client.over(id);
        let states = &job["states"];
        let end = ["execution", "proof", "settlement", "payment"].map(|axis| text(&states[axis]).to_owned());
        if states["payment"] == "captured" {
            captured += job["price"].as_u64().unwrap();
        }
        if ids.contains(id.as_str()) {
            assert_eq!(states["payment"], "captured", "{job}");
        }
        *ends.entry(end).or_insert(0) += 1;
        let report = audited(client, id, Scope::Settled);
        assert!(report.holds(), "{id}: {:?}", report.rows);
    }
    println!("{ends:?}");
    for told in told {
        let job = client.get(&format!("/v1/jobs/{}", told.id));
        assert_eq!(integers(&job), told.integers, "the answer is another one now");
    }
    assert_eq!(DEPOSIT - escrow(client), captured);
    assert_eq!(captured, PRICE * jobs.len() as u64);
    assert!(client.get("/v1/nodes")[0]["registered"] == json!(true));
}

/// The folder of a service that is not running has the bundles that it gave, and nobody else gets at one of a service that runs.
fn exported(home: &Home, server: &mut Process, id: &str) {
    let (client, data) = (&home.client, home.data());
    let served = client.read(&format!("/v1/receipts/{id}/bundle")).good().body;
    let export = || {
        let arguments = ["bundle", "export", id, "--data", data.to_str().unwrap(), "--output", "exported.assay"];
        home.assay(&arguments).output().unwrap()
    };
    let refused = export();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("assay client bundle"), "{refused:?}");
    client.read("/readyz").good();
    server.kill();
    let done = export();
    assert!(done.status.success(), "{done:?}");
    assert!(std::fs::read(home.folder.path().join("exported.assay")).unwrap() == served);
}

/// All jobs, page by page.
fn all(client: &Client) -> BTreeMap<String, Value> {
    let (mut jobs, mut path) = (BTreeMap::new(), "/v1/jobs".to_owned());
    loop {
        let page = client.get(&path);
        jobs.extend(page["jobs"].as_array().unwrap().iter().map(|job| (text(&job["id"]).to_owned(), job.clone())));
        let Some(next) = page["next"].as_str() else { return jobs };
        path = format!("/v1/jobs?cursor={next}");
    }
}

#[test]
fn server_and_worker_are_killed() {
    killed(50, 0, 1);
}

#[test]
fn a_server_with_a_worker_inside_is_killed() {
    killed(15, 1, 2);
}
