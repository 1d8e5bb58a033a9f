//! The endpoints that are forwarded, whose they are, and how each of the two says that something went wrong.
use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::routes::Problem;

/// Tells stock clients whether to try again. Both know it.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Whose shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
}

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// OpenAI's conversations.
    ChatCompletions,
    /// OpenAI's texts that go on.
    Completions,
    /// Anthropic's conversations.
    Messages,
}

impl Api {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ChatCompletions, Self::Completions, Self::Messages];

    /// Its path, here and at the upstream.
    pub fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Messages => "/v1/messages",
        }
    }

    /// The endpoint of a path.
    pub fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|api| api.path() == path)
    }

    /// Whose it is.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::ChatCompletions | Self::Completions => Dialect::OpenAi,
            Self::Messages => Dialect::Anthropic,
        }
    }
}

impl Dialect {
    /// Where its models are asked.
    pub fn endpoints(self) -> &'static str {
        match self {
            Self::OpenAi => "/v1/chat/completions or /v1/completions",
            Self::Anthropic => "/v1/messages",
        }
    }

    /// A problem in the shape that the dialect's clients read.
    pub fn response(self, problem: &Problem) -> Response {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.error(problem))).into_response();
        let headers = response.headers_mut();
        headers.insert(SHOULD_RETRY, HeaderValue::from_static(if problem.retryable { "true" } else { "false" }));
        if let Some(seconds) = problem.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn error(self, problem: &Problem) -> Value {
        let kind = match (self, problem.status) {
            (_, 429) => "rate_limit_error",
            (Self::OpenAi, 400..500) => "invalid_request_error",
            (Self::OpenAi, _) => "server_error",
            (Self::Anthropic, 401) => "authentication_error",
            (Self::Anthropic, 403) => "permission_error",
            (Self::Anthropic, 404) => "not_found_error",
            (Self::Anthropic, 413) => "request_too_large",
            (Self::Anthropic, 400..500) => "invalid_request_error",
            (Self::Anthropic, 503) => "overloaded_error",
            (Self::Anthropic, _) => "api_error",
        };
        let (message, code) = (&problem.detail, &problem.code);
        match self {
            Self::OpenAi => json!({ "error": { "message": message, "type": kind, "param": null, "code": code } }),
            Self::Anthropic => json!({ "type": "error", "error": { "type": kind, "message": message, "code": code } }),
        }
    }
}
