//! Rates: a bucket for each key, filled by the second.
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A bucket: what is in it, and when it was looked at.
struct Bucket {
    level: f64,
    looked: Instant,
}

/// The buckets of all keys that called.
#[derive(Default)]
pub struct Rates {
    buckets: Mutex<HashMap<String, Bucket>>,
}

impl Rates {
    /// Lets a request through if its key has not had too many.
    ///
    /// # Errors
    /// The time until the next one.
    pub fn pass(&self, name: &str, per_s: u32, now: Instant) -> Result<(), Duration> {
        let most = f64::from(per_s);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(name.to_owned()).or_insert(Bucket { level: most, looked: now });
        let gone = now.saturating_duration_since(bucket.looked).as_secs_f64();
        bucket.level = (bucket.level + gone * most).min(most);
        bucket.looked = now;
        if bucket.level >= 1.0 {
            bucket.level -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - bucket.level) / most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_with_time() {
        let (rates, start) = (Rates::default(), Instant::now());
        assert_eq!(rates.pass("a", 2, start), Ok(()));
        assert_eq!(rates.pass("a", 2, start), Ok(()));
        assert_eq!(rates.pass("a", 2, start), Err(Duration::from_millis(500)));
        assert_eq!(rates.pass("b", 2, start), Ok(()));
        assert_eq!(rates.pass("a", 2, start + Duration::from_millis(500)), Ok(()));
        assert!(rates.pass("a", 2, start + Duration::from_millis(500)).is_err());
    }
}
