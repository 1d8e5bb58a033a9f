//! The service's side of the work: gives tasks to workers and takes proofs from them.
//!
//! Secrets, that is what hides weights or inputs under a key, are given to workers of this process only, unless the operator says otherwise: jobs
//! under keys that hide something are not given to others then. A worker can get the files of the jobs it has and no others.
use std::sync::Arc;

use assay_verifier::circuit::Limits;
use assay_verifier::digest::KeyDigest;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::receipt::{RequestId, proof_digest};
use assay_verifier::signature::{PublicKey, SigningKey};
use assay_verifier::wire;
use thiserror::Error;

use super::cache::Cache;
use super::check::{Fault, check};
use super::task::{Parts, Task, Trouble};
use crate::jobs::{Able, Failure, Hold, Job, JobError, Jobs, Progress, ProofFile};
use crate::storage::{BlobError, BlobId, BlobStore};
use crate::values::Values;

/// What the service knows of models, as far as provers need it.
pub trait Catalogue: Send + Sync {
    /// What proofs of a job are made with, if its model is still here.
    fn parts(&self, job: &Job) -> Option<Parts>;

    /// The keys that hide something.
    fn hiding(&self) -> Vec<KeyDigest>;
}

/// Where a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this process.
    Here,
    /// Elsewhere, and to be told no secrets.
    Elsewhere,
    /// Elsewhere, and told everything: the operator says so.
    Trusted,
}

/// Why a worker gets nothing, or nothing is taken from it.
#[derive(Debug, Error)]
pub enum DeskError {
    /// The job is not the worker's, or the worker is quarantined, or the store.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The proof is refused. The worker is quarantined.
    #[error("the proof is refused: {0}")]
    Refused(#[from] Fault),
    /// The worker has no job that needs the file.
    #[error("the worker has no job that needs this file")]
    NoFile,
    /// The service cannot do its part.
    #[error("the service cannot check the proof now: {0}")]
    Unable(String),
}

/// What a desk needs.
pub struct Needs {
    /// Jobs.
    pub jobs: Arc<Jobs>,
    /// Files.
    pub blobs: Arc<dyn BlobStore>,
    /// Models.
    pub catalogue: Arc<dyn Catalogue>,
    /// The node's key, which signs receipts.
    pub node: SigningKey,
    /// Most bytes of loaded keys.
    pub keys_bytes_max: u64,
}

/// The desk.
pub struct Desk {
    jobs: Arc<Jobs>,
    blobs: Arc<dyn BlobStore>,
    catalogue: Arc<dyn Catalogue>,
    node: SigningKey,
    keys: Cache<KeyDigest, CheckedKey>,
}

/// Jobs that are looked at for one task: those without a model are ended on the way.
const LOOKED_AT: usize = 32;

fn unable(error: impl ToString) -> DeskError {
    DeskError::Unable(error.to_string())
}

impl Desk {
    /// Opens it.
    pub fn new(needs: Needs) -> Self {
        let Needs { jobs, blobs, catalogue, node, keys_bytes_max } = needs;
        Self { jobs, blobs, catalogue, node, keys: Cache::new(keys_bytes_max) }
    }

    /// The jobs.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// The node.
    pub fn node(&self) -> PublicKey {
        self.node.public()
    }

    /// Gives a worker what goes next, if there is anything for it.
    ///
    /// # Errors
    /// The worker is quarantined, or the store's.
    pub fn task(
        &self,
        worker: PublicKey,
        place: Place,
        loaded: Vec<KeyDigest>,
        now_ms: u64,
    ) -> Result<Option<Task>, DeskError> {
        let barred = if place == Place::Elsewhere { self.catalogue.hiding() } else { Vec::new() };
        let able = Able { loaded, barred };
        for _ in 0..LOOKED_AT {
            let Some(job) = self.jobs.lease(worker, able.clone(), now_ms)? else { return Ok(None) };
            let Some(hold) = Hold::of(&job) else { return Ok(None) };
            match self.fill(&job, hold)? {
                Some(task) => return Ok(Some(task)),
                None => {
                    let text = "the model is not here any more".to_owned();
                    let failure = Failure { code: "model_gone".into(), text, retryable: false, attempt: 0 };
                    self.jobs.give_up(hold, failure, now_ms)?;
                }
            }
        }
        Ok(None)
    }

    fn fill(&self, job: &Job, hold: Hold) -> Result<Option<Task>, DeskError> {
        let (Some(parts), Some(payload), Some(answered)) =
            (self.catalogue.parts(job), self.jobs.payload(job.id)?, &job.answered)
        else {
            return Ok(None);
        };
        let Values::Integers(inputs) = payload.inputs else { return Ok(None) };
        Ok(Some(Task {
            job: job.id,
            token: hold.token,
            lease_ms: self.jobs.rules().lease_ms,
            cost_us: job.cost_us,
            parts,
            inputs,
            commitment: payload.commitment,
            context: answered.receipt.digest(),
        }))
    }

