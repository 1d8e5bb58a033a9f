//! What happened to a job: numbered, timed and durable, so that a listener who comes back goes on where it was.
use serde::{Deserialize, Serialize};

use super::error::JobError;
use super::job::{Failure, Job};
use super::states::{Execution, Payment, Proving, Settlement};

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// From 1, without gaps, for each job.
    pub number: u64,
    /// When.
    pub time_ms: u64,
    /// What.
    pub change: Change,
    /// Why, if it is a failure.
    pub failure: Option<Failure>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// The job is kept.
    Accepted,
    /// The answer.
    Execution(Execution),
    /// The proof.
    Proof(Proving),
    /// The record on the ledger.
    Settlement(Settlement),
    /// The money.
    Payment(Payment),
}

impl Change {
    /// Which state changed, and to what, by the names in answers.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Accepted => ("job", "accepted"),
            Self::Execution(state) => ("execution", state.name()),
            Self::Proof(state) => ("proof", state.name()),
            Self::Settlement(state) => ("settlement", state.name()),
            Self::Payment(state) => ("payment", state.name()),
        }
    }
}

/// What changed between two moments of a job.
///
/// # Errors
/// A state may not follow another.
pub fn changes(before: &Job, after: &Job) -> Result<Vec<Change>, JobError> {
    let (from, to) = (&before.states, &after.states);
    let mut changes = Vec::new();
    macro_rules! compare {
        ($field:ident, $change:ident, $again:expr) => {
            if from.$field != to.$field || $again {
                if !from.$field.next().contains(&to.$field) {
                    let (axis, to) = Change::$change(to.$field).names();
                    return Err(JobError::Transition { axis, from: from.$field.name(), to });
                }
                changes.push(Change::$change(to.$field));
            }
        };
    }
    compare!(execution, Execution, false);
    compare!(proof, Proof, false);
    // Handed in once more under another name.
    let again =
        to.settlement == Settlement::Submitted && before.submitted.map(|s| s.hash) != after.submitted.map(|s| s.hash);
    compare!(settlement, Settlement, again);
    compare!(payment, Payment, false);
    Ok(changes)
}
