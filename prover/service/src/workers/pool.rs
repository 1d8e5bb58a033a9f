//! Threads that prove, and one that says that they are alive.
//!
//! There is one thread more than proofs that are made at once: while a proof is made, the next job is fetched and the last proof is handed in.
//!
//! A proof cannot be interrupted. So when a worker stops, or loses its job, the job is given up at once and what the thread still makes is thrown
//! away.
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::prove::{Proved, prove};
use super::provers::Provers;
use super::source::{Source, SourceError};
use super::task::{Task, Trouble};
use crate::jobs::{Progress, Stage};

/// A proof that is ready sooner needs no heartbeat.
const FIRST_BEAT: Duration = Duration::from_millis(200);
/// From one heartbeat to the next, if the lease is not so short that they must be closer.
const BEAT: Duration = Duration::from_secs(1);
/// How often the thread looks whether a heartbeat is due.
const LOOK: Duration = Duration::from_millis(100);
/// The first pause after the service did not answer; it doubles up to the longest.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// Threads that prove. When it is dropped, jobs are given back, and threads are waited for.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    source: Box<dyn Source>,
    provers: Arc<Provers>,
    /// How many more proofs may be made at once.
    turns: (Mutex<usize>, Condvar),
    /// What each thread has.
    slots: Vec<Mutex<Option<Current>>>,
    stopping: AtomicBool,
    /// Wakes those who pause.
    bell: (Mutex<()>, Condvar),
}

/// What a thread has.
struct Current {
    task: Arc<Task>,
    stage: Stage,
    since: Instant,
    next_beat: Instant,
}

impl Current {
    /// Provers do not say how far they are: it is judged by the predicted time, and never called done.
    fn progress(&self) -> Progress {
        let elapsed_us = self.since.elapsed().as_micros();
        let share = elapsed_us.saturating_mul(85) / u128::from(self.task.cost_us.max(1));
        let percent = match self.stage {
            Stage::Waiting => 0,
            Stage::Loading => 5,
            Stage::Proving => 10 + u8::try_from(share.min(85)).unwrap_or(85),
            Stage::Sending => 97,
        };
        Progress { stage: self.stage, percent }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// Starts threads for so many proofs at once, one at least.
    ///
    /// # Errors
    /// The system's.
    pub fn start(source: Box<dyn Source>, provers: Arc<Provers>, count: usize) -> std::io::Result<Self> {
        let count = count.max(1);
        let slots = (0..=count).map(|_| Mutex::new(None)).collect();
        let (turns, stopping) = ((Mutex::new(count), Condvar::new()), AtomicBool::new(false));
        let shared = Arc::new(Shared { source, provers, turns, slots, stopping, bell: Default::default() });
        let mut pool = Self { shared, threads: Vec::new() };
        for slot in 0..pool.shared.slots.len() {
            let shared = Arc::clone(&pool.shared);
            let worker = thread::Builder::new().name(format!("worker {slot}"));
            pool.threads.push(worker.spawn(move || shared.work(slot))?);
        }
        let shared = Arc::clone(&pool.shared);
        pool.threads.push(thread::Builder::new().name("heartbeats".into()).spawn(move || shared.beat())?);
        Ok(pool)
    }

    /// Stops: what the threads have is given back now. They end after the proof that they are at.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.bell.1.notify_all();
        for slot in &self.shared.slots {
            let current = lock(slot).take();
            let Some(Current { task, .. }) = current else { continue };
            match self.shared.source.let_go(&task, None) {
                // Its proof may just have been taken.
                Ok(()) | Err(SourceError::Stale) => {}
                // It comes back when the lease runs out.
                Err(error) => tracing::warn!(job = %task.job, %error, "a job is not given back"),
            }
        }
    }
}

/// The right to make a proof now.
struct Turn<'a>(&'a (Mutex<usize>, Condvar));

