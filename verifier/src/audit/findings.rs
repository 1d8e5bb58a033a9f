//! Verdicts as they are collected, and the report that they make.
use alloc::vec::Vec;

use super::bundle::{Bundle, RealAnswer};
use super::check::Check;
use super::moment::Moment;
use super::reason::{Missing, Reason};
use super::report::{Assurance, HeaderTime, Report, Row, Shown, Verdict, Weight};
use super::{Trust, later, unproven};
use crate::fetched::Fetched;
use crate::settlement::Versioned;
use crate::settlement::model::Model;
use crate::settlement::node::{Attestation, Measurement, Node};
use crate::settlement::payment::{Block, Settlement};
use crate::settlement::sampling::Sample;
use crate::tee;

/// Why there is nothing to go on with.
pub(super) enum Fault {
    /// The check fails.
    Fails(Reason),
    /// It could not be made.
    NotShown(Missing),
}

impl<R: Into<Reason>> From<R> for Fault {
    fn from(reason: R) -> Self {
        Self::Fails(reason.into())
    }
}

impl From<Missing> for Fault {
    fn from(missing: Missing) -> Self {
        Self::NotShown(missing)
    }
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings {
    rows: Vec<Row>,
    pub(super) shown: Option<Shown>,
    pub(super) reals: Option<RealAnswer>,
    pub(super) assurance: Option<Assurance>,
    pub(super) root: Option<HeaderTime>,
    pub(super) last: Option<HeaderTime>,
    pub(super) settlement: Option<Settlement>,
    pub(super) model: Option<Versioned<Model>>,
    pub(super) node: Option<Versioned<Node>>,
    /// The state that is shown.
    pub(super) block: Option<Block>,
    pub(super) attestation: Option<Versioned<Attestation>>,
    pub(super) enclave: Option<tee::Attested>,
    pub(super) measurement: Option<Versioned<Measurement>>,
    pub(super) sample: Option<Sample>,
    pub(super) fetched: Vec<Fetched>,
}

impl Findings {
    /// Writes down what became of a check; gives what it found, if it holds.
    pub(super) fn note<T>(&mut self, check: Check, weight: Weight, outcome: Result<T, Fault>) -> Option<T> {
        let (verdict, found) = match outcome {
            Ok(found) => (Verdict::Holds, Some(found)),
            Err(Fault::Fails(reason)) => (Verdict::Fails(reason), None),
            Err(Fault::NotShown(missing)) => (Verdict::NotShown(missing), None),
        };
        self.rows.push(Row { check, weight, verdict });
        found
    }

    /// Writes down what became of a check that has to hold.
    pub(super) fn require<T>(&mut self, check: Check, outcome: Result<T, Fault>) -> Option<T> {
        self.note(check, Weight::Required, outcome)
    }

    /// The report.
    pub(super) fn report(mut self, bundle: &Bundle, trust: &Trust, now_ms: Option<u64>) -> Report {
        self.rows.sort_by_key(|row| row.check);
        let since = |(now, root): (u64, HeaderTime)| i128::from(now).saturating_sub(root.time_ms.into());
        let root_age_ms = now_ms.zip(self.root).map(since).and_then(|age| age.try_into().ok());
        let mut report = Report {
            rows: self.rows,
            shown: self.shown,
            reals: self.reals,
            assurance: self.assurance,
            root: self.root,
            root_age_ms,
            last: self.last,
            settlement: self.settlement,
            model: self.model,
            node: self.node,
            attestation: self.attestation,
            enclave: self.enclave,
            measurement: self.measurement,
            sample: self.sample,
            fetched: self.fetched,
            later: Vec::new(),
            unproven: Vec::new(),
        };
        let receipt = &bundle.receipt.receipt;
        let moment = Moment::of(receipt, report.settlement.as_ref(), self.block.as_ref()).ok();
        report.later = later::list(&report, moment);
        report.unproven = unproven::list(bundle, &report, self.block.as_ref(), trust.genesis.is_some());
        report
    }
}

/// Whether something is equal to what it must be.
pub(super) fn equal<T: PartialEq>(what: &'static str, found: T, expected: T) -> Result<(), Fault> {
    holds(found == expected, Reason::Differs(what))
}

/// Whether something holds.
pub(super) fn holds(it_does: bool, reason: Reason) -> Result<(), Fault> {
    if it_does { Ok(()) } else { Err(Fault::Fails(reason)) }
}
