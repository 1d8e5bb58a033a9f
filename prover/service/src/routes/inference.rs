//! `POST /v1/inference` and `POST /v1/inference:batch`: tensors in, answer and receipt out; the proof follows, or is waited for.
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::blocking;
use super::caller::{Allowed, Infers};
use super::job::JobOut;
use super::problem::Problem;
use super::refusal::problem;
use super::wait::{Wait, wait};
use crate::access::Caller;
use crate::inference::{Accepted, Asked, Refused, Request};
use crate::jobs::{Answer, Job};
use crate::payments;
use crate::serve::Service;

const INFERENCE: &str = "POST /v1/inference";
const BATCH: &str = "POST /v1/inference:batch";

/// Many requests.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The requests, each as it would be sent alone.
    pub requests: Vec<Request>,
}

/// What became of many requests, in their order.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BatchOut {
    /// An answer or a problem for each.
    pub items: Vec<ItemOut>,
}

/// What became of one request of many.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ItemOut {
    /// An answer.
    Job {
        /// The job.
        job: Box<JobOut>,
    },
    /// None.
    Problem {
        /// Why.
        problem: Problem,
    },
}

/// Answer a request
///
/// The answer comes at once with its receipt; the proof follows. `Prefer: wait=N` waits up to N seconds for it, `Prefer: wait=proof` as long
/// as the service allows. Where the model has a price, a request without payment is answered with 402 and a signed quote in the header
/// `PAYMENT-REQUIRED` (x402 version 2, scheme `upto`); the same request with `PAYMENT-SIGNATURE` is answered once the money is set aside.
#[utoipa::path(post, path = "/v1/inference", tag = "inference", request_body = Request,
    responses((status = 200, body = JobOut), (status = 400, body = Problem), (status = 402, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub async fn one(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Infers>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let wished = Wait::of(&headers, service.config.limits.wait)?;
    let key = text(&headers, "idempotency-key")?;
    let asked = Asked {
        caller: caller.clone(),
        body: body.to_vec(),
        payment: text(&headers, payments::PAYMENT_SIGNATURE)?,
        idempotency: key.clone(),
        route: INFERENCE,
    };
    let answering = Arc::clone(&service);
    let answered = blocking(move || Ok(answering.inference.answer(asked))).await?;
    let job = match answered {
        Ok(Accepted::Again(answer)) => return Ok(again(answer)),
        Ok(Accepted::Job(job)) => *job,
        Err(refused) => return Ok(refuse(&service, refused)),
    };
    let job = wait(&service, job, wished).await?;
    respond(&service, &caller, key, job).await
}

/// A header's text.
fn text(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Problem> {
    let fail = || Problem::malformed("header", format!("{name}: not visible ASCII"));
    headers.get(name).map(|value| value.to_str().map(str::to_owned).map_err(|_| fail())).transpose()
}

/// The first answer once more.
fn again(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    (status, [(header::CONTENT_TYPE, "application/json")], answer.body.0).into_response()
}

fn refuse(service: &Service, refused: Refused) -> Response {
    let mut response = problem(service, &refused).into_response();
    if let Refused::Pay(header) | Refused::Payment(_, header) = &refused {
        insert(response.headers_mut(), payments::PAYMENT_REQUIRED, header);
    }
    response
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

/// Sends an answer. Under the caller's key it is kept first, so that it can be sent again; of two at the same moment both are sent the one that
/// is kept.
async fn respond(service: &Arc<Service>, caller: &Caller, key: Option<String>, job: Job) -> Result<Response, Problem> {
    service.metrics.answered(&job);
    let paid = service.inference.payments.response(&job);
    let location = format!("/v1/jobs/{}", job.id);
    let mut body = serde_json::to_vec(&service.show(job)?).map_err(|error| Problem::internal(&error))?;
    if let Some(key) = key {
        let (service, owner) = (Arc::clone(service), caller.owner.clone());
        let answer = Answer { status: 200, body: assay_verifier::wire::Bytes(body) };
        let kept = move || service.jobs.remember(&owner, &key, answer).map_err(|error| Problem::internal(&error));
        body = blocking(kept).await?.body.0;
    }
    let mut response = (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    insert(response.headers_mut(), "location", &location);
    if let Some(paid) = paid {
        insert(response.headers_mut(), payments::PAYMENT_RESPONSE, &paid);
    }
    Ok(response)
}

/// Answer many requests
///
/// Each item is answered or refused by itself; the order is kept. Requests that have to be paid for are refused in batches: each needs its own
/// payment.
#[utoipa::path(post, path = "/v1/inference:batch", tag = "inference", request_body = Batch,
    responses((status = 200, body = BatchOut), (status = 400, body = Problem), (status = 413, body = Problem)))]
pub async fn batch(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Infers>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let wished = Wait::of(&headers, service.config.limits.wait)?;
    let batch: Batch = serde_json::from_slice(&body).map_err(|error| Problem::malformed("json", error))?;
    let most = service.config.limits.batch_items;
    if batch.requests.len() > most {
        let detail = format!("requests: {} are more than {most}", batch.requests.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "batch_too_large", detail));
    }
    let mut answers = Vec::new();
    for request in &batch.requests {
        let body = serde_json::to_vec(request).map_err(|error| Problem::internal(&error))?;
        let asked = Asked { caller: caller.clone(), body, payment: None, idempotency: None, route: BATCH };
        let answering = Arc::clone(&service);
        answers.push(blocking(move || Ok(answering.inference.answer(asked))).await?);
    }
    let mut items = Vec::new();
    let end = tokio::time::Instant::now() + wished.longest;
    for answer in answers {
        items.push(match answer {
            Ok(Accepted::Job(job)) => {
                let left = end.saturating_duration_since(tokio::time::Instant::now());
                let job = wait(&service, *job, Wait { longest: left.max(Duration::ZERO) }).await?;
                service.metrics.answered(&job);
                ItemOut::Job { job: Box::new(service.show(job)?) }
            }
            Ok(Accepted::Again(_)) => ItemOut::Problem { problem: Problem::internal(&"an answer of another request") },
            Err(refused) => ItemOut::Problem { problem: problem(&service, &refused) },
        });
    }
    Ok(axum::Json(BatchOut { items }).into_response())
}
