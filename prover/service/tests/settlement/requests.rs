//! Requests as jobs: accepted, paid for, answered, proven. What the rest of the service does to them is done here step by step.
use assay_service::clock::now_ms;
use assay_service::jobs::states::{Execution, Payment, Proving as Proof, Settlement, States};
use assay_service::jobs::{Job, JobError, Owner, Payload, ProofFile};
use assay_service::payments;
use assay_service::storage::BlobStore;
use assay_service::values::Values;
use assay_verifier::receipt::{
    Backend, Claim, Grade, Program, Receipt, RequestId, SignedReceipt, Subject, proof_digest, request_digest,
};
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::statement::{Inputs, outputs_digest};
use assay_verifier::wire::Bytes;

use crate::model::{manifest, model};
use crate::world::{CHAIN, LONGEST, Who, World, key, secret};

/// What a payer authorises, and what an answer costs.
pub const AMOUNT: u64 = 100;
pub const PRICE: u64 = 70;
pub const WITHIN_MS: u64 = 3_600_000;

/// Request `number`: the payer never uses a number twice.
#[derive(Clone, Copy)]
pub struct Request {
    pub number: u64,
    pub backend: Backend,
    pub deadline_ms: u64,
}

impl Request {
    pub fn new(number: u64, backend: Backend) -> Self {
        Self { number, backend, deadline_ms: now_ms() + WITHIN_MS }
    }

    pub fn bytes(&self) -> Vec<u8> {
        format!("request {}", self.number).into_bytes()
    }

    pub fn authorisation(&self) -> Authorisation {
        Authorisation {
            payer: key(Who::Payer),
            client_nonce: self.number,
            request_digest: request_digest(&self.bytes()),
            node: key(Who::Node),
            model: manifest().id(),
            backend: self.backend,
            amount: AMOUNT,
            deadline_ms: self.deadline_ms,
        }
    }

    pub fn id(&self) -> RequestId {
        self.authorisation().request_id(CHAIN)
    }

    /// Accepted, with what its payer signed.
    pub fn accept(&self, world: &World) -> RequestId {
        let authorisation = self.authorisation();
        let payment = payments::Payment::sign(authorisation, CHAIN, &secret(Who::Payer));
        let states = States {
            execution: Execution::Pending,
            proof: Proof::None,
            settlement: Settlement::None,
            payment: Payment::Authorised,
        };
        let job = Job {
            id: self.id(),
            owner: Owner("tester".into()),
            model: authorisation.model,
            model_name: "tester/digits/1".into(),
            program: Program::Circuit(model().circuit()),
            backend: self.backend,
            proving: (self.backend == Backend::Zkml).then(|| model().proving()),
            payer: authorisation.payer,
            client_nonce: self.number,
            request_digest: authorisation.request_digest,
            price: PRICE,
            authorised: Some(payment.authorised()),
            created_ms: now_ms(),
            deadline_ms: Some(self.deadline_ms),
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
        let inputs = Values::Integers(model().inputs(self.number).clone());
        let payload = Payload { request: Bytes(self.bytes()), inputs, commitment: None };
        world.jobs.accept(job, payload, None, now_ms()).unwrap();
        self.id()
    }

    /// Accepted, and money is set aside.
    pub fn reserve(&self, world: &World) -> RequestId {
        let id = self.accept(world);
        world.reserver.reserve(&world.jobs, id, LONGEST).unwrap();
        id
    }

    /// The receipt that goes with the answer.
    pub fn receipt(&self) -> SignedReceipt {
        let zkml = self.backend == Backend::Zkml;
        let receipt = Receipt {
            chain_id: CHAIN.into(),
            request: self.id(),
            payer: key(Who::Payer),
            client_nonce: self.number,
            request_digest: request_digest(&self.bytes()),
            model: manifest().id(),
            subject: Subject::Circuit(model().circuit()),
            backend: self.backend,
            claim: match self.backend {
                Backend::Zkml => Claim::Proven,
                Backend::Tee => Claim::Attested,
                Backend::Vanilla => Claim::SignedOnly,
            },
            grade: if self.backend == Backend::Tee { Grade::Simulated } else { Grade::Production },
            proving: zkml.then(|| model().proving()),
            inputs: Inputs::Public(model().inputs(self.number).clone()).digest(),
            records: Vec::new(),
            outputs: outputs_digest(&model().outputs(self.number)),
            node: key(Who::Node),
            price: PRICE,
            time_ms: 1_000 + self.number,
            proven: None,
        };
        receipt.sign(&secret(Who::Node))
    }

    /// A proof of the answer.
    pub fn proof(&self) -> Vec<u8> {
        model().prove(self.number, &self.receipt().receipt.digest().0)
    }

    /// Answered.
    pub fn answer(&self, world: &World) {
        let (receipt, outputs) = (self.receipt(), model().outputs(self.number));
        let queued = self.backend == Backend::Zkml;
        change(world, self.id(), |job| job.states.execution = Execution::Running);
        change(world, self.id(), move |job| {
            job.states.execution = Execution::Done;
            job.answered = Some(receipt);
            job.outputs = Some(Values::Integers(outputs));
            if queued {
                job.states.proof = Proof::Queued;
            }
        });
    }

    /// With a proof, which is not looked at here.
    pub fn prove(&self, world: &World, proof: &[u8]) {
        let file = ProofFile {
            digest: proof_digest(proof),
            blob: world.blobs.put(proof).unwrap(),
            size: proof.len() as u64,
            prove_us: 1,
        };
        let proven = self.receipt().receipt.proven(proof).sign(&secret(Who::Node));
        for state in [Proof::Assigned, Proof::Proving, Proof::Verifying] {
            change(world, self.id(), move |job| job.states.proof = state);
        }
        change(world, self.id(), move |job| {
            job.states.proof = Proof::Ready;
            job.proof = Some(file);
            job.proven = Some(proven);
        });
    }

    /// All of it: ready to be settled.
    pub fn finish(&self, world: &World) -> RequestId {
        let id = self.reserve(world);
        self.answer(world);
        if self.backend == Backend::Zkml {
            self.prove(world, &self.proof());
        }
        id
    }
}

pub fn change(world: &World, id: RequestId, change: impl FnOnce(&mut Job) + Send + 'static) {
    let changed: Result<(), JobError> = world.jobs.change(id, now_ms(), |job| {
        change(job);
        Ok(())
    });
    changed.unwrap();
}