impl<'a> Turn<'a> {
    fn wait(turns: &'a (Mutex<usize>, Condvar)) -> Self {
        let (count, freed) = turns;
        let left = freed.wait_while(lock(count), |left| *left == 0);
        *left.unwrap_or_else(PoisonError::into_inner) -= 1;
        Self(turns)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(&self.0.0) += 1;
        self.0.1.notify_one();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

impl Shared {
    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn pause(&self, longest: Duration) {
        let (mutex, bell) = &self.bell;
        let guard = lock(mutex);
        if !self.stopping() {
            drop(bell.wait_timeout(guard, longest));
        }
    }

    /// One thread: takes tasks and proves them.
    fn work(&self, slot: usize) {
        let mut pause = PAUSE;
        while !self.stopping() {
            match self.source.task(self.provers.loaded()) {
                Ok(task) => {
                    pause = PAUSE;
                    if let Some(task) = task {
                        self.do_task(slot, Arc::new(task));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, pause_ms = pause.as_millis() as u64, "no tasks");
                    self.pause(pause);
                    pause = (2 * pause).min(PAUSE_MAX);
                }
            }
        }
    }

    fn set(&self, slot: usize, current: Option<Current>) {
        if let Some(slot) = self.slots.get(slot) {
            *lock(slot) = current;
        }
    }

    /// Whether the thread still has the task.
    fn has(&self, slot: usize, task: &Task) -> bool {
        let slot = self.slots.get(slot).map(lock);
        slot.is_some_and(|slot| slot.as_ref().is_some_and(|current| current.task.token == task.token))
    }

    fn do_task(&self, slot: usize, task: Arc<Task>) {
        let now = Instant::now();
        let current =
            Current { task: Arc::clone(&task), stage: Stage::Loading, since: now, next_beat: now + FIRST_BEAT };
        self.set(slot, Some(current));
        if self.stopping() {
            // Whoever stopped the pool may have looked before there was anything.
            self.let_go(slot, &task, None);
            return;
        }
        let turn = RefCell::new(None);
        let at = |stage| {
            turn.replace((stage == Stage::Proving).then(|| Turn::wait(&self.turns)));
            // It may have been lost while it waited for its turn.
            let has = self.has(slot, &task);
            if let Some(slot) = self.slots.get(slot)
                && let Some(current) = lock(slot).as_mut()
            {
                (current.stage, current.since) = (stage, Instant::now());
            }
            has
        };
        let fetch = |id| self.source.file(id).map_err(|error| error.to_string());
        let outcome = prove(&task, &self.provers, &fetch, &at);
        // Of a proof that failed it is still held.
        turn.replace(None);
        match outcome {
            Ok(proved) => self.hand_in(slot, &task, &proved),
            Err(trouble) => self.let_go(slot, &task, Some(&trouble)),
        }
        self.set(slot, None);
    }

    fn let_go(&self, slot: usize, task: &Task, trouble: Option<&Trouble>) {
        if !self.has(slot, task) {
            return;
        }
        self.set(slot, None);
        if let Some(trouble) = trouble {
            tracing::warn!(job = %task.job, %trouble, "a job is let go");
        }
        if let Err(error) = self.source.let_go(task, trouble) {
            tracing::warn!(job = %task.job, %error, "a job is not given back");
        }
    }

    /// Hands a proof in, again and again if the service does not answer, as long as the job is this worker's.
    fn hand_in(&self, slot: usize, task: &Task, proved: &Proved) {
        let mut pause = PAUSE;
        while self.has(slot, task) {
            match self.source.hand_in(task, proved) {
                Ok(()) => {
                    tracing::debug!(job = %task.job, prove_us = proved.prove_us, "a proof is handed in");
                    return;
                }
                Err(SourceError::Away(error)) => {
                    tracing::warn!(job = %task.job, error, "a proof is not handed in yet");
                    self.pause(pause);
                    pause = (2 * pause).min(PAUSE_MAX);
                }
                Err(error) => {
                    if self.has(slot, task) {
                        tracing::warn!(job = %task.job, %error, "a proof is not taken");
                    }
                    return;
                }
            }
        }
    }

    /// The thread that says that the others are alive.
    fn beat(&self) {
        while !self.stopping() {
            for slot in &self.slots {
                let due = lock(slot).as_mut().filter(|current| current.next_beat <= Instant::now()).map(|current| {
                    let often = Duration::from_millis(current.task.lease_ms / 4).min(BEAT);
                    current.next_beat = Instant::now() + often;
                    (Arc::clone(&current.task), current.progress())
                });
                let Some((task, progress)) = due else { continue };
                match self.source.heartbeat(&task, progress) {
                    Ok(()) | Err(SourceError::Away(_)) => {}
                    Err(error) => {
                        let mut slot = lock(slot);
                        // Of a proof that is being handed in the answer to that says more: it may be what ended the lease.
                        let here =
                            |current: &Current| current.task.token == task.token && current.stage != Stage::Sending;
                        if slot.as_ref().is_some_and(here) {
                            tracing::warn!(job = %task.job, %error, "a job is lost");
                            *slot = None;
                        }
                    }
                }
            }
            self.pause(LOOK);
        }
    }
}
