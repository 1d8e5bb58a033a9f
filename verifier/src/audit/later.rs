//! What ended after the answer was given. It takes nothing from the answer: the ledger judged by what was in force.
use alloc::vec::Vec;

use super::moment::Moment;
use super::report::Report;
use crate::settlement::{Height, Reason, Versioned};

/// A record that ended since, or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// Which, and how.
    pub what: Ended,
    /// The first height at which it no longer holds.
    pub height: Height,
    /// Why, in the words of whoever ended it.
    pub reason: Option<Reason>,
}

/// How a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The publisher withdrew the model.
    ModelDeprecated,
    /// The node stopped being one, or registered anew.
    NodeDeregistered,
    /// The node showed a newer attestation.
    AttestationSuperseded,
    /// The node stopped being one, and its attestation ended with that.
    AttestationEnded,
    /// Governance withdrew the approval of the enclave's software, or let it run out.
    MeasurementRevoked,
}

impl Ended {
    /// Its code, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::ModelDeprecated => "model_deprecated",
            Self::NodeDeregistered => "node_deregistered",
            Self::AttestationSuperseded => "attestation_superseded",
            Self::AttestationEnded => "attestation_ended",
            Self::MeasurementRevoked => "measurement_revoked",
        }
    }

    /// What happened, for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::ModelDeprecated => "the model was deprecated",
            Self::NodeDeregistered => "the node was deregistered",
            Self::AttestationSuperseded => "the node showed a newer attestation",
            Self::AttestationEnded => "the attestation ended with the node's registration",
            Self::MeasurementRevoked => "the approval of the enclave's software was revoked",
        }
    }
}

/// Ends that the records in a report have, if they are after the moment that the answer is judged by.
pub(super) fn list(report: &Report, moment: Option<Moment<'_>>) -> Vec<Later> {
    let Some(moment) = moment else { return Vec::new() };
    let attestation = match report.attestation.as_ref().and_then(|found| found.reason.as_ref()) {
        Some(_) => Ended::AttestationEnded,
        None => Ended::AttestationSuperseded,
    };
    let ends = [
        end(report.model.as_ref(), Ended::ModelDeprecated),
        end(report.node.as_ref(), Ended::NodeDeregistered),
        end(report.attestation.as_ref(), attestation),
        end(report.measurement.as_ref(), Ended::MeasurementRevoked),
    ];
    let is_later = |later: &Later| moment.settlement.is_none() || later.height >= moment.height;
    ends.into_iter().flatten().filter(is_later).collect()
}

fn end<T>(record: Option<&Versioned<T>>, what: Ended) -> Option<Later> {
    let record = record?;
    Some(Later { what, height: record.valid_to?, reason: record.reason.clone() })
}
