//! The audit of an answer from one file: its receipts, its proof or its enclave, who published and who answered, what was paid, and that the
//! ledger says so.
//!
//! [`audit`] is a pure function of a bundle, what the auditor trusts, and how the auditor asks. It makes every check that the receipt's
//! claim calls for, also after one has failed, and says of each what became of it. Nothing in a bundle is taken on its word: all of it hangs on
//! the receipts' digests, on the app hash of a header that is signed, or on both.
mod attestation;
mod bundle;
mod check;
mod evidence;
mod exchange;
mod fetched;
mod findings;
mod later;
mod ledger;
mod moment;
mod reason;
mod receipts;
mod records;
mod report;
mod sample;
mod stream;
mod unproven;
mod values;

pub use bundle::{
    Answer, Attested, Bundle, Evidence, Exchange, Ledger, PathBlock, Proven, RealAnswer, Record, SampleProof, Sampled,
};
pub use check::Check;
pub use later::{Ended, Later};
pub use reason::{Missing, Reason};
pub use report::{Assurance, HeaderTime, Ports, Report, Row, Shown, Verdict, Weight};
pub use unproven::Unproven;

use alloc::string::String;
use alloc::vec::Vec;

use crate::circuit::Limits;
use crate::digest::Digest32;
use crate::settlement::light::Root;
use findings::Findings;

/// What the auditor trusts, without proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The ledger.
    pub chain_id: String,
    /// The header that everything is followed from.
    pub root: Root,
    /// The digest of the genesis, if it is known.
    pub genesis: Option<Digest32>,
}

/// Whether a settlement is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// It is.
    #[default]
    Settled,
    /// A bundle without one will do, as of a service that is free. What it has of a ledger is checked all the same.
    Unsettled,
}

/// A tensor of the request, as the program that calls read it.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestTensor {
    /// The input that it is for.
    pub name: String,
    /// Its shape.
    pub shape: Vec<u32>,
    /// Real values, row-major.
    pub values: Vec<f64>,
}

/// How the auditor asks.
#[derive(Clone, Debug, Default)]
pub struct Question<'a> {
    /// What is worked through of a key at most.
    pub limits: Limits,
    /// Whether a settlement is asked for.
    pub scope: Scope,
    /// The auditor's own copy of the request. The bundle's, if there is one too, must be the same.
    pub request: Option<&'a [u8]>,
    /// The request's tensors, read from these bytes; of those that are taken from records, with the numbers of the bundle's.
    pub tensors: Option<&'a [RequestTensor]>,
    /// The records that these bytes take inputs from, each once, in the order of the inputs.
    pub named: Option<&'a [Digest32]>,
    /// What time it is, in milliseconds since 1970. It decides nothing: the age of the trust root is reported.
    pub now_ms: Option<u64>,
}

/// Checks a bundle.
///
/// # Soundness
/// That the receipt is of the request, model and node that one means is to be compared by whoever asks. Headers are judged as a client would have
/// that followed the chain as it grew: each follows from the one before it, whatever time has passed. So what the trust root is worth
/// now is for the auditor to say; its age is in the report.
pub fn audit(bundle: &Bundle, trust: &Trust, question: &Question<'_>) -> Report {
    let mut findings = Findings::default();
    receipts::check(bundle, trust, question, &mut findings);
    fetched::check(bundle, question, &mut findings);
    let key = evidence::check(bundle, question, &mut findings);
    ledger::check(bundle, key.as_ref(), trust, question, &mut findings);
    findings.report(bundle, trust, question.now_ms)
}
