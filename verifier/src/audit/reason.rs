//! Why a check does not hold, or could not be made.
use thiserror::Error;

use super::check::Check;
use crate::key::KeyError;
use crate::settlement::Height;
use crate::settlement::inclusion::InclusionError;
use crate::settlement::light::LightError;
use crate::signature::BadSignature;
use crate::tee::TeeError;
use crate::verify::VerifyError;
use crate::wire::WireError;

/// Why a check does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    /// A signature.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// A part of the bundle is not what it should be.
    #[error(transparent)]
    Malformed(#[from] WireError),
    /// Two things that must be equal are not.
    #[error("{0} differs")]
    Differs(&'static str),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A proof.
    #[error(transparent)]
    Proof(#[from] VerifyError),
    /// A claim that this version does not verify, or one that the backend cannot make.
    #[error("this claim of this backend cannot be verified")]
    Claim,
    /// Evidence of another kind than the claim calls for.
    #[error("the evidence is of another claim")]
    Evidence,
    /// The receipt that should be the first one is not.
    #[error("the receipt names a proof, so it is not the one that went with the answer")]
    Version,
    /// A number of the request is none of the circuit's.
    #[error("input {input:?}, position {position}: the request has another value than the proof")]
    Value {
        /// The input's place in the circuit.
        input: usize,
        /// Row-major position.
        position: usize,
    },
    /// Another number of tensors, or tensors of another size.
    #[error("the request's tensors do not fit the circuit's inputs")]
    Tensors,
    /// A header, by its place on the path.
    #[error("header {place}: {error}")]
    Header {
        /// From 0 on.
        place: usize,
        /// What is wrong.
        error: LightError,
    },
    /// There is no header at all.
    #[error("there is no header")]
    NoHeader,
    /// A record is not in the state.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
    /// The state that is shown is of another height than its header says.
    #[error("the state is that after height {actual}, the header has that after {expected}")]
    Height {
        /// By the state.
        actual: Height,
        /// By the header.
        expected: Height,
    },
    /// A settlement that is later than the state that has it.
    #[error("the settlement is later than the state")]
    Later,
    /// A record that was not in force at the settlement.
    #[error("revision {revision} was not in force at height {height}")]
    NotInForce {
        /// Which version.
        revision: u32,
        /// When it should have been.
        height: Height,
    },
    /// The model has no such key.
    #[error("the model has no such key")]
    NoSuchKey,
    /// The node is not registered for what the receipt says that it did.
    #[error("the node is not registered for the receipt's backend")]
    Backend,
    /// The node has less than the rules ask for at stake.
    #[error("the node's stake is below the least one")]
    Stake,
    /// The document of an enclave.
    #[error(transparent)]
    Enclave(#[from] TeeError),
    /// An attestation that did not count when it should have.
    #[error("the attestation counts from {from_ms} ms to {to_ms} ms, and not at {time_ms} ms")]
    Expired {
        /// When it was verified.
        from_ms: u64,
        /// The first moment at which it no longer counts.
        to_ms: u64,
        /// When it should have counted.
        time_ms: u64,
    },
    /// A settlement of what is never settled.
    #[error("answers of upstreams are not settled, so this is none of one")]
    NeverSettled,
    /// An answer of an event stream that is said to be whole and has no closing event.
    #[error("the receipt says that the answer is whole, and its stream has no closing event")]
    Cut,
    /// The node could not prove the answer.
    #[error("the answer was drawn to be proven and the node did not prove it, so it lost {0} of its stake")]
    Missed(u64),
    /// The reference string is not one of those that the rules name.
    #[error("the rules do not name this reference string")]
    Srs,
}

/// Why a check could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Missing {
    /// The request is withheld.
    #[error("the request is withheld")]
    Request,
    /// Nobody read the request's numbers.
    #[error("the request's numbers were not read")]
    Values,
    /// Inputs are private: the proof has a commitment to them.
    #[error("the inputs are private; the proof commits to them")]
    Private,
    /// The answer's integers are withheld.
    #[error("the answer is withheld")]
    Answer,
    /// There is no proof in the bundle.
    #[error("there is no proof in the bundle")]
    Proof,
    /// The bundle has nothing of the ledger.
    #[error("the bundle has nothing of the ledger")]
    Ledger,
    /// The bundle has no settlement.
    #[error("the bundle has no settlement")]
    Settlement,
    /// The bundle has nothing of the node's enclave.
    #[error("the bundle has no attestation")]
    Attestation,
    /// Records are named and not there.
    #[error("the records are withheld")]
    Records,
    /// No record says what became of the settlement as a sample.
    #[error("the bundle has no sample: none was drawn, or it is not known yet what became of it, or it is withheld")]
    Sample,
    /// It rests on a check that does not hold.
    #[error("rests on a check that does not hold: {}", .0.code())]
    Needs(Check),
}
