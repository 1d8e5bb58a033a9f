//! `GET /healthz`, `/readyz` and `/metrics`: for whoever runs the service.
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::blocking;
use super::problem::Problem;
use crate::serve::Service;

/// Whether the process runs
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = String)))]
pub async fn health() -> &'static str {
    "ok\n"
}

/// Whether requests are accepted: stores and ledger answer, and the node is registered
#[utoipa::path(get, path = "/readyz", tag = "operations", responses((status = 200, body = String), (status = 503, body = Problem)))]
pub async fn ready(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    blocking(move || {
        service.ready().map_err(|reason| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", reason))?;
        Ok("ready\n")
    })
    .await
}

/// Figures in the text format of Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, body = String)))]
pub async fn metrics(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let text = service.metrics.text(&service);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
