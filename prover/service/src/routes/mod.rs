//! HTTP: one file for each group of endpoints, and the router that joins them. Nothing is decided here; handlers read, call and show.
pub mod accounts;
mod arrival;
mod attestation;
mod blobs;
mod caller;
pub mod check;
mod data;
mod encoding;
mod events;
mod health;
mod inference;
pub mod job;
pub mod models;
mod nodes;
mod problem;
mod proxy;
pub mod quarantine;
mod receipts;
mod refusal;
mod verify;
mod wait;
mod work;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use rand_core::{OsRng, RngCore};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

pub use encoding::{signature, signature_text};
pub use problem::Problem;

use crate::proxy::{Api, REQUEST_HEADER};
use crate::serve::Service;

/// Names a request in answers and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Assay",
        description = "Proven inference: the answer now, its proof soon, and evidence that anybody verifies offline. Errors are problem \
                       documents (RFC 9457) with stable codes. Times are milliseconds since 1970, amounts the ledger's smallest unit."
    ),
    tags(
        (name = "models", description = "Publish and inspect models"),
        (name = "inference", description = "Ask"),
        (name = "proxy", description = "Ask models of upstreams, in the shapes of OpenAI and Anthropic"),
        (name = "data", description = "Fetch data from sources, as inputs"),
        (name = "jobs", description = "Follow proofs and settlements"),
        (name = "evidence", description = "Receipts, proofs, bundles"),
        (name = "work", description = "For workers that make proofs"),
        (name = "operations", description = "For whoever runs the service")
    )
)]
struct Document;

/// Runs what blocks beside the tasks that serve.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Problem::internal(&error)))
}

/// All endpoints.
pub fn router(service: Arc<Service>) -> Router {
    let limits = service.config.limits;
    let (small, mut api) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(models::publish, models::list))
        .routes(routes!(models::inspect))
        .routes(routes!(models::find))
        .routes(routes!(check::run))
        .routes(routes!(inference::one))
        .routes(routes!(inference::batch))
        .routes(routes!(job::list))
        .routes(routes!(job::inspect, job::forget))
        .routes(routes!(job::cancel))
        .routes(routes!(events::follow))
        .routes(routes!(receipts::receipt))
        .routes(routes!(receipts::bundle))
        .routes(routes!(receipts::proof))
        .routes(routes!(receipts::key))
        .routes(routes!(verify::run))
        .routes(routes!(accounts::account))
        .routes(routes!(accounts::submit))
        .routes(routes!(nodes::list))
        .routes(routes!(nodes::supported))
        .routes(routes!(nodes::trust))
        .routes(routes!(work::lease))
        .routes(routes!(work::file))
        .routes(routes!(work::heartbeat))
        .routes(routes!(work::failure))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::readmit))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(proxy::chat))
        .routes(routes!(proxy::completions))
        .routes(routes!(proxy::messages))
        .routes(routes!(data::fetch))
        .routes(routes!(data::record))
        .routes(routes!(data::body))
        .routes(routes!(attestation::attestation))
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .split_for_parts();
    let (large, more) = OpenApiRouter::<Arc<Service>>::new()
        .routes(routes!(blobs::put))
        .routes(routes!(work::proof))
        .layer(DefaultBodyLimit::max(limits.blob_bytes))
        .split_for_parts();
    api.merge(more);
    api.info.version = env!("CARGO_PKG_VERSION").into();
    let document = serde_json::to_value(&api).unwrap_or_default();
    small
        .merge(large)
        // Serves the document beside its pages.
        .merge(SwaggerUi::new("/docs").external_url_unchecked("/openapi.json", document))
        .fallback(async || Problem::missing("endpoint"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this endpoint has other methods")
        })
        .layer(from_fn_with_state(Arc::clone(&service), around))
        .with_state(service)
}

/// Around every request: its name, the limit of how many are in work, the log, the figures. Bodies and headers are not logged.
async fn around(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let given = request.headers().get(&REQUEST_ID).filter(|value| value.len() <= 64).cloned();
    let id = given.unwrap_or_else(|| {
        HeaderValue::from_str(&format!("{:016x}", OsRng.next_u64())).unwrap_or_else(|_| HeaderValue::from_static("-"))
    });
    let matched = request.extensions().get::<axum::extract::MatchedPath>().map(|path| path.as_str().to_owned());
    let (method, path) = (request.method().clone(), matched.unwrap_or_else(|| "-".into()));
    let mut response = match arrival::watched(&service, request) {
        Ok((request, arrival)) => {
            let response = next.run(request).await;
            arrival.fault().map_or_else(|| shaped(response), IntoResponse::into_response)
        }
        Err(problem) => problem.into_response(),
    };
    // Where models of upstreams are asked, clients read the upstreams' shapes.
    if let (Some(api), Some(problem)) = (Api::of(&path), response.extensions().get::<Problem>()) {
        response = api.dialect().response(problem);
    }
    let (status, elapsed) = (response.status(), start.elapsed());
    service.metrics.served(&method, &path, status, elapsed);
    tracing::info!(id = id.to_str().unwrap_or("-"), %method, path, status = status.as_u16(), ms = elapsed.as_millis() as u64);
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// What the framework refuses by itself, as plain text, becomes a problem document too.
fn shaped(response: Response) -> Response {
    let status = response.status();
    // What an upstream says is not the framework's.
    if response.headers().contains_key(REQUEST_HEADER) {
        return response;
    }
    let plain = response
        .headers()
        .get(axum::http::header::CONTENT_TYPE)
        .is_none_or(|kind| kind.to_str().is_ok_and(|kind| kind.starts_with("text/plain")));
    match status {
        StatusCode::PAYLOAD_TOO_LARGE if plain => {
            Problem::new(status, "body_too_large", "the body has more bytes than the service allows").into_response()
        }
        status if plain && status.is_client_error() => {
            Problem::new(status, "request", "the request is not one that this endpoint takes").into_response()
        }
        _ => response,
    }
}
