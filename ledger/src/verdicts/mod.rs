//! Verdicts on proofs. A verdict is a pure function of a key's file and a proof's file, so it can be worked out anywhere and any time:
//! by a pool when a transaction is admitted, by whoever judges a block for what is still missing.
//!
//! The cache only saves time. Nothing that is decided depends on what is in it.
mod pool;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assay_verifier::circuit::Limits;
use assay_verifier::digest::{Digest32, KeyDigest};
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::receipt::proof_digest;
use assay_verifier::settlement::keys;
use assay_verifier::statement::Proof;
use assay_verifier::{verify_all, wire};

pub use pool::{Full, Pool};

use crate::bounded::Bounded;
use crate::rejection::{Fault, Rejection};
use crate::state::{State, StoreError};

/// A proof that is to be judged under a key of the registry.
#[derive(Clone, Debug)]
pub struct Task {
    key: KeyDigest,
    file: Arc<[u8]>,
    digest: Digest32,
}

impl Task {
    /// A proof's file and the key that it should be for.
    pub fn new(key: KeyDigest, file: &[u8]) -> Self {
        Self { key, file: file.into(), digest: proof_digest(file) }
    }

    /// The digest of the proof's file, which has the whole statement in it.
    pub fn proof(&self) -> Digest32 {
        self.digest
    }

    fn id(&self) -> (KeyDigest, Digest32) {
        (self.key, self.digest)
    }
}

/// What a proof that holds shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Digest of the inputs.
    pub inputs: Digest32,
    /// Digest of the outputs.
    pub outputs: Digest32,
    /// What it is bound to, if that is as long as a digest.
    pub context: Option<Digest32>,
}

/// What came of a proof.
pub type Verdict = Result<Shown, Rejection>;

/// The verdicts that are known, and keys that were checked. Threads share one.
pub struct Verdicts {
    verdicts: Mutex<Bounded<(KeyDigest, Digest32), Verdict>>,
    keys: Mutex<Bounded<KeyDigest, Arc<CheckedKey>>>,
}

impl Verdicts {
    /// None yet; at most so many are kept, and so many keys.
    pub fn new(verdicts_max: usize, keys_max: usize) -> Self {
        Self { verdicts: Mutex::new(Bounded::new(verdicts_max)), keys: Mutex::new(Bounded::new(keys_max)) }
    }

    /// The verdict if it is known.
    pub fn known(&self, task: &Task) -> Option<Verdict> {
        locked(&self.verdicts).get(&task.id()).cloned()
    }

