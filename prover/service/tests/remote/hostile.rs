//! Requests that are not what they say: without a key, without a signature, of somebody else, sent twice, malformed.
use assay_service::clock::now_ms;
use assay_service::jobs::Progress;
use assay_service::workers::signed::{Asked, HEADER, WINDOW_MS};
use assay_service::workers::{Ask, Beat, HandIn, LetGo, Proved, Remote, Source, SourceError, Task};
use assay_verifier::signature::SigningKey;
use assay_verifier::wire::{self, Bytes};
use serde_json::Value;

use super::service::{Served, agent};

/// Sends a request with headers as they are given: status and code of the problem.
fn send(served: &Served, path: &str, body: &[u8], bearer: Option<&str>, stamp: Option<&str>) -> (u16, String) {
    let mut request = ureq::http::Request::builder().method("POST").uri(format!("{}{path}", served.url));
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    if let Some(stamp) = stamp {
        request = request.header(HEADER, stamp);
    }
    let mut answer = agent().run(request.body(body.to_vec()).unwrap()).unwrap();
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
    (answer.status().as_u16(), problem["code"].as_str().unwrap_or_default().to_owned())
}

fn host(served: &Served) -> String {
    served.url.trim_start_matches("http://").to_owned()
}

fn stamp(served: &Served, path: &str, body: &[u8], time_ms: u64) -> String {
    let asked = Asked { method: "POST", host: &host(served), path, body };
    asked.stamp(&SigningKey::from_seed([1; 32]), time_ms).to_string()
}

#[test]
fn only_signed_requests_of_workers_with_a_key_count() {
    let served = Served::start();
    served.ask(0);
    let (path, body) = ("/v1/work/lease", wire::encode(&Ask::default()));
    let good = || stamp(&served, path, &body, now_ms());
    let worker = Some(served.worker_key.as_str());
    let signature = |sent: (u16, String)| assert_eq!(sent, (401, "worker_signature".into()));
    assert_eq!(send(&served, path, &body, None, Some(&good())).0, 401);
    assert_eq!(send(&served, path, &body, Some("nonsense"), Some(&good())).0, 401);
    assert_eq!(send(&served, path, &body, Some(&served.key), Some(&good())), (403, "forbidden".into()));
    signature(send(&served, path, &body, worker, None));
    signature(send(&served, path, &body, worker, Some("")));
    signature(send(&served, path, &body, worker, Some("a b c d")));
    // Of another body, another path, another time, another service; and sent twice.
    let other = wire::encode(&Ask { loaded: vec![assay_verifier::digest::KeyDigest([0; 32])] });
    signature(send(&served, path, &other, worker, Some(&good())));
    signature(send(&served, path, &body, worker, Some(&stamp(&served, "/v1/work/other", &body, now_ms()))));
    for time in [now_ms() - 2 * WINDOW_MS, now_ms() + 2 * WINDOW_MS] {
        signature(send(&served, path, &body, worker, Some(&stamp(&served, path, &body, time))));
    }
    let asked = Asked { method: "POST", host: "assay.example", path, body: &body };
    signature(send(
        &served,
        path,
        &body,
        worker,
        Some(&asked.stamp(&SigningKey::from_seed([1; 32]), now_ms()).to_string()),
    ));
    let once = good();
    assert_eq!(send(&served, path, &body, worker, Some(&once)).0, 200);
    signature(send(&served, path, &body, worker, Some(&once)));
    // Bodies that are none, under a good signature.
    for body in [b"".as_slice(), b"{}", &body[..body.len() - 1], &[body.as_slice(), &[0]].concat()] {
        let sent = send(&served, path, body, worker, Some(&stamp(&served, path, body, now_ms())));
        assert_eq!(sent, (400, "encoding".into()));
    }
}

#[test]
fn a_job_is_its_workers_alone_and_forgers_are_out() {
    let served = Served::start();
    let job = served.ask(0);
    let worker = |seed| Remote::new(&served.url, SigningKey::from_seed([seed; 32]), Some(&served.worker_key)).unwrap();
    let (first, other) = (worker(1), worker(2));
    let task: Task = first.task(vec![]).unwrap().unwrap();
    // Another worker knows the job's name and can guess the lease's number.
    let proved = |proof: &[u8]| Proved { proof: proof.to_vec(), prove_us: 1 };
    assert_eq!(other.heartbeat(&task, Progress::default()), Err(SourceError::Stale));
    assert_eq!(other.hand_in(&task, &proved(b"forged")), Err(SourceError::Stale));
    assert_eq!(other.let_go(&task, None), Err(SourceError::Stale));
    assert!(matches!(other.file(task.parts.circuit_file), Err(SourceError::Refused(_))));
    assert!(first.file(task.parts.circuit_file).is_ok());
    assert_eq!(first.heartbeat(&task, Progress::default()), Ok(()));
    // Paths that name no job.
    for name in ["nonsense", "..%2f..", &"0".repeat(64)] {
        for (what, body) in [
            ("heartbeat", wire::encode(&Beat { token: 1, progress: Progress::default() })),
            ("proof", wire::encode(&HandIn { token: 1, prove_us: 1, proof: Bytes(vec![]) })),
            ("failure", wire::encode(&LetGo { token: 1, trouble: None })),
        ] {
            let path = format!("/v1/work/{name}/{what}");
            let sent =
                send(&served, &path, &body, Some(&served.worker_key), Some(&stamp(&served, &path, &body, now_ms())));
            assert!([404, 409].contains(&sent.0), "{path}: {sent:?}");
        }
    }
    // A forger is out, with all its later questions; the job goes on with the next one.
    assert_eq!(first.hand_in(&task, &proved(b"forged")), Err(SourceError::Quarantined));
    assert_eq!(first.task(vec![]), Err(SourceError::Quarantined));
    assert_eq!(served.service.as_ref().unwrap().jobs.quarantined().len(), 1);
    let pool = assay_service::workers::Pool::start(Box::new(other), super::provers(), 1).unwrap();
    served.ready(&job);
    drop(pool);
}
