//! `POST /v1/verify`: a convenience. The same check works offline with `assay verify` and `assay-verify`, which trust nobody.
use std::sync::Arc;

use assay_verifier::circuit::Limits;
use assay_verifier::digest::KeyDigest;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::Proof;
use assay_verifier::{verify, wire};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::blocking;
use super::caller::{Allowed, Reads};
use super::problem::Problem;
use crate::inference::{TensorOut, outputs};
use crate::serve::Service;
use crate::storage::BlobStore;

/// What to verify.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyIn {
    /// The key that the proof must be for, by its digest: one that this service serves. A key is never taken from whoever shows the proof.
    pub key: String,
    /// The proof's file, base64.
    pub proof: String,
    /// The context that it must be bound to, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

/// What came out.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerifyOut {
    /// Whether the statement holds.
    pub holds: bool,
    /// Why not.
    pub reason: Option<String>,
    /// What is stated: the inputs, where they are public.
    pub inputs: Option<Vec<TensorOut>>,
    /// What is stated: the outputs.
    pub outputs: Option<Vec<TensorOut>>,
    /// The context that the proof is bound to.
    pub context: Option<String>,
}

/// Verify a proof
#[utoipa::path(post, path = "/v1/verify", tag = "evidence", request_body = VerifyIn,
    responses((status = 200, body = VerifyOut), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn run(
    State(service): State<Arc<Service>>,
    _: Allowed<Reads>,
    body: Bytes,
) -> Result<Json<VerifyOut>, Problem> {
    let asked: VerifyIn = serde_json::from_slice(&body).map_err(|error| Problem::malformed("json", error))?;
    let permit = service.slow.acquire().await.map_err(|error| Problem::internal(&error))?;
    let working = Arc::clone(&service);
    let out = blocking(move || verified(&working, &asked)).await;
    drop(permit);
    out.map(Json)
}

fn verified(service: &Service, asked: &VerifyIn) -> Result<VerifyOut, Problem> {
    let digest: KeyDigest =
        asked.key.parse().map_err(|_| Problem::malformed("key", "key: not 64 hexadecimal digits"))?;
    let served = service.models.key(digest).ok_or_else(|| Problem::missing("key"))?;
    let file = BASE64.decode(&asked.proof).map_err(|_| Problem::malformed("proof", "proof: not base64"))?;
    let refused =
        |reason: String| VerifyOut { holds: false, reason: Some(reason), inputs: None, outputs: None, context: None };
    let proof: Proof = match wire::decode(&file) {
        Ok(proof) => proof,
        Err(error) => return Ok(refused(error.to_string())),
    };
    let bytes = service.blobs.get(served.blob).map_err(|error| Problem::internal(&error))?;
    let key: Key = wire::decode(&bytes).map_err(|error| Problem::internal(&error))?;
    let checked = CheckedKey::new(&key, &Limits::default()).map_err(|error| Problem::internal(&error))?;
    if let Err(error) = verify(&checked, &proof) {
        return Ok(refused(error.to_string()));
    }
    let context = hex::encode(&proof.statement.context);
    if asked.context.as_ref().is_some_and(|wanted| *wanted != context) {
        return Ok(refused("the proof is bound to another context".into()));
    }
    let circuit = key.circuit();
    Ok(VerifyOut {
        holds: true,
        reason: None,
        inputs: proof.statement.inputs.public().map(|inputs| outputs(&circuit.inputs, inputs)),
        outputs: Some(outputs(&circuit.outputs, &proof.statement.outputs)),
        context: Some(context),
    })
}
