//! What ended since the answer, or will: it takes nothing from what was right then.
use assay_verifier::audit::{self, Report};
use serde::Serialize;

use super::facts::words;

/// An end.
#[derive(Serialize)]
pub struct Later {
    code: &'static str,
    /// The first height at which the record no longer holds.
    height: u64,
    /// Why, in the words of whoever ended it.
    reason: Option<String>,
    text: &'static str,
}

/// The ends that a report has.
pub fn list(report: &Report) -> Vec<Later> {
    report.later.iter().map(Later::new).collect()
}

impl Later {
    fn new(later: &audit::Later) -> Self {
        let (code, text) = (later.what.code(), later.what.text());
        Self { code, height: later.height, reason: later.reason.as_ref().map(words), text }
    }

    /// Label and words, for people.
    pub fn line(&self) -> (&'static str, String) {
        let reason = self.reason.as_ref().map(|reason| format!(": {reason:?}")).unwrap_or_default();
        (self.code, format!("{}, from height {} on{reason}", self.text, self.height))
    }
}
