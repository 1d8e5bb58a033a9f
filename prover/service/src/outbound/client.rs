//! The client that asks upstreams and nodes: HTTP/1.1 with TLS, connections kept for the next request, no redirects, bounded buffers.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// To connect.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a connection is kept that nobody uses. Upstreams close them after about a minute.
const IDLE: Duration = Duration::from_secs(30);
/// Connections that are kept for each host.
const IDLE_CONNECTIONS: usize = 64;
/// Most bytes that are read ahead of whoever takes them, for each connection.
const BUFFER_BYTES: usize = 32 << 10;

/// The client.
pub type Client = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Why certificates cannot be used.
#[derive(Debug, Error)]
pub enum BadRoots {
    /// The file.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The library.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// What a server's certificate is checked against: the file's certificates, or those of the web.
///
/// # Errors
/// The file cannot be read or has none.
pub fn tls(roots: Option<&Path>) -> Result<ClientConfig, BadRoots> {
    let mut store = RootCertStore::empty();
    match roots {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let fail = |reason: String| BadRoots::File { path: path.into(), reason };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| fail(error.to_string()))? {
                store.add(certificate.map_err(|error| fail(error.to_string()))?)?;
            }
            if store.is_empty() {
                return Err(fail("it has no certificate".into()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

/// A client.
///
/// # Errors
/// Certificates cannot be used.
pub fn client(roots: Option<&Path>) -> Result<Client, BadRoots> {
    let mut http = HttpConnector::new();
    http.set_connect_timeout(Some(CONNECT));
    http.set_nodelay(true);
    http.enforce_http(false);
    // That an address without TLS is on loopback is checked where the address is configured.
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls(roots)?).https_or_http().enable_http1().wrap_connector(http);
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(IDLE_CONNECTIONS);
    builder.http1_max_buf_size(BUFFER_BYTES);
    Ok(builder.build(connector))
}
