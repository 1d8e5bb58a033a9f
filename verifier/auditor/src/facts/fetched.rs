//! Fetched data that inputs were taken from.
use assay_verifier::audit::Report;
use assay_verifier::fetched::Fetched;
use assay_verifier::receipt::Receipt;
use serde::Serialize;

use super::Lines;
use super::time::date;

/// A record, by its digest; the rest if it is shown and its check holds.
#[derive(Serialize)]
pub struct FetchedRecord {
    record: String,
    source: Option<String>,
    url: Option<String>,
    /// Where redirections led, the last of which answered.
    redirects: Vec<String>,
    status: Option<u16>,
    time_ms: Option<u64>,
    /// The JSONPath of what was taken out.
    extracted: Option<String>,
}

/// The records that a receipt names.
pub fn list(receipt: &Receipt, report: &Report) -> Vec<FetchedRecord> {
    let record = |(place, digest): (usize, &assay_verifier::digest::Digest32)| {
        FetchedRecord::new(digest.to_string(), report.fetched.get(place))
    };
    receipt.records.iter().enumerate().map(record).collect()
}

impl FetchedRecord {
    fn new(record: String, shown: Option<&Fetched>) -> Self {
        Self {
            record,
            source: shown.map(|shown| shown.source.clone()),
            url: shown.map(|shown| shown.url.clone()),
            redirects: shown.map(|shown| shown.redirects.clone()).unwrap_or_default(),
            status: shown.map(|shown| shown.status),
            time_ms: shown.map(|shown| shown.time_ms),
            extracted: shown.and_then(|shown| Some(shown.extracted.as_ref()?.path.clone())),
        }
    }

    /// For people.
    pub fn lines(&self, lines: &mut Lines) {
        lines.push(("record", format!("{}, of fetched data that inputs were taken from", self.record)));
        if let (Some(url), Some(time_ms)) = (&self.url, self.time_ms) {
            lines.push(("", format!("{url} at {} by the node's clock", date(time_ms))));
        }
        lines.extend(self.redirects.iter().map(|url| ("", format!("redirected to {url}"))));
        lines.extend(self.extracted.iter().map(|path| ("", format!("of it {path}"))));
    }
}
