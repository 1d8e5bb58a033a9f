//! The service on a chain elsewhere: one paid answer, from its reservation to a bundle that is audited against the chain's first validators.
use std::sync::Arc;

use assay_ledger::tx::{Evidence, Payload, Reserve, Settle};
use assay_service::clock::now_ms;
use assay_service::jobs::states::{Execution, Payment, Proving, Settlement, States};
use assay_service::jobs::{self, Authorised, Job, JobError, Jobs, Owner, ProofFile, Rules};
use assay_service::ledger::remote::Remote;
use assay_service::ledger::{Ledger, Sender};
use assay_service::payments::reserve::Reserver;
use assay_service::settle::bundle::{Show, bundle};
use assay_service::settle::{Parts, Rounds};
use assay_service::storage::{BlobStore, FileBlobs};
use assay_service::values::Values;
use assay_verifier::audit::{Question, audit};
use assay_verifier::key::Engine;
use assay_verifier::receipt::proof_digest;
use assay_verifier::settlement::light::Root;

use crate::PATIENCE;
use crate::model::Service;
use crate::network::until;
use crate::people::{Who, secret};
use crate::request::{PRICE, Request};

/// The request; those of the load have other numbers.
const NUMBER: u64 = 2;

/// Settles an answer by the validator at an address.
pub fn settled(address: &str, service: &Service) {
    let ledger = Arc::new(Remote::connect(address, None).expect("the validator answers"));
    let trust = ledger.trust().clone();
    assert!(Remote::connect(address, Some(trust.clone())).is_ok());
    let other = assay_verifier::audit::Trust { root: Root::Validators([1; 32]), ..trust.clone() };
    assert!(Remote::connect(address, Some(other)).is_err(), "other validators are not believed");

    let folder = tempfile::tempdir().expect("there is room");
    let jobs = Arc::new(Jobs::open(&folder.path().join("jobs"), Rules::default(), now_ms()).expect("it is made"));
    let blobs = Arc::new(FileBlobs::open(&folder.path().join("blobs")).expect("it is made"));
    let sender = Arc::new(Sender::start(ledger.clone(), secret(Who::Node)).expect("the validator answers"));
    let request = Request::new(service, NUMBER);
    let (Payload::Reserve(paid), Payload::Settle(shown)) = (request.reserve(), request.settle(Engine::Sumcheck)) else {
        unreachable!("these are their kinds")
    };
    accept(&jobs, &paid, &shown);
    let id = request.id();
    Reserver::new(ledger.clone(), sender.clone()).reserve(&jobs, id, PATIENCE).expect("the money is there");
    prove(&jobs, &*blobs, *shown);

    let parts = Parts {
        jobs: jobs.clone(),
        ledger: ledger.clone(),
        sender,
        blobs: blobs.clone(),
        provable: Arc::new(|_| None),
    };
    let mut rounds = Rounds::new(parts);
    let job = || jobs.get(id).expect("it can be read").expect("it is there");
    until("the settlement is verified", || {
        rounds.round(now_ms()).expect("the validator answers");
        job().states.settlement == Settlement::Verified
    });
    assert_eq!(job().states.payment, Payment::Captured);
    let (_, key) = service.keys().swap_remove(0);
    let payload = jobs.payload(id).expect("it can be read");
    let bundle =
        bundle(&job(), payload.as_ref(), &*blobs, || Some(key.clone()), Show::Nothing).expect("all of it is there");
    let report = audit(&bundle, &trust, &Question::default());
    assert!(report.holds(), "{:?}", report.rows);
    assert_eq!(report.settlement.map(|settlement| settlement.price), Some(PRICE));
}

fn accept(jobs: &Jobs, paid: &Reserve, shown: &Settle) {
    let (Reserve { authorisation, signature }, receipt) = (paid.clone(), &shown.receipt.receipt);
    let states = States {
        execution: Execution::Pending,
        proof: Proving::None,
        settlement: Settlement::None,
        payment: Payment::Authorised,
    };
    let job = Job {
        id: receipt.request,
        owner: Owner("network".into()),
        model: receipt.model,
        model_name: "network/digits/1".into(),
        program: receipt.program().expect("a circuit answered"),
        backend: receipt.backend,
        proving: receipt.proving,
        payer: receipt.payer,
        client_nonce: receipt.client_nonce,
        request_digest: receipt.request_digest,
        price: receipt.price,
        authorised: Some(Authorised { authorisation, signature }),
        created_ms: now_ms(),
        deadline_ms: Some(authorisation.deadline_ms),
        cost_us: 10_000,
        states,
        failure: None,
        attempts: 0,
        lease: None,
        not_before_ms: 0,
        outputs: None,
        answered: None,
        proven: None,
        proof: None,
        reserved: None,
        submitted: None,
        settled: None,
        updated_ms: now_ms(),
    };
    // The request of this test is known by a digest that is none of bytes, so they are withheld.
    let payload = jobs::Payload { request: Default::default(), inputs: Values::Integers(Vec::new()), commitment: None };
    jobs.accept(job, payload, None, now_ms()).expect("there is room");
}

fn prove(jobs: &Jobs, blobs: &dyn BlobStore, shown: Settle) {
    let Settle { receipt, evidence: Evidence::Proof(proof) } = shown else { unreachable!("it has a proof") };
    let id = receipt.receipt.request;
    let change = |change: Box<dyn FnOnce(&mut Job) + Send>| {
        let changed: Result<(), JobError> = jobs.change(id, now_ms(), |job| {
            change(job);
            Ok(())
        });
        changed.expect("it may change so");
    };
    let file = ProofFile {
        digest: proof_digest(&proof.0),
        blob: blobs.put(&proof.0).expect("there is room"),
        size: proof.0.len() as u64,
        prove_us: 1,
    };
    let proven = receipt.receipt.proven(&proof.0).sign(&secret(Who::Node));
    change(Box::new(|job| job.states.execution = Execution::Running));
    change(Box::new(|job| {
        job.states.execution = Execution::Done;
        job.states.proof = Proving::Queued;
        job.answered = Some(receipt);
    }));
    for state in [Proving::Assigned, Proving::Proving, Proving::Verifying] {
        change(Box::new(move |job| job.states.proof = state));
    }
    change(Box::new(move |job| {
        job.states.proof = Proving::Ready;
        job.proof = Some(file);
        job.proven = Some(proven);
    }));
}
