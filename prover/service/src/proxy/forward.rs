//! The way of a forwarded request: read, given an upstream, stripped of its caller, sent, and its answer passed on with a receipt.
use std::sync::Arc;

use assay_verifier::proxied::{Delivery, Ending, Forwarded, forwarded_digest};
use assay_verifier::receipt::{Backend, Claim, Grade, Receipt, RequestId, SignedReceipt, Subject, request_digest};
use assay_verifier::signature::SigningKey;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::Full;
use hyper::body::Incoming;
use rand_core::{OsRng, RngCore};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::closing::Closing;
use super::dialect::{Api, Dialect};
use super::figures::{Figures, Open};
use super::pass::Passing;
use super::receipts::{Receipts, ReceiptsError};
use super::request::{BadRequest, Request};
use super::{PREFERENCE, RECEIPT_HEADER, REQUEST_HEADER};
use crate::clock::now_ms;
use crate::config::Upstream;
use crate::jobs::Owner;
use crate::outbound::whole::{self, Broken};
use crate::outbound::{BadRoots, Client, client};

/// The version of Anthropic's interface where the caller names none.
const ANTHROPIC_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");
/// Longest value of a header that is forwarded.
const HEADER_LEN_MAX: usize = 256;
/// Headers of answers that are passed on. All that stock clients act on.
const PASSED_BACK: [&str; 4] = ["content-type", "retry-after", "retry-after-ms", "x-should-retry"];

/// What a caller asks for.
pub struct Asked {
    /// Who asks.
    pub owner: Owner,
    /// The endpoint.
    pub api: Api,
    /// The request's headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why nothing is answered.
#[derive(Debug, Error)]
pub enum ForwardError {
    /// Nobody is forwarded to.
    #[error("this node forwards to no upstream")]
    NoUpstream,
    /// Too many are being forwarded.
    #[error("too many requests are being forwarded")]
    Busy,
    /// The body.
    #[error(transparent)]
    Request(#[from] BadRequest),
    /// A header.
    #[error("{0}: more than {HEADER_LEN_MAX} bytes, or other characters than letters, digits and - _ . , = :")]
    Header(HeaderName),
    /// No upstream has the model.
    #[error("there is no model {0:?}")]
    Model(String),
    /// The model is asked elsewhere.
    #[error("the model {model:?} is asked at {endpoints}: requests are not translated")]
    Endpoint {
        /// The model.
        model: String,
        /// Where.
        endpoints: &'static str,
    },
    /// The upstream cannot be reached.
    #[error("the upstream cannot be reached")]
    Unreachable,
    /// It took too long.
    #[error("the upstream did not answer in time")]
    Timeout,
    /// It does not take the node's key.
    #[error("the upstream does not accept the node's key")]
    Key,
    /// It answers with something that is not passed on.
    #[error("the upstream's answer is not one that is passed on: {0}")]
    Answer(&'static str),
    /// Its answer ended early.
    #[error("the upstream's answer was cut")]
    Cut,
    /// The receipt cannot be kept.
    #[error(transparent)]
    Receipts(#[from] ReceiptsError),
}

impl From<Broken> for ForwardError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Timeout => Self::Timeout,
            Broken::TooLarge => Self::Answer("it is too large"),
            Broken::Cut => Self::Cut,
        }
    }
}

/// An upstream and what asks it.
struct Known {
    upstream: Upstream,
    client: Client,
}

/// A request's right to be forwarded.
pub struct Place(OwnedSemaphorePermit);

/// Who signs receipts, and what stands behind the signature.
pub struct Seal {
    /// The chain that receipts are for.
    pub chain_id: String,
    /// The node's key.
    pub node: SigningKey,
    /// `tee` if an attestation binds the key to measured software, `vanilla` if it is the node's word.
    pub backend: Backend,
    /// The grade of the attestation.
    pub grade: Grade,
}

/// The proxy.
pub struct Proxy {
    seal: Arc<Seal>,
    known: Vec<Known>,
    receipts: Arc<Receipts>,
    places: Arc<Semaphore>,
    figures: Figures,
}

/// What a receipt will say, without the answer.
pub struct Draft {
    seal: Arc<Seal>,
    client_nonce: u64,
    request: Bytes,
    sent: Bytes,
    forwarded: Forwarded,
}

/// What is held and kept until the answer has passed.
pub struct Way {
    /// What the receipt will say.
    pub draft: Draft,
    /// Who asked.
    pub owner: Owner,
    /// Whether the caller wants the receipt with the answer.
    pub receipt_wanted: bool,
    /// Where receipts go.
    pub receipts: Arc<Receipts>,
    /// Until when all must have passed.
    pub deadline: Instant,
    /// Figures.
    pub figures: Figures,
    /// Counts the request as one in work.
    pub held: (OwnedSemaphorePermit, Open),
}

impl Draft {
    fn id(&self) -> RequestId {
        RequestId::new(&self.seal.chain_id, self.seal.node.public(), self.client_nonce, request_digest(&self.request))
    }

