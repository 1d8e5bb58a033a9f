//! How long something takes: how often it was at most so long.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The bounds in microseconds, from what a check takes to what a full block takes.
const BOUNDS_US: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 2_500_000, 10_000_000];

/// Durations by their length.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
}

impl Histogram {
    /// Counts a duration.
    pub fn add(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let fitting = BOUNDS_US.iter().zip(&self.buckets).filter(|(bound, _)| us <= **bound);
        fitting.for_each(|(_, bucket)| _ = bucket.fetch_add(1, Ordering::Relaxed));
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// In Prometheus' text format.
    pub fn text(&self, name: &str) -> String {
        let count = self.count.load(Ordering::Relaxed);
        let mut text = format!("# TYPE {name} histogram\n");
        for (bound, bucket) in BOUNDS_US.iter().zip(&self.buckets) {
            text += &format!("{name}_bucket{{le=\"{}\"}} {}\n", seconds(*bound), bucket.load(Ordering::Relaxed));
        }
        text += &format!("{name}_bucket{{le=\"+Inf\"}} {count}\n");
        text += &format!("{name}_sum {}\n{name}_count {count}\n", seconds(self.sum_us.load(Ordering::Relaxed)));
        text
    }
}

fn seconds(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64()
}
