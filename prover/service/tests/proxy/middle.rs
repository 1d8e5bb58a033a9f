//! Somebody between `assay proxy` and the node, who changes what the node answers.
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use assay_service::outbound::client;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Full};
use tokio::sync::oneshot;

use crate::upstream::serve;

/// A node's answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

type Change = Box<dyn FnMut(&mut Answer) + Send>;

#[derive(Clone)]
struct Between {
    node: String,
    change: Arc<Mutex<Change>>,
}

/// The one in the middle.
pub struct Middle {
    pub url: String,
    change: Arc<Mutex<Change>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Middle {
    /// Between others and this node; changes nothing yet.
    pub fn before(node: &str) -> Self {
        let change: Arc<Mutex<Change>> = Arc::new(Mutex::new(Box::new(|_| {})));
        let between = Between { node: node.into(), change: Arc::clone(&change) };
        let (url, running) = serve(Router::new().fallback(pass).with_state(between));
        Self { url, change, running: Some(running) }
    }

    /// Does this to answers from now on.
    pub fn does(&self, change: impl FnMut(&mut Answer) + Send + 'static) {
        *self.change.lock().unwrap() = Box::new(change);
    }
}

impl Drop for Middle {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }
}

async fn pass(State(Between { node, change }): State<Between>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut request = axum::http::Request::builder().method(Method::POST).uri(format!("{node}{}", uri.path()));
    *request.headers_mut().unwrap() = headers;
    let response = client(None).unwrap().request(request.body(Full::new(body)).unwrap()).await.unwrap();
    let (head, mut body) = response.into_parts();
    let mut answer = Answer { status: head.status, headers: head.headers, body: Vec::new() };
    while let Some(Ok(frame)) = body.frame().await {
        answer.body.extend(frame.into_data().unwrap_or_default());
    }
    (change.lock().unwrap())(&mut answer);
    for name in ["content-length", "transfer-encoding"] {
        answer.headers.remove(name);
    }
    (answer.status, answer.headers, Body::from(answer.body)).into_response()
}
