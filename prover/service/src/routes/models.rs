//! `POST /v1/models`, `GET /v1/models`, `GET /v1/models/{publisher}/{name}/{version}`: publish, list, inspect.
use std::sync::Arc;

use assay_circuits::report::Report;
use assay_verifier::key::Engine;
use assay_verifier::settlement::model::Manifest;
use assay_verifier::wire;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::blocking;
use super::caller::{Allowed, Publishes, Reads};
use super::problem::Problem;
use crate::access::Caller;
use crate::clock::now_ms;
use crate::jobs::Failure;
use crate::models::{Compilation, FloatPort, ModelError, ModelRecord, Publication, Served, Source, Wanted};
use crate::serve::Service;
use crate::storage::{BlobId, BlobStore};

/// Longest name and version.
const TEXT_LEN_MAX: usize = 64;
/// Most models on a page.
const PAGE_MAX: usize = 100;

/// What to publish.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// The model's name: letters, digits, dots, dashes, underscores.
    pub name: String,
    /// The version, of the same characters.
    pub version: String,
    /// What a request costs, in the ledger's smallest unit.
    #[serde(default)]
    pub price: u64,
    /// The ONNX file, by its hash; it is compiled here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onnx: Option<String>,
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
    /// `compiled` (default), or `float`: the ONNX file is evaluated as it is, in enclaves only (mode `tee`), and nothing proves its answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// A circuit's file instead of ONNX, by its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit: Option<String>,
    /// Keys that are to be made; `sumcheck` if none are named.
    #[serde(default)]
    pub keys: Vec<WantedKey>,
    /// A manifest that the publisher signed elsewhere, with the keys that it names. Without it this node publishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignedManifest>,
}

/// A key that is wanted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedKey {
    /// `sumcheck` or `halo2`.
    pub engine: String,
    /// Whether inputs are hidden.
    #[serde(default)]
    pub private_input: bool,
    /// Whether weights are.
    #[serde(default)]
    pub private_weights: bool,
}

/// A manifest as its publisher signed it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedManifest {
    /// The manifest in the project's encoding, base64.
    pub manifest: String,
    /// The signature, 128 hexadecimal digits.
    pub signature: String,
    /// Files of the keys, by their hashes, in the manifest's order.
    pub keys: Vec<String>,
}

/// A model.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ModelOut {
    /// Its identity.
    pub id: String,
    /// `publisher/name/version`.
    pub reference: String,
    /// The publisher's public key.
    pub publisher: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// What a request costs.
    pub price: u64,
    /// `queued`, `running`, `done` or `failed`.
    pub compilation: String,
    /// `none`, `submitted`, `published` or `rejected`.
    pub publication: String,
    /// Whether requests are answered.
    pub serves: bool,
    /// The circuit's digest.
    pub circuit: Option<String>,
    /// SHA-256 of the ONNX file, of a model that is evaluated in floating point.
    #[serde(default)]
    pub onnx: Option<String>,
    /// Its keys.
    pub keys: Vec<KeyOut>,
    /// What the compiler measured and predicted.
    #[schema(value_type = Option<Object>)]
    pub report: Option<Report>,
    /// What went wrong last.
    pub failure: Option<FailureOut>,
    /// The block in which it was published.
    pub height: Option<u64>,
    /// Inputs that requests have.
    #[serde(default)]
    pub inputs: Vec<PortOut>,
    /// Outputs that answers have.
    #[serde(default)]
    pub outputs: Vec<PortOut>,
    /// When it was uploaded, in milliseconds since 1970.
    pub created_ms: u64,
}

/// A key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyOut {
    /// Its digest: what an auditor compares.
    pub digest: String,
    /// The engine.
    pub engine: String,
    /// Whether inputs are hidden.
    pub private_input: bool,
    /// Whether weights are.
    pub private_weights: bool,
    /// Bytes of its file.
    pub size_bytes: u64,
}

/// An input or output.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PortOut {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<u32>,
    /// A real value is `integer * 2^-scale`; nothing of a model that is evaluated in floating point.
    pub scale: Option<i8>,
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FailureOut {
    /// Stable, for programs.
    pub code: String,
    /// For people.
    pub text: String,
    /// Whether it is tried again.
    pub retryable: bool,
    /// Which attempt it was.
    pub attempt: u32,
}

