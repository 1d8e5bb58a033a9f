//! What a proof states, and the proof.
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::digest::KeyDigest;
use crate::field::EF;
use crate::sumcheck::pcs::Opening;
use crate::wire;

/// Longest context in bytes.
pub const CONTEXT_LEN_MAX: usize = 1 << 16;

/// "With the weights of this key, these inputs give these outputs."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The key.
    pub key: KeyDigest,
    /// Integers of each input port, in the order of the model's own axes.
    pub inputs: Vec<Vec<i64>>,
    /// Integers of each output port, in the order of the model's own axes.
    pub outputs: Vec<Vec<i64>>,
    /// Bytes of the caller's choice that the proof is bound to: a request, a receipt.
    pub context: Vec<u8>,
}

/// A statement with its proof.
#[derive(Clone, Serialize, Deserialize)]
pub struct Proof {
    /// What is proven.
    pub statement: Statement,
    /// Root of the witness.
    pub root: [u8; 32],
    /// Messages in the order of the protocol.
    pub messages: Vec<EF>,
    /// Opening of the witness.
    pub witness: Opening,
    /// Openings of the weights, stack by stack.
    pub weights: Vec<Opening>,
}

impl wire::File for Proof {
    const NAME: &'static str = "proof";
    const MAGIC: [u8; 8] = *b"ASSAYPF1";
}
