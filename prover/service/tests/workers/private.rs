//! What hides inputs and weights stays in this process, and proofs open what the answer committed to.
use assay_service::clock::now_ms;
use assay_service::workers::{DeskError, Fault, Place};
use assay_verifier::key::Engine;
use assay_verifier::signature::PublicKey;

use super::world::World;

#[test]
fn secrets_are_for_workers_of_this_process_unless_the_operator_says_otherwise() {
    let world = World::hiding();
    let id = world.ask(1);
    assert_eq!(world.engine(), Engine::Halo2);
    let worker = PublicKey([1; 32]);
    assert!(world.desk.task(worker, Place::Elsewhere, vec![], now_ms()).unwrap().is_none());
    let task = world.desk.task(worker, Place::Here, vec![], now_ms()).unwrap().unwrap();
    assert!(task.parts.secret.is_some() && task.commitment.is_some());
    let shown = format!("{task:?}");
    assert!(!shown.contains("inputs") && !shown.contains("secret"), "{shown}");
    let hold = assay_service::jobs::Hold { job: id, worker, token: task.token };
    // A proof with another commitment to the same inputs is of another statement.
    let other = assay_service::workers::Task { commitment: None, ..task.clone() };
    let receipt = world.jobs.get(id).unwrap().unwrap().answered.unwrap().receipt;
    assert_eq!(assay_service::workers::check(&receipt, &world.key, &world.proof(&other)), Err(Fault::Inputs));
    world.desk.hand_in(hold, &world.proof(&task), 1, now_ms()).unwrap();
    world.check_ready(id);
    world.ask(2);
    assert!(world.desk.task(worker, Place::Trusted, vec![], now_ms()).unwrap().is_some());
}

#[test]
fn a_key_that_hides_nothing_may_go_anywhere() {
    let world = World::new();
    world.ask(1);
    let worker = PublicKey([1; 32]);
    let task = world.desk.task(worker, Place::Elsewhere, vec![], now_ms()).unwrap().unwrap();
    assert_eq!((task.parts.secret, task.commitment), (None, None));
    assert!(matches!(world.desk.file(PublicKey([2; 32]), task.parts.key_file), Err(DeskError::NoFile)));
}
