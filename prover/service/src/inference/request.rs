//! The body of a request for inference.
use assay_circuits::InputError;
use assay_verifier::key::Engine;
use assay_verifier::receipt::Backend;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use super::tensors::TensorIn;

/// How a request is executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Exact integers, and a proof of them.
    #[default]
    Zkml,
    /// In an enclave.
    Tee,
    /// On the node's word.
    Vanilla,
}

/// A request for inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The model: its id, `publisher/name/version`, or `name/version` or `name` where one publisher has it.
    pub model: String,
    /// The model's inputs.
    pub inputs: Vec<TensorIn>,
    /// How it is executed.
    #[serde(default)]
    pub mode: Mode,
    /// What proves the answer: `sumcheck` (default) or `halo2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Seconds after which a proof is of no use any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<u32>,
    /// Anything that makes this request differ from another one with the same inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// Why a request is refused from its body alone.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum RequestError {
    /// Not JSON of this form.
    #[error("{0}")]
    Json(String),
    /// No engine of this name.
    #[error("engine: no engine of the name {0:?}; there are sumcheck and halo2")]
    Engine(String),
    /// A deadline of zero.
    #[error("deadline_s: must be more than 0")]
    Deadline,
    /// A tensor that is none.
    #[error("input {name:?}: {reason}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A tensor that does not fit the model.
    #[error(transparent)]
    Input(#[from] InputError),
}

impl Request {
    /// Reads a body.
    ///
    /// # Errors
    /// It is not one; the error names the field.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let request: Self = serde_json::from_slice(body).map_err(|error| RequestError::Json(error.to_string()))?;
        request.engine()?;
        if request.deadline_s == Some(0) { Err(RequestError::Deadline) } else { Ok(request) }
    }

    /// The engine, if one is asked for.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn engine(&self) -> Result<Option<Engine>, RequestError> {
        let named = self.engine.as_deref();
        named.map(|name| name.parse().map_err(|_| RequestError::Engine(name.into()))).transpose()
    }

    /// The backend.
    pub fn backend(&self) -> Backend {
        match self.mode {
            Mode::Zkml => Backend::Zkml,
            Mode::Tee => Backend::Tee,
            Mode::Vanilla => Backend::Vanilla,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fault_names_its_field() {
        let error = |body: &str| Request::parse(body.as_bytes()).unwrap_err().to_string();
        assert!(error("{").contains("EOF"));
        assert!(error(r#"{"inputs": []}"#).contains("model"));
        assert!(error(r#"{"model": "a", "inputs": [], "engine": "x"}"#).starts_with("engine"));
        assert!(error(r#"{"model": "a", "inputs": [], "deadline_s": 0}"#).starts_with("deadline_s"));
        assert!(error(r#"{"model": "a", "inputs": [], "unknown": 0}"#).contains("unknown"));
        assert!(
            error(r#"{"model": "a", "inputs": [{"name": "x", "dtype": "f32", "shape": [1], "data": [NaN]}]}"#).len()
                > 3
        );
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Request::parse(&body);
        }
    }
}
