//! Queries of the committed state, with proofs against the app hash where they are asked for.
use thiserror::Error;

use super::Reader;
use crate::state::{State, StoreError};

/// A question: what is under a key of [`assay_verifier::settlement::keys`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The key.
    pub key: Vec<u8>,
    /// At which height; the last one if none is said. Earlier ones are answered with a proof, as long as they are kept.
    pub height: Option<u64>,
    /// Whether a proof is wanted.
    pub proof: Proof,
}

/// Whether a proof is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By ICS-23.
    Wanted,
    /// The value will do.
    Unwanted,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The height whose state was read.
    pub height: u64,
    /// That state's root. CometBFT's header of the next height has it.
    pub app_hash: [u8; 32],
    /// What is there.
    pub value: Option<Vec<u8>>,
    /// That it is there, or that nothing is: for [`assay_verifier::settlement::inclusion::verify`].
    pub proof: Option<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum QueryError {
    /// An empty key names nothing.
    #[error("the key is empty")]
    EmptyKey,
    /// The height is not kept, or not yet there.
    #[error("the state at height {0} is not kept")]
    NotKept(u64),
    /// The state could not be read.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotKept(height) => Self::NotKept(height),
            other => Self::Store(other),
        }
    }
}

impl Reader {
    /// Answers a query.
    ///
    /// # Errors
    /// There is no such height, or the state could not be read.
    pub fn query(&self, query: &Query) -> Result<Answer, QueryError> {
        if query.key.is_empty() {
            return Err(QueryError::EmptyKey);
        }
        let state = self.store.snapshot()?;
        let last = state.committed().ok_or(QueryError::NotKept(0))?;
        let height = query.height.unwrap_or(last.height);
        if height == last.height && query.proof == Proof::Unwanted {
            let value = state.get(&query.key)?;
            return Ok(Answer { height, app_hash: last.app_hash, value, proof: None });
        }
        if height > last.height {
            return Err(QueryError::NotKept(height));
        }
        let app_hash = state.app_hash(height)?;
        let (value, proof) = state.prove(&query.key, height)?;
        let proof = (query.proof == Proof::Wanted).then_some(proof);
        Ok(Answer { height, app_hash, value, proof })
    }
}
