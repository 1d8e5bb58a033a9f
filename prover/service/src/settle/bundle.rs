//! The audit bundle of a job: one file with all that an auditor needs, put together from what is kept.
use assay_verifier::audit::{Answer, Bundle, Evidence, Ledger, Proven};
use assay_verifier::receipt::Backend;
use assay_verifier::statement::Inputs;
use assay_verifier::wire::{self, Bytes, WireError};
use thiserror::Error;

use crate::jobs::{Job, JobError, Jobs, Payload};
use crate::models::Models;
use crate::storage::{BlobError, BlobStore};

/// What of a request is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// All but what is private.
    Public,
    /// All of it, because the owner says so.
    All,
    /// Neither the request nor the answer where that is not needed for a proof.
    Nothing,
}

/// Why there is no bundle.
#[derive(Debug, Error)]
pub enum BundleError {
    /// There is no answer yet, so no receipt.
    #[error("there is no answer yet")]
    NoAnswer,
    /// The key of a proof is not there.
    #[error("the key of the proof is not there")]
    NoKey,
    /// What is kept is not there any more.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The job's payload cannot be read.
    #[error(transparent)]
    Jobs(#[from] JobError),
    /// What is kept is of another version.
    #[error("the evidence is of another version: {0}")]
    Evidence(#[from] WireError),
}

/// A job's bundle, of the stores of a service.
///
/// # Errors
/// There is no answer yet, or something that was kept is lost.
pub fn kept(jobs: &Jobs, models: &Models, blobs: &dyn BlobStore, job: &Job, show: Show) -> Result<Bundle, BundleError> {
    let payload = jobs.payload(job.id)?;
    let key = || blobs.get(models.key(job.proving?.key)?.blob).ok();
    bundle(job, payload.as_ref(), blobs, key, show)
}

/// Puts a job's bundle together. The key's file is asked for only if there is a proof.
///
/// # Errors
/// There is no answer yet, or something that was kept is lost.
pub fn bundle(
    job: &Job,
    payload: Option<&Payload>,
    blobs: &dyn BlobStore,
    key: impl FnOnce() -> Option<Vec<u8>>,
    show: Show,
) -> Result<Bundle, BundleError> {
    let receipt = job.answered.clone().ok_or(BundleError::NoAnswer)?;
    let payload = payload.filter(|payload| match show {
        Show::Public => payload.commitment.is_none(),
        Show::All => true,
        Show::Nothing => false,
    });
    let evidence = match (&job.proof, &job.proven) {
        // What the receipt claims; a proof that was asked for later changes no receipt.
        (Some(proof), Some(proven)) if job.backend == Backend::Zkml => {
            let key = Bytes(key().ok_or(BundleError::NoKey)?);
            let proof = Bytes(blobs.get(proof.blob)?);
            Evidence::Proof(Box::new(Proven { receipt: proven.clone(), proof, key }))
        }
        _ if job.backend == Backend::Zkml => Evidence::Signature,
        _ => answer(job, payload).map_or(Evidence::Signature, Evidence::Answer),
    };
    let kept = job.settled.and_then(|settled| settled.evidence);
    let ledger = kept.map(|evidence| ledger(blobs, evidence)).transpose()?;
    let request = payload.map(|payload| payload.request.clone());
    Ok(Bundle { receipt, request, records: Vec::new(), evidence, ledger })
}

/// The integers of an answer that is not proven.
fn answer(job: &Job, payload: Option<&Payload>) -> Option<Answer> {
    let inputs = Inputs::Public(payload?.inputs.integers()?.to_vec());
    Some(Answer { inputs, outputs: job.outputs.as_ref()?.integers()?.to_vec() })
}

/// What the settler kept of the ledger.
fn ledger(blobs: &dyn BlobStore, evidence: crate::storage::BlobId) -> Result<Ledger, BundleError> {
    Ok(wire::decode_untagged(&blobs.get(evidence)?)?)
}
