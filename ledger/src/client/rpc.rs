//! JSON-RPC over HTTP, as CometBFT speaks it: one call, one answer.
//!
//! The transport is `ureq` without TLS: a client speaks to a node of its own side, or through a tunnel that whoever runs it trusts. What is
//! submitted is signed and what is read can be proven, so the transport need not be trusted for that.
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::Agent;

use super::error::ClientError;

/// Longest answer in bytes: a block of the largest size that CometBFT makes, as base64.
const ANSWER_LEN_MAX: u64 = 160 << 20;
/// For how long an unused connection is kept. CometBFT closes them after ten seconds.
const IDLE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct Rpc {
    agent: Agent,
    address: Arc<str>,
}

#[derive(Serialize)]
struct Call {
    jsonrpc: &'static str,
    id: u32,
    method: &'static str,
    params: Value,
}

#[derive(Deserialize)]
struct Answer<T> {
    result: Option<T>,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    message: String,
    #[serde(default)]
    data: String,
}

impl Rpc {
    pub fn new(address: &str, timeout: Duration) -> Result<Self, ClientError> {
        let trimmed = address.trim_end_matches('/');
        let host = trimmed.strip_prefix("http://").unwrap_or_default();
        if host.is_empty() || host.contains(['/', '?', '#', ' ']) {
            return Err(ClientError::Address(address.into()));
        }
        // Faults come with status 500 and say more in their body. A proxy of the environment is not for nodes.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_age(IDLE)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(timeout));
        Ok(Self { agent: config.build().into(), address: trimmed.into() })
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Calls a method.
    pub fn call<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, ClientError> {
        let malformed = |error: serde_json::Error| ClientError::Malformed { method, reason: error.to_string() };
        let call = Call { jsonrpc: "2.0", id: 1, method, params };
        let body = serde_json::to_vec(&call).map_err(malformed)?;
        let answer = self.exchange(&body).map_err(|error| {
            let reason = error.to_string();
            ClientError::Unreachable { address: self.address.to_string(), reason }
        })?;
        match serde_json::from_slice(&answer).map_err(malformed)? {
            Answer { error: Some(Fault { message, data }), .. } => {
                let reason = if data.is_empty() { message } else { data };
                Err(ClientError::Node { method, reason })
            }
            Answer { result: Some(result), .. } => Ok(result),
            Answer { .. } => Err(ClientError::Malformed { method, reason: "neither a result nor an error".into() }),
        }
    }

    fn exchange(&self, body: &[u8]) -> Result<Vec<u8>, ureq::Error> {
        let mut response = self.agent.post(&*self.address).content_type("application/json").send(body)?;
        response.body_mut().with_config().limit(ANSWER_LEN_MAX).read_to_vec()
    }
}
