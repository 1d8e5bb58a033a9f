//! `/v1/work/...`: tasks for workers in other processes, and proofs from them. Bodies are in the project's encoding; requests are signed by the
//! worker's key (`crate::workers::signed`), and need an API key with the scope `worker` where there are API keys.
use std::sync::Arc;
use std::time::{Duration, Instant};

use assay_verifier::receipt::RequestId;
use assay_verifier::signature::PublicKey;
use assay_verifier::wire::{self, File};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::blocking;
use super::caller::{Allowed, Works};
use super::problem::Problem;
use crate::clock::now_ms;
use crate::jobs::{Hold, JobError};
use crate::serve::Service;
use crate::storage::BlobId;
use crate::workers::signed::{Asked, HEADER};
use crate::workers::{Ask, Beat, DeskError, HandIn, LetGo};

/// How long a worker that asks for a task is held when there is none.
const WAIT: Duration = Duration::from_secs(5);

/// A request of a worker: its API key and its signature were checked.
pub struct Signed {
    worker: PublicKey,
    body: Bytes,
}

impl FromRequest<Arc<Service>> for Signed {
    type Rejection = Problem;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        Allowed::<Works>::from_request_parts(&mut parts, service).await?;
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (stamp, host) = (text(HEADER), text("host").unwrap_or_default());
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let body = Bytes::from_request(Request::from_parts(parts, body), service).await.map_err(|refused| {
            Problem::new(refused.status(), "body", "the body is larger than is taken, or ended early")
        })?;
        let asked = Asked { method: method.as_str(), host: &host, path: &path, body: &body };
        let worker = service.seen.check(stamp.as_deref(), &asked, now_ms());
        let worker = worker.map_err(|bad| Problem::new(StatusCode::UNAUTHORIZED, "worker_signature", bad))?;
        Ok(Self { worker, body })
    }
}

impl Signed {
    fn read<T: File>(&self) -> Result<T, Problem> {
        wire::decode(&self.body).map_err(|error| Problem::malformed("encoding", format!("{}: {error}", T::NAME)))
    }

    fn hold(&self, job: &str, token: u64) -> Result<Hold, Problem> {
        let job: RequestId = job.parse().map_err(|_| Problem::missing("job"))?;
        Ok(Hold { job, worker: self.worker, token })
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Job(JobError::Stale | JobError::Unknown) => {
                Self::new(StatusCode::CONFLICT, "stale_lease", "the job is not this worker's any more")
            }
            DeskError::Job(JobError::Quarantined(_)) => {
                Self::new(StatusCode::FORBIDDEN, "quarantined", "this worker is quarantined: a proof of it was refused")
            }
            DeskError::Refused(fault) => Self::unfit("proof_refused", fault),
            DeskError::NoFile => Self::missing("file of a job that this worker has"),
            error => Self::internal(&error),
        }
    }
}

fn octets(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
}

/// Ask for a task
///
/// Waits for some seconds if there is none.
#[utoipa::path(post, path = "/v1/work/lease", tag = "work", request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "A task", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 204, description = "There is none"), (status = 403, body = Problem, description = "The worker is quarantined")))]
pub async fn lease(State(service): State<Arc<Service>>, signed: Signed) -> Result<Response, Problem> {
    let ask: Ask = signed.read()?;
    let task = blocking(move || {
        let until = Instant::now() + WAIT;
        loop {
            let rung = service.jobs.rung();
            let task = service.desk.task(signed.worker, service.place(), ask.loaded.clone(), now_ms())?;
            let left = until.saturating_duration_since(Instant::now());
            if task.is_some() || left.is_zero() {
                return Ok(task);
            }
            service.jobs.wait_for_work(rung, left);
        }
    });
    Ok(match task.await? {
        Some(task) => octets(wire::encode(&task)),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Get a file of a job
#[utoipa::path(get, path = "/v1/work/blobs/{id}", tag = "work", params(("id" = String, Path, description = "SHA-256 of the file")),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, body = Problem, description = "The worker has no job that needs it")))]
pub async fn file(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    signed: Signed,
) -> Result<Response, Problem> {
    let id: BlobId = id.parse().map_err(|_| Problem::malformed("hash", "id: not 64 hexadecimal digits"))?;
    blocking(move || Ok(octets(service.desk.file(signed.worker, id)?))).await
}

/// Say that a worker is alive
#[utoipa::path(post, path = "/v1/work/{job}/heartbeat", tag = "work", params(("job" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "It goes on"), (status = 409, body = Problem, description = "It is not the worker's any more")))]
pub async fn heartbeat(
    State(service): State<Arc<Service>>,
    Path(job): Path<String>,
    signed: Signed,
) -> Result<StatusCode, Problem> {
    let Beat { token, progress } = signed.read()?;
    let hold = signed.hold(&job, token)?;
    blocking(move || {
        service.desk.heartbeat(hold, progress, now_ms())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Hand in a proof
#[utoipa::path(post, path = "/v1/work/{job}/proof", tag = "work", params(("job" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "It holds and is kept"), (status = 409, body = Problem, description = "The job is not the worker's any more"),
        (status = 422, body = Problem, description = "It is refused, and the worker is quarantined")))]
pub async fn proof(
    State(service): State<Arc<Service>>,
    Path(job): Path<String>,
    signed: Signed,
) -> Result<StatusCode, Problem> {
    let HandIn { token, prove_us, proof } = signed.read()?;
    let hold = signed.hold(&job, token)?;
    blocking(move || {
        service.desk.hand_in(hold, &proof.0, prove_us, now_ms())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Let go of a job
#[utoipa::path(post, path = "/v1/work/{job}/failure", tag = "work", params(("job" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "It goes on elsewhere"), (status = 409, body = Problem, description = "It is not the worker's any more")))]
pub async fn failure(
    State(service): State<Arc<Service>>,
    Path(job): Path<String>,
    signed: Signed,
) -> Result<StatusCode, Problem> {
    let LetGo { token, trouble } = signed.read()?;
    let hold = signed.hold(&job, token)?;
    blocking(move || {
        service.desk.let_go(hold, trouble.as_ref(), now_ms())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
