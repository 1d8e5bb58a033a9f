//! `POST /v1/chat/completions`, `/v1/completions` and `/v1/messages`: forwarded to upstreams, in their shapes. Errors have the shapes that
//! clients of OpenAI and Anthropic read.
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::arrival::Arrival;
use super::caller::{Allowed, Infers};
use super::problem::Problem;
use crate::access::Caller;
use crate::proxy::{Api, Asked, ForwardError};
use crate::serve::Service;

/// When to try again what an upstream failed at.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

fn problem(error: &ForwardError) -> Problem {
    let new = |status, code| Problem::new(status, code, error);
    match error {
        ForwardError::NoUpstream => new(StatusCode::NOT_IMPLEMENTED, "not_implemented"),
        ForwardError::Busy => new(StatusCode::SERVICE_UNAVAILABLE, "overloaded").retry_after(AGAIN),
        ForwardError::Request(_) => new(StatusCode::BAD_REQUEST, "json"),
        ForwardError::Header(_) => new(StatusCode::BAD_REQUEST, "header"),
        ForwardError::Model(_) => new(StatusCode::NOT_FOUND, "model"),
        ForwardError::Endpoint { .. } => new(StatusCode::BAD_REQUEST, "endpoint"),
        ForwardError::Unreachable => new(StatusCode::BAD_GATEWAY, "upstream_unreachable").retry_after(AGAIN),
        ForwardError::Timeout => new(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout").retry_after(AGAIN),
        ForwardError::Cut => new(StatusCode::BAD_GATEWAY, "upstream_cut").retry_after(AGAIN),
        ForwardError::Key => new(StatusCode::BAD_GATEWAY, "upstream_key"),
        ForwardError::Answer(_) => new(StatusCode::BAD_GATEWAY, "upstream_answer"),
        ForwardError::Receipts(error) => Problem::internal(error),
    }
}

async fn forward(
    service: &Service,
    caller: Caller,
    api: Api,
    arrival: &Arrival,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let place = service.proxy.place().map_err(|error| problem(&error))?;
    // It waits for somebody else from here on, and keeps nobody out who wants something computed.
    arrival.release();
    let asked = Asked { owner: caller.owner, api, headers, body };
    service.proxy.forward(asked, place).await.map_err(|error| problem(&error))
}

/// Chat completions of OpenAI's shape
///
/// Forwarded to the upstream that has the model, without what names the caller. The answer passes as it comes, streams included. The header
/// `assay-request` names the request: `GET /v1/receipts/{id}` gives its receipt. `Prefer: receipt` asks for it with the answer: in the header
/// `assay-receipt`, or in a comment behind the last event of a stream.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "proxy", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object), (status = 502, body = Object), (status = 504, body = Object)))]
pub async fn chat(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Infers>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    forward(&service, caller, Api::ChatCompletions, &arrival, headers, body).await
}

/// Completions of OpenAI's shape
///
/// As `/v1/chat/completions`.
#[utoipa::path(post, path = "/v1/completions", tag = "proxy", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object), (status = 502, body = Object), (status = 504, body = Object)))]
pub async fn completions(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Infers>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    forward(&service, caller, Api::Completions, &arrival, headers, body).await
}

/// Messages of Anthropic's shape
///
/// As `/v1/chat/completions`. The API key may be in `x-api-key`.
#[utoipa::path(post, path = "/v1/messages", tag = "proxy", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object), (status = 502, body = Object), (status = 504, body = Object)))]
pub async fn messages(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Infers>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    forward(&service, caller, Api::Messages, &arrival, headers, body).await
}
