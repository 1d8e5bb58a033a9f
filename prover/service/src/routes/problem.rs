//! Problem documents (RFC 9457): what went wrong, in a form for programs and for people. Codes never change.
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem: `urn:assay:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What went wrong here; names the field.
    pub detail: String,
    /// Stable, for programs.
    pub code: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Seconds after which to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl Problem {
    /// A problem that will not pass by itself.
    pub fn new(status: StatusCode, code: &str, detail: impl ToString) -> Self {
        Self {
            kind: format!("urn:assay:problem:{code}"),
            title: status.canonical_reason().unwrap_or("problem").into(),
            status: status.as_u16(),
            detail: detail.to_string(),
            code: code.into(),
            retryable: false,
            retry_after_s: None,
        }
    }

    /// It may pass, after so long.
    #[must_use]
    pub fn retry_after(self, after: Duration) -> Self {
        let seconds = after.as_millis().div_ceil(1000).clamp(1, 86_400);
        Self { retryable: true, retry_after_s: u64::try_from(seconds).ok(), ..self }
    }

    /// The request is not one.
    pub fn malformed(code: &str, detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// The request is well-formed and cannot be done.
    pub fn unfit(code: &str, detail: impl ToString) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// There is nothing of that name, or nothing that the caller may see.
    pub fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// The service failed. What exactly is for its log, not for its callers.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        let problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the service failed; its log says why");
        problem.retry_after(Duration::from_secs(5))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after_s.map(HeaderValue::from);
        let mut response = (status, Json(&self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        // For endpoints that say the same in another shape.
        response.extensions_mut().insert(self);
        response
    }
}
