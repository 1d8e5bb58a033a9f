//! Jobs as answers show them, and `GET /v1/jobs`, `GET /v1/jobs/{id}`, `POST /v1/jobs/{id}/cancel`.
use std::sync::Arc;

use assay_verifier::proxied::{Ending, Forwarded};
use assay_verifier::receipt::{RequestId, SignedReceipt, Subject};
use assay_verifier::wire;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::blocking;
use super::caller::{Allowed, Infers, Reads};
use super::models::{FailureOut, PageQuery};
use super::problem::Problem;
use crate::access::Caller;
use crate::clock::now_ms;
use crate::inference::{Assurance, TensorOut, claim, mode};
use crate::jobs::{Filter, Job, JobError};
use crate::serve::Service;

/// Most jobs on a page.
const PAGE_MAX: usize = 100;

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobOut {
    /// The request's identity: of the job, the receipt, and on the ledger.
    pub id: String,
    /// `publisher/name/version`.
    pub model: String,
    /// `zkml`, `tee` or `vanilla`.
    pub mode: String,
    /// What proves it.
    pub engine: Option<String>,
    /// The key of the proof.
    pub key: Option<String>,
    /// The four states.
    pub states: StatesOut,
    /// The answer.
    pub outputs: Option<Vec<TensorOut>>,
    /// The latest receipt.
    pub receipt: Option<ReceiptOut>,
    /// What stands behind the answer.
    pub assurance: Option<Assurance>,
    /// The proof, once it is there.
    pub proof: Option<ProofOut>,
    /// How far it is, while it is proven.
    pub progress: Option<ProgressOut>,
    /// Jobs before it, while it waits.
    pub queue_position: Option<u64>,
    /// When the proof is expected, in milliseconds from now.
    pub eta_ms: Option<u64>,
    /// What is charged.
    pub price: u64,
    /// Its record on the ledger.
    pub settled: Option<SettledOut>,
    /// What went wrong last.
    pub failure: Option<FailureOut>,
    /// When it was accepted, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it changed last.
    pub updated_ms: u64,
}

/// The states of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatesOut {
    /// `pending`, `running`, `done` or `failed`.
    pub execution: String,
    /// `none`, `queued`, `assigned`, `proving`, `verifying`, `ready`, `failed`, `cancelled` or `expired`.
    pub proof: String,
    /// `none`, `submitted`, `included`, `verified` or `rejected`.
    pub settlement: String,
    /// `none`, `authorised`, `reserved`, `captured`, `released` or `refunded`.
    pub payment: String,
    /// Whether nothing will happen any more.
    pub over: bool,
}

/// A receipt.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReceiptOut {
    /// 0 goes with the answer, 1 names the proof.
    pub version: u8,
    /// Its digest. That of version 0 is the context of the proof.
    pub digest: String,
    /// What it claims: `proven`, `attested`, `proxied` or `signed-only`.
    pub claim: String,
    /// The ledger.
    pub chain_id: String,
    /// Who signed it.
    pub node: String,
    /// Who pays.
    pub payer: String,
    /// Digest of the exact bytes of the request.
    pub request_digest: String,
    /// Digest of the inputs, or of the commitment that hides them; of the request that an upstream was sent.
    pub inputs_digest: String,
    /// Digests of records of fetched data that inputs were taken from.
    pub records: Vec<String>,
    /// Digest of the integers of the outputs, or of the body of an upstream's answer.
    pub outputs_digest: String,
    /// The upstream that answered, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<UpstreamOut>,
    /// Of version 1, the proof's digest.
    pub proof: Option<String>,
    /// When the answer was given, in milliseconds since 1970.
    pub time_ms: u64,
    /// The file: base64 of the signed receipt in the project's encoding.
    pub encoded: String,
}

/// An upstream's answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UpstreamOut {
    /// The upstream, as the node calls it.
    pub name: String,
    /// Scheme, host and port.
    pub origin: String,
    /// The endpoint.
    pub path: String,
    /// The model.
    pub model: String,
    /// The upstream's status.
    pub status: u16,
    /// Bytes of the answer's body.
    pub size_bytes: u64,
    /// Whether they are all.
    pub complete: bool,
}

impl From<&Forwarded> for UpstreamOut {
    fn from(forwarded: &Forwarded) -> Self {
        let Forwarded { upstream, origin, path, model, status, size, ending } = forwarded.clone();
        let complete = ending == Ending::Complete;
        Self { name: upstream, origin, path, model, status, size_bytes: size, complete }
    }
}

/// A proof.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProofOut {
    /// Its digest; `GET /v1/proofs/{digest}` is its file.
    pub digest: String,
    /// Bytes of its file.
    pub size_bytes: u64,
    /// How long it took, by the worker's word.
    pub prove_duration_ms: f64,
}

/// How far a proof is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProgressOut {
    /// What is being done.
    pub stage: String,
    /// How much of it all.
    pub percent: u8,
}

/// A record on the ledger.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SettledOut {
    /// The block.
    pub height: u64,
    /// The block's time, in milliseconds since 1970.
    pub time_ms: u64,
}

/// A page of jobs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobPage {
    /// The jobs, newest first.
    pub jobs: Vec<JobOut>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