/// A page of models.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ModelPage {
    /// The models.
    pub models: Vec<ModelOut>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// Which page.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub struct PageQuery {
    /// Where it begins: `next` of the page before.
    pub cursor: Option<String>,
    /// How many, 100 at most.
    pub limit: Option<usize>,
}

impl From<&Failure> for FailureOut {
    fn from(failure: &Failure) -> Self {
        let Failure { code, text, retryable, attempt } = failure.clone();
        Self { code, text, retryable, attempt }
    }
}

impl From<&Served> for KeyOut {
    fn from(key: &Served) -> Self {
        Self {
            digest: key.digest.to_string(),
            engine: key.kind.engine.to_string(),
            private_input: key.kind.private_input,
            private_weights: key.kind.private_weights,
            size_bytes: key.size_bytes,
        }
    }
}

impl From<&ModelRecord> for ModelOut {
    fn from(model: &ModelRecord) -> Self {
        Self {
            id: model.id().to_string(),
            reference: model.reference(),
            publisher: model.publisher.to_string(),
            name: model.name.clone(),
            version: model.version.clone(),
            price: model.price,
            compilation: model.compilation.name().into(),
            publication: model.publication.name().into(),
            serves: model.serves(),
            circuit: model.circuit.map(|(digest, _)| digest.to_string()),
            onnx: model.onnx().map(|(file, _)| file.to_string()),
            keys: model.keys.iter().map(KeyOut::from).collect(),
            report: model.report.clone(),
            failure: model.failure.as_ref().map(FailureOut::from),
            height: model.height,
            inputs: Vec::new(),
            outputs: Vec::new(),
            created_ms: model.created_ms,
        }
    }
}

/// Publish a model
///
/// Files are uploaded before with `PUT /v1/blobs/{sha256}`. Compilation and publication go on after the answer; their states are in the model.
#[utoipa::path(post, path = "/v1/models", tag = "models", request_body = Upload,
    responses((status = 202, body = ModelOut), (status = 400, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn publish(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Publishes>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let upload: Upload = serde_json::from_slice(&body).map_err(|error| Problem::malformed("json", error))?;
    let model = blocking(move || {
        let record = record(&service, &caller, &upload)?;
        let added = service.models.add(record).map_err(|error| match error {
            ModelError::Exists => Problem::new(StatusCode::CONFLICT, "model_exists", error),
            error => Problem::internal(&error),
        })?;
        service.publisher.wake();
        Ok(ModelOut::from(added.as_ref()))
    })
    .await?;
    let location = format!("/v1/models/{}", model.reference);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(model)))
}

fn text(field: &str, text: &str) -> Result<String, Problem> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if (1..=TEXT_LEN_MAX).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.into());
    }
    let detail = format!("{field}: 1 to {TEXT_LEN_MAX} letters, digits, dots, dashes and underscores");
    Err(Problem::malformed("name", detail))
}

fn blob(field: &str, text: &str) -> Result<BlobId, Problem> {
    text.parse().map_err(|_| Problem::malformed("hash", format!("{field}: not 64 hexadecimal digits")))
}

/// A blob that was uploaded before.
fn uploaded(service: &Service, field: &str, text: &str) -> Result<BlobId, Problem> {
    let id = blob(field, text)?;
    match service.blobs.get(id) {
        Ok(_) => Ok(id),
        Err(_) => Err(Problem::unfit("blob", format!("{field}: {id} was not uploaded; PUT /v1/blobs/{id} first"))),
    }
}

fn record(service: &Service, caller: &Caller, upload: &Upload) -> Result<ModelRecord, Problem> {
    let (name, version) = (text("name", &upload.name)?, text("version", &upload.version)?);
    let source = source(service, upload)?;
    let wanted = wanted(upload)?;
    let now = now_ms();
    let mut record = ModelRecord {
        publisher: service.node.public(),
        name,
        version,
        price: upload.price,
        owner: caller.owner.clone(),
        source,
        wanted,
        compilation: Compilation::Queued,
        publication: Publication::None,
        failure: None,
        circuit: None,
        circuit_size_bytes: 0,
        keys: Vec::new(),
        report: None,
        signed: None,
        submitted: None,
        height: None,
        created_ms: now,
        updated_ms: now,
    };
    if let Some(signed) = &upload.signed {
        take_signed(service, &mut record, signed)?;
    }
    Ok(record)
}

