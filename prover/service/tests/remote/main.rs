//! Workers in other processes, over HTTP: they prove for a service, and one that is not what it says gets nothing.
mod hostile;
mod service;

use std::sync::Arc;
use std::time::Duration;

use assay_service::workers::{Pool, Provers, Remote, Source, SourceError};
use assay_verifier::signature::SigningKey;

use service::Served;

fn provers() -> Arc<Provers> {
    Arc::new(Provers::new(1 << 30, Box::new(|_| Err("no strings here".into())), None))
}

#[test]
fn a_worker_elsewhere_proves_what_comes() {
    let served = Served::start();
    let remote = Remote::new(&served.url, SigningKey::from_seed([1; 32]), Some(&served.worker_key)).unwrap();
    let pool = Pool::start(Box::new(remote), provers(), 1).unwrap();
    for number in 0..3 {
        let job = served.ask(number);
        let ready = served.ready(&job);
        assert_eq!(ready["receipt"]["version"], 1, "{ready}");
        assert!(ready["proof"]["size_bytes"].as_u64().unwrap() > 10_000, "{ready}");
    }
    // What it has when it stops is given back: another one has it at once.
    drop(pool);
    let job = served.ask(9);
    let one = Remote::new(&served.url, SigningKey::from_seed([2; 32]), Some(&served.worker_key)).unwrap();
    let task = one.task(vec![]).unwrap().unwrap();
    assert_eq!(task.job.to_string(), job);
    one.let_go(&task, None).unwrap();
    assert_eq!(one.let_go(&task, None), Err(SourceError::Stale));
    let other = Remote::new(&served.url, SigningKey::from_seed([3; 32]), Some(&served.worker_key)).unwrap();
    assert_eq!(other.task(vec![]).unwrap().unwrap().job, task.job);
}

#[test]
fn the_service_may_be_away_for_a_while() {
    let mut served = Served::start();
    let job = served.ask(0);
    let address = served.url.clone();
    served.stop();
    let remote = Remote::new(&address, SigningKey::from_seed([1; 32]), Some(&served.worker_key)).unwrap();
    assert!(matches!(remote.task(vec![]), Err(SourceError::Away(_))));
    let pool = Pool::start(Box::new(remote), provers(), 1).unwrap();
    served.again();
    served.ready(&job);
    drop(pool);
}

#[test]
fn addresses_are_checked() {
    let key = || SigningKey::from_seed([1; 32]);
    for bad in ["", "x", "ftp://x", "http://", "http://x/path", "http://x?y", "127.0.0.1:1"] {
        assert!(Remote::new(bad, key(), None).is_err(), "{bad}");
    }
    for good in ["http://127.0.0.1:1", "http://127.0.0.1:1/", "https://assay.example"] {
        assert!(Remote::new(good, key(), None).is_ok(), "{good}");
    }
}

/// How long anything may take here.
const LONG: Duration = Duration::from_secs(120);
