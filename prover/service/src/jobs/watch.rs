//! Who wants to know what becomes of jobs. They are told after a change is durable; progress is told as it comes, and kept nowhere.
use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use assay_verifier::receipt::RequestId;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};

/// How far a worker is with a proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What it does.
    pub stage: Stage,
    /// How much of all is done, in percent.
    pub percent: u8,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Nothing that is known of.
    #[default]
    Waiting,
    /// Gets circuit and key.
    Loading,
    /// Makes the proof.
    Proving,
    /// Hands the proof in.
    Sending,
}

impl Stage {
    /// The name in answers and events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Loading => "loading",
            Self::Proving => "proving",
            Self::Sending => "sending",
        }
    }
}

/// What can be seen of a job: how many events there are, and how far its worker is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The number of the last event.
    pub events: u64,
    /// How far its worker is.
    pub progress: Progress,
}

/// Changes that a slow listener may fall behind by; then it looks for itself.
const CHANGES: usize = 4_096;

/// The listeners.
pub struct Watchers {
    each: Mutex<Each>,
    all: broadcast::Sender<RequestId>,
    queued: (Mutex<u64>, Condvar),
}

#[derive(Default)]
struct Each {
    senders: HashMap<RequestId, watch::Sender<Seen>>,
    /// Those without listeners are removed when there are more than this.
    sweep: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Watchers {
    fn default() -> Self {
        Self { each: Mutex::default(), all: broadcast::Sender::new(CHANGES), queued: Default::default() }
    }
}

impl Watchers {
    /// Listens to a job.
    pub fn watch(&self, id: RequestId) -> watch::Receiver<Seen> {
        let mut each = lock(&self.each);
        if each.senders.len() > each.sweep {
            each.senders.retain(|_, sender| sender.receiver_count() > 0);
            each.sweep = 2 * each.senders.len() + 64;
        }
        each.senders.entry(id).or_insert_with(|| watch::Sender::new(Seen::default())).subscribe()
    }

    /// Listens to all.
    pub fn subscribe(&self) -> broadcast::Receiver<RequestId> {
        self.all.subscribe()
    }

    fn tell(&self, id: RequestId, change: impl FnOnce(&mut Seen)) {
        let mut each = lock(&self.each);
        let Some(sender) = each.senders.get(&id) else { return };
        if sender.receiver_count() > 0 {
            sender.send_modify(change);
        } else {
            each.senders.remove(&id);
        }
    }

    /// Tells of events, the last of which has this number.
    pub fn changed(&self, id: RequestId, events: u64) {
        self.tell(id, |seen| seen.events = events);
        // Nobody may be listening.
        drop(self.all.send(id));
    }

    /// Tells of progress.
    pub fn progress(&self, id: RequestId, progress: Progress) {
        self.tell(id, |seen| seen.progress = progress);
    }

    /// Tells workers that there may be something for them.
    pub fn ring(&self) {
        *lock(&self.queued.0) += 1;
        self.queued.1.notify_all();
    }

    /// How often workers were told.
    pub fn rung(&self) -> u64 {
        *lock(&self.queued.0)
    }

    /// Waits until workers were told more often than this.
    pub fn wait(&self, rung: u64, longest: Duration) {
        let (count, bell) = &self.queued;
        // Whether it was told or took too long, the caller looks again.
        drop(bell.wait_timeout_while(lock(count), longest, |count| *count == rung));
    }
}
