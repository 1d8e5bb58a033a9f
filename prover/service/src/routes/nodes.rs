//! `GET /v1/nodes`, `GET /v1/supported`, `GET /v1/trust`: who answers, what can be asked for, what auditors begin with.
use std::sync::Arc;

use assay_verifier::settlement::node::{Heartbeat, Node};
use assay_verifier::settlement::{Versioned, decode, keys};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attestation::{RecordedOut, recorded};
use super::blocking;
use super::caller::{Allowed, Reads};
use super::problem::Problem;
use crate::inference::{claim, mode};
use crate::serve::Service;

/// A node and its record on the ledger.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NodeOut {
    /// Its public key: who signs receipts.
    pub key: String,
    /// Whether it is registered now.
    pub registered: bool,
    /// Where it is reached, by its record.
    pub endpoint: Option<String>,
    /// What it does, by its record.
    pub modes: Vec<String>,
    /// What it staked.
    pub stake: Option<u64>,
    /// Its last heartbeat, in milliseconds since 1970.
    pub heartbeat_ms: Option<u64>,
    /// The attestation of its enclave.
    #[serde(default)]
    pub attestation: Option<RecordedOut>,
}

/// What can be asked for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Supported {
    /// This version.
    pub version: String,
    /// The ledger.
    pub chain_id: String,
    /// Modes.
    pub modes: Vec<ModeOut>,
    /// Models of upstreams, and where they are asked.
    pub forwarded: Vec<ForwardedOut>,
    /// Engines, and what their proofs are.
    pub engines: Vec<String>,
    /// Whether requests are paid for: `free` or `x402`.
    pub payment: String,
    /// The network of payments, as x402 names it.
    pub network: String,
    /// Limits.
    pub limits: LimitsOut,
}

/// A mode.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ModeOut {
    /// Its name.
    pub mode: String,
    /// What its receipts claim.
    pub claim: String,
}

/// A model of an upstream.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ForwardedOut {
    /// Its name.
    pub model: String,
    /// Where it is asked.
    pub endpoints: String,
}

/// Limits.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LimitsOut {
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// Bytes of an uploaded file.
    pub blob_bytes_max: usize,
    /// Items of a batch.
    pub batch_items_max: usize,
    /// Seconds that a request may wait for its proof.
    pub wait_max_s: u64,
}

/// This node, as the ledger has it
#[utoipa::path(get, path = "/v1/nodes", tag = "operations", responses((status = 200, body = Vec<NodeOut>)))]
pub async fn list(State(service): State<Arc<Service>>, _: Allowed<Reads>) -> Result<Json<Vec<NodeOut>>, Problem> {
    blocking(move || {
        let key = service.node.public();
        let record = |key: &[u8]| service.ledger.record(key).map_err(|error| Problem::internal(&error));
        let node: Option<Versioned<Node>> = record(&keys::node(key))?.and_then(|bytes| decode(&bytes).ok());
        let heartbeat: Option<Heartbeat> = record(&keys::heartbeat(key))?.and_then(|bytes| decode(&bytes).ok());
        let registered = node.as_ref().is_some_and(|node| node.valid_to.is_none());
        let node = node.map(|node| node.record);
        let modes = node.iter().flat_map(|node| &node.backends).map(|backend| mode(*backend).into()).collect();
        Ok(Json(vec![NodeOut {
            key: key.to_string(),
            registered,
            endpoint: node.as_ref().map(|node| node.endpoint.clone()),
            modes,
            stake: node.as_ref().map(|node| node.stake),
            heartbeat_ms: heartbeat.map(|heartbeat| heartbeat.time_ms),
            attestation: recorded(&service)?,
        }]))
    })
    .await
}

/// Modes, engines and limits
#[utoipa::path(get, path = "/v1/supported", tag = "operations", responses((status = 200, body = Supported)))]
pub async fn supported(State(service): State<Arc<Service>>, _: Allowed<Reads>) -> Json<Supported> {
    let limits = service.config.limits;
    let modes = service.inference.backends.capabilities();
    let modes = modes.iter().map(|able| ModeOut { mode: mode(able.backend).into(), claim: claim(able.claim).into() });
    let chain_id = service.ledger.rules().chain_id.clone();
    Json(Supported {
        version: env!("CARGO_PKG_VERSION").into(),
        modes: modes.collect(),
        forwarded: service
            .proxy
            .models()
            .map(|(model, dialect)| ForwardedOut { model: model.into(), endpoints: dialect.endpoints().into() })
            .collect(),
        engines: vec!["sumcheck".into(), "halo2".into()],
        payment: match service.config.payment {
            crate::config::PaymentMode::Free => "free",
            crate::config::PaymentMode::X402 => "x402",
        }
        .into(),
        network: format!("assay:{chain_id}"),
        chain_id,
        limits: LimitsOut {
            body_bytes_max: limits.body_bytes,
            blob_bytes_max: limits.blob_bytes,
            batch_items_max: limits.batch_items,
            wait_max_s: limits.wait.as_secs(),
        },
    })
}

/// What auditors begin with, by this node's own word
///
/// The file for `assay-verify --trust`. An auditor who trusts nobody gets it from somebody else, or compares it.
#[utoipa::path(get, path = "/v1/trust", tag = "evidence", responses((status = 200, body = Object)))]
pub async fn trust(State(service): State<Arc<Service>>, _: Allowed<Reads>) -> Json<serde_json::Value> {
    Json(service.trust())
}
