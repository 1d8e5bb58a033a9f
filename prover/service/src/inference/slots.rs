//! How many answers are computed at once. Who waits for money to be set aside, or for a proof, takes no place.
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Places for those who compute.
pub struct Slots {
    free: Mutex<usize>,
    bell: Condvar,
}

/// A place, until it is dropped.
pub struct Slot<'a>(&'a Slots);

impl Slots {
    /// So many places.
    pub fn new(count: usize) -> Self {
        Self { free: Mutex::new(count), bell: Condvar::new() }
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place.
    pub fn take(&self) -> Slot<'_> {
        let waited = self.bell.wait_while(self.free(), |free| *free == 0);
        *waited.unwrap_or_else(PoisonError::into_inner) -= 1;
        Slot(self)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free() += 1;
        self.0.bell.notify_one();
    }
}