impl From<&SignedReceipt> for ReceiptOut {
    fn from(signed: &SignedReceipt) -> Self {
        let receipt = &signed.receipt;
        Self {
            version: u8::from(receipt.proven.is_some()),
            digest: receipt.digest().to_string(),
            claim: claim(receipt.claim).into(),
            chain_id: receipt.chain_id.clone(),
            node: receipt.node.to_string(),
            payer: receipt.payer.to_string(),
            request_digest: receipt.request_digest.to_string(),
            inputs_digest: receipt.inputs.to_string(),
            records: receipt.records.iter().map(ToString::to_string).collect(),
            outputs_digest: receipt.outputs.to_string(),
            upstream: match &receipt.subject {
                Subject::Upstream(forwarded) => Some(forwarded.into()),
                Subject::Circuit(_) | Subject::Onnx(_) => None,
            },
            proof: receipt.proven.map(|proven| proven.proof.to_string()),
            time_ms: receipt.time_ms,
            encoded: BASE64.encode(wire::encode(signed)),
        }
    }
}

impl JobOut {
    /// A job without what others know of it: outputs, progress and place are added by the service.
    pub fn of(job: &Job) -> Self {
        let states = job.states;
        Self {
            id: job.id.to_string(),
            model: job.model_name.clone(),
            mode: mode(job.backend).into(),
            engine: job.proving.map(|proving| proving.engine.to_string()),
            key: job.proving.map(|proving| proving.key.to_string()),
            states: StatesOut {
                execution: states.execution.name().into(),
                proof: states.proof.name().into(),
                settlement: states.settlement.name().into(),
                payment: states.payment.name().into(),
                over: states.over(),
            },
            outputs: None,
            receipt: job.proven.as_ref().or(job.answered.as_ref()).map(ReceiptOut::from),
            assurance: None,
            proof: job.proof.map(|proof| ProofOut {
                digest: proof.digest.to_string(),
                size_bytes: proof.size,
                prove_duration_ms: proof.prove_us as f64 / 1e3,
            }),
            progress: None,
            queue_position: None,
            eta_ms: None,
            price: job.price,
            settled: job.settled.map(|settled| SettledOut { height: settled.height, time_ms: settled.time_ms }),
            failure: job.failure.as_ref().map(FailureOut::from),
            created_ms: job.created_ms,
            updated_ms: job.updated_ms,
        }
    }
}

/// The identity in a path.
pub fn identity(text: &str) -> Result<RequestId, Problem> {
    text.parse().map_err(|_| Problem::missing("job"))
}

/// A job that the caller may see. Others are not told that it is there.
pub fn visible(service: &Service, caller: &Caller, id: RequestId) -> Result<Job, Problem> {
    let job = service.jobs.get(id).map_err(|error| Problem::internal(&error))?;
    let job = job.filter(|job| caller.sees().is_none_or(|owner| *owner == job.owner));
    job.ok_or_else(|| Problem::missing("job"))
}

/// Inspect a job
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobOut), (status = 404, body = Problem)))]
pub async fn inspect(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Reads>,
    Path(id): Path<String>,
) -> Result<Json<JobOut>, Problem> {
    let id = identity(&id)?;
    blocking(move || Ok(Json(service.show(visible(&service, &caller, id)?)?))).await
}

/// List jobs
///
/// The caller's own, newest first; those of all callers with the scope `admin`. Answers are left out.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", params(PageQuery), responses((status = 200, body = JobPage), (status = 400, body = Problem)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Reads>,
    Query(page): Query<PageQuery>,
) -> Result<Json<JobPage>, Problem> {
    let cursor = page.cursor.as_deref().map(str::parse).transpose();
    let cursor = cursor.map_err(|_| Problem::malformed("cursor", "cursor: not one of an earlier page"))?;
    let limit = page.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    blocking(move || {
        let page = service
            .jobs
            .list(caller.sees(), &Filter::default(), cursor, limit)
            .map_err(|error| Problem::internal(&error))?;
        let jobs = page.jobs.iter().map(JobOut::of).collect();
        Ok(Json(JobPage { jobs, next: page.next.map(|cursor| cursor.to_string()) }))
    })
    .await
}

/// Cancel a proof
///
/// The answer stays; what is reserved goes back after its deadline. A proof that is there already stays too.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobOut), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn cancel(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Infers>,
    Path(id): Path<String>,
) -> Result<Json<JobOut>, Problem> {
    let id = identity(&id)?;
    blocking(move || {
        visible(&service, &caller, id)?;
        let job = service.jobs.cancel(id, now_ms()).map_err(|error| match error {
            JobError::Transition { .. } => {
                Problem::new(StatusCode::CONFLICT, "job_over", "the proof is not waited for any more")
            }
            error => Problem::internal(&error),
        })?;
        Ok(Json(service.show(job)?))
    })
    .await
}

/// Let go of a job
///
/// The answer, the receipts, the proof and all evidence of a job that is over are removed. What was paid for is kept until this is asked for.
#[utoipa::path(delete, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)),
    responses((status = 204, description = "It is gone"), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn forget(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Infers>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = identity(&id)?;
    blocking(move || {
        let job = visible(&service, &caller, id)?;
        match service.jobs.forget(&job.owner, id) {
            Ok(_) => Ok(StatusCode::NO_CONTENT),
            Err(JobError::Unknown) => Err(Problem::missing("job")),
            Err(error @ JobError::NotOver) => Err(Problem::new(StatusCode::CONFLICT, "job_not_over", error)),
            Err(error) => Err(Problem::internal(&error)),
        }
    })
    .await
}
