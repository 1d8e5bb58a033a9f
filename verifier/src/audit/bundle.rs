//! The bundle: one file with all that is needed to check an answer later, without a network.
use alloc::boxed::Box;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::reals::Reals;
use crate::receipt::SignedReceipt;
use crate::statement::Inputs;
use crate::wire::{self, Bytes};

/// What stands behind one answer.
///
/// # How to fill it
/// - `receipt`: version 0, as it went with the answer.
/// - `request`: the exact bytes that [`crate::receipt::request_digest`] was taken of, or nothing if they are withheld.
/// - `records`: the files of the records that the receipt names, in its order; none if they are withheld.
/// - `evidence`: by the receipt's claim, see [`Evidence`].
/// - `ledger`: nothing as long as the request is not settled. Otherwise choose a height `h` at or after the settlement's whose state is kept and
///   whose next header `h + 1` exists, and put in, all of the state after `h`:
///   - `block`: the record under [`keys::BLOCK`](crate::settlement::keys::BLOCK);
///   - `settlement`: under [`keys::settlement`](crate::settlement::keys::settlement) of the request;
///   - `model` and `node`: the revisions that the settlement names. If the record under [`keys::model`](crate::settlement::keys::model) or
///     [`keys::node`](crate::settlement::keys::node) has that revision, it is the one; otherwise it lies under
///     [`keys::version`](crate::settlement::keys::version) of that key and the revision;
///   - `rules`: the version of [`keys::PARAMETERS`](crate::settlement::keys::PARAMETERS) in force at the settlement's height;
///   - `attestation`: of the backend `tee`, see [`Attested`];
///   - `sample`: once the ledger has a record under [`keys::sample`](crate::settlement::keys::sample) of the request;
///   - `path`: the block that the auditor trusts, as a rule that of height 1, then as few blocks as [`Trusted::advance`] needs, then the one of
///     height `h + 1`. If the trusted block is the last one too, it stands there once.
///
/// Answers of upstreams are never settled. Of them choose an `h` soon after the answer; leave `settlement` and `model` out, and take the versions in
/// force at `h` where a settlement would name them, but the attestation that counted at the receipt's time.
///
/// Each record is the stored bytes, and their ICS-23 proof as a query with a proof answers it.
///
/// [`Trusted::advance`]: crate::settlement::light::Trusted::advance
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The receipt that went with the answer.
    pub receipt: SignedReceipt,
    /// The exact bytes of the request, unless they are withheld.
    pub request: Option<Bytes>,
    /// Files of the fetched data's records ([`SignedFetched`](crate::fetched::SignedFetched)) that the receipt names, in its order; none if they
    /// are withheld.
    pub records: Vec<Bytes>,
    /// What stands behind the answer.
    pub evidence: Evidence,
    /// What the ledger has of it, once it is settled; of the node, if it never will be.
    pub ledger: Option<Ledger>,
}

impl wire::File for Bundle {
    const NAME: &'static str = "audit bundle";
    const MAGIC: [u8; 8] = *b"ASSAYBD1";
}

/// What stands behind an answer, beside the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// Nothing: the answer is withheld, or is not proven yet.
    Signature,
    /// The answer itself, of the claim `signed-only`, and of a circuit's answer of the claim `attested`.
    Answer(Answer),
    /// A proof, of the claim `proven`.
    Proof(Box<Proven>),
    /// The answer itself, of an ONNX file and the claim `attested`.
    Reals(RealAnswer),
    /// What an upstream was sent and what came back, of the claim `proxied`.
    Exchange(Exchange),
}

/// The integers of an answer that is not proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was asked, as the receipt's digest of inputs has it.
    pub inputs: Inputs,
    /// What was answered: integers of each output port, in the order of the model's own axes.
    pub outputs: Vec<Vec<i64>>,
}

/// The tensors of an answer in floating point, as the receipt's digests have them, in the model's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RealAnswer {
    /// What was asked.
    pub inputs: Vec<Reals>,
    /// What was answered.
    pub outputs: Vec<Reals>,
}

/// Bodies of what passed between a node and an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What the upstream was sent, unless it is withheld.
    pub forwarded: Option<Bytes>,
    /// What was passed on of its answer, unless it is withheld.
    pub response: Option<Bytes>,
}

/// A proof with what it is checked by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// Version 1 of the receipt, which names the proof.
    pub receipt: SignedReceipt,
    /// The proof's file.
    pub proof: Bytes,
    /// The key's file, with the description of the circuit in it.
    pub key: Bytes,
}

/// What the ledger's state after one height has of an answer, and how that state is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// From the block that is trusted to the one whose header has the state's app hash.
    pub path: Vec<PathBlock>,
    /// [`Block`](crate::settlement::payment::Block): which height this is, and of which genesis.
    pub block: Record,
    /// [`Settlement`](crate::settlement::payment::Settlement). Only of the claim `proxied` there is none.
    pub settlement: Option<Record>,
    /// The [`Model`](crate::settlement::model::Model) with the publisher's signature, in the version that the settlement names. Nothing where there
    /// is no settlement.
    pub model: Option<Record>,
    /// The [`Node`](crate::settlement::node::Node), in the version that the settlement names.
    pub node: Record,
    /// The [`Parameters`](crate::settlement::parameters::Parameters) in force at the settlement's height.
    pub rules: Record,
    /// What shows the node's enclave, of the backend `tee`.
    pub attestation: Option<Attested>,
    /// What became of the settlement as a sample, once that is known.
    pub sample: Option<Sampled>,
}

/// A node's attestation, with all that it takes to verify it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested {
    /// The [`Attestation`](crate::settlement::node::Attestation), in the version that the settlement names.
    pub attestation: Record,
    /// The [`Evidence`](crate::tee::Evidence) that it names.
    pub evidence: Record,
    /// The [`Measurement`](crate::settlement::node::Measurement) that it names, in the version that it names. If that was revoked later, the record
    /// says so. If it was revoked before the settlement and approved anew, in the version that was in force then.
    pub measurement: Record,
    /// The [`Parameters`](crate::settlement::parameters::Parameters) in force when the ledger verified it.
    pub rules: Record,
}

/// What became of a drawn settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampled {
    /// [`Sample`](crate::settlement::sampling::Sample).
    pub record: Record,
    /// The proof that it names, unless it is withheld.
    pub proof: Option<Box<SampleProof>>,
}

/// A proof of an answer that was given without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleProof {
    /// The proof's file.
    pub proof: Bytes,
    /// The key's file.
    pub key: Bytes,
}

/// A block for light clients, as [`LightBlock::decode`](crate::settlement::light::LightBlock::decode) takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathBlock {
    /// CometBFT's `LightBlock`, as protobuf.
    pub block: Bytes,
    /// The `ValidatorSet` of the next height, as protobuf.
    pub next_validators: Bytes,
}

/// A record of the state with the proof that it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The bytes as they are stored.
    pub value: Bytes,
    /// For [`inclusion::verify`](crate::settlement::inclusion::verify).
    pub proof: Bytes,
}
