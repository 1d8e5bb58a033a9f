//! `kill -9` at any moment: nothing that was acknowledged is lost, nothing is settled or charged twice.
use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use assay_service::clock::now_ms;
use assay_service::jobs::states::{Execution, Payment, Proving, Settlement};
use assay_service::settle::{Rounds, Settler};
use assay_verifier::receipt::{Backend, RequestId};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment;

use crate::requests::{PRICE, Request};
use crate::world::*;

/// The folder of the process that is to be killed, and the first request that it makes.
const FOLDER: &str = "ASSAY_KILLED_SERVICE";
const FIRST: &str = "ASSAY_KILLED_FIRST";
const ROUNDS: u64 = 20;

fn request(number: u64) -> Request {
    let backend = if number.is_multiple_of(4) { Backend::Zkml } else { Backend::Vanilla };
    Request::new(number, backend)
}

/// The process that is killed: accepts requests, says so, and takes each as far as it comes.
fn serve(folder: &Path, first: u64) {
    let world = World::open(folder);
    let settler = Settler::start(world.parts()).unwrap();
    for number in first.. {
        let request = request(number);
        request.accept(&world);
        println!("acknowledged {number}");
        go_on(&world, &request);
        settler.wake();
    }
}

/// What the service does with a job, from wherever it is.
fn go_on(world: &World, request: &Request) {
    let id = request.id();
    if world.job(id).states.payment == Payment::Authorised {
        world.reserver.reserve(&world.jobs, id, LONGEST).unwrap();
    }
    // The queue begins again what was running, and gives a job again whose worker is gone.
    let states = world.job(id).states;
    if states.execution != Execution::Done {
        if states.execution == Execution::Running {
            crate::requests::change(world, id, |job| job.states.execution = Execution::Pending);
        }
        request.answer(world);
    }
    if request.backend == Backend::Zkml && world.job(id).states.proof != Proving::Ready {
        if world.job(id).states.proof != Proving::Queued {
            crate::requests::change(world, id, |job| job.states.proof = Proving::Queued);
        }
        request.prove(world, &request.proof());
    }
}

#[test]
fn killed_at_any_moment() {
    // The test starts itself as the process that it kills.
    if let (Some(folder), Ok(first)) = (env::var_os(FOLDER), env::var(FIRST)) {
        return serve(Path::new(&folder), first.parse().unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    drop(World::ready(folder.path()));
    let (mut next, mut all) = (1, Vec::new());
    for round in 0..ROUNDS {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "kill::killed_at_any_moment", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .env(FIRST, next.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let number = |line: &str| line.split_once("acknowledged ").map(|(_, number)| number.parse::<u64>().unwrap());
        let enough = all.len() + 1 + round as usize % 4;
        while all.len() < enough {
            let line = lines.next().expect("the process ended by itself").unwrap();
            all.extend(number(&line));
        }
        // Somewhere between two steps.
        std::thread::sleep(Duration::from_millis(13 * round * round % 97));
        process.kill().unwrap();
        all.extend(lines.filter_map(|line| number(&line.unwrap())));
        process.wait().unwrap();

        let world = World::open(folder.path());
        for number in &all {
            assert!(world.jobs.get(request(*number).id()).unwrap().is_some(), "{number} was acknowledged and is lost");
        }
        // One that was made durable and not acknowledged any more may be there.
        next = all.last().unwrap() + 2;
    }
    finish(&World::open(folder.path()), next);
}

/// Everything that is there comes to its end, each once.
fn finish(world: &World, next: u64) {
    let there: Vec<Request> =
        (1..next).map(request).filter(|request| world.jobs.get(request.id()).unwrap().is_some()).collect();
    let mut rounds = Rounds::new(world.parts());
    for request in &there {
        // Its deadline is the one that was signed.
        let deadline_ms = world.job(request.id()).authorised.unwrap().authorisation.deadline_ms;
        go_on(world, &Request { deadline_ms, ..*request });
    }
    until("all are verified", || {
        rounds.round(now_ms()).unwrap();
        there.iter().all(|request| world.job(request.id()).states.settlement == Settlement::Verified)
    });
    for request in &there {
        let id: RequestId = request.id();
        let record: payment::Settlement =
            assay_service::ledger::read(&*world.ledger, &keys::settlement(id)).unwrap().expect("it is settled");
        assert_eq!((record.receipt, record.price), (request.receipt().receipt.digest(), PRICE));
        assert!(world.job(id).states.over());
    }
    world.check_money(PRICE * there.len() as u64, 0);
    println!("{} requests survived {ROUNDS} kills", there.len());
}
