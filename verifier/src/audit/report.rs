//! What an audit found: a verdict for each check, what is known by those that hold, and what is not proven.
use alloc::vec::Vec;

use super::bundle::{Answer, RealAnswer};
use super::check::Check;
use super::later::Later;
use super::reason::{Missing, Reason};
use super::unproven::Unproven;
use crate::circuit::Port;
use crate::fetched::Fetched;
use crate::halo2::shape::Visibility;
use crate::halo2::srs::Srs;
use crate::key::Engine;
use crate::settlement::model::Model;
use crate::settlement::node::{Attestation, Measurement, Node};
use crate::settlement::payment::Settlement;
use crate::settlement::sampling::Sample;
use crate::settlement::{Height, Versioned};
use crate::tee;

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
    /// The same of an answer in floating point.
    pub reals: Option<RealAnswer>,
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
    /// The node's attestation, if the ledger has it.
    pub attestation: Option<Versioned<Attestation>>,
    /// What the enclave's document shows, if it was verified again.
    pub enclave: Option<tee::Attested>,
    /// The approval of what was measured, if the ledger has it.
    pub measurement: Option<Versioned<Measurement>>,
    /// What became of the settlement as a sample, if the ledger says so.
    pub sample: Option<Sample>,
    /// What records of fetched data say, if they are those of the receipt.
    pub fetched: Vec<Fetched>,
    /// What ended since the answer, or will. It takes nothing from what was right then.
    pub later: Vec<Later>,
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
