//! What the ledger has.
use assay_verifier::audit::{Check, Report};
use assay_verifier::settlement::{Reason, Versioned};
use serde::Serialize;

use super::Lines;
use super::said::Said;
use super::time::{date, duration};

/// A record of the ledger that ended, or will.
#[derive(Serialize)]
struct End {
    height: u64,
    reason: Option<String>,
}

/// What the ledger has.
#[derive(Serialize)]
pub struct Recorded {
    publisher: Option<String>,
    model_name: Option<String>,
    model_version: Option<String>,
    model_ends: Option<End>,
    node_endpoint: Option<String>,
    node_ends: Option<End>,
    payee: Option<String>,
    settled_height: Option<u64>,
    settled_ms: Option<u64>,
    state_height: Option<u64>,
    root_height: Option<u64>,
    root_ms: Option<u64>,
    root_age_ms: Option<i64>,
}

impl End {
    fn of<T>(record: &Versioned<T>) -> Option<Self> {
        Some(Self { height: record.valid_to?, reason: record.reason.as_ref().map(words) })
    }
}

/// Why a record ended.
pub fn words(reason: &Reason) -> String {
    match reason {
        Reason::Owner(text) | Reason::Governance(text) => text.clone(),
    }
}

impl Recorded {
    /// What a report has of records that the state has.
    pub fn new(report: &Report) -> Self {
        let manifest = report.model.as_ref().map(|model| &model.record.manifest);
        let settlement = report.settlement.as_ref();
        let paid = report.is_shown(Check::Payment);
        Self {
            publisher: manifest.map(|manifest| manifest.publisher.to_string()),
            model_name: manifest.map(|manifest| manifest.name.clone()),
            model_version: manifest.map(|manifest| manifest.version.clone()),
            model_ends: report.model.as_ref().and_then(End::of),
            node_endpoint: report.node.as_ref().map(|node| node.record.endpoint.clone()),
            node_ends: report.node.as_ref().and_then(End::of),
            payee: settlement.filter(|_| paid).map(|settlement| settlement.payee.to_string()),
            settled_height: settlement.map(|settlement| settlement.height),
            settled_ms: settlement.map(|settlement| settlement.time_ms),
            state_height: report.last.map(|last| last.height.saturating_sub(1)),
            root_height: report.root.map(|root| root.height),
            root_ms: report.root.map(|root| root.time_ms),
            root_age_ms: report.root_age_ms,
        }
    }

    /// The model's name and publisher.
    pub fn publisher(&self, lines: &mut Lines) {
        if let (Some(publisher), Some(name), Some(version)) = (&self.publisher, &self.model_name, &self.model_version) {
            lines.push(("", format!("{name} {version}, published by {publisher}")));
        }
    }

    /// Where the node is.
    pub fn endpoint(&self, lines: &mut Lines) {
        lines.extend(self.node_endpoint.iter().map(|endpoint| ("", format!("reached at {endpoint}"))));
    }

    /// What was paid.
    pub fn settlement(&self, said: &Said, lines: &mut Lines) {
        if let (Some(height), Some(time)) = (self.settled_height, self.settled_ms) {
            lines.push(("settled", format!("at height {height}, {}", date(time))));
        }
        if let Some(payee) = &self.payee {
            lines.push(("paid", format!("{} by {} to {payee}", said.price, said.payer)));
        }
    }

    /// By which state and header all of this is known.
    pub fn state(&self, lines: &mut Lines) {
        if let Some(height) = self.state_height {
            lines.push(("state", format!("that after height {height}")));
        }
        if let (Some(height), Some(time)) = (self.root_height, self.root_ms) {
            let age = self.root_age_ms.map(|age| format!(", {} old", duration(age))).unwrap_or_default();
            lines.push(("trust root", format!("the header of height {height}, {}{age}", date(time))));
        }
    }
}
