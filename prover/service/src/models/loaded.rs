//! What is loaded to answer, bounded by bytes: what was not asked for longest goes first.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

struct Entry<V> {
    value: Arc<V>,
    bytes: u64,
    used: u64,
}

struct State<K, V> {
    entries: BTreeMap<K, Entry<V>>,
    bytes: u64,
    clock: u64,
}

/// Loaded things by their digests.
pub struct Loaded<K, V> {
    bytes_max: u64,
    state: Mutex<State<K, V>>,
}

impl<K: Ord + Copy, V> Loaded<K, V> {
    /// None yet.
    pub fn new(bytes_max: u64) -> Self {
        Self { bytes_max, state: Mutex::new(State { entries: BTreeMap::new(), bytes: 0, clock: 0 }) }
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One, if it is loaded.
    pub fn get(&self, key: K) -> Option<Arc<V>> {
        let mut state = self.state();
        state.clock += 1;
        let clock = state.clock;
        let entry = state.entries.get_mut(&key)?;
        entry.used = clock;
        Some(Arc::clone(&entry.value))
    }

    /// Keeps one, and lets others go if they are too many. The last one stays, however large.
    pub fn keep(&self, key: K, value: V, bytes: u64) -> Arc<V> {
        let value = Arc::new(value);
        let mut state = self.state();
        state.clock += 1;
        let used = state.clock;
        if let Some(before) = state.entries.insert(key, Entry { value: Arc::clone(&value), bytes, used }) {
            state.bytes -= before.bytes;
        }
        state.bytes += bytes;
        while state.bytes > self.bytes_max && state.entries.len() > 1 {
            let oldest = state.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key);
            let Some(entry) = oldest.and_then(|oldest| state.entries.remove(&oldest)) else { break };
            state.bytes -= entry.bytes;
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_goes_and_the_last_one_stays() {
        let loaded = Loaded::new(10);
        loaded.keep(1, "a", 4);
        loaded.keep(2, "b", 4);
        assert!(loaded.get(1).is_some());
        loaded.keep(3, "c", 4);
        assert_eq!((loaded.get(1).is_some(), loaded.get(2).is_some(), loaded.get(3).is_some()), (true, false, true));
        loaded.keep(4, "d", 40);
        assert_eq!((loaded.get(1).is_some(), loaded.get(3).is_some(), loaded.get(4).is_some()), (false, false, true));
    }
}
