//! A map that forgets what was put in first when it is full.
use std::collections::{BTreeMap, VecDeque};

pub struct Bounded<K, V> {
    entries_max: usize,
    entries: BTreeMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Ord + Copy, V> Bounded<K, V> {
    pub fn new(entries_max: usize) -> Self {
        Self { entries_max, entries: BTreeMap::new(), order: VecDeque::new() }
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    pub fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key, value).is_none() {
            self.order.push_back(key);
        }
        while self.entries.len() > self.entries_max {
            let Some(oldest) = self.order.pop_front() else { return };
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bounded;

    #[test]
    fn the_oldest_goes_first() {
        let mut map = Bounded::new(2);
        for key in [1, 2, 1, 3] {
            map.insert(key, ());
        }
        assert_eq!([1, 2, 3].map(|key| map.get(&key).is_some()), [false, true, true]);
        assert_eq!(map.order.len(), 2);
    }
}
