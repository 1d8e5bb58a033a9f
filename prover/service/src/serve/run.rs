//! Serving: a listener with or without TLS, and a shutdown that lets requests in work finish.
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use thiserror::Error;

use super::Service;
use crate::routes;

/// How long a client may take for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest head of a request.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long requests in work may take after a shutdown was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// Why serving ended.
#[derive(Debug, Error)]
pub enum RunError {
    /// Certificate or key.
    #[error("tls_certificate, tls_key: {0}")]
    Tls(io::Error),
    /// The listener.
    #[error("{0}")]
    Serve(#[from] io::Error),
}

/// Serves until a shutdown is asked for.
///
/// # Errors
/// Certificates cannot be read, or the listener fails.
pub async fn run(
    service: Arc<Service>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), RunError> {
    listener.set_nonblocking(true)?;
    let handle: Handle<SocketAddr> = Handle::new();
    let stopping = handle.clone();
    tokio::spawn(async move {
        shutdown.await;
        stopping.graceful_shutdown(Some(DRAIN));
    });
    let router = routes::router(Arc::clone(&service)).into_make_service();
    match &service.config.tls {
        None => {
            let mut server = axum_server::from_tcp(listener)?.handle(handle).http1_only();
            limits(server.http_builder());
            server.serve(router).await?;
        }
        Some(tls) => {
            // Another part of the process may have chosen the provider already.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let tls = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await.map_err(RunError::Tls)?;
            let mut server = axum_server::from_tcp_rustls(listener, tls)?.handle(handle).http1_only();
            limits(server.http_builder());
            server.serve(router).await?;
        }
    }
    Ok(())
}

/// What a client may take of time and memory before it has said what it wants. They hold from the first byte on only where
/// the server does not look for other versions of HTTP first.
fn limits(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    let mut http = builder.http1();
    http.timer(hyper_util::rt::TokioTimer::new());
    http.header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_BYTES_MAX);
}
