//! Setting money aside: a job whose payer has authorised becomes one with a reservation on the ledger, or one that releases the payer.
//!
//! It can be asked for again at any time, and is after a restart: a reservation that is there with the same authorisation counts.
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use assay_ledger::Rejection;
use assay_ledger::tx::{Payload, Reserve, TxHash};
use assay_verifier::receipt::RequestId;
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment::{Account, Authorisation, Reservation, Settlement};
use assay_verifier::signature::PublicKey;
use thiserror::Error;

use crate::clock::now_ms;
use crate::jobs::states::Payment;
use crate::jobs::{Authorised, Failure, Job, JobError, Jobs};
use crate::ledger::{Fate, Ledger, LedgerError, SendError, Sender, read};

/// Why no money is set aside.
#[derive(Debug, Error)]
pub enum ReserveError {
    /// The ledger refuses it for good; the payer is released.
    #[error("the ledger does not reserve the money, with code {code}: {0}", code = .0.code())]
    Refused(Rejection),
    /// The job is not one whose payer has authorised, or not any more.
    #[error("nothing is authorised for this job")]
    NotAuthorised,
    /// It is not known what became of it. It may be asked for again.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The jobs.
    #[error(transparent)]
    Jobs(#[from] JobError),
}

/// Sets money aside, for any number of jobs at once.
///
/// A reservation that no block would take holds up all other transactions of the node. So payers are not let send more than their escrow has: what
/// is on its way for one of them is counted, and what does not fit beside it waits for it.
pub struct Reserver {
    ledger: Arc<dyn Ledger>,
    sender: Arc<Sender>,
    /// What is on its way, by payer.
    on_way: Mutex<BTreeMap<PublicKey, u64>>,
    /// Told when it is less.
    arrived: Condvar,
}

/// A place among what is on its way, until it is dropped.
struct Place<'a> {
    reserver: &'a Reserver,
    payer: PublicKey,
    amount: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut on_way = self.reserver.on_way();
        if let Some(sum) = on_way.get_mut(&self.payer) {
            *sum = sum.saturating_sub(self.amount);
            if *sum == 0 {
                on_way.remove(&self.payer);
            }
        }
        self.reserver.arrived.notify_all();
    }
}

impl Reserver {
    /// Sets money aside by the node's account on a ledger.
    pub fn new(ledger: Arc<dyn Ledger>, sender: Arc<Sender>) -> Self {
        Self { ledger, sender, on_way: Mutex::default(), arrived: Condvar::new() }
    }

    /// Sets a job's money aside and waits for its block, but not longer than that. Gives the transaction, or nothing if the money was set aside
    /// before.
    ///
    /// # Errors
    /// See [`ReserveError`]. Unless it is refused, the job is as it was.
    pub fn reserve(&self, jobs: &Jobs, id: RequestId, longest: Duration) -> Result<Option<TxHash>, ReserveError> {
        let job = jobs.get(id)?.ok_or(JobError::Unknown)?;
        let authorised = match (job.states.payment, job.authorised) {
            (Payment::Reserved | Payment::Captured, _) => return Ok(None),
            (Payment::Authorised, Some(authorised)) => authorised,
            _ => return Err(ReserveError::NotAuthorised),
        };
        if self.is_reserved(id, &authorised.authorisation)? {
            jobs.change(id, now_ms(), |job| set(job, Payment::Reserved, None))?;
            return Ok(None);
        }
        let reason = match self.send(&authorised, longest)? {
            Ok(hash) => {
                jobs.change(id, now_ms(), move |job| {
                    job.reserved = Some(hash);
                    set(job, Payment::Reserved, None)
                })?;
                return Ok(Some(hash));
            }
            Err(reason) => reason,
        };
        // An earlier attempt of ours may have done it.
        if reason == Rejection::RequestReserved && self.is_reserved(id, &authorised.authorisation)? {
            jobs.change(id, now_ms(), |job| set(job, Payment::Reserved, None))?;
            return Ok(None);
        }
        if !is_final(reason) {
            return Err(SendError::Refused(reason).into());
        }
        let failure = Failure { code: reason.name().into(), text: reason.text().into(), retryable: false, attempt: 1 };
        jobs.change(id, now_ms(), |job| set(job, Payment::Released, Some(failure)))?;
        Err(ReserveError::Refused(reason))
    }

    /// Hands in the reservation, unless the payer's escrow lacks the money. Gives the reason if it is refused.
    fn send(&self, authorised: &Authorised, longest: Duration) -> Result<Result<TxHash, Rejection>, ReserveError> {
        let Authorised { authorisation, signature } = *authorised;
        let begin = Instant::now();
        let Some(_place) = self.place(authorisation.payer, authorisation.amount, longest)? else {
            return Ok(Err(Rejection::InsufficientEscrow));
        };
        let left = longest.saturating_sub(begin.elapsed());
        let payload = Payload::Reserve(Reserve { authorisation, signature });
        match self.sender.send_and_wait(payload, left) {
            Ok(Fate::Done { hash, .. }) => Ok(Ok(hash)),
            Ok(Fate::Refused(reason)) | Err(SendError::Refused(reason)) => Ok(Err(reason)),
            Ok(Fate::Gone) => Err(SendError::NotYet(longest).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until there is money for this beside what is on its way. There is no place if there is too little although nothing else is.
    fn place(&self, payer: PublicKey, amount: u64, longest: Duration) -> Result<Option<Place<'_>>, ReserveError> {
        let end = Instant::now() + longest;
        let mut on_way = self.on_way();
        loop {
            let others = on_way.get(&payer).copied().unwrap_or_default();
            let account: Option<Account> = read(&*self.ledger, &keys::account(payer))?;
            let escrow = account.unwrap_or_default().escrow;
            if others.checked_add(amount).is_some_and(|sum| sum <= escrow) {
                on_way.insert(payer, others + amount);
                return Ok(Some(Place { reserver: self, payer, amount }));
            }
            let left = end.saturating_duration_since(Instant::now());
            if others == 0 {
                return Ok(None);
            }
            if left.is_zero() {
                return Err(SendError::NotYet(longest).into());
            }
            let woken = self.arrived.wait_timeout(on_way, left);
            on_way = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn on_way(&self) -> MutexGuard<'_, BTreeMap<PublicKey, u64>> {
        self.on_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the money is set aside by this authorisation, or was and is earned already.
    fn is_reserved(&self, id: RequestId, authorisation: &Authorisation) -> Result<bool, LedgerError> {
        let found: Option<Reservation> = read(&*self.ledger, &keys::reservation(id))?;
        if let Some(found) = found {
            return Ok(found.authorisation == *authorisation);
        }
        let settled: Option<Settlement> = read(&*self.ledger, &keys::settlement(id))?;
        Ok(settled.is_some_and(|settled| settled.node == authorisation.node))
    }
}

/// What the node's own account lacks does not release the payer.
fn is_final(reason: Rejection) -> bool {
    !matches!(
        reason,
        Rejection::InsufficientBalance | Rejection::NonceAhead | Rejection::BlockWork | Rejection::BlockBytes
    )
}

fn set(job: &mut Job, payment: Payment, failure: Option<Failure>) -> Result<(), JobError> {
    job.states.payment = payment;
    if failure.is_some() {
        job.failure = failure;
    }
    Ok(())
}
