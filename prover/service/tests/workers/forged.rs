//! What a worker can hand in that is not the proof of this answer: each is refused for its own reason, and costs the worker its place.
use assay_prover::file::{CheckedFile, CircuitFile};
use assay_service::clock::now_ms;
use assay_service::jobs::states::Proving;
use assay_service::jobs::{Hold, JobError};
use assay_service::workers::{DeskError, Fault};
use assay_verifier::digest::{CircuitDigest, KeyDigest};
use assay_verifier::receipt::{Proving as Under, Receipt, Subject};
use assay_verifier::signature::PublicKey;
use assay_verifier::statement::{Inputs, Proof, Statement};
use assay_verifier::wire;

use super::world::{MODEL, World};

/// Changes a proof, and encodes it.
fn with(proof: &[u8], change: impl FnOnce(&mut Proof)) -> Vec<u8> {
    let mut proof: Proof = wire::decode(proof).unwrap();
    change(&mut proof);
    wire::encode(&proof)
}

/// What a proof states.
fn stated(proof: &[u8]) -> Statement {
    wire::decode::<Proof>(proof).unwrap().statement
}

#[test]
fn every_forgery_is_refused_and_costs_the_worker_its_place() {
    let world = World::new();
    let id = world.ask(1);
    let other = world.ask(2);
    let (_, hold) = world.task(PublicKey([200; 32])).unwrap();
    let (task, _) = world.task(PublicKey([201; 32])).unwrap();
    assert_eq!((hold.job, task.job), (id, other));
    let (inputs, of_other) = (world.inputs(1), world.proof(&task));
    let context = world.jobs.get(id).unwrap().unwrap().answered.unwrap().receipt.digest();
    let honest = wire::encode(&world.prover().prove(&inputs, None, &context).unwrap());
    // The same model with another weight: another key.
    let mut weights = MODEL.weights.clone();
    weights[0][0] += 1;
    let changed = CheckedFile::new(CircuitFile::new(MODEL.circuit.clone(), weights, MODEL.report.clone()).unwrap());
    let of_changed = wire::encode(&changed.unwrap().prover().unwrap().prove(&inputs, &context.0).unwrap());
    let short = wire::encode(&world.prover().prove(&inputs, None, &context).unwrap())[..100].to_vec();
    let trailing = [honest.as_slice(), &[0]].concat();
    let forgeries: Vec<(&str, Vec<u8>)> = vec![
        ("proof_encoding", Vec::new()),
        ("proof_encoding", b"nothing like a proof".to_vec()),
        ("proof_encoding", short),
        ("proof_encoding", trailing),
        ("proof_context", of_other.clone()),
        ("proof_context", with(&honest, |proof| proof.statement.context.push(0))),
        ("proof_context", with(&honest, |proof| proof.statement.context.clear())),
        ("proof_key", of_changed.clone()),
        ("proof_key", with(&honest, |proof| proof.statement.key = KeyDigest([0; 32]))),
        ("proof_invalid", with(&of_changed, |proof| proof.statement = stated(&honest))),
        ("proof_inputs", with(&honest, |proof| proof.statement.inputs = Inputs::Public(world.inputs(2)))),
        ("proof_outputs", with(&honest, |proof| proof.statement.outputs[0][0] += 1)),
        ("proof_invalid", with(&of_other, |proof| proof.statement = stated(&honest))),
        ("proof_invalid", with(&honest, |proof| proof.argument.as_sumcheck_mut().unwrap().root = [7; 32])),
    ];
    let mut hold = hold;
    for (number, (code, forgery)) in (1u8..).zip(forgeries) {
        match world.desk.hand_in(hold, &forgery, 1, now_ms()) {
            Err(DeskError::Refused(fault)) => assert_eq!(fault.code(), code, "{number}: {fault}"),
            other => panic!("{number}: {other:?}"),
        }
        let job = world.jobs.get(id).unwrap().unwrap();
        assert_eq!((job.states.proof, job.proof, job.proven), (Proving::Queued, None, None));
        let quarantined = world.jobs.quarantined();
        assert!(quarantined.iter().any(|entry| entry.worker == hold.worker));
        let asked = world.desk.task(hold.worker, assay_service::workers::Place::Here, vec![], now_ms());
        assert!(matches!(asked, Err(DeskError::Job(JobError::Quarantined(_)))));
        // The job is not the forger's any more, not even for the right proof.
        let again = world.desk.hand_in(hold, &honest, 1, now_ms());
        assert!(matches!(again, Err(DeskError::Job(JobError::Stale))));
        // The next worker has it.
        let Some((task, next)) = world.task(PublicKey([number; 32])) else { break };
        assert_eq!(task.job, id);
        hold = next;
        if number == 9 {
            // Ten in a row would end the proof.
            let fresh = world.jobs.change(id, now_ms(), |job| {
                job.attempts = 1;
                Ok(())
            });
            fresh.unwrap();
        }
    }
    world.desk.hand_in(hold, &honest, 1, now_ms()).unwrap();
    world.check_ready(id);
}