    /// The upstream's name.
    pub fn upstream(&self) -> &str {
        &self.forwarded.upstream
    }

    /// The receipt of what has passed.
    pub fn sign(self, delivery: Delivery, ending: Ending) -> SignedReceipt {
        let (request, node) = (self.id(), self.seal.node.public());
        let forwarded = Forwarded { size: delivery.size(), ending, ..self.forwarded };
        let receipt = Receipt {
            chain_id: self.seal.chain_id.clone(),
            request,
            payer: node,
            client_nonce: self.client_nonce,
            request_digest: request_digest(&self.request),
            model: forwarded.model_id(node),
            subject: Subject::Upstream(forwarded),
            backend: self.seal.backend,
            claim: Claim::Proxied,
            grade: self.seal.grade,
            proving: None,
            inputs: forwarded_digest(&self.sent),
            records: Vec::new(),
            outputs: delivery.digest(),
            node,
            price: 0,
            time_ms: now_ms(),
            proven: None,
        };
        receipt.sign(&self.seal.node)
    }
}

impl Proxy {
    /// A proxy that forwards to these upstreams, so many requests at once.
    ///
    /// # Errors
    /// An upstream's certificates cannot be used.
    pub fn new(
        seal: Seal,
        upstreams: &[Upstream],
        receipts: Arc<Receipts>,
        places: usize,
        figures: Figures,
    ) -> Result<Self, BadRoots> {
        let known =
            |upstream: &Upstream| Ok(Known { client: client(upstream.roots.as_deref())?, upstream: upstream.clone() });
        let known = upstreams.iter().map(known).collect::<Result<_, BadRoots>>()?;
        let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Ok(Self { seal: Arc::new(seal), known, receipts, places, figures })
    }

    /// The receipts of what was forwarded.
    pub fn receipts(&self) -> &Receipts {
        &self.receipts
    }

    /// The models that are forwarded, and where each is asked.
    pub fn models(&self) -> impl Iterator<Item = (&str, Dialect)> {
        self.known
            .iter()
            .flat_map(|known| known.upstream.models.iter().map(|model| (model.as_str(), known.upstream.dialect)))
    }

    /// A place among those who are forwarded.
    ///
    /// # Errors
    /// There is none.
    pub fn place(&self) -> Result<Place, ForwardError> {
        Arc::clone(&self.places).try_acquire_owned().map(Place).map_err(|_| ForwardError::Busy)
    }

    /// Forwards a request. What comes back is the head of the answer, with a body that passes as it comes.
    ///
    /// # Errors
    /// There is no answer. Once there is a head, errors show as a body that breaks off.
    pub async fn forward(&self, asked: Asked, place: Place) -> Result<Response, ForwardError> {
        self.receipts.ready()?;
        let request = Request::read(&asked.body)?;
        let Known { upstream, client } = self.find(&request.model, asked.api)?;
        let headers = headers(upstream, &asked.headers)?;
        let forwarded = Forwarded {
            upstream: upstream.name.clone(),
            origin: upstream.origin.clone(),
            path: asked.api.path().into(),
            model: request.model,
            status: 0,
            size: 0,
            ending: Ending::Truncated,
        };
        let seal = Arc::clone(&self.seal);
        let (client_nonce, sent) = (OsRng.next_u64(), request.forwarded);
        let draft = Draft { seal, client_nonce, request: asked.body, sent: sent.clone(), forwarded };
        let way = Way {
            draft,
            owner: asked.owner,
            receipt_wanted: receipt_wanted(&asked.headers),
            receipts: Arc::clone(&self.receipts),
            deadline: Instant::now() + upstream.timeout,
            figures: self.figures.clone(),
            held: (place.0, self.figures.open()),
        };
        let address = format!("{}{}{}", upstream.origin, upstream.prefix, asked.api.path());
        let answered = async {
            let response = ask(client, &address, headers, sent, way.deadline).await?;
            pass(upstream, response, way).await
        };
        let answered = answered.await;
        if let Err(error) = &answered {
            tracing::warn!(upstream = upstream.name, %error, "an upstream gave no answer");
            self.figures.over(&upstream.name, "failed", 0);
        }
        answered
    }

    fn find(&self, model: &str, api: Api) -> Result<&Known, ForwardError> {
        if self.known.is_empty() {
            return Err(ForwardError::NoUpstream);
        }
        let found = self.known.iter().find(|known| known.upstream.models.iter().any(|name| name == model));
        let known = found.ok_or_else(|| ForwardError::Model(model.into()))?;
        if known.upstream.dialect != api.dialect() {
            let endpoints = known.upstream.dialect.endpoints();
            return Err(ForwardError::Endpoint { model: model.into(), endpoints });
        }
        Ok(known)
    }
}

fn receipt_wanted(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim() == PREFERENCE)
}

