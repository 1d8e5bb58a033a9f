//! `PUT /v1/blobs/{sha256}`: a file is uploaded under its own hash. Models name what they are made of by it.
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use sha2::{Digest, Sha256};

use super::blocking;
use super::caller::{Allowed, Publishes};
use super::problem::Problem;
use crate::serve::Service;
use crate::storage::{BlobId, BlobStore};

/// Upload a file
///
/// The path is the SHA-256 of the body. Uploading the same again changes nothing.
#[utoipa::path(put, path = "/v1/blobs/{sha256}", tag = "models", request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("sha256" = String, Path, description = "SHA-256 of the body, 64 hexadecimal digits")),
    responses((status = 204, description = "It is stored"), (status = 422, body = Problem, description = "The body has another hash")))]
pub async fn put(
    State(service): State<Arc<Service>>,
    _: Allowed<Publishes>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let id: BlobId = id.parse().map_err(|_| Problem::malformed("hash", "sha256: not 64 hexadecimal digits"))?;
    blocking(move || {
        let found = BlobId(Sha256::digest(&body).into());
        if found != id {
            return Err(Problem::unfit("hash", format!("the body has the SHA-256 {found}")));
        }
        service.blobs.put(&body).map_err(|error| Problem::internal(&error))?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