    /// The verdict. The state gives the key's file where the key was not checked yet.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn judge(&self, state: &dyn State, task: &Task) -> Result<Verdict, StoreError> {
        if let Some(verdict) = self.known(task) {
            return Ok(verdict);
        }
        let key = match self.key(state, task.key) {
            Ok(key) => key,
            // Not kept: the key may be published later.
            Err(fault) => return fault.rejection().map(Err),
        };
        let verdict = verify(&key, &[task]).pop().unwrap_or(Err(Rejection::ProofRefused));
        locked(&self.verdicts).insert(task.id(), verdict.clone());
        Ok(verdict)
    }

    /// Judges proofs of some transactions that are not judged yet, on so many threads, this one included. Those of one transaction are verified
    /// together: one that does not hold makes the others of its transaction slower, and nobody else's.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn judge_all(
        &self,
        state: &(dyn State + Sync),
        transactions: &[Vec<Task>],
        threads: usize,
    ) -> Result<(), StoreError> {
        let tasks = transactions.iter().enumerate().flat_map(|(at, tasks)| tasks.iter().map(move |task| (at, task)));
        let mut seen = BTreeSet::new();
        let mut first = |task: &Task| self.known(task).is_none() && seen.insert(task.id());
        let mut missing: Vec<(usize, &Task)> = tasks.filter(|(_, task)| first(task)).collect();
        // Proofs under one key go to one thread first, so that the key is checked once.
        missing.sort_by_key(|(at, task)| (task.key, *at));
        let share = missing.len().div_ceil(threads.max(1)).max(1);
        let judge = |tasks: &[(usize, &Task)]| {
            let mut together = tasks.chunk_by(|(at, task), (next_at, next)| (at, task.key) == (next_at, next.key));
            together.try_for_each(|tasks| self.judge_together(state, tasks))
        };
        std::thread::scope(|scope| {
            let mut shares = missing.chunks(share);
            let own = shares.next().unwrap_or_default();
            let others: Vec<_> = shares.map(|tasks| scope.spawn(move || judge(tasks))).collect();
            let mut outcome = judge(own);
            for other in others {
                // A thread that panicked judged nothing; what it left is judged again where it is needed.
                outcome = outcome.and(other.join().unwrap_or(Ok(())));
            }
            outcome
        })
    }

    /// Judges proofs under one key.
    fn judge_together(&self, state: &dyn State, tasks: &[(usize, &Task)]) -> Result<(), StoreError> {
        let Some((_, first)) = tasks.first() else { return Ok(()) };
        let key = match self.key(state, first.key) {
            Ok(key) => key,
            // Whoever needs a verdict is told why there is none.
            Err(fault) => return fault.rejection().map(|_| ()),
        };
        let tasks: Vec<&Task> = tasks.iter().map(|(_, task)| *task).collect();
        let judged = verify(&key, &tasks);
        let mut verdicts = locked(&self.verdicts);
        judged.into_iter().zip(tasks).for_each(|(verdict, task)| verdicts.insert(task.id(), verdict));
        Ok(())
    }

    fn key(&self, state: &dyn State, digest: KeyDigest) -> Result<Arc<CheckedKey>, Fault> {
        if let Some(key) = locked(&self.keys).get(&digest) {
            return Ok(Arc::clone(key));
        }
        let file = state.get(&keys::verification_key(digest))?.ok_or(Rejection::ReceiptKey)?;
        let key = Arc::new(check_key(&file)?);
        self.keep_key(&key);
        Ok(key)
    }

    /// Keeps a key that was checked.
    pub fn keep_key(&self, key: &Arc<CheckedKey>) {
        locked(&self.keys).insert(key.digest(), Arc::clone(key));
    }
}

/// Decodes and checks a key's file.
///
/// # Errors
/// It is malformed or does not pass its checks.
pub fn check_key(file: &[u8]) -> Result<CheckedKey, Rejection> {
    let key: Key = wire::decode(file).map_err(|_| Rejection::KeyMalformed)?;
    CheckedKey::new(&key, &Limits::default()).map_err(|_| Rejection::KeyRefused)
}

/// Verifies proofs under a key.
fn verify(key: &CheckedKey, tasks: &[&Task]) -> Vec<Verdict> {
    let read = |task: &&Task| {
        let proof: Proof = wire::decode(&task.file).map_err(|_| Rejection::ProofMalformed)?;
        if proof.statement.key == key.digest() { Ok(proof) } else { Err(Rejection::ProofKey) }
    };
    let proofs: Vec<Result<Proof, Rejection>> = tasks.iter().map(read).collect();
    let readable: Vec<_> = proofs.iter().flatten().map(|proof| (key, proof)).collect();
    let mut verified = verify_all(&readable).into_iter();
    let verdict = |proof: &Result<Proof, Rejection>| {
        let Proof { statement, .. } = proof.as_ref().map_err(|reason| *reason)?;
        verified.next().ok_or(Rejection::ProofRefused)?.map_err(|_| Rejection::ProofRefused)?;
        Ok(Shown {
            inputs: statement.inputs.digest(),
            outputs: statement.outputs_digest(),
            context: statement.context.as_slice().try_into().ok().map(Digest32),
        })
    };
    proofs.iter().map(verdict).collect()
}

/// Nothing that is behind these locks is ever half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
