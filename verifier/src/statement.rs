//! What a proof states, and the proof.
use alloc::boxed::Box;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest32, KeyDigest, digest};
use crate::key::Engine;
use crate::{halo2, sumcheck, wire};

/// Longest context in bytes.
pub const CONTEXT_LEN_MAX: usize = 1 << 16;

/// "With the weights of this key, these inputs give these outputs."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The key.
    pub key: KeyDigest,
    /// The inputs, or a commitment to them.
    pub inputs: Inputs,
    /// Integers of each output port, in the order of the model's own axes.
    pub outputs: Vec<Vec<i64>>,
    /// Bytes of the caller's choice that the proof is bound to: a request, a receipt.
    pub context: Vec<u8>,
}

impl Statement {
    /// The digest of the integer outputs, as receipts name it.
    pub fn outputs_digest(&self) -> Digest32 {
        outputs_digest(&self.outputs)
    }
}

/// The digest of integer outputs, as receipts name it.
pub fn outputs_digest(outputs: &[Vec<i64>]) -> Digest32 {
    Digest32(digest("assay outputs v1", &wire::bytes(&outputs)))
}

/// What a statement says of the inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inputs {
    /// Integers of each input port, in the order of the model's own axes.
    Public(Vec<Vec<i64>>),
    /// A commitment that hides them.
    Private(InputCommitment),
}

/// A salted commitment to private inputs: for each column that holds them, a compressed point of BN254.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputCommitment(pub Vec<[u8; 32]>);

impl Inputs {
    /// The digest of the inputs or of the commitment that hides them, as receipts name it.
    pub fn digest(&self) -> Digest32 {
        Digest32(digest("assay inputs v1", &wire::bytes(self)))
    }

    /// The integers, if they are public.
    pub fn public(&self) -> Option<&Vec<Vec<i64>>> {
        match self {
            Self::Public(tensors) => Some(tensors),
            Self::Private(_) => None,
        }
    }

    /// The integers, if they are public.
    pub fn public_mut(&mut self) -> Option<&mut Vec<Vec<i64>>> {
        match self {
            Self::Public(tensors) => Some(tensors),
            Self::Private(_) => None,
        }
    }
}

/// A statement with its proof.
#[derive(Clone, Serialize, Deserialize)]
pub struct Proof {
    /// What is proven.
    pub statement: Statement,
    /// Why it holds.
    pub argument: Argument,
}

/// What an engine shows for a statement.
#[derive(Clone, Serialize, Deserialize)]
pub enum Argument {
    /// By the engine `sumcheck`.
    Sumcheck(Box<sumcheck::Argument>),
    /// By the engine `halo2`.
    Halo2(halo2::Argument),
}

impl Argument {
    /// The engine that made it.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sumcheck(_) => Engine::Sumcheck,
            Self::Halo2(_) => Engine::Halo2,
        }
    }

    /// What the engine `sumcheck` shows, if it is the engine.
    pub fn as_sumcheck(&self) -> Option<&sumcheck::Argument> {
        match self {
            Self::Sumcheck(argument) => Some(argument),
            Self::Halo2(_) => None,
        }
    }

    /// What the engine `sumcheck` shows, if it is the engine.
    pub fn as_sumcheck_mut(&mut self) -> Option<&mut sumcheck::Argument> {
        match self {
            Self::Sumcheck(argument) => Some(argument),
            Self::Halo2(_) => None,
        }
    }
}

impl wire::File for Proof {
    const NAME: &'static str = "proof";
    const MAGIC: [u8; 8] = *b"ASSAYPF2";
}