fn source(service: &Service, upload: &Upload) -> Result<Source, Problem> {
    match (upload.execution.as_deref(), &upload.onnx) {
        (None | Some("compiled"), _) => {}
        (Some("float"), Some(onnx)) => {
            if !upload.keys.is_empty() || upload.circuit.is_some() {
                return Err(Problem::malformed(
                    "execution",
                    "execution: what is evaluated in floating point has no keys",
                ));
            }
            return Ok(Source::Float { model: uploaded(service, "onnx", onnx)?, batch: upload.batch.unwrap_or(1) });
        }
        (Some("float"), None) => return Err(Problem::malformed("source", "execution: float needs onnx")),
        (Some(_), _) => return Err(Problem::malformed("execution", "execution: compiled or float")),
    }
    match (&upload.onnx, &upload.circuit) {
        (Some(onnx), None) => {
            let calibration = match &upload.calibration {
                None => None,
                Some(samples) => {
                    let encoding = upload.calibration_encoding.clone().unwrap_or_else(|| "npz".into());
                    Some((uploaded(service, "calibration", samples)?, encoding))
                }
            };
            let bits = upload.bits.unwrap_or(16);
            if ![8, 12, 16].contains(&bits) {
                return Err(Problem::malformed("bits", "bits: 8, 12 or 16"));
            }
            let batch = upload.batch.unwrap_or(1);
            Ok(Source::Onnx { model: uploaded(service, "onnx", onnx)?, calibration, bits, batch })
        }
        (None, Some(circuit)) => Ok(Source::Circuit(uploaded(service, "circuit", circuit)?)),
        _ => Err(Problem::malformed("source", "name either onnx or circuit")),
    }
}

fn wanted(upload: &Upload) -> Result<Vec<Wanted>, Problem> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for WantedKey { engine, private_input, private_weights } in &upload.keys {
        let engine: Engine = engine.parse().map_err(|error| Problem::malformed("engine", error))?;
        let key = Wanted { engine, private_input: *private_input, private_weights: *private_weights };
        if engine == Engine::Sumcheck && (key.private_input || key.private_weights) {
            return Err(Problem::malformed("engine", "keys: the engine sumcheck hides nothing"));
        }
        if wanted.iter().any(|other| other.engine == engine) {
            return Err(Problem::malformed("engine", "keys: one key for an engine"));
        }
        wanted.push(key);
    }
    if wanted.is_empty() && upload.execution.as_deref() != Some("float") {
        wanted.push(Wanted { engine: Engine::Sumcheck, private_input: false, private_weights: false });
    }
    Ok(wanted)
}

/// Takes a manifest that somebody else signed. Circuit and keys are checked when they are loaded.
fn take_signed(service: &Service, record: &mut ModelRecord, signed: &SignedManifest) -> Result<(), Problem> {
    if matches!(record.source, Source::Onnx { .. }) {
        return Err(Problem::malformed(
            "source",
            "signed: a signed manifest goes with a circuit's file, or execution float",
        ));
    }
    let bytes =
        BASE64.decode(&signed.manifest).map_err(|_| Problem::malformed("manifest", "signed.manifest: not base64"))?;
    let manifest: Manifest = wire::decode_untagged(&bytes)
        .map_err(|error| Problem::malformed("manifest", format!("signed.manifest: {error}")))?;
    let signature = super::encoding::signature(&signed.signature)
        .ok_or_else(|| Problem::malformed("signature", "signed.signature: not 128 hexadecimal digits"))?;
    if (&manifest.name, &manifest.version, manifest.price) != (&record.name, &record.version, record.price) {
        return Err(Problem::unfit("manifest", "signed.manifest: of another name, version or price"));
    }
    let chain_id = &service.ledger.rules().chain_id;
    let holds = manifest.signed(chain_id, signature).verify();
    holds.map_err(|_| Problem::unfit("signature", "signed.signature: it does not hold for this chain"))?;
    if manifest.keys.len() != signed.keys.len() || manifest.keys.is_empty() != record.onnx().is_some() {
        return Err(Problem::unfit("manifest", "signed.keys: not as many as the manifest names"));
    }
    record.keys.clear();
    for (digest, file) in manifest.keys.iter().zip(&signed.keys) {
        let blob = uploaded(service, "signed.keys", file)?;
        let bytes = service.blobs.get(blob).map_err(|error| Problem::internal(&error))?;
        let key: assay_verifier::key::Key =
            wire::decode(&bytes).map_err(|error| Problem::unfit("key", format!("signed.keys: {error}")))?;
        if key.digest() != *digest {
            return Err(Problem::unfit("key", format!("signed.keys: {} is not what the manifest names", key.digest())));
        }
        let kind = match &key {
            assay_verifier::key::Key::Sumcheck(_) => {
                Wanted { engine: Engine::Sumcheck, private_input: false, private_weights: false }
            }
            assay_verifier::key::Key::Halo2(key) => Wanted {
                engine: Engine::Halo2,
                private_input: key.visibility.private_input,
                private_weights: key.visibility.private_weights,
            },
        };
        if kind.private_weights {
            return Err(Problem::unfit("key", "signed.keys: who hides weights must let this node make the key"));
        }
        record.keys.push(Served { digest: *digest, blob, size_bytes: bytes.len() as u64, kind });
    }
    record.publisher = manifest.publisher;
    record.wanted = record.keys.iter().map(|key| key.kind).collect();
    record.signed = Some((manifest, signature));
    Ok(())
}

