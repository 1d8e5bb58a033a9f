//! `GET /v1/receipts/{id or digest}`, its bundle, and `GET /v1/proofs/{digest}`: evidence. By digest it is immutable and can be cached.
use std::sync::Arc;

use assay_verifier::receipt::SignedReceipt;
use assay_verifier::wire;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::blocking;
use super::caller::{Allowed, Reads};
use super::job::{ReceiptOut, identity, visible};
use super::problem::Problem;
use crate::access::Caller;
use crate::jobs::Job;
use crate::proxy::{Kept, Receipts, ReceiptsError};
use crate::serve::Service;
use crate::storage::BlobStore;

/// What never changes.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";
/// The latest of something.
const REVALIDATED: &str = "private, no-cache";

/// Options of a bundle.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub struct BundleQuery {
    /// Whether the exact bytes of the request are in it: `true` unless inputs are private.
    pub request: Option<bool>,
}

/// A receipt: the latest by the request's identity, or the very one by its digest
///
/// With `Accept: application/octet-stream` the signed receipt itself, in the project's encoding.
#[utoipa::path(get, path = "/v1/receipts/{id}", tag = "evidence", params(("id" = String, Path, description = "The request's identity, or a receipt's digest")),
    responses((status = 200, body = ReceiptOut), (status = 304, description = "It is the one that the caller has"), (status = 404, body = Problem)))]
pub async fn receipt(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Reads>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (signed, by_digest) = blocking(move || found(&service, &caller, &id)).await?;
    let out = ReceiptOut::from(&signed);
    let tag = format!("\"{}\"", out.digest);
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| value.as_bytes() == tag.as_bytes());
    let binary = headers.get(header::ACCEPT).is_some_and(|value| value == "application/octet-stream");
    let mut response = match (known, binary) {
        (true, _) => StatusCode::NOT_MODIFIED.into_response(),
        (false, true) => wire::encode(&signed).into_response(),
        (false, false) => Json(out).into_response(),
    };
    let headers = response.headers_mut();
    let caching = if by_digest { IMMUTABLE } else { REVALIDATED };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// A receipt that the caller may see, and whether it was asked for by its digest.
fn found(service: &Service, caller: &Caller, text: &str) -> Result<(SignedReceipt, bool), Problem> {
    let missing = || Problem::missing("receipt");
    let id = identity(text).map_err(|_| missing())?;
    if let Ok(job) = visible(service, caller, id) {
        return Ok((job.proven.or(job.answered).ok_or_else(missing)?, false));
    }
    if let Some(signed) = forwarded(service, caller, |receipts| receipts.get(id))? {
        return Ok((signed, false));
    }
    let digest = text.parse().map_err(|_| missing())?;
    if let Some(signed) = forwarded(service, caller, |receipts| receipts.by_digest(digest))? {
        return Ok((signed, true));
    }
    let owner = service.jobs.of_evidence(digest).map_err(|error| Problem::internal(&error))?;
    let job = visible(service, caller, owner.ok_or_else(missing)?).map_err(|_| missing())?;
    let receipts = [job.proven, job.answered].into_iter().flatten();
    let found = receipts.into_iter().find(|signed| signed.receipt.digest() == digest);
    Ok((found.ok_or_else(missing)?, true))
}

/// A receipt of what was forwarded, which the caller may see.
fn forwarded(
    service: &Service,
    caller: &Caller,
    look: impl FnOnce(&Receipts) -> Result<Option<Kept>, ReceiptsError>,
) -> Result<Option<SignedReceipt>, Problem> {
    let kept = look(service.proxy.receipts()).map_err(|error| Problem::internal(&error))?;
    let mine = |kept: &Kept| caller.sees().is_none_or(|owner| *owner == kept.owner);
    Ok(kept.filter(mine).map(|kept| kept.signed))
}

/// The bundle: everything that an auditor needs, in one file
///
/// `assay-verify BUNDLE --trust trust.json` checks it offline. `GET /v1/trust` is what its chain begins with; get that from elsewhere as well.
#[utoipa::path(get, path = "/v1/receipts/{id}/bundle", tag = "evidence", params(("id" = String, Path), BundleQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn bundle(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Reads>,
    Path(id): Path<String>,
    Query(query): Query<BundleQuery>,
) -> Result<Response, Problem> {
    let id = identity(&id).map_err(|_| Problem::missing("receipt"))?;
    let bytes = blocking(move || {
        let job: Job = match visible(&service, &caller, id) {
            Ok(job) => job,
            Err(missing) => {
                let signed = forwarded(&service, &caller, |receipts| receipts.get(id))?.ok_or(missing)?;
                return service.forwarded_bundle(signed);
            }
        };
        if job.answered.is_none() {
            return Err(Problem::new(StatusCode::CONFLICT, "no_answer", "there is no answer, hence nothing to audit"));
        }
        service.bundle(&job, query.request)
    })
    .await?;
    let name = format!("attachment; filename=\"{id}.assay\"");
    let disposition = HeaderValue::from_str(&name).unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(REVALIDATED));
    Ok(response)
}

/// A proof's file, by its digest
#[utoipa::path(get, path = "/v1/proofs/{digest}", tag = "evidence", params(("digest" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = Problem)))]
pub async fn proof(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Reads>,
    Path(digest): Path<String>,
) -> Result<Response, Problem> {
    let bytes = blocking(move || {
        let missing = || Problem::missing("proof");
        let digest = digest.parse().map_err(|_| missing())?;
        let owner = service.jobs.of_evidence(digest).map_err(|error| Problem::internal(&error))?;
        let job = visible(&service, &caller, owner.ok_or_else(missing)?).map_err(|_| missing())?;
        let file = job.proof.ok_or_else(missing)?;
        service.blobs.get(file.blob).map_err(|error| Problem::internal(&error))
    })
    .await?;
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(IMMUTABLE));
    Ok(response)
}

/// A key's file, by its digest: what proofs are verified with
#[utoipa::path(get, path = "/v1/keys/{digest}", tag = "evidence", params(("digest" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = Problem)))]
pub async fn key(
    State(service): State<Arc<Service>>,
    _: Allowed<Reads>,
    Path(digest): Path<String>,
) -> Result<Response, Problem> {
    let bytes = blocking(move || {
        let missing = || Problem::missing("key");
        let digest = digest.parse().map_err(|_| missing())?;
        let served = service.models.key(digest).ok_or_else(missing)?;
        service.blobs.get(served.blob).map_err(|error| Problem::internal(&error))
    })
    .await?;
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(IMMUTABLE));
    Ok(response)
}
