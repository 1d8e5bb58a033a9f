//! `Prefer: wait=N` and `wait=proof`: the answer comes when the proof is there, or after so long without it.
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;

use super::blocking;
use super::problem::Problem;
use crate::jobs::Job;
use crate::jobs::states::Proving;
use crate::serve::Service;

/// For how long a caller wants to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// At most.
    pub longest: Duration,
}

impl Wait {
    /// What the header says, within what the service allows.
    ///
    /// # Errors
    /// It says something that is no time.
    pub fn of(headers: &HeaderMap, most: Duration) -> Result<Self, Problem> {
        let mut longest = Duration::ZERO;
        for header in headers.get_all("prefer") {
            for preference in header.to_str().unwrap_or_default().split(',') {
                let Some(wish) = preference.trim().strip_prefix("wait=") else { continue };
                longest = match wish.trim_matches('"') {
                    "proof" => most,
                    seconds => {
                        let seconds = seconds.parse().map_err(|_| {
                            Problem::malformed("prefer", "Prefer: wait is a number of seconds, or wait=proof")
                        })?;
                        Duration::from_secs(seconds).min(most)
                    }
                };
            }
        }
        Ok(Self { longest })
    }
}

fn waits(job: &Job) -> bool {
    job.states.proof != Proving::None && !job.states.proof.next().is_empty()
}

/// The job once its proof is there, or after so long.
pub async fn wait(service: &Arc<Service>, job: Job, wished: Wait) -> Result<Job, Problem> {
    if wished.longest.is_zero() || !waits(&job) {
        return Ok(job);
    }
    let (id, end) = (job.id, tokio::time::Instant::now() + wished.longest);
    let watching = Arc::clone(service);
    let mut seen = blocking(move || watching.jobs.watch(id).map_err(|error| Problem::internal(&error))).await?;
    let mut job = job;
    loop {
        let reading = Arc::clone(service);
        let now = blocking(move || reading.jobs.get(id).map_err(|error| Problem::internal(&error))).await?;
        job = now.unwrap_or(job);
        if !waits(&job) {
            return Ok(job);
        }
        let before = seen.borrow_and_update().events;
        // Progress alone is no reason to look.
        let changed = seen.wait_for(|seen| seen.events != before);
        if !matches!(tokio::time::timeout_at(end, changed).await, Ok(Ok(_))) {
            return Ok(job);
        }
    }
}
