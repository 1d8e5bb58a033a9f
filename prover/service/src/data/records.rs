//! Records: made of what was fetched, signed, kept as blobs under their digests, and read again as inputs.
use std::sync::Arc;

use assay_auditor::numbers::numbers;
use assay_verifier::digest::Digest32;
use assay_verifier::fetched::{Extracted, Fetched, SignedFetched};
use assay_verifier::signature::SigningKey;
use assay_verifier::wire;
use serde_json::Value;
use thiserror::Error;

use super::fetch::Got;
use super::path::{BadPath, JsonPath};
use crate::clock::now_ms;
use crate::storage::{BlobError, BlobId, BlobStore};

/// Bytes of all values that a record takes out.
const VALUES_BYTES_MAX: usize = 1 << 20;

/// Why there is no record, or why it is no input.
#[derive(Debug, Error)]
pub enum RecordError {
    /// Not a path.
    #[error("extract: {0}")]
    Path(#[from] BadPath),
    /// The source did not answer with success.
    #[error("extract: the source answers with status {0}")]
    Status(u16),
    /// Not JSON.
    #[error("extract: the source's answer is not JSON")]
    Json,
    /// The path leads nowhere.
    #[error("extract: nothing is there")]
    Nothing,
    /// It leads to too much.
    #[error("extract: the values have more than {VALUES_BYTES_MAX} bytes")]
    TooLarge,
    /// There is no such record of this node.
    #[error("there is no record {0} of this node")]
    Missing(Digest32),
    /// Nothing was taken out of it, or something else than numbers.
    #[error("the record {0} has no numbers")]
    NoNumbers(Digest32),
    /// The store.
    #[error(transparent)]
    Store(BlobError),
}

/// What makes, keeps and reads records.
pub struct Records {
    chain_id: String,
    node: SigningKey,
    blobs: Arc<dyn BlobStore>,
}

impl Records {
    /// Records of a node.
    pub fn new(chain_id: String, node: SigningKey, blobs: Arc<dyn BlobStore>) -> Self {
        Self { chain_id, node, blobs }
    }

    /// Signs and keeps a record, and the body. Blocks; both are durable then.
    ///
    /// # Errors
    /// What should be taken out is not there, or the store's.
    pub fn keep(&self, got: &Got, extract: Option<&JsonPath>) -> Result<SignedFetched, RecordError> {
        let take =
            |path: &JsonPath| Ok::<_, RecordError>(Extracted { path: path.as_str().into(), values: taken(got, path)? });
        let extracted = extract.map(take).transpose()?;
        let fetched = Fetched {
            chain_id: self.chain_id.clone(),
            node: self.node.public(),
            source: got.source.clone(),
            url: got.url.clone(),
            redirects: got.redirects.clone(),
            time_ms: now_ms(),
            status: got.status,
            headers: got.headers.clone(),
            body: got.digest(),
            size: got.body.len() as u64,
            extracted,
        };
        let signed = fetched.sign(&self.node);
        self.blobs.put(&got.body).map_err(RecordError::Store)?;
        self.blobs.put(&wire::encode(&signed)).map_err(RecordError::Store)?;
        Ok(signed)
    }

    /// The record of a digest, if this node made it. Blocks.
    ///
    /// # Errors
    /// There is none, or the store's.
    pub fn get(&self, digest: Digest32) -> Result<SignedFetched, RecordError> {
        let missing = || RecordError::Missing(digest);
        let file = match self.blobs.get(BlobId(digest.0)) {
            Err(BlobError::Missing(_) | BlobError::Damaged(_)) => return Err(missing()),
            file => file.map_err(RecordError::Store)?,
        };
        let signed: SignedFetched = wire::decode(&file).map_err(|_| missing())?;
        // Whoever uploads a file may have made it.
        let own = signed.fetched.node == self.node.public() && signed.fetched.chain_id == self.chain_id;
        if own && signed.verify().is_ok() { Ok(signed) } else { Err(missing()) }
    }

    /// The body of a record. Blocks.
    ///
    /// # Errors
    /// There is none any more, or the store's.
    pub fn body(&self, signed: &SignedFetched) -> Result<Vec<u8>, RecordError> {
        let body = signed.fetched.body;
        self.blobs.get(BlobId(body.0)).map_err(|error| match error {
            BlobError::Missing(_) | BlobError::Damaged(_) => RecordError::Missing(body),
            error => RecordError::Store(error),
        })
    }

    /// The numbers that a record took out, in their order; those of lists within lists one after the other.
    ///
    /// # Errors
    /// There is no such record, or there are none in it.
    pub fn numbers(&self, digest: Digest32) -> Result<Vec<f64>, RecordError> {
        let none = || RecordError::NoNumbers(digest);
        numbers(&self.get(digest)?).ok_or_else(none)
    }
}

fn taken(got: &Got, path: &JsonPath) -> Result<Vec<String>, RecordError> {
    if !(200..300).contains(&got.status) {
        return Err(RecordError::Status(got.status));
    }
    let document: Value = serde_json::from_slice(&got.body).map_err(|_| RecordError::Json)?;
    let values: Vec<String> = path.values(&document).into_iter().map(Value::to_string).collect();
    if values.is_empty() {
        return Err(RecordError::Nothing);
    }
    if values.iter().map(String::len).sum::<usize>() > VALUES_BYTES_MAX {
        return Err(RecordError::TooLarge);
    }
    Ok(values)
}
