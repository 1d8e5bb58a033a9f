//! What an audit found: a verdict for each check, what is known by those that hold, and what is not proven.
use alloc::vec::Vec;

use thiserror::Error;

use super::bundle::Answer;
use super::check::Check;
use super::unproven::Unproven;
use crate::circuit::Port;
use crate::halo2::shape::Visibility;
use crate::halo2::srs::Srs;
use crate::key::{Engine, KeyError};
use crate::settlement::inclusion::InclusionError;
use crate::settlement::light::LightError;
use crate::settlement::model::Model;
use crate::settlement::node::Node;
use crate::settlement::payment::Settlement;
use crate::settlement::{Height, Versioned};
use crate::signature::BadSignature;
use crate::verify::VerifyError;
use crate::wire::WireError;

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails(Reason),
    /// It could not be made.
    NotShown(Missing),
}

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
    /// It rests on a check that does not hold.
    #[error("rests on a check that does not hold: {}", .0.code())]
    Needs(Check),
}

/// Whether an audit can succeed without a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It has to hold.
    Required,
    /// It must not fail; whether it was made is left to the parties.
    Optional,
}

/// A check with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub check: Check,
    /// Whether it is needed.
    pub weight: Weight,
    /// What became of it.
    pub verdict: Verdict,
}

/// What a key says of what stands behind a proof.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assurance {
    /// The engine.
    pub engine: Engine,
    /// What is private, of the engine `halo2`.
    pub visibility: Option<Visibility>,
    /// The reference string, of the engine `halo2`.
    pub srs: Option<Srs>,
    /// To pass off a false statement takes about two to the power of this many attempts; of the engine `sumcheck`.
    pub soundness_bits: Option<f64>,
}

/// An answer as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The integers, those of inputs only if they are public.
    pub answer: Answer,
    /// What the key's circuit says of them; nothing of an answer that is not proven.
    pub ports: Option<Ports>,
}

/// Names, shapes and scales.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Of the inputs.
    pub inputs: Vec<Port>,
    /// Of the outputs.
    pub outputs: Vec<Port>,
}

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderTime {
    /// Its height.
    pub height: Height,
    /// Its time, in milliseconds since 1970.
    pub time_ms: u64,
}

/// What an audit found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The checks that the receipt's claim calls for, in their order.
    pub rows: Vec<Row>,
    /// Inputs and outputs, if they are those of the receipt.
    pub shown: Option<Shown>,
    /// What the key says, if it is the receipt's and passed its checks.
    pub assurance: Option<Assurance>,
    /// The header that was trusted, if it is the first one.
    pub root: Option<HeaderTime>,
    /// How old that header is, if it was said what time it is. Negative if it is from the future.
    pub root_age_ms: Option<i64>,
    /// The last header, if all follow.
    pub last: Option<HeaderTime>,
    /// The settlement, if the ledger has it.
    pub settlement: Option<Settlement>,
    /// The model's record, if the ledger has it.
    pub model: Option<Versioned<Model>>,
    /// The node's record, if the ledger has it.
    pub node: Option<Versioned<Node>>,
    /// What is not proven, even if all checks hold.
    pub unproven: Vec<Unproven>,
}

impl Report {
    /// Whether all required checks hold and no other fails.
    pub fn holds(&self) -> bool {
        self.rows.iter().all(|row| match (&row.verdict, row.weight) {
            (Verdict::Holds, _) | (Verdict::NotShown(_), Weight::Optional) => true,
            (Verdict::Fails(_), _) | (Verdict::NotShown(_), Weight::Required) => false,
        })
    }

    /// What became of a check, if the receipt's claim calls for it.
    pub fn verdict(&self, check: Check) -> Option<&Verdict> {
        self.rows.iter().find(|row| row.check == check).map(|row| &row.verdict)
    }

    /// Whether a check was made and holds.
    pub fn is_shown(&self, check: Check) -> bool {
        self.verdict(check) == Some(&Verdict::Holds)
    }
}
