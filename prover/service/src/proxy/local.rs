//! What `assay proxy` serves: the same endpoints on this machine. A request is sent to a node, and its answer is handed on only once its receipt
//! is verified: by whom, of which request, of these very bytes, and that they are all. Anything else is an error, so streams are held back
//! until they have ended.
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use assay_verifier::proxied::{Exchange, ProxiedError, verify};
use assay_verifier::receipt::SignedReceipt;
use assay_verifier::signature::PublicKey;
use assay_verifier::wire::{self, WireError};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::Full;
use serde_json::Value;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use super::closing::Closing;
use super::dialect::{Api, Dialect};
use super::forward::{ForwardError, is_stream, passed_on};
use super::request::{BadRequest, Request};
use super::{PREFERENCE, RECEIPT_COMMENT, RECEIPT_HEADER};
use crate::clock::now_ms;
use crate::outbound::Client;
use crate::outbound::whole::{self, Broken};
use crate::routes::Problem;

/// How far the clocks of this machine and the node may differ.
const CLOCKS_MS: u64 = 300_000;
/// Bytes of a request.
const BODY_BYTES_MAX: usize = 32 << 20;
/// Headers of the node's answer that are handed on. Nothing of what is answered hangs on them.
const HANDED_ON: [&str; 4] = ["content-type", "retry-after", "retry-after-ms", "x-should-retry"];

/// Who is asked, and who is trusted.
pub struct Local {
    /// What asks.
    pub client: Client,
    /// `http://HOST:PORT` of the node.
    pub server: String,
    /// The API key, as a header's value.
    pub bearer: Option<HeaderValue>,
    /// The ledger that the node is on.
    pub chain_id: String,
    /// The node's key.
    pub node: PublicKey,
    /// Where answers must be from, if that matters.
    pub origin: Option<String>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Bytes of an answer.
    pub answer_bytes_max: usize,
}

