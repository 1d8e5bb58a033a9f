//! The rules of queue and leases, each with its usual value and the reason for it.

/// Rules of queue and leases. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long a worker may be silent. Workers speak several times as often.
    pub lease_ms: u64,
    /// How often a job is given to a worker before its proof counts as failed. A job that kills its workers must end some day; one that was on
    /// ten workers when they were stopped is bad luck that does not happen.
    pub attempts_max: u32,
    /// The pause after the first failure; it doubles with every further one.
    pub backoff_ms: u64,
    /// The longest pause.
    pub backoff_max_ms: u64,
    /// Most jobs that wait for a proof. One account may have half of them.
    pub waiting_max: usize,
    /// Longest time that all that waits may take by prediction. One account may have half of it.
    pub backlog_max_ms: u64,
    /// A job that must begin within this time to meet its deadline goes first.
    pub urgent_ms: u64,
    /// How far an account may get ahead of its share by urgent jobs, in time of proving: nobody gains more by short deadlines.
    pub urgent_ahead_ms: u64,
    /// How far shares may be apart for the sake of a model that the worker has loaded, in time of proving.
    pub loaded_ahead_ms: u64,
    /// How long an answer is kept under a caller's key.
    pub remember_ms: u64,
    /// How long a job is kept that is over and was not paid for.
    pub keep_ms: u64,
}

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;

impl Default for Rules {
    fn default() -> Self {
        Self {
            lease_ms: 20 * SECOND,
            attempts_max: 10,
            backoff_ms: SECOND / 2,
            backoff_max_ms: 60 * SECOND,
            waiting_max: 50_000,
            backlog_max_ms: HOUR,
            urgent_ms: 5 * SECOND,
            urgent_ahead_ms: 30 * SECOND,
            loaded_ahead_ms: 2 * SECOND,
            remember_ms: 24 * HOUR,
            keep_ms: 30 * 24 * HOUR,
        }
    }
}

impl Rules {
    /// The pause after so many attempts.
    pub fn pause_ms(&self, attempts: u32) -> u64 {
        let doubled = self.backoff_ms.saturating_mul(1 << attempts.saturating_sub(1).min(32));
        doubled.min(self.backoff_max_ms)
    }
}
