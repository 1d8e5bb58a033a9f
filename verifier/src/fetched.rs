//! Records of fetched data: what a node says it was given at an address, signed, in one canonical encoding.
//!
//! Nothing shows that the source said so but the node's word, and the TLS connection that the node had. A record is named by the
//! SHA-256 of its file; receipts name the records that inputs were taken from.
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::Digest32;
use crate::signature::{BadSignature, Domain, PublicKey, Signature, Signed, SigningKey, message};
use crate::wire;

/// What was fetched, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The ledger that the node is on.
    pub chain_id: String,
    /// Who fetched it.
    pub node: PublicKey,
    /// The source, as the node calls it.
    pub source: String,
    /// What was asked for.
    pub url: String,
    /// Where that led, one redirection after the other. The last one answered.
    pub redirects: Vec<String>,
    /// When it was there, in milliseconds since 1970, by the node's clock.
    pub time_ms: u64,
    /// The status.
    pub status: u16,
    /// Headers of the answer that the source's entry keeps, in the order of that entry.
    pub headers: Vec<(String, String)>,
    /// SHA-256 of the body.
    pub body: Digest32,
    /// Its bytes.
    pub size: u64,
    /// What was taken from it.
    pub extracted: Option<Extracted>,
}

/// A part of a JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// The JSONPath (RFC 9535) that chose it.
    pub path: String,
    /// The values, as JSON without spaces, in the document's order.
    pub values: Vec<String>,
}

/// A record with the node's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedFetched {
    /// The record.
    pub fetched: Fetched,
    /// By the key of [`Fetched::node`].
    pub signature: Signature,
}

impl wire::File for SignedFetched {
    const NAME: &'static str = "record of fetched data";
    const MAGIC: [u8; 8] = *b"ASSAYFD1";
}

impl Fetched {
    /// Signs the record with the node's key.
    pub fn sign(self, key: &SigningKey) -> SignedFetched {
        let signature = key.sign(Domain::Fetched, &self.chain_id, &self);
        SignedFetched { fetched: self, signature }
    }
}

impl SignedFetched {
    /// The record's name: SHA-256 of its file.
    pub fn digest(&self) -> Digest32 {
        Digest32(Sha256::digest(wire::encode(self)).into())
    }

    /// Verifies the signature under the key that the record names.
    ///
    /// # Errors
    /// It does not hold.
    ///
    /// # Soundness
    /// Whether that node is one to believe is for the caller to say, and for which chain the record is.
    pub fn verify(&self) -> Result<(), BadSignature> {
        let Fetched { node, chain_id, .. } = &self.fetched;
        let message = message(Domain::Fetched, chain_id, &self.fetched);
        Signed { key: *node, message, signature: self.signature }.verify()
    }
}
