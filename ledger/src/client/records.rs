//! Records of the state, with proofs.
use assay_verifier::settlement::{Height, inclusion};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Client;
use super::answer::{Base64, Header, QueryAnswer, QueryResponse};
use super::error::ClientError;
use crate::abci::QUERY_PATH;
use crate::proven::Proven;

/// A state that is trusted: what a record is proven against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The block after which the state is like that.
    pub height: Height,
    /// Its app hash.
    pub app_hash: [u8; 32],
}

impl Header {
    /// The state that the header names: that before its block. Trust in it is trust in the header.
    pub fn root(&self) -> Root {
        Root { height: self.height.saturating_sub(1), app_hash: self.app_hash }
    }
}

impl Client {
    /// The record under a key of [`assay_verifier::settlement::keys`], or nothing if there is none: either is proven.
    ///
    /// # Errors
    /// The node does not keep that state any more, its answer is not proven, or no answer.
    pub fn record<T: Serialize + DeserializeOwned>(&self, key: &[u8], root: &Root) -> Result<Option<T>, ClientError> {
        Ok(self.proven(key, root)?.record()?)
    }

    /// As [`Self::record`], of what is stored as it is: the files of keys.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn bytes(&self, key: &[u8], root: &Root) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(self.proven(key, root)?.value)
    }

    /// As [`Self::bytes`], with the proof, which was verified, to show it to others.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn proven(&self, key: &[u8], root: &Root) -> Result<Proven, ClientError> {
        let params = json!({
            "path": QUERY_PATH,
            "data": hex::encode(key),
            "height": root.height.to_string(),
            "prove": true,
        });
        let QueryAnswer { response } = self.rpc.call("abci_query", params)?;
        let QueryResponse { code, log, index, value, proof, height, .. } = response;
        if code != 0 {
            return Err(ClientError::Query { code, reason: log });
        }
        if height != root.height {
            return Err(ClientError::OtherHeight { asked: root.height, answered: height });
        }
        let value = (index != 0).then(|| value.map(|Base64(bytes)| bytes).unwrap_or_default());
        let proof = proof.and_then(|proof| proof.ops.into_iter().next()).map(|op| op.data.0).unwrap_or_default();
        inclusion::verify(&root.app_hash, key, value.as_deref(), &proof)?;
        Ok(Proven { key: key.to_vec(), value, proof, height, app_hash: root.app_hash })
    }
}
