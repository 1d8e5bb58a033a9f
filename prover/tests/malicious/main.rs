//! Provers that follow the protocol and deviate in exactly one step.
//!
//! Each case starts from an honest evaluation, changes one value and carries the change through everything that follows from
//! it, so that only the changed step is wrong; the transcript is the changed proof's own. What must refuse it is asserted.
//! [`Step::LookupSum`] means that a range check or table lookup failed; [`Step::Stack`] that values are in range but do not
//! satisfy their relation, so that the batched claims on the witness do not hold.
//!
//! Faults that have been found in systems of this kind, and where they are covered:
//! - public input or model not absorbed in the transcript: `soundness/`, statements and fields of a key; here
//!   `statements`, and words in `selections`;
//! - a round's challenge not bound to its message, or coefficients drawn before the claims they combine: `soundness/`, where a
//!   change of any single message is refused; the verifier reads all messages through one channel that absorbs before it returns;
//! - a final claim that nobody opens: `weights`, and the openings of `soundness/`;
//! - several consumers of one tensor collapsing into one claim: `relations`;
//! - a hint without a constraint: `committed` changes a cell of every committed column;
//! - a tolerance band instead of a unique value, only low bits constrained, signed division with a wrong range:
//!   `rescaling`, `brackets`;
//! - a maximum that is only shown to be no less, or only to be a member; a softmax with a free shift: `maxima`, `softmax`;
//! - indices that are only compared with hints of the prover: `selections`;
//! - malleable or non-canonical encodings and huge lengths: the verifier's own tests; there are no curve points;
//! - a predicted challenge: challenges are hashes of everything before them, and the first comes after root and statement;
//! - a proof for another request, key or version: `soundness/`.
mod brackets;
mod committed;
#[path = "../common/mod.rs"]
mod common;
mod counts;
mod lookups;
mod maxima;
mod products;
mod relations;
mod rescaling;
mod selections;
mod setting;
mod softmax;
mod statements;
mod weights;
