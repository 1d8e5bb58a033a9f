//! What was passed on from an upstream, as the receipt says.
use assay_verifier::proxied::{Ending, Forwarded};
use assay_verifier::receipt::{Receipt, Subject};
use serde::Serialize;

use super::Lines;

/// An upstream and its answer.
#[derive(Serialize)]
pub struct Upstream {
    upstream: String,
    origin: String,
    path: String,
    model: String,
    status: u16,
    size: u64,
    /// `complete` or `truncated`.
    ending: &'static str,
}

impl Upstream {
    /// What a receipt says, if it is of such an answer.
    pub fn new(receipt: &Receipt) -> Option<Self> {
        let Subject::Upstream(Forwarded { upstream, origin, path, model, status, size, ending }) = &receipt.subject
        else {
            return None;
        };
        Some(Self {
            upstream: upstream.clone(),
            origin: origin.clone(),
            path: path.clone(),
            model: model.clone(),
            status: *status,
            size: *size,
            ending: match ending {
                Ending::Complete => "complete",
                Ending::Truncated => "truncated",
            },
        })
    }

    /// For people.
    pub fn lines(&self, lines: &mut Lines) {
        lines.push(("upstream", format!("{:?} at {}{}", self.upstream, self.origin, self.path)));
        lines.push(("", format!("its model {:?}", self.model)));
        lines.push(("delivered", format!("status {}, {} bytes, {}", self.status, self.size, self.ending)));
    }
}
