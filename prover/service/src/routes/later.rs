//! Endpoints that are part of the interface and answer 501 until their backends are there: attestation.
use super::problem::Problem;

/// Evidence of the enclave that a node runs in
#[utoipa::path(get, path = "/v1/attestation", tag = "later", responses((status = 501, body = Problem)))]
pub async fn attestation() -> Problem {
    Problem::later("attestation")
}
