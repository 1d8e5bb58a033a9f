//! Calls of a service: JSON and files over HTTP. Problem documents become errors that say what to do next.
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use assay_verifier::wire::SIZE_MAX;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::{Method, Request, Response};

use super::super::problem::problem;
use crate::routes::Problem;
use crate::storage::{BlobId, id_of};

/// To connect.
const CONNECT: Duration = Duration::from_secs(5);
/// For the head of an answer: a caller may wait for a proof.
const HEAD: Duration = Duration::from_secs(600);

/// A service.
pub struct Server {
    agent: Agent,
    base: String,
    bearer: Option<String>,
}

/// A status and a body.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers by name.
    pub headers: ureq::http::HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Server {
    /// A service at an address.
    pub fn new(address: &str, api_key_file: Option<&Path>) -> Result<Self> {
        let base = address.trim_end_matches('/');
        if !base.starts_with("http://") && !base.starts_with("https://") {
            return Err(problem(
                format!("--server {address}: not http://HOST:PORT"),
                "give the address that `assay serve` shows",
            ));
        }
        let key = match api_key_file {
            Some(path) => Some(std::fs::read_to_string(path)?.trim().to_owned()),
            None => std::env::var("ASSAY_API_KEY").ok(),
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(HEAD))
            .build();
        Ok(Self { agent: config.new_agent(), base: base.into(), bearer: key.map(|key| format!("Bearer {key}")) })
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Response<ureq::Body>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", bearer);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let away = |error: &dyn std::fmt::Display| {
            problem(format!("{}: {error}", self.base), "is the service running? `assay serve` starts one here")
        };
        let request = request.body(body).map_err(|error| away(&error))?;
        self.agent.run(request).map_err(|error| away(&error))
    }

    /// Calls, and gives whatever is answered.
    pub fn exchange(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Answer> {
        let mut response = self.call(method, path, headers, body)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.body_mut().with_config().limit(SIZE_MAX as u64).read_to_vec()?;
        Ok(Answer { status, headers, body })
    }

    /// Reads JSON.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.exchange(Method::GET, path, &[], Vec::new())?.json()
    }

    /// Reads a file.
    pub fn file(&self, path: &str) -> Result<Vec<u8>> {
        self.exchange(Method::GET, path, &[("accept", "application/octet-stream")], Vec::new())?.good()
    }

    /// Posts JSON, and reads JSON.
    pub fn post<T: DeserializeOwned>(&self, path: &str, value: &impl Serialize) -> Result<T> {
        let headers = [("content-type", "application/json")];
        self.exchange(Method::POST, path, &headers, serde_json::to_vec(value)?)?.json()
    }

    /// Uploads a file; gives its hash.
    pub fn upload(&self, bytes: Vec<u8>) -> Result<BlobId> {
        let id = id_of(&bytes);
        let headers = [("content-type", "application/octet-stream")];
        self.exchange(Method::PUT, &format!("/v1/blobs/{id}"), &headers, bytes)?.good()?;
        Ok(id)
    }

    /// A stream that goes on until the service ends it.
    pub fn stream(&self, path: &str) -> Result<impl Read + use<>> {
        let response = self.call(Method::GET, path, &[("accept", "text/event-stream")], Vec::new())?;
        if response.status().as_u16() != 200 {
            let status = response.status().as_u16();
            let body = response.into_body().read_to_vec()?;
            return Err(refusal(status, &body));
        }
        Ok(response.into_body().into_reader())
    }
}

impl Answer {
    /// The body, if the status says that all is well.
    pub fn good(self) -> Result<Vec<u8>> {
        if (200..300).contains(&self.status) { Ok(self.body) } else { Err(refusal(self.status, &self.body)) }
    }

    /// The same as JSON.
    pub fn json<T: DeserializeOwned>(self) -> Result<T> {
        Ok(serde_json::from_slice(&self.good()?)?)
    }
}

fn refusal(status: u16, body: &[u8]) -> anyhow::Error {
    let Ok(found) = serde_json::from_slice::<Problem>(body) else {
        return problem(format!("the service answers with status {status}"), "is it a service of Assay?");
    };
    let next = match (found.code.as_str(), found.retry_after_s) {
        ("unauthorized", _) => "name an API key with --api-key-file".into(),
        ("payment_required", _) => "pay with --payer FILE.seed".into(),
        ("model", _) => "see `assay client check` and `publish`, or GET /v1/models".into(),
        (_, Some(seconds)) => format!("try again in {seconds} s"),
        _ => "see /docs of the service".into(),
    };
    problem(format!("{} ({})", found.detail, found.code), next)
}