/// Headers of a caller that go on: which version and which unfinished parts of the interface the body is written for.
///
/// # Errors
/// A value that may say more than that.
pub fn passed_on(dialect: Dialect, given: &HeaderMap) -> Result<HeaderMap, ForwardError> {
    let names: &[HeaderName] = match dialect {
        Dialect::OpenAi => &[HeaderName::from_static("openai-beta")],
        Dialect::Anthropic => {
            &[HeaderName::from_static("anthropic-version"), HeaderName::from_static("anthropic-beta")]
        }
    };
    let mut passed = HeaderMap::new();
    for name in names {
        for value in given.get_all(name) {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.,=: ".contains(byte);
            if value.len() > HEADER_LEN_MAX || !value.as_bytes().iter().all(plain) {
                return Err(ForwardError::Header(name.clone()));
            }
            passed.append(name, value.clone());
        }
    }
    Ok(passed)
}

/// All headers that an upstream is sent. None is the caller's but those of [`passed_on`].
fn headers(upstream: &Upstream, given: &HeaderMap) -> Result<HeaderMap, ForwardError> {
    let mut headers = passed_on(upstream.dialect, given)?;
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("assay"));
    match upstream.dialect {
        Dialect::OpenAi => drop(headers.insert(header::AUTHORIZATION, upstream.key.clone())),
        Dialect::Anthropic => {
            headers.insert("x-api-key", upstream.key.clone());
            headers.entry("anthropic-version").or_insert(ANTHROPIC_VERSION);
        }
    }
    Ok(headers)
}

/// Sends a request, and waits for the head of the answer.
async fn ask(
    client: &Client,
    address: &str,
    headers: HeaderMap,
    body: Bytes,
    deadline: Instant,
) -> Result<Response<Incoming>, ForwardError> {
    let mut request = axum::http::Request::builder().method(Method::POST).uri(address);
    if let Some(all) = request.headers_mut() {
        *all = headers;
    }
    // An address that was checked when it was configured.
    let request = request.body(Full::new(body)).map_err(|_| ForwardError::Unreachable)?;
    let response = timeout_at(deadline, client.request(request)).await.map_err(|_| ForwardError::Timeout)?;
    response.map_err(|error| if error.is_connect() { ForwardError::Unreachable } else { ForwardError::Cut })
}

/// Passes an answer on: a stream as it comes, anything else once it is whole.
async fn pass(upstream: &Upstream, response: Response<Incoming>, mut way: Way) -> Result<Response, ForwardError> {
    let (head, body) = response.into_parts();
    match head.status {
        // What an upstream says of a key may have some of the key in it.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(ForwardError::Key),
        status if status.is_redirection() || status.is_informational() => {
            return Err(ForwardError::Answer("it is a redirection"));
        }
        _ => {}
    }
    if head.headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(ForwardError::Answer("it is compressed"));
    }
    way.draft.forwarded.status = head.status.as_u16();
    let mut headers = HeaderMap::new();
    for name in PASSED_BACK {
        if let Some(value) = head.headers.get(name) {
            headers.insert(HeaderName::from_static(name), value.clone());
        }
    }
    if let Ok(id) = HeaderValue::from_str(&way.draft.id().to_string()) {
        headers.insert(REQUEST_HEADER, id);
    }
    let body = if is_stream(&head.headers) {
        let closing = Closing::new(upstream.dialect);
        Passing { body, closing, way, idle: upstream.idle_timeout, bytes_max: upstream.answer_bytes }.start()
    } else {
        let body = whole::read(body, way.deadline, upstream.answer_bytes).await?;
        if head.status.is_success() && serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_err() {
            return Err(ForwardError::Cut);
        }
        if let Some(receipt) = finish(way, &body).await? {
            headers.insert(RECEIPT_HEADER, receipt);
        }
        Body::from(body)
    };
    Ok((head.status, headers, body).into_response())
}

/// Whether an answer is an event stream.
pub fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/event-stream")
}

/// Signs and keeps the receipt of a whole answer; gives it as a header's value if the caller wants it.
async fn finish(way: Way, body: &Bytes) -> Result<Option<HeaderValue>, ForwardError> {
    let Way { draft, owner, receipt_wanted, receipts, figures, held: _held, .. } = way;
    let mut delivery = Delivery::default();
    delivery.pass(body);
    figures.over(draft.upstream(), "complete", delivery.size());
    let signed = draft.sign(delivery, Ending::Complete);
    let text = receipt_wanted.then(|| encoded(&signed));
    let durable = receipts.keep(owner, signed).await?;
    let Some(text) = text else { return Ok(None) };
    // It is durable before it is told.
    durable.wait().await?;
    Ok(HeaderValue::from_str(&text).ok())
}

/// A receipt as text.
pub fn encoded(signed: &SignedReceipt) -> String {
    BASE64.encode(assay_verifier::wire::encode(signed))
}
