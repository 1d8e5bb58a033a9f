//! From a task to a proof's file.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use assay_verifier::wire;

use super::provers::{Fetch, Provers};
use super::task::{Task, Trouble};
use crate::jobs::Stage;

/// A proof that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// Its file.
    pub proof: Vec<u8>,
    /// How long it took, in microseconds.
    pub prove_us: u64,
}

/// Proves a task, and says what it is at; it goes on if it is told to.
///
/// # Errors
/// Parts cannot be got or are wrong, the prover failed, or it was told to stop.
pub fn prove(task: &Task, provers: &Provers, fetch: &Fetch<'_>, at: &dyn Fn(Stage) -> bool) -> Result<Proved, Trouble> {
    let at = |stage| if at(stage) { Ok(()) } else { Err(Trouble::Prover("it was stopped".into())) };
    // A worker outlives a prover's defect; the job goes on elsewhere, and fails if that is no better.
    let proved = catch_unwind(AssertUnwindSafe(|| {
        at(Stage::Loading)?;
        let prover = provers.get(&task.parts, fetch)?;
        at(Stage::Proving)?;
        let begun = Instant::now();
        let proof = prover.prove(&task.inputs, task.commitment.as_ref(), &task.context)?;
        let prove_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        at(Stage::Sending)?;
        Ok(Proved { proof: wire::encode(&proof), prove_us })
    }));
    proved.unwrap_or_else(|_| Err(Trouble::Prover("it panicked".into())))
}
