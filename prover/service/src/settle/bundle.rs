//! The audit bundle of a job: one file with all that an auditor needs, put together from what is kept.
use assay_verifier::audit::{Answer, Bundle, Evidence, Ledger, Proven, RealAnswer, SampleProof};
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{Backend, Receipt};
use assay_verifier::statement::Inputs;
use assay_verifier::wire::{self, Bytes, WireError};
use thiserror::Error;

use crate::jobs::{Job, JobError, Jobs, Payload};
use crate::models::Models;
use crate::storage::{BlobError, BlobId, BlobStore};
use crate::values::Values;

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
    key: impl Fn() -> Option<Vec<u8>>,
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
        _ => answer(job, payload).unwrap_or(Evidence::Signature),
    };
    let kept = job.settled.and_then(|settled| settled.evidence);
    let mut ledger = kept.map(|evidence| ledger(blobs, evidence)).transpose()?;
    if let (Some(sample), Some(proof)) = (ledger.as_mut().and_then(|ledger| ledger.sample.as_mut()), &job.proof) {
        let key = Bytes(key().ok_or(BundleError::NoKey)?);
        sample.proof = Some(Box::new(SampleProof { proof: Bytes(blobs.get(proof.blob)?), key }));
    }
    let records = payload.map(|_| records(&receipt.receipt, blobs)).transpose()?.unwrap_or_default();
    let request = payload.map(|payload| payload.request.clone());
    Ok(Bundle { receipt, request, records, evidence, ledger })
}

/// An answer that is not proven.
fn answer(job: &Job, payload: Option<&Payload>) -> Option<Evidence> {
    Some(match (&payload?.inputs, job.outputs.as_ref()?) {
        (Values::Integers(inputs), Values::Integers(outputs)) => {
            Evidence::Answer(Answer { inputs: Inputs::Public(inputs.clone()), outputs: outputs.clone() })
        }
        (Values::Reals(inputs), Values::Reals(outputs)) => {
            Evidence::Reals(RealAnswer { inputs: inputs.clone(), outputs: outputs.clone() })
        }
        _ => return None,
    })
}

/// The files of the records that inputs were taken from, which lie under their digests. None if one of them is not kept any more.
fn records(receipt: &Receipt, blobs: &dyn BlobStore) -> Result<Vec<Bytes>, BlobError> {
    let read = |digest: &Digest32| blobs.get(BlobId(digest.0)).map(Bytes);
    match receipt.records.iter().map(read).collect() {
        Err(BlobError::Missing(_)) => Ok(Vec::new()),
        read => read,
    }
}

/// What the settler kept of the ledger.
fn ledger(blobs: &dyn BlobStore, evidence: BlobId) -> Result<Ledger, BundleError> {
    Ok(wire::decode_untagged(&blobs.get(evidence)?)?)
}
