//! Endpoints that are part of the interface and answer 501 until their backends are there: chat, completions, data, attestation.
use super::problem::Problem;

/// Chat completions of OpenAI's shape
#[utoipa::path(post, path = "/v1/chat/completions", tag = "later", responses((status = 501, body = Problem)))]
pub async fn chat() -> Problem {
    Problem::later("the proxy of language models")
}

/// Completions of OpenAI's shape
#[utoipa::path(post, path = "/v1/completions", tag = "later", responses((status = 501, body = Problem)))]
pub async fn completions() -> Problem {
    Problem::later("the proxy of language models")
}

/// Messages of Anthropic's shape
#[utoipa::path(post, path = "/v1/messages", tag = "later", responses((status = 501, body = Problem)))]
pub async fn messages() -> Problem {
    Problem::later("the proxy of language models")
}

/// An attested fetch
#[utoipa::path(post, path = "/v1/data/fetch", tag = "later", responses((status = 501, body = Problem)))]
pub async fn fetch() -> Problem {
    Problem::later("the data node")
}

/// Evidence of the enclave that a node runs in
#[utoipa::path(get, path = "/v1/attestation", tag = "later", responses((status = 501, body = Problem)))]
pub async fn attestation() -> Problem {
    Problem::later("attestation")
}
