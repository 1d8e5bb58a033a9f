//! Threads that prove: they do all there is, hand back what they cannot do, and give back what they have when they stop.
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use assay_service::jobs::Progress;
use assay_service::jobs::states::Proving;
use assay_service::storage::BlobId;
use assay_service::workers::{Local, Pool, Proved, Source, SourceError, Task, Trouble};
use assay_verifier::digest::KeyDigest;

use super::world::World;

const LONG: Duration = Duration::from_secs(120);

/// Waits until a job's proof is in a state.
fn until(world: &World, id: assay_verifier::receipt::RequestId, state: Proving) {
    let mut changes = world.jobs.subscribe();
    let begun = std::time::Instant::now();
    loop {
        if world.jobs.get(id).unwrap().unwrap().states.proof == state {
            return;
        }
        assert!(begun.elapsed() < LONG, "{:?}", world.jobs.get(id).unwrap().unwrap().states);
        // What is told in between is found at the next look.
        drop(changes.blocking_recv());
    }
}

#[test]
fn threads_of_this_process_prove_what_comes() {
    let world = World::new();
    let mut ids: Vec<_> = (1..=3).map(|number| world.ask(number)).collect();
    let pool = Pool::start(Box::new(Local::new(world.desk.clone()).unwrap()), world.provers.clone(), 2).unwrap();
    ids.iter().for_each(|id| until(&world, *id, Proving::Ready));
    ids.push(world.ask(4));
    until(&world, ids[3], Proving::Ready);
    drop(pool);
    ids.iter().for_each(|id| world.check_ready(*id));
    assert_eq!(world.provers.loaded(), [world.parts.key]);
    assert_eq!(world.jobs.counts(0).leased, 0);
}

#[test]
fn what_a_stopped_process_had_is_taken_back_at_once() {
    let world = World::new();
    let id = world.ask(1);
    let node = world.desk.node();
    let lost = world.desk.task(node, assay_service::workers::Place::Here, vec![], assay_service::clock::now_ms());
    assert_eq!(lost.unwrap().unwrap().job, id);
    let local = Local::new(world.desk.clone()).unwrap();
    assert_eq!(world.jobs.get(id).unwrap().unwrap().states.proof, Proving::Queued);
    drop(local);
}

/// A service that gives out tasks as they are sent to it, and says what it hears.
struct Fake {
    tasks: Mutex<Receiver<Task>>,
    heard: Sender<String>,
    away: AtomicUsize,
    beat: SourceError,
}

impl Source for Fake {
    fn task(&self, _: Vec<KeyDigest>) -> Result<Option<Task>, SourceError> {
        Ok(self.tasks.lock().unwrap().recv_timeout(Duration::from_millis(20)).ok())
    }

    fn file(&self, id: BlobId) -> Result<Vec<u8>, SourceError> {
        let _ = self.heard.send("file".into());
        // A file that does not come for as long as the worker is not told to stop.
        if id == BlobId([1; 32]) {
            std::thread::sleep(Duration::from_millis(1_500));
        }
        Err(SourceError::Refused("not here".into()))
    }

    fn heartbeat(&self, _: &Task, _: Progress) -> Result<(), SourceError> {
        let _ = self.heard.send("heartbeat".into());
        Err(self.beat.clone())
    }

    fn hand_in(&self, _: &Task, _: &Proved) -> Result<(), SourceError> {
        if self.away.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            let _ = self.heard.send("away".into());
            return Err(SourceError::Away("down".into()));
        }
        let _ = self.heard.send("handed in".into());
        Ok(())
    }

    fn let_go(&self, task: &Task, trouble: Option<&Trouble>) -> Result<(), SourceError> {
        let _ = self.heard.send(trouble.map_or(format!("given back {}", task.token), |trouble| trouble.code().into()));
        Ok(())
    }
}

fn fake(away: usize, beat: SourceError) -> (Fake, Sender<Task>, Receiver<String>) {
    let ((give, tasks), (heard, hear)) = (channel(), channel());
    (Fake { tasks: Mutex::new(tasks), heard, away: AtomicUsize::new(away), beat }, give, hear)
}

fn a_task(world: &World, circuit_file: BlobId) -> Task {
    world.ask(1);
    let (mut task, _) = world.task(assay_verifier::signature::PublicKey([1; 32])).unwrap();
    task.parts.circuit_file = circuit_file;
    task
}

#[test]
fn a_job_that_cannot_be_proven_is_let_go_with_the_reason() {
    let world = World::new();
    let (source, give, hear) = fake(0, SourceError::Stale);
    give.send(a_task(&world, BlobId([0; 32]))).unwrap();
    let pool = Pool::start(Box::new(source), world.provers.clone(), 1).unwrap();
    let heard: Vec<String> = (0..2).map(|_| hear.recv_timeout(LONG).unwrap()).collect();
    assert_eq!(heard, ["file", "parts_missing"]);
    drop(pool);
    assert!(hear.try_recv().is_err(), "nothing is let go twice");
}

#[test]
fn a_proof_is_handed_in_again_until_the_service_is_back() {
    let world = World::new();
    let (source, give, hear) = fake(2, SourceError::Away("down".into()));
    world.prover();
    give.send(a_task(&world, world.parts.circuit_file)).unwrap();
    let pool = Pool::start(Box::new(source), world.provers.clone(), 1).unwrap();
    let said = std::iter::from_fn(|| hear.recv_timeout(LONG).ok()).filter(|said| said != "heartbeat");
    assert_eq!(said.take(3).collect::<Vec<_>>(), ["away", "away", "handed in"]);
    drop(pool);
}

#[test]
fn what_a_pool_has_is_given_back_when_it_stops() {
    let world = World::new();
    let (source, give, hear) = fake(0, SourceError::Away("down".into()));
    let task = a_task(&world, BlobId([1; 32]));
    let token = task.token;
    give.send(task).unwrap();
    let pool = Pool::start(Box::new(source), world.provers.clone(), 1).unwrap();
    assert_eq!(hear.recv_timeout(LONG).unwrap(), "file");
    pool.stop();
    let said: Vec<String> = std::iter::from_fn(|| hear.try_recv().ok()).filter(|said| said != "heartbeat").collect();
    assert_eq!(said, [format!("given back {token}")], "before the thread has ended");
    drop(pool);
    assert!(std::iter::from_fn(|| hear.try_recv().ok()).all(|said| said == "heartbeat"));
}

#[test]
fn a_job_that_is_lost_is_neither_handed_in_nor_let_go() {
    let world = World::new();
    let (source, give, hear) = fake(0, SourceError::Stale);
    let first = a_task(&world, BlobId([1; 32]));
    let second = Task { token: first.token + 1, ..first.clone() };
    let lost = format!("given back {}", first.token);
    let pool = Pool::start(Box::new(source), world.provers.clone(), 1).unwrap();
    for task in [first, second] {
        give.send(task).unwrap();
        let mut heard: Vec<String> = (0..2).map(|_| hear.recv_timeout(LONG).unwrap()).collect();
        // The second may have to wait until nothing else is loaded.
        heard.sort();
        assert_eq!(heard, ["file", "heartbeat"]);
    }
    // Once the second is spoken of, the first is known to be lost.
    drop(pool);
    let said: Vec<String> = hear.try_iter().collect();
    assert!(
        !said.contains(&lost) && !said.contains(&"handed in".into()) && !said.contains(&"parts_missing".into()),
        "{said:?}"
    );
}
