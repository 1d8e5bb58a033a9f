//! The report for programs: one JSON object.
use assay_verifier::audit::{Bundle, Report, Verdict, Weight};
use serde::Serialize;

use super::facts::Facts;
use super::later::{self, Later};

/// The object.
#[derive(Serialize)]
pub struct Answer {
    /// Whether all required checks hold and none fails.
    verified: bool,
    checks: Vec<Row>,
    not_proven: Vec<NotProven>,
    /// What ended since, without taking anything from the answer.
    later: Vec<Later>,
    known: Facts,
}

#[derive(Serialize)]
struct Row {
    code: &'static str,
    required: bool,
    /// `holds`, `fails` or `not_shown`.
    verdict: &'static str,
    /// Why it fails or was not made.
    reason: Option<String>,
    text: &'static str,
}

#[derive(Serialize)]
struct NotProven {
    code: &'static str,
    text: &'static str,
}

impl Answer {
    /// What is printed of a report.
    pub fn new(bundle: &Bundle, report: &Report) -> Self {
        let row = |row: &assay_verifier::audit::Row| {
            let (verdict, reason) = match &row.verdict {
                Verdict::Holds => ("holds", None),
                Verdict::Fails(reason) => ("fails", Some(reason.to_string())),
                Verdict::NotShown(missing) => ("not_shown", Some(missing.to_string())),
            };
            let required = row.weight == Weight::Required;
            Row { code: row.check.code(), required, verdict, reason, text: row.check.text() }
        };
        Self {
            verified: report.holds(),
            checks: report.rows.iter().map(row).collect(),
            not_proven: report.unproven.iter().map(|what| NotProven { code: what.code(), text: what.text() }).collect(),
            later: later::list(report),
            known: Facts::new(bundle, report),
        }
    }
}