#[test]
fn a_lease_that_is_not_the_workers_is_refused_without_harm() {
    let world = World::new();
    let id = world.ask(1);
    let (task, hold) = world.task(PublicKey([1; 32])).unwrap();
    let proof = world.proof(&task);
    for wrong in [Hold { token: hold.token + 1, ..hold }, Hold { worker: PublicKey([2; 32]), ..hold }] {
        let handed_in = world.desk.hand_in(wrong, b"forged", 1, now_ms());
        assert!(matches!(handed_in, Err(DeskError::Job(JobError::Stale))), "{handed_in:?}");
    }
    assert!(world.jobs.quarantined().is_empty());
    world.desk.hand_in(hold, &proof, 1, now_ms()).unwrap();
    world.check_ready(id);
}

#[test]
fn the_receipt_says_what_the_proof_must_be_of() {
    let world = World::new();
    let id = world.ask(1);
    let (task, _) = world.task(PublicKey([1; 32])).unwrap();
    let proof = world.proof(&task);
    let receipt = world.jobs.get(id).unwrap().unwrap().answered.unwrap().receipt;
    let check = |receipt: &Receipt| assay_service::workers::check(receipt, &world.key, &proof);
    assert_eq!(check(&receipt), Ok(()));
    assert_eq!(
        check(&Receipt { subject: Subject::Circuit(CircuitDigest([0; 32])), ..receipt.clone() }),
        Err(Fault::Context)
    );
    assert_eq!(check(&Receipt { proving: None, ..receipt.clone() }), Err(Fault::Key));
    let other = receipt.proving.map(|proving| Under { key: KeyDigest([0; 32]), ..proving });
    assert_eq!(check(&Receipt { proving: other, ..receipt }), Err(Fault::Key));
}

#[test]
fn a_worker_gets_the_files_of_its_jobs_and_no_others() {
    let world = World::new();
    world.ask(1);
    let worker = PublicKey([1; 32]);
    let parts = world.parts.clone();
    assert!(matches!(world.desk.file(worker, parts.circuit_file), Err(DeskError::NoFile)));
    let (task, hold) = world.task(worker).unwrap();
    for file in [parts.circuit_file, parts.key_file] {
        assert!(world.desk.file(worker, file).is_ok());
        assert!(matches!(world.desk.file(PublicKey([2; 32]), file), Err(DeskError::NoFile)));
    }
    let other = assay_service::storage::BlobStore::put(world.blobs.as_ref(), b"evidence").unwrap();
    assert!(matches!(world.desk.file(worker, other), Err(DeskError::NoFile)));
    world.desk.hand_in(hold, &world.proof(&task), 1, now_ms()).unwrap();
    assert!(matches!(world.desk.file(worker, parts.circuit_file), Err(DeskError::NoFile)));
}
