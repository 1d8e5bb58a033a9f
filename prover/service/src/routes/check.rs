//! `POST /v1/models/check`: a dry run. Can the model be proven, how well do the integers follow it, and what will a proof take?
use std::sync::Arc;

use assay_circuits::report::Report;
use assay_circuits::{CompileError, ModelError};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::blocking;
use super::caller::{Allowed, Reads};
use super::problem::Problem;
use crate::models::{CheckError, Checked, check};
use crate::serve::Service;
use crate::storage::{BlobId, BlobStore};

/// What to check: the fields of an upload that compilation depends on.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    /// The ONNX file, by its hash.
    pub onnx: String,
    /// Sample inputs, by their hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<String>,
    /// How the samples are encoded: `npz`, `npy` or `json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_encoding: Option<String>,
    /// Bits of activations: 8, 12 or 16 (default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u8>,
    /// The batch where the model leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
}

/// What came out.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckOut {
    /// `supported`, `partially_supported` (some operators are not) or `refused`.
    pub verdict: String,
    /// Operators that cannot be compiled, each with its node.
    pub unsupported: Vec<UnsupportedOut>,
    /// Why it is refused, if it is.
    pub reason: Option<String>,
    /// Accuracy, sizes and predictions.
    #[schema(value_type = Option<Object>)]
    pub report: Option<Report>,
    /// Predicted time of a proof by `sumcheck` on this machine, in milliseconds.
    pub prove_duration_ms: Option<f64>,
    /// Predicted memory of a proof.
    pub memory_bytes: Option<u64>,
    /// Predicted size of a proof.
    pub proof_size_bytes: Option<u64>,
}

/// An operator that cannot be compiled.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UnsupportedOut {
    /// The operator.
    pub operator: String,
    /// The node.
    pub node: String,
    /// What is not supported about it.
    pub reason: String,
}

/// Whether a model can be proven, how accurately, and what that takes
#[utoipa::path(post, path = "/v1/models/check", tag = "models", request_body = CheckIn,
    responses((status = 200, body = CheckOut), (status = 400, body = Problem), (status = 422, body = Problem)))]
pub async fn run(
    State(service): State<Arc<Service>>,
    _: Allowed<Reads>,
    body: Bytes,
) -> Result<Json<CheckOut>, Problem> {
    let asked: CheckIn = serde_json::from_slice(&body).map_err(|error| Problem::malformed("json", error))?;
    let permit = service.slow.acquire().await.map_err(|error| Problem::internal(&error))?;
    let working = Arc::clone(&service);
    let out = blocking(move || checked(&working, &asked)).await;
    drop(permit);
    out.map(Json)
}

fn checked(service: &Service, asked: &CheckIn) -> Result<CheckOut, Problem> {
    let read = |field: &str, text: &str| {
        let id: BlobId =
            text.parse().map_err(|_| Problem::malformed("hash", format!("{field}: not 64 hexadecimal digits")))?;
        service.blobs.get(id).map_err(|_| Problem::unfit("blob", format!("{field}: {id} was not uploaded")))
    };
    let model = read("onnx", &asked.onnx)?;
    let samples = asked.calibration.as_deref().map(|text| read("calibration", text)).transpose()?;
    let encoding = asked.calibration_encoding.as_deref().unwrap_or("npz");
    let wanted = Checked {
        model: &model,
        calibration: samples.as_deref().map(|bytes| (bytes, encoding)),
        bits: asked.bits.unwrap_or(16),
        batch: asked.batch.unwrap_or(1),
    };
    let none = CheckOut {
        verdict: "refused".into(),
        unsupported: Vec::new(),
        reason: None,
        report: None,
        prove_duration_ms: None,
        memory_bytes: None,
        proof_size_bytes: None,
    };
    Ok(match check(&wanted) {
        Ok(report) => CheckOut {
            verdict: "supported".into(),
            prove_duration_ms: Some(report.prediction.prove_duration_ms),
            memory_bytes: Some(report.prediction.memory_bytes),
            proof_size_bytes: Some(report.prediction.proof_size_bytes),
            report: Some(report),
            ..none
        },
        Err(CheckError::Compile(CompileError::Model(ModelError::Unsupported(nodes)))) => {
            let shown = nodes.iter().map(|node| UnsupportedOut {
                operator: node.operator.clone(),
                node: node.node.clone(),
                reason: node.reason.clone(),
            });
            let reason = Some(format!("{} nodes cannot be compiled", nodes.len()));
            CheckOut { verdict: "partially_supported".into(), unsupported: shown.collect(), reason, ..none }
        }
        Err(error) => CheckOut { reason: Some(error.to_string()), ..none },
    })
}
