//! `POST /v1/data/fetch`, and the records that it makes.
use std::sync::Arc;

use assay_verifier::digest::Digest32;
use assay_verifier::fetched::SignedFetched;
use assay_verifier::wire;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::blocking;
use super::caller::{Allowed, Infers, Reads};
use super::problem::Problem;
use crate::data::{FetchError, JsonPath, RecordError};
use crate::serve::Service;

/// When to try again what a source failed at.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// What is to be fetched.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// The address, of a source of this node.
    pub url: String,
    /// What is taken out of a JSON document: the part of JSONPath (RFC 9535) with names, indexes and wildcards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extract: Option<String>,
}

/// A record of fetched data.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RecordOut {
    /// Its digest, by which it is read and named as an input.
    pub digest: String,
    /// The source that answered.
    pub source: String,
    /// What was asked for.
    pub url: String,
    /// Where that led.
    pub redirects: Vec<String>,
    /// When, in milliseconds since 1970, by the node's clock.
    pub time_ms: u64,
    /// The status.
    pub status: u16,
    /// Headers that are kept.
    pub headers: Vec<HeaderOut>,
    /// SHA-256 of the body.
    pub body_sha256: String,
    /// Its bytes.
    pub size_bytes: u64,
    /// What was taken out.
    pub extracted: Option<ExtractedOut>,
    /// The ledger.
    pub chain_id: String,
    /// Who signed it.
    pub node: String,
    /// The file: base64 of the signed record in the project's encoding.
    pub encoded: String,
}

/// A header.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HeaderOut {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A part of a JSON document.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExtractedOut {
    /// The path.
    pub path: String,
    /// The values, as JSON.
    pub values: Vec<String>,
}

impl From<&SignedFetched> for RecordOut {
    fn from(signed: &SignedFetched) -> Self {
        let record = &signed.fetched;
        let header = |(name, value): &(String, String)| HeaderOut { name: name.clone(), value: value.clone() };
        let extracted = record.extracted.clone();
        Self {
            digest: signed.digest().to_string(),
            source: record.source.clone(),
            url: record.url.clone(),
            redirects: record.redirects.clone(),
            time_ms: record.time_ms,
            status: record.status,
            headers: record.headers.iter().map(header).collect(),
            body_sha256: record.body.to_string(),
            size_bytes: record.size,
            extracted: extracted.map(|extracted| ExtractedOut { path: extracted.path, values: extracted.values }),
            chain_id: record.chain_id.clone(),
            node: record.node.to_string(),
            encoded: BASE64.encode(wire::encode(signed)),
        }
    }
}

fn unfetched(error: &FetchError) -> Problem {
    let new = |status, code| Problem::new(status, code, error);
    match error {
        FetchError::Address(_) => new(StatusCode::BAD_REQUEST, "url"),
        FetchError::Source(_) => new(StatusCode::FORBIDDEN, "source"),
        FetchError::Redirected(_) | FetchError::Location(_) | FetchError::Redirections(_) => {
            new(StatusCode::BAD_GATEWAY, "source_redirect")
        }
        FetchError::Private(_) => new(StatusCode::BAD_GATEWAY, "source_private"),
        FetchError::Certificate(..) => new(StatusCode::BAD_GATEWAY, "source_certificate"),
        FetchError::TooLarge | FetchError::Compressed => new(StatusCode::BAD_GATEWAY, "source_answer"),
        FetchError::Name(_) | FetchError::Unreachable(_) => {
            new(StatusCode::BAD_GATEWAY, "source_unreachable").retry_after(AGAIN)
        }
        FetchError::Cut => new(StatusCode::BAD_GATEWAY, "source_cut").retry_after(AGAIN),
        FetchError::Timeout => new(StatusCode::GATEWAY_TIMEOUT, "source_timeout").retry_after(AGAIN),
    }
}

fn unkept(error: &RecordError) -> Problem {
    match error {
        RecordError::Path(_) => Problem::malformed("extract", error),
        RecordError::Missing(_) => Problem::missing("record"),
        RecordError::Store(error) => Problem::internal(error),
        _ => Problem::unfit("extract", error),
    }
}

/// Fetch data from a source, and sign what came
///
/// Sources are those of the node's configuration, and only what their entries allow. The record is signed by the node; its digest can be the `data`
/// of an inference's input, and is in the receipt then.
#[utoipa::path(post, path = "/v1/data/fetch", tag = "data", request_body = Fetch,
    responses((status = 200, body = RecordOut), (status = 400, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
        (status = 502, body = Problem), (status = 504, body = Problem)))]
pub async fn fetch(
    State(service): State<Arc<Service>>,
    _: Allowed<Infers>,
    body: Bytes,
) -> Result<Json<RecordOut>, Problem> {
    let Fetch { url, extract } = serde_json::from_slice(&body).map_err(|error| Problem::malformed("json", error))?;
    let path = extract.as_deref().map(str::parse::<JsonPath>).transpose();
    let path = path.map_err(|error| unkept(&error.into()))?;
    let got = service.fetcher.fetch(&url).await.map_err(|error| unfetched(&error))?;
    blocking(move || {
        let kept = service.records.keep(&got, path.as_ref());
        Ok(Json(RecordOut::from(&kept.map_err(|error| unkept(&error))?)))
    })
    .await
}

fn digest(text: &str) -> Result<Digest32, Problem> {
    text.parse().map_err(|_| Problem::missing("record"))
}

/// A record, by its digest
///
/// With `Accept: application/octet-stream` the signed record itself, in the project's encoding.
#[utoipa::path(get, path = "/v1/data/records/{digest}", tag = "data", params(("digest" = String, Path)),
    responses((status = 200, body = RecordOut), (status = 404, body = Problem)))]
pub async fn record(
    State(service): State<Arc<Service>>,
    _: Allowed<Reads>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let digest = digest(&text)?;
    let signed = blocking(move || service.records.get(digest).map_err(|error| unkept(&error))).await?;
    let binary = headers.get(header::ACCEPT).is_some_and(|value| value == "application/octet-stream");
    let mut response =
        if binary { wire::encode(&signed).into_response() } else { Json(RecordOut::from(&signed)).into_response() };
    immutable(&mut response);
    Ok(response)
}

/// The body that a record is of
#[utoipa::path(get, path = "/v1/data/records/{digest}/body", tag = "data", params(("digest" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = Problem)))]
pub async fn body(
    State(service): State<Arc<Service>>,
    _: Allowed<Reads>,
    Path(text): Path<String>,
) -> Result<Response, Problem> {
    let digest = digest(&text)?;
    let read = move || {
        let signed = service.records.get(digest).map_err(|error| unkept(&error))?;
        service.records.body(&signed).map_err(|error| unkept(&error))
    };
    let mut response = blocking(read).await?.into_response();
    immutable(&mut response);
    Ok(response)
}

fn immutable(response: &mut Response) {
    let caching = HeaderValue::from_static("private, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, caching);
}