/// List models
#[utoipa::path(get, path = "/v1/models", tag = "models", params(PageQuery), responses((status = 200, body = ModelPage)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    _: Allowed<Reads>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ModelPage>, Problem> {
    let after = page.cursor.as_deref().map(str::parse).transpose();
    let after = after.map_err(|_| Problem::malformed("cursor", "cursor: not one of an earlier page"))?;
    let limit = page.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let mut found = service.models.list(after, limit + 1);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|model| model.id().to_string());
    Ok(Json(ModelPage { models: found.iter().map(|model| ModelOut::from(model.as_ref())).collect(), next }))
}

/// Inspect a model
#[utoipa::path(get, path = "/v1/models/{publisher}/{name}/{version}", tag = "models",
    params(("publisher" = String, Path), ("name" = String, Path), ("version" = String, Path)),
    responses((status = 200, body = ModelOut), (status = 404, body = Problem)))]
pub async fn inspect(
    State(service): State<Arc<Service>>,
    _: Allowed<Reads>,
    Path((publisher, name, version)): Path<(String, String, String)>,
) -> Result<Json<ModelOut>, Problem> {
    detailed(service, format!("{publisher}/{name}/{version}")).await
}

/// Inspect a model by any of its names
///
/// Its id, `publisher/name/version`, or `name/version` or `name` where one publisher has it; slashes are percent-encoded.
#[utoipa::path(get, path = "/v1/models/{reference}", tag = "models", params(("reference" = String, Path)),
    responses((status = 200, body = ModelOut), (status = 404, body = Problem)))]
pub async fn find(
    State(service): State<Arc<Service>>,
    _: Allowed<Reads>,
    Path(reference): Path<String>,
) -> Result<Json<ModelOut>, Problem> {
    detailed(service, reference).await
}

/// A model with its inputs and outputs.
async fn detailed(service: Arc<Service>, reference: String) -> Result<Json<ModelOut>, Problem> {
    let model = service.models.find(&reference).ok_or_else(|| Problem::missing("model"))?;
    blocking(move || {
        let mut out = ModelOut::from(model.as_ref());
        if let Some((digest, blob)) = model.circuit {
            let file = service.circuits.get(digest, blob).map_err(|error| Problem::internal(&error))?;
            let circuit = file.circuit().circuit();
            let port = |port: &assay_verifier::circuit::Port| PortOut {
                name: port.name.clone(),
                shape: port.dims.clone(),
                scale: Some(port.scale),
            };
            out.inputs = circuit.inputs.iter().map(port).collect();
            out.outputs = circuit.outputs.iter().map(port).collect();
        } else if let Some((file, batch)) = model.onnx().filter(|_| model.compilation == Compilation::Done) {
            let float = service.floats.get(file, batch).map_err(|error| Problem::internal(&error))?;
            let port = |port: &FloatPort| PortOut { name: port.name.clone(), shape: port.dims.clone(), scale: None };
            out.inputs = float.inputs().iter().map(port).collect();
            out.outputs = float.outputs().iter().map(port).collect();
        }
        Ok(Json(out))
    })
    .await
}