/// Why an answer is not handed on.
#[derive(Debug, Error)]
pub enum Refused {
    /// The request is none.
    #[error(transparent)]
    Request(#[from] BadRequest),
    /// A header.
    #[error("{0}")]
    Header(ForwardError),
    /// No node.
    #[error("the node cannot be reached")]
    Unreachable,
    /// The node's answer is not whole.
    #[error("the node's answer: {0}")]
    Broken(#[from] Broken),
    /// The node answers with an error of its own.
    #[error("the node says: {message}")]
    Node {
        /// Its status.
        status: StatusCode,
        /// What it says.
        message: String,
        /// Seconds after which to try again.
        retry_after_s: Option<u64>,
        /// Whether it says that another attempt may succeed.
        retryable: bool,
    },
    /// There is no receipt.
    #[error("the answer has no receipt: it is not handed on")]
    NoReceipt,
    /// It is no receipt.
    #[error("the answer's receipt is none: {0}")]
    Encoding(WireError),
    /// It is not one of this answer.
    #[error("the answer is not handed on: {0}")]
    Receipt(#[from] ProxiedError),
    /// The stream lacks its closing event, or what is no stream is not JSON, whatever the receipt says.
    #[error("the answer is not handed on: it does not end as it should")]
    Unclosed,
}

impl Refused {
    fn problem(&self) -> Problem {
        let new = |status, code| Problem::new(status, code, self);
        match self {
            Self::Request(_) | Self::Header(_) => new(StatusCode::BAD_REQUEST, "request"),
            Self::Unreachable => new(StatusCode::BAD_GATEWAY, "unreachable").retry_after(Duration::from_secs(1)),
            Self::Broken(Broken::Timeout) => new(StatusCode::GATEWAY_TIMEOUT, "timeout"),
            Self::Broken(_) => new(StatusCode::BAD_GATEWAY, "cut").retry_after(Duration::from_secs(1)),
            Self::Node { status, retry_after_s, retryable, .. } => {
                let mut problem = new(*status, "node");
                (problem.retryable, problem.retry_after_s) = (*retryable, *retry_after_s);
                problem
            }
            Self::NoReceipt | Self::Encoding(_) | Self::Receipt(_) | Self::Unclosed => {
                new(StatusCode::BAD_GATEWAY, "receipt")
            }
        }
    }
}

/// A node's answer, as it came.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// The endpoints.
pub fn router(local: Arc<Local>) -> Router {
    let missing = async || Dialect::OpenAi.response(&Problem::missing("endpoint"));
    let mut router = Router::new();
    for api in Api::ALL {
        let answer = async move |State(local): State<Arc<Local>>, headers: HeaderMap, body: Bytes| {
            local.answer(api, &headers, &body).await
        };
        router = router.route(api.path(), post(answer));
    }
    router.fallback(missing).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(local)
}

/// Serves until a shutdown is asked for.
///
/// # Errors
/// The listener's.
pub async fn run(
    local: Arc<Local>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    axum::serve(listener, router(local)).with_graceful_shutdown(shutdown).await
}

impl Local {
    async fn answer(&self, api: Api, headers: &HeaderMap, body: &Bytes) -> Response {
        match self.verified(api, headers, body).await {
            Ok(Answer { status, headers, body }) => (status, headers, body).into_response(),
            Err(refused) => {
                tracing::warn!(%refused, "no answer is handed on");
                api.dialect().response(&refused.problem())
            }
        }
    }

    /// The answer of the node, verified.
    async fn verified(&self, api: Api, headers: &HeaderMap, body: &Bytes) -> Result<Answer, Refused> {
        let request = Request::read(body)?;
        let begun_ms = now_ms();
        let answer = self.ask(api, headers, request.forwarded.clone()).await?;
        let stream = is_stream(&answer.headers);
        let found = if stream { behind(&answer.body) } else { beside(&answer) };
        let (response, text) = found.ok_or_else(|| own_error(&answer).unwrap_or(Refused::NoReceipt))?;
        let file = BASE64.decode(text).map_err(|_| Refused::Encoding(WireError::Malformed))?;
        let signed: SignedReceipt = wire::decode(&file).map_err(Refused::Encoding)?;
        let exchange = Exchange {
            chain_id: &self.chain_id,
            node: self.node,
            path: api.path(),
            model: &request.model,
            // What names the caller does not even reach the node.
            request: &request.forwarded,
            forwarded: &request.forwarded,
            origin: self.origin.as_deref(),
            status: answer.status.as_u16(),
            response: &response,
            window_ms: (begun_ms.saturating_sub(CLOCKS_MS), now_ms().saturating_add(CLOCKS_MS)),
        };
        verify(&signed, &exchange)?;
        if !is_whole(api.dialect(), stream, answer.status, &response) {
            return Err(Refused::Unclosed);
        }
        let mut headers = HeaderMap::new();
        for name in HANDED_ON {
            if let Some(value) = answer.headers.get(name) {
                headers.insert(HeaderName::from_static(name), value.clone());
            }
        }
        Ok(Answer { status: answer.status, headers, body: response })
    }

    async fn ask(&self, api: Api, given: &HeaderMap, body: Bytes) -> Result<Answer, Refused> {
        let deadline = Instant::now() + self.timeout;
        let mut headers = passed_on(api.dialect(), given).map_err(Refused::Header)?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("assay"));
        headers.insert("prefer", HeaderValue::from_static(PREFERENCE));
        if let Some(bearer) = &self.bearer {
            headers.insert(header::AUTHORIZATION, bearer.clone());
        }
        let mut request = axum::http::Request::builder().method(Method::POST);
        request = request.uri(format!("{}{}", self.server, api.path()));
        if let Some(all) = request.headers_mut() {
            *all = headers;
        }
        let request = request.body(Full::new(body)).map_err(|_| Refused::Unreachable)?;
        let response = timeout_at(deadline, self.client.request(request)).await.map_err(|_| Broken::Timeout)?;
        let (head, body) = response.map_err(|_| Refused::Unreachable)?.into_parts();
        let body = whole::read(body, deadline, self.answer_bytes_max).await?;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

/// Whether an answer ends as it should by itself: a node that lies about that is not believed, whatever it calls the answer.
fn is_whole(dialect: Dialect, stream: bool, status: StatusCode, body: &[u8]) -> bool {
    if stream {
        let mut closing = Closing::new(dialect);
        closing.pass(body);
        return closing.is_complete();
    }
    !status.is_success() || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// The answer and the receipt of one that is no stream.
fn beside(answer: &Answer) -> Option<(Bytes, String)> {
    let text = answer.headers.get(RECEIPT_HEADER)?.to_str().ok()?;
    Some((answer.body.clone(), text.into()))
}

/// The answer and the receipt of a stream: the receipt is in a comment that is its last line.
pub(crate) fn behind(body: &Bytes) -> Option<(Bytes, String)> {
    let lines = body.strip_suffix(b"\n\n")?;
    let start = lines.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'))? + 1;
    let text = lines[start..].strip_prefix(RECEIPT_COMMENT.as_bytes())?;
    Some((body.slice(..start), std::str::from_utf8(text).ok()?.into()))
}

/// What a node says that gives no answer. It is no answer either, and needs no receipt.
fn own_error(answer: &Answer) -> Option<Refused> {
    if !(answer.status.is_client_error() || answer.status.is_server_error()) {
        return None;
    }
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let message = said["error"]["message"].as_str().unwrap_or("nothing more").to_owned();
    let text = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let retry_after_s = text("retry-after").and_then(|seconds| seconds.parse().ok());
    Some(Refused::Node {
        status: answer.status,
        message,
        retry_after_s,
        retryable: text("x-should-retry") == Some("true"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_receipt_is_the_last_line_of_a_stream_or_none_is_there() {
        let found = |text: &'static str| behind(&Bytes::from_static(text.as_bytes()));
        let (body, receipt) = found("data: a\n\n: assay-receipt QQ==\n\n").unwrap();
        assert_eq!((&body[..], receipt.as_str()), (&b"data: a\n\n"[..], "QQ=="));
        assert_eq!(found("data: a\r\n\r\n: assay-receipt QQ==\n\n").unwrap().0, "data: a\r\n\r\n");
        for other in [
            "",
            "data: a\n\n",
            ": assay-receipt QQ==\n\n",
            "data: a: assay-receipt QQ==\n\n",
            "data: a\n\n: assay-receipt QQ==\n",
            "data: a\n\n: assay-receipt QQ==\n\ndata: b\n\n",
        ] {
            assert_eq!(found(other), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn any_stream_is_split_into_itself(body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let sent = [&body[..], b"\n: assay-receipt QQ==\n\n"].concat();
            let (found, receipt) = behind(&sent.clone().into()).unwrap();
            prop_assert_eq!((&found[..], receipt.as_str()), (&sent[..body.len() + 1], "QQ=="));
            let _ = behind(&body.into());
        }
    }
}
