//! Models as their publishers registered them.
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest32, KeyDigest};
use crate::key::Engine;
use crate::receipt::{ModelId, Program};
use crate::signature::{Domain, PublicKey, Signature, Signed, message};

/// What a publisher says of a model's version, and signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Who publishes.
    pub publisher: PublicKey,
    /// The model's name.
    pub name: String,
    /// The version.
    pub version: String,
    /// What it computes.
    pub program: Program,
    /// Keys under which proofs of it are accepted, each of another digest. None of a program that is no circuit.
    pub keys: Vec<KeyDigest>,
    /// What the publisher asks for a request.
    pub price: u64,
    /// Who may use it.
    pub visibility: Visibility,
}

/// Whether a model can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Visibility {
    /// Circuit and weights are published.
    Public,
    /// Only this commitment to circuit and weights is, with the intent to serve them.
    Private(Digest32),
}

/// A key of a model, with what a validator needs to know before it reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelKey {
    /// The key.
    pub digest: KeyDigest,
    /// Its engine.
    pub engine: Engine,
    /// Whether it hides what is private in it.
    pub hiding: bool,
    /// Whether its proofs are about a commitment to the inputs, and so not about what a receipt without a proof names.
    pub private_input: bool,
    /// Bytes of its file.
    pub size: u64,
}

/// A published version of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// What the publisher said.
    pub manifest: Manifest,
    /// The publisher's signature.
    pub signature: Signature,
    /// The manifest's keys, in its order.
    pub keys: Vec<ModelKey>,
}

impl Manifest {
    /// The version's identity.
    pub fn id(&self) -> ModelId {
        ModelId::new(self.publisher, &self.name, &self.version)
    }

    /// What is to be verified of the publisher's signature.
    pub fn signed(&self, chain_id: &str, signature: Signature) -> Signed {
        Signed { key: self.publisher, message: message(Domain::Model, chain_id, self), signature }
    }
}
