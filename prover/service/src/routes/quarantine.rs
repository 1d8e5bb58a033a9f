//! `GET /v1/quarantine` and `DELETE /v1/quarantine/{worker}`: the workers whose proofs did not hold, for whoever runs the service.
use std::sync::Arc;

use assay_verifier::signature::PublicKey;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::blocking;
use super::caller::{Administers, Allowed};
use super::problem::Problem;
use crate::serve::Service;

/// A worker that gets nothing any more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QuarantinedOut {
    /// The worker's key.
    pub worker: String,
    /// Why, for programs.
    pub code: String,
    /// Why, for people.
    pub reason: String,
    /// Since when, in milliseconds since 1970.
    pub time_ms: u64,
}

/// The workers that get nothing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QuarantineOut {
    /// In the order in which it happened.
    pub workers: Vec<QuarantinedOut>,
}

/// List workers that are quarantined
#[utoipa::path(get, path = "/v1/quarantine", tag = "operations", responses((status = 200, body = QuarantineOut), (status = 403, body = Problem)))]
pub async fn list(State(service): State<Arc<Service>>, _: Allowed<Administers>) -> Json<QuarantineOut> {
    let workers = service.jobs.quarantined().into_iter().map(|entry| QuarantinedOut {
        worker: entry.worker.to_string(),
        code: entry.code,
        reason: entry.reason,
        time_ms: entry.time_ms,
    });
    Json(QuarantineOut { workers: workers.collect() })
}

/// Trust a worker again
#[utoipa::path(delete, path = "/v1/quarantine/{worker}", tag = "operations", params(("worker" = String, Path, description = "The worker's key")),
    responses((status = 204, description = "It gets tasks again"), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn readmit(
    State(service): State<Arc<Service>>,
    _: Allowed<Administers>,
    Path(worker): Path<String>,
) -> Result<StatusCode, Problem> {
    let missing = || Problem::missing("worker in quarantine");
    let worker: PublicKey = worker.parse().map_err(|_| missing())?;
    blocking(move || {
        let found = service.jobs.readmit(worker).map_err(|error| Problem::internal(&error))?;
        if found { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
    })
    .await
}
