//! Tasks of a service elsewhere, over HTTP: what is said is in the project's encoding, every request is signed.
use std::time::Duration;

use assay_verifier::digest::KeyDigest;
use assay_verifier::signature::{PublicKey, SigningKey};
use assay_verifier::wire::{self, Bytes, File};
use serde::Deserialize;
use thiserror::Error;
use ureq::Agent;
use ureq::http::{Method, Request, Uri};

use super::prove::Proved;
use super::signed::{Asked, HEADER};
use super::source::{Source, SourceError};
use super::task::{Ask, Beat, HandIn, LetGo, Task, Trouble};
use crate::clock::now_ms;
use crate::jobs::Progress;
use crate::storage::{BlobId, id_of};

/// To connect.
const CONNECT: Duration = Duration::from_secs(5);
/// For an answer as a whole. The service holds back its answer to who asks for a task for a part of that, and circuits can be large.
const ANSWER: Duration = Duration::from_secs(60);
/// Most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = wire::SIZE_MAX as u64;

/// A service.
pub struct Remote {
    agent: Agent,
    base: String,
    host: String,
    key: SigningKey,
    bearer: Option<String>,
}

/// An address that is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not an address such as http://127.0.0.1:8080")]
pub struct BadAddress(pub String);

/// What is read of a problem document.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

impl Remote {
    /// A service at an address, for a worker's key, with an API key if the service asks for one.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(address: &str, key: SigningKey, api_key: Option<&str>) -> Result<Self, BadAddress> {
        let bad = || BadAddress(address.into());
        let uri: Uri = address.parse().map_err(|_| bad())?;
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme)).ok_or_else(bad)?;
        let host = uri.host().ok_or_else(bad)?;
        if !["", "/"].contains(&uri.path()) || uri.query().is_some() {
            return Err(bad());
        }
        let usual = if scheme == "https" { 443 } else { 80 };
        let host = match uri.port_u16() {
            Some(port) if port != usual => format!("{host}:{port}"),
            _ => host.to_owned(),
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .build();
        let bearer = api_key.map(|key| format!("Bearer {key}"));
        Ok(Self { agent: config.new_agent(), base: format!("{scheme}://{host}"), host, key, bearer })
    }

    /// The worker.
    pub fn worker(&self) -> PublicKey {
        self.key.public()
    }

    fn call(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Option<Vec<u8>>, SourceError> {
        let away = |error: &dyn std::fmt::Display| SourceError::Away(error.to_string());
        let asked = Asked { method: method.as_str(), host: &self.host, path, body: &body };
        let stamp = asked.stamp(&self.key, now_ms()).to_string();
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base)).header(HEADER, stamp);
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", bearer);
        }
        let request = request.header("content-type", "application/octet-stream").body(body);
        let mut answer = self.agent.run(request.map_err(|error| away(&error))?).map_err(|error| away(&error))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body = body.map_err(|error| away(&error))?;
        match status {
            200 => Ok(Some(body)),
            204 => Ok(None),
            _ => Err(refusal(status, &body)),
        }
    }

    fn post<T: File>(&self, path: &str, value: &T) -> Result<Option<Vec<u8>>, SourceError> {
        self.call(Method::POST, path, wire::encode(value))
    }

    fn of_job(&self, task: &Task, what: &str) -> String {
        format!("/v1/work/{}/{what}", task.job)
    }
}

/// What a service says that does not do what it was asked for.
fn refusal(status: u16, body: &[u8]) -> SourceError {
    let problem: Option<Problem> = serde_json::from_slice(body).ok();
    let code = problem.as_ref().map_or("", |problem| &problem.code);
    match (status, code) {
        (_, "stale_lease") => SourceError::Stale,
        (_, "quarantined" | "proof_refused") => SourceError::Quarantined,
        (400..=499, _) if ![408, 429].contains(&status) => {
            SourceError::Refused(problem.map_or_else(|| format!("status {status}"), |problem| problem.detail))
        }
        _ => SourceError::Away(problem.map_or_else(|| format!("status {status}"), |problem| problem.detail)),
    }
}

impl Source for Remote {
    fn task(&self, loaded: Vec<KeyDigest>) -> Result<Option<Task>, SourceError> {
        let answer = self.post("/v1/work/lease", &Ask { loaded })?;
        let task = answer.map(|bytes| wire::decode(&bytes)).transpose();
        task.map_err(|error| SourceError::Away(format!("its answer is no task: {error}")))
    }

    fn file(&self, id: BlobId) -> Result<Vec<u8>, SourceError> {
        let bytes = self.call(Method::GET, &format!("/v1/work/blobs/{id}"), Vec::new())?.unwrap_or_default();
        if id_of(&bytes) != id {
            return Err(SourceError::Away("its answer is another file".into()));
        }
        Ok(bytes)
    }

    fn heartbeat(&self, task: &Task, progress: Progress) -> Result<(), SourceError> {
        self.post(&self.of_job(task, "heartbeat"), &Beat { token: task.token, progress }).map(drop)
    }

    fn hand_in(&self, task: &Task, proved: &Proved) -> Result<(), SourceError> {
        let Proved { proof, prove_us } = proved;
        let handed_in = HandIn { token: task.token, prove_us: *prove_us, proof: Bytes(proof.clone()) };
        self.post(&self.of_job(task, "proof"), &handed_in).map(drop)
    }

    fn let_go(&self, task: &Task, trouble: Option<&Trouble>) -> Result<(), SourceError> {
        let let_go = LetGo { token: task.token, trouble: trouble.cloned() };
        self.post(&self.of_job(task, "failure"), &let_go).map(drop)
    }
}
