//! `kill -9` at any moment: what was acknowledged is there, and numbers of leases go on rising.
use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use assay_service::jobs::states::Proving;
use assay_service::jobs::{Able, Hold, Jobs, Keyed, Owner, Rules};
use assay_verifier::digest::Digest32;

use super::sample::*;

/// The file of the process that is to be killed, and the number of its first job.
const FILE: &str = "ASSAY_KILLED_JOBS";
const FIRST: &str = "ASSAY_KILLED_FIRST";
const WORKERS: u64 = 3;

fn open(path: &Path) -> Jobs {
    let jobs = Jobs::open(path, Rules { attempts_max: 1_000, ..Rules::default() }, START).unwrap();
    // Workers of this process are gone with it.
    for worker in 0..WORKERS {
        jobs.release(public(worker as u8), START).unwrap();
    }
    jobs
}

fn say(what: &str, number: u64, token: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "acknowledged {what} {number} {token}").unwrap();
    out.flush().unwrap();
}

/// The process that is killed: takes jobs in and proves them, with several threads, and says what it was told is done.
fn run(path: &Path, first: u64) {
    let jobs = open(path);
    std::thread::scope(|scope| {
        for thread in 0..WORKERS {
            let jobs = &jobs;
            scope.spawn(move || {
                for number in (first + thread..).step_by(WORKERS as usize) {
                    let (route, body) = ("r".into(), Digest32([1; 32]));
                    let keyed = Keyed { key: format!("key {number}"), route, body, answer: None };
                    jobs.accept(job(number), payload(number), Some(keyed), START).unwrap();
                    say("accepted", number, 0);
                    let later = START + 100_000;
                    let Some(leased) = jobs.lease(public(thread as u8), Able::default(), later).unwrap() else {
                        continue;
                    };
                    let hold = Hold::of(&leased).unwrap();
                    say("leased", leased.client_nonce, hold.token);
                    prove(jobs, hold, later).unwrap();
                    say("ready", leased.client_nonce, hold.token);
                }
            });
        }
    });
}

#[test]
fn killed_at_any_moment() {
    // The test starts itself as the process that it kills.
    if let Some(path) = env::var_os(FILE) {
        return run(Path::new(&path), env::var(FIRST).unwrap().parse().unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.redb");
    let (mut accepted, mut ready) = (Vec::new(), Vec::new());
    let (mut last_token, mut first) = (0, 0);
    for round in 0..20u64 {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "kill::killed_at_any_moment", "--nocapture", "--test-threads=1"])
            .env(FILE, &path)
            .env(FIRST, first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let read = |line: &str| {
            let (_, said) = line.split_once("acknowledged ")?;
            let mut words = said.split(' ');
            let what = words.next()?.to_owned();
            Some((what, words.next()?.parse::<u64>().ok()?, words.next()?.parse::<u64>().ok()?))
        };
        let mut said: Vec<_> = Vec::new();
        while said.len() < 5 {
            said.extend(read(&lines.next().expect("the process ended by itself").unwrap()));
        }
        // Somewhere within a transaction.
        std::thread::sleep(Duration::from_micros(770 * round));
        process.kill().unwrap();
        said.extend(lines.filter_map(|line| read(&line.unwrap())));
        process.wait().unwrap();

        let mut tokens = BTreeMap::new();
        for (what, number, token) in said {
            match what.as_str() {
                "accepted" => accepted.push(number),
                "leased" => assert!(tokens.insert(token, number).is_none() && token > last_token, "token {token}"),
                _ => ready.push(number),
            }
        }
        last_token = tokens.last_key_value().map_or(last_token, |(token, _)| *token);
        first = accepted.iter().max().unwrap() + 1 + WORKERS;
        let jobs = open(&path);
        for number in &accepted {
            assert_eq!(jobs.payload(id(*number)).unwrap(), Some(payload(*number)), "{number} is lost");
            let kept = jobs.get(id(*number)).unwrap().unwrap();
            assert!(matches!(kept.states.proof, Proving::Queued | Proving::Ready), "{}", kept.states.proof);
            let events = jobs.events(id(*number), 0, 1_000).unwrap();
            assert!(events.iter().map(|event| event.number).eq(1..=events.len() as u64));
            let remembered = jobs.remembered(&Owner("somebody".into()), &format!("key {number}"), START).unwrap();
            assert_eq!(remembered.unwrap().job, id(*number));
        }
        for number in &ready {
            let kept = jobs.get(id(*number)).unwrap().unwrap();
            assert!(kept.states.proof == Proving::Ready && kept.proof.is_some() && kept.proven.is_some());
        }
        let counts = jobs.counts(START);
        assert_eq!(counts.leased, 0);
    }
    assert!(ready.len() > 20);
}
