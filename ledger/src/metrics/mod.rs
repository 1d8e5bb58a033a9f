//! What an application measures of itself, for whoever watches it. Nothing here is read by anything that is decided.
mod histogram;
mod page;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

pub use histogram::Histogram;
pub use page::serve;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Something that is done well or not.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// How often it was good.
    pub good: Counter,
    /// How often it was refused.
    pub refused: Counter,
}

impl Outcomes {
    /// Counts one.
    pub fn count(&self, good: bool) {
        if good { self.good.add(1) } else { self.refused.add(1) }
    }
}

/// All that is measured, since the process began. Times are those of answers to CometBFT.
#[derive(Debug, Default)]
pub struct Metrics {
    /// `assay_ledger_height`: the last committed height.
    pub height: AtomicU64,
    /// `assay_ledger_checks_total`: transactions that were checked for the first time, by whether they may wait for a block.
    pub checks: Outcomes,
    /// `assay_ledger_check_seconds`: how long that took.
    pub check_duration: Histogram,
    /// `assay_ledger_rechecks_total`: transactions that were checked again after a block, by whether they may go on waiting.
    pub rechecks: Outcomes,
    /// `assay_ledger_proposals_total`: proposals of any validator, by whether this one votes for them.
    pub proposals: Outcomes,
    /// `assay_ledger_transactions_total`: transactions in decided blocks, by whether they succeeded.
    pub transactions: Outcomes,
    /// `assay_ledger_work_total`: their work units.
    pub work: Counter,
    /// `assay_ledger_prepare_seconds`: choosing transactions for a proposal.
    pub prepare_duration: Histogram,
    /// `assay_ledger_process_seconds`: judging a proposal, with the proofs that were not judged before.
    pub process_duration: Histogram,
    /// `assay_ledger_finalize_seconds`: executing a decided block.
    pub finalize_duration: Histogram,
    /// `assay_ledger_commit_seconds`: making it durable.
    pub commit_duration: Histogram,
    /// `assay_ledger_pool_full_total`: transactions whose proofs were left to their block, since the pool was full.
    pub pool_full: Counter,
}

impl Metrics {
    /// All of it in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let height = self.height.load(Ordering::Relaxed);
        text += &format!("# TYPE assay_ledger_height gauge\nassay_ledger_height {height}\n");
        for (name, outcomes) in [
            ("checks", &self.checks),
            ("rechecks", &self.rechecks),
            ("proposals", &self.proposals),
            ("transactions", &self.transactions),
        ] {
            text += &format!("# TYPE assay_ledger_{name}_total counter\n");
            for (outcome, counter) in [("good", &outcomes.good), ("refused", &outcomes.refused)] {
                text += &format!("assay_ledger_{name}_total{{outcome=\"{outcome}\"}} {}\n", counter.get());
            }
        }
        for (name, counter) in [("work", &self.work), ("pool_full", &self.pool_full)] {
            text += &format!("# TYPE assay_ledger_{name}_total counter\nassay_ledger_{name}_total {}\n", counter.get());
        }
        for (name, histogram) in [
            ("check", &self.check_duration),
            ("prepare", &self.prepare_duration),
            ("process", &self.process_duration),
            ("finalize", &self.finalize_duration),
            ("commit", &self.commit_duration),
        ] {
            text += &histogram.text(&format!("assay_ledger_{name}_seconds"));
        }
        text
    }
}

/// What was done, and how long it took.
pub fn timed<T>(histogram: &Histogram, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    histogram.add(start.elapsed());
    done
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_text_is_prometheus_own() {
        let metrics = Metrics::default();
        metrics.height.store(7, Ordering::Relaxed);
        metrics.proposals.count(false);
        metrics.work.add(300);
        for milliseconds in [0, 1, 4, 2_000_000] {
            metrics.check_duration.add(Duration::from_millis(milliseconds));
        }
        let text = metrics.text();
        for line in [
            "# TYPE assay_ledger_height gauge",
            "assay_ledger_height 7",
            "assay_ledger_proposals_total{outcome=\"good\"} 0",
            "assay_ledger_proposals_total{outcome=\"refused\"} 1",
            "assay_ledger_work_total 300",
            "# TYPE assay_ledger_check_seconds histogram",
            "assay_ledger_check_seconds_bucket{le=\"0.001\"} 2",
            "assay_ledger_check_seconds_bucket{le=\"0.005\"} 3",
            "assay_ledger_check_seconds_bucket{le=\"+Inf\"} 4",
            "assay_ledger_check_seconds_sum 2000.005",
            "assay_ledger_check_seconds_count 4",
            "assay_ledger_commit_seconds_count 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