    /// A file that a worker needs for a job it has.
    ///
    /// # Errors
    /// It has no such job, or the store's.
    pub fn file(&self, worker: PublicKey, id: BlobId) -> Result<Vec<u8>, DeskError> {
        let needs = |job: RequestId| {
            let parts = self.jobs.get(job)?.and_then(|job| self.catalogue.parts(&job));
            Ok(parts.is_some_and(|parts| parts.circuit_file == id || parts.key_file == id))
        };
        for job in self.jobs.held_by(worker) {
            if needs(job).map_err(DeskError::Job)? {
                return self.blobs.get(id).map_err(unable);
            }
        }
        Err(DeskError::NoFile)
    }

    /// Hears that a worker is alive.
    ///
    /// # Errors
    /// It does not have the job any more.
    pub fn heartbeat(&self, hold: Hold, progress: Progress, now_ms: u64) -> Result<(), DeskError> {
        Ok(self.jobs.heartbeat(hold, progress, now_ms)?)
    }

    /// Takes a proof: checks it, stores it, and signs the receipt that names it.
    ///
    /// # Errors
    /// The worker does not have the job any more; the proof is refused, then the worker is quarantined and the job goes on elsewhere; or the
    /// service cannot check it, then the job waits.
    pub fn hand_in(&self, hold: Hold, proof: &[u8], prove_us: u64, now_ms: u64) -> Result<Job, DeskError> {
        let job = self.jobs.hand_in(hold, now_ms)?;
        match self.take(&job, hold, proof, prove_us, now_ms) {
            Err(DeskError::Refused(fault)) => {
                // The proof itself may show inputs: what is kept of it is its digest.
                let (digest, size) = (proof_digest(proof), proof.len());
                let (worker, code) = (hold.worker, fault.code());
                tracing::warn!(%worker, job = %job.id, code, %fault, proof = %digest, size, "a worker is quarantined");
                self.jobs.quarantine(hold.worker, fault.code(), &fault.to_string(), now_ms)?;
                Err(DeskError::Refused(fault))
            }
            Err(DeskError::Unable(reason)) => {
                tracing::error!(job = %job.id, reason, "a proof cannot be checked");
                let text = "the service could not check the proof".to_owned();
                let failure = Failure { code: "check".into(), text, retryable: true, attempt: 0 };
                self.jobs.give_up(hold, failure, now_ms)?;
                Err(DeskError::Unable(reason))
            }
            taken => taken,
        }
    }

    fn take(&self, job: &Job, hold: Hold, proof: &[u8], prove_us: u64, now_ms: u64) -> Result<Job, DeskError> {
        let answered = job.answered.as_ref().ok_or_else(|| unable("the job has no receipt"))?;
        let key = self.key(job)?;
        check(&answered.receipt, &key, proof)?;
        let blob = self.blobs.put(proof).map_err(unable)?;
        let file = ProofFile { digest: proof_digest(proof), blob, size: proof.len() as u64, prove_us };
        let receipt = answered.receipt.proven(proof).sign(&self.node);
        Ok(self.jobs.prove(hold, file, receipt, now_ms)?)
    }

    /// The key that a job's proof is checked with: the one that its receipt names.
    fn key(&self, job: &Job) -> Result<Arc<CheckedKey>, DeskError> {
        let proving = job.proving.ok_or_else(|| unable("the job needs no proof"))?;
        self.keys.get(proving.key, || {
            let parts = self.catalogue.parts(job).ok_or_else(|| unable("the model is not here any more"))?;
            let bytes = self.blobs.get(parts.key_file).map_err(|error: BlobError| unable(error))?;
            let key: Key = wire::decode(&bytes).map_err(unable)?;
            let checked = CheckedKey::new(&key, &Limits::default()).map_err(unable)?;
            if checked.digest() != proving.key {
                return Err(unable("the key's file is of another key"));
            }
            Ok((checked, 4 * bytes.len() as u64))
        })
    }

    /// Takes a job back from a worker that cannot prove it or stops.
    ///
    /// # Errors
    /// It does not have the job any more.
    pub fn let_go(&self, hold: Hold, trouble: Option<&Trouble>, now_ms: u64) -> Result<(), DeskError> {
        let Some(trouble) = trouble else { return Ok(self.jobs.give_back(hold, now_ms)?) };
        let (code, text) = (trouble.code().to_owned(), trouble.text());
        tracing::warn!(worker = %hold.worker, job = %hold.job, code, text, "a worker cannot prove a job");
        Ok(self.jobs.give_up(hold, Failure { code, text, retryable: true, attempt: 0 }, now_ms)?)
    }
}
