//! Values that are costly to make, bounded by their bytes: the one that was not used longest goes first. The last one stays, however large.
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The cache. Two threads that want the same value make it once.
pub struct Cache<K, V> {
    bytes_max: u64,
    kept: Mutex<Kept<K, V>>,
    /// Held while a value is made.
    making: Mutex<()>,
}

struct Kept<K, V> {
    entries: HashMap<K, Entry<V>>,
    bytes: u64,
    clock: u64,
}

struct Entry<V> {
    value: Arc<V>,
    bytes: u64,
    used: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Copy + Eq + Hash, V> Cache<K, V> {
    /// An empty one.
    pub fn new(bytes_max: u64) -> Self {
        let kept = Kept { entries: HashMap::new(), bytes: 0, clock: 0 };
        Self { bytes_max, kept: Mutex::new(kept), making: Mutex::new(()) }
    }

    /// The keys of what is kept.
    pub fn keys(&self) -> Vec<K> {
        lock(&self.kept).entries.keys().copied().collect()
    }

    fn find(&self, key: K) -> Option<Arc<V>> {
        let mut kept = lock(&self.kept);
        kept.clock += 1;
        let clock = kept.clock;
        let entry = kept.entries.get_mut(&key)?;
        entry.used = clock;
        Some(Arc::clone(&entry.value))
    }

    /// A value, which is made if it is not there, with the bytes that it takes.
    ///
    /// # Errors
    /// That of making it.
    pub fn get<E>(&self, key: K, make: impl FnOnce() -> Result<(V, u64), E>) -> Result<Arc<V>, E> {
        if let Some(value) = self.find(key) {
            return Ok(value);
        }
        let making = lock(&self.making);
        // Another thread may have made it while this one waited.
        if let Some(value) = self.find(key) {
            return Ok(value);
        }
        let (value, bytes) = make()?;
        let value = Arc::new(value);
        let mut kept = lock(&self.kept);
        let used = kept.clock;
        kept.entries.insert(key, Entry { value: Arc::clone(&value), bytes, used });
        kept.bytes += bytes;
        while kept.bytes > self.bytes_max && kept.entries.len() > 1 {
            let others = kept.entries.iter().filter(|(other, _)| **other != key);
            let Some(oldest) = others.min_by_key(|(_, entry)| entry.used).map(|(oldest, _)| *oldest) else { break };
            if let Some(entry) = kept.entries.remove(&oldest) {
                kept.bytes -= entry.bytes;
            }
        }
        drop(kept);
        drop(making);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(cache: &Cache<u8, u8>, key: u8, bytes: u64) {
        assert_eq!(*cache.get(key, || Ok::<_, ()>((key, bytes))).unwrap(), key);
    }

    fn keys(cache: &Cache<u8, u8>) -> Vec<u8> {
        let mut keys = cache.keys();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn what_was_not_used_longest_goes_first() {
        let cache = Cache::new(100);
        (1..=3).for_each(|key| get(&cache, key, 30));
        get(&cache, 1, 30);
        get(&cache, 4, 30);
        assert_eq!(keys(&cache), [1, 3, 4]);
        get(&cache, 5, 1_000);
        assert_eq!(keys(&cache), [5], "the last one stays, however large");
        get(&cache, 6, 1);
        assert_eq!(keys(&cache), [6]);
    }

    #[test]
    fn what_cannot_be_made_is_not_kept() {
        let cache: Cache<u8, u8> = Cache::new(100);
        assert_eq!(cache.get(1, || Err("no")).unwrap_err(), "no");
        assert!(cache.keys().is_empty());
    }
}
