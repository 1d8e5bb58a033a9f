//! A server that is fetched from, with and without TLS. It counts who comes.
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use futures_util::stream;

/// A document with numbers for a model of 64 of them.
pub fn document() -> serde_json::Value {
    let rows: Vec<Vec<f64>> =
        (0..8).map(|row| (0..8).map(|cell| f64::from((row * 3 + cell) % 9) / 8.0).collect()).collect();
    serde_json::json!({ "now": { "temperature": 1.5, "wind": [1, 2.25] }, "image": rows, "words": ["a"] })
}

/// Requests as they came.
type Seen = Arc<Mutex<Vec<(String, HeaderMap)>>>;

pub struct Server {
    pub url: String,
    seen: Seen,
    handle: Handle<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

/// A file of the certificates that were made for this test.
pub fn tls(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

impl Server {
    pub fn plain() -> Self {
        Self::start(false)
    }

    /// With a certificate for `localhost`.
    pub fn secure() -> Self {
        Self::start(true)
    }

    fn start(secure: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = if secure { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        let (seen, handle) = (Seen::default(), Handle::new());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen)).into_make_service();
        let serving = handle.clone();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                if secure {
                    let _ = rustls::crypto::ring::default_provider().install_default();
                    let config = RustlsConfig::from_pem_file(tls("chain.pem"), tls("key.pem")).await.unwrap();
                    axum_server::from_tcp_rustls(listener, config)
                        .unwrap()
                        .handle(serving)
                        .serve(router)
                        .await
                        .unwrap();
                } else {
                    axum_server::from_tcp(listener).unwrap().handle(serving).serve(router).await.unwrap();
                }
            });
            runtime.shutdown_background();
        };
        Self { url, seen, handle, thread: Some(std::thread::spawn(serve)) }
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub fn last(&self) -> (String, HeaderMap) {
        self.seen.lock().unwrap().last().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.shutdown();
        self.thread.take().unwrap().join().unwrap();
    }
}

async fn answer(State(seen): State<Seen>, uri: Uri, headers: HeaderMap) -> Response {
    seen.lock().unwrap().push((uri.to_string(), headers));
    let parts: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    let query = uri.query().unwrap_or_default();
    let json = || {
        ([(header::CONTENT_TYPE, "application/json"), (header::ETAG, "\"7\"")], document().to_string()).into_response()
    };
    match parts[0] {
        "to" => {
            // Where to is the parameter, or the path that is named.
            if parts[1] == "loop" {
                return (StatusCode::FOUND, [(header::LOCATION, "/to/loop")]).into_response();
            }
            let to = query.strip_prefix("where=").map_or_else(|| format!("/{}", parts[1]), str::to_owned);
            (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
        }
        "json" => json(),
        "text" => "no JSON".into_response(),
        "large" => "x".repeat(20_000).into_response(),
        "silent" => std::future::pending().await,
        "compressed" => ([(header::CONTENT_ENCODING, "gzip")], "\x1f").into_response(),
        "status" => (StatusCode::from_u16(parts[1].parse().unwrap()).unwrap(), json()).into_response(),
        "cut" => {
            let pieces: [Result<&str, std::io::Error>; 2] = [Ok("{"), Err(std::io::Error::other("cut"))];
            Body::from_stream(stream::iter(pieces)).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
