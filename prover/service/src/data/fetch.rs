//! Fetching: each address, the first and those of redirections, must be of the list; its name is resolved, every address of the network that it has
//! is checked, and the connection goes to one of these.
use std::net::SocketAddr;
use std::sync::Arc;

use assay_verifier::digest::Digest32;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::address::{Address, BadAddress};
use super::network::is_public;
use crate::config::Source;
use crate::outbound::whole::{self, Broken};
use crate::outbound::{BadRoots, tls};

/// Bytes of a head that are read.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FetchError {
    /// It is no address.
    #[error("url: {0}")]
    Address(#[from] BadAddress),
    /// It is not of the list.
    #[error("url: {0} is not of a source of this node")]
    Source(String),
    /// A redirection leads off the list.
    #[error("a redirection leads to {0}, which is not of a source of this node")]
    Redirected(String),
    /// A redirection leads nowhere.
    #[error("a redirection leads to what is no address: {0}")]
    Location(BadAddress),
    /// Too many.
    #[error("more than {0} redirections")]
    Redirections(usize),
    /// The name has no address.
    #[error("{0} has no address")]
    Name(String),
    /// The name has an address that is not everybody's.
    #[error("{0} is not in a public network")]
    Private(String),
    /// Nobody is there.
    #[error("{0} cannot be reached")]
    Unreachable(String),
    /// TLS.
    #[error("{0} shows no certificate that is trusted: {1}")]
    Certificate(String, String),
    /// It took too long.
    #[error("the source did not answer in time")]
    Timeout,
    /// It is too large.
    #[error("the source's answer is too large")]
    TooLarge,
    /// It ended early, or is no answer.
    #[error("the source's answer was cut")]
    Cut,
    /// It is compressed.
    #[error("the source's answer is compressed, which was not asked for")]
    Compressed,
}

impl From<Broken> for FetchError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Timeout => Self::Timeout,
            Broken::TooLarge => Self::TooLarge,
            Broken::Cut => Self::Cut,
        }
    }
}

/// What was fetched.
#[derive(Clone, Debug)]
pub struct Got {
    /// The source that answered at the end.
    pub source: String,
    /// What was asked for.
    pub url: String,
    /// Where that led.
    pub redirects: Vec<String>,
    /// The status.
    pub status: u16,
    /// Headers that are kept.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

struct Known {
    source: Source,
    tls: TlsConnector,
}

/// What fetches.
pub struct Fetcher(Vec<Known>);

impl Fetcher {
    /// Fetches from these sources and no others.
    ///
    /// # Errors
    /// A source's certificates cannot be used.
    pub fn new(sources: &[Source]) -> Result<Self, BadRoots> {
        let known = |source: &Source| {
            Ok(Known { tls: TlsConnector::from(Arc::new(tls(source.roots.as_deref())?)), source: source.clone() })
        };
        Ok(Self(sources.iter().map(known).collect::<Result<_, BadRoots>>()?))
    }

    fn find(&self, address: &Address) -> Option<&Known> {
        let (origin, path) = (address.origin(), &address.path);
        self.0.iter().find(|Known { source, .. }| {
            source.origin == origin
                && source.paths.iter().any(|pattern| pattern.matches(path))
                && parameters(address).all(|name| source.parameters.contains(name))
        })
    }

    /// Fetches an address.
    ///
    /// # Errors
    /// The first thing that is not as it must be. Nothing is connected to that was not checked.
    pub async fn fetch(&self, url: &str) -> Result<Got, FetchError> {
        let mut address: Address = url.parse()?;
        let asked = address.to_string();
        let mut known = self.find(&address).ok_or_else(|| FetchError::Source(asked.clone()))?;
        let (most, deadline) = (known.source.redirects_max, Instant::now() + known.source.timeout);
        let mut redirects = Vec::new();
        loop {
            let answered = timeout_at(deadline, known.ask(&address)).await.map_err(|_| FetchError::Timeout)?;
            let (head, body) = answered?.into_parts();
            if let Some(location) = redirection(head.status, &head.headers) {
                if redirects.len() == most {
                    return Err(FetchError::Redirections(most));
                }
                address = address.follow(location).map_err(FetchError::Location)?;
                known = self.find(&address).ok_or_else(|| FetchError::Redirected(address.to_string()))?;
                redirects.push(address.to_string());
                continue;
            }
            if head.headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
                return Err(FetchError::Compressed);
            }
            let kept = known.source.keep_headers.iter().filter_map(|name| {
                let value = head.headers.get(name)?;
                Some((name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            });
            let (source, status, headers) = (known.source.name.clone(), head.status.as_u16(), kept.collect());
            let body = whole::read(body, deadline, known.source.body_bytes).await?;
            return Ok(Got { source, url: asked, redirects, status, headers, body });
        }
    }
}

/// Names of the parameters of a query.
fn parameters(address: &Address) -> impl Iterator<Item = &str> {
    let all = address.query.iter().flat_map(|query| query.split(['&', ';']));
    all.map(|parameter| parameter.split_once('=').map_or(parameter, |(name, _)| name))
}

fn redirection(status: StatusCode, headers: &HeaderMap) -> Option<&str> {
    let follows = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    headers.get(header::LOCATION).filter(|_| follows)?.to_str().ok()
}

impl Known {
    /// Asks; gives the head of the answer, and a body that comes.
    async fn ask(&self, address: &Address) -> Result<Response<Incoming>, FetchError> {
        let stream = self.connect(address).await?;
        if !address.is_secure() {
            return self.send(address, stream).await;
        }
        let name = ServerName::try_from(address.host().to_owned());
        let name = name.map_err(|_| FetchError::Name(address.host().into()))?;
        let stream = self.tls.connect(name, stream).await;
        let stream = stream.map_err(|error| FetchError::Certificate(address.authority(), error.to_string()))?;
        self.send(address, stream).await
    }

    /// Connects to an address that the name has now and that was checked: whatever the name has later plays no part.
    async fn connect(&self, address: &Address) -> Result<TcpStream, FetchError> {
        let none = || FetchError::Name(address.host().into());
        let found = lookup_host((address.host(), address.port())).await.map_err(|_| none())?;
        let found: Vec<SocketAddr> = found.collect();
        // One that is private among others is somebody's attempt at it.
        if !self.source.private && !found.iter().all(|found| is_public(found.ip())) {
            return Err(FetchError::Private(address.host().into()));
        }
        if found.is_empty() {
            return Err(none());
        }
        TcpStream::connect(&found[..]).await.map_err(|_| FetchError::Unreachable(address.authority()))
    }

    async fn send(
        &self,
        address: &Address,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Response<Incoming>, FetchError> {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD_BYTES_MAX);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|_| FetchError::Cut)?;
        // It ends with the answer's body.
        tokio::spawn(connection);
        let mut request = Request::builder().uri(address.target());
        if let Some(headers) = request.headers_mut() {
            *headers = self.source.headers.clone();
            if let Ok(host) = HeaderValue::from_str(&address.authority()) {
                headers.insert(header::HOST, host);
            }
            headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static("assay"));
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|_| FetchError::Cut)?;
        sender.send_request(request).await.map_err(|_| FetchError::Cut)
    }
}

impl Got {
    /// The SHA-256 of the body.
    pub fn digest(&self) -> Digest32 {
        Digest32(crate::storage::id_of(&self.body).0)
    }
}
