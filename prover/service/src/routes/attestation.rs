//! `GET /v1/attestation`: evidence of the enclave that this node answers in, bound to a nonce of the caller's.
use std::sync::Arc;

use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::{Attestation, Measurement};
use assay_verifier::settlement::{Versioned, keys};
use assay_verifier::tee::{Binding, authenticate};
use assay_verifier::wire;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::blocking;
use super::caller::{Allowed, Reads};
use super::problem::Problem;
use crate::attester::Times;
use crate::clock::now_ms;
use crate::ledger::read;
use crate::serve::Service;

/// What the document is bound to.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub struct Nonce {
    /// 64 hexadecimal digits that the caller drew just now.
    pub nonce: String,
}

/// Evidence of an enclave.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AttestationOut {
    /// The key that signs receipts.
    pub node: String,
    /// The chain.
    pub chain_id: String,
    /// The caller's nonce.
    pub nonce: String,
    /// `production` or `simulated`.
    pub environment: String,
    /// `Nitro`, `Tdx`, `Sgx` or `Snp`.
    pub platform: String,
    /// The identity of the software, under which the ledger has its approval.
    pub measurement: String,
    /// What the document carries, 64 hexadecimal digits: made of chain, key and nonce.
    pub binding: String,
    /// When the document ends to count, in milliseconds since 1970.
    pub expires_ms: u64,
    /// The document with all that is needed to verify it, in the project's encoding, base64.
    pub evidence: String,
    /// The attestation that the ledger has, by which this node settles.
    pub recorded: Option<RecordedOut>,
}

/// An attestation on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedOut {
    /// Its number.
    pub revision: u32,
    /// Digest of its evidence.
    pub evidence: String,
    /// The identity of the software.
    pub measurement: String,
    /// The software's name, as governance approved it.
    pub software: Option<String>,
    /// `production` or `simulated`.
    pub environment: String,
    /// When it was verified.
    pub verified_ms: u64,
    /// When it ends to count.
    pub expires_ms: u64,
}

/// A grade as answers name it.
pub fn environment(grade: Grade) -> &'static str {
    match grade {
        Grade::Production => "production",
        Grade::Simulated => "simulated",
    }
}

/// The attestation of this node on the ledger, if there is one.
///
/// # Errors
/// The ledger does not answer.
pub fn recorded(service: &Service) -> Result<Option<RecordedOut>, Problem> {
    let internal = |error| Problem::internal(&error);
    let key = keys::attestation(service.node.public());
    let found: Option<Versioned<Attestation>> = read(&*service.ledger, &key).map_err(internal)?;
    let Some(Versioned { revision, record, .. }) = found else { return Ok(None) };
    let measurement = keys::measurement(record.measurement);
    let measurement: Option<Versioned<Measurement>> = read(&*service.ledger, &measurement).map_err(internal)?;
    Ok(Some(RecordedOut {
        revision,
        evidence: record.evidence.to_string(),
        measurement: hex::encode(record.measurement),
        software: measurement.map(|found| found.record.software),
        environment: environment(record.grade).into(),
        verified_ms: record.verified_ms,
        expires_ms: record.expires_ms,
    }))
}

/// Evidence of the enclave that the node answers in
///
/// The document says which software holds the key that signs receipts. It is made for this call: whoever draws the nonce knows that it is not an old one.
#[utoipa::path(get, path = "/v1/attestation", tag = "evidence", params(Nonce),
    responses((status = 200, body = AttestationOut), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn attestation(
    State(service): State<Arc<Service>>,
    _: Allowed<Reads>,
    Query(Nonce { nonce }): Query<Nonce>,
) -> Result<Json<AttestationOut>, Problem> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(&nonce, &mut bytes)
        .map_err(|_| Problem::malformed("nonce", "nonce: not 64 hexadecimal digits"))?;
    if service.enclave.is_none() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "no_enclave", "this node does not answer in an enclave"));
    }
    let _slow = service.slow.acquire().await.map_err(|error| Problem::internal(&error))?;
    let asked = Arc::clone(&service);
    blocking(move || document(&asked, &nonce, bytes).map(Json)).await
}

fn document(service: &Service, nonce: &str, bytes: [u8; 32]) -> Result<AttestationOut, Problem> {
    let enclave = service.enclave.as_ref().ok_or_else(|| Problem::missing("enclave"))?;
    let rules = service.ledger.rules();
    let binding = Binding::new(&rules.chain_id, service.node.public(), bytes);
    let now_ms = now_ms();
    let times = Times { made_ms: now_ms, lifetime_ms: rules.attestation.lifetime_ms };
    let evidence = enclave.attest(binding, times).map_err(|error| Problem::internal(&error))?;
    // A document that this chain would not take is of no use to the caller either.
    let attested = authenticate(&evidence, &rules.trust_roots, &rules.attestation, now_ms);
    let attested = attested.map_err(|error| Problem::internal(&error))?;
    Ok(AttestationOut {
        node: service.node.public().to_string(),
        chain_id: rules.chain_id.clone(),
        nonce: nonce.into(),
        environment: environment(attested.grade()).into(),
        platform: format!("{:?}", attested.platform),
        measurement: hex::encode(attested.measurement()),
        binding: hex::encode(binding.digest),
        expires_ms: attested.expires_ms,
        evidence: BASE64.encode(wire::encode(&evidence)),
        recorded: recorded(service)?,
    })
}
