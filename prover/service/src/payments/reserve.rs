//! Setting money aside: a job whose payer has authorised becomes one with a reservation on the ledger, or one that releases the payer.
//!
//! It can be asked for again at any time, and is after a restart: a reservation that is there with the same authorisation counts.
use std::time::Duration;

use assay_ledger::Rejection;
use assay_ledger::tx::{Payload, Reserve, TxHash};
use assay_verifier::receipt::RequestId;
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment::{Authorisation, Reservation, Settlement};
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

/// Sets a job's money aside and waits for its block, but not longer than that. Gives the transaction, or nothing if the money was set aside before.
///
/// # Errors
/// See [`ReserveError`]. Unless it is refused, the job is as it was.
pub fn reserve(
    jobs: &Jobs,
    ledger: &dyn Ledger,
    sender: &Sender,
    id: RequestId,
    longest: Duration,
) -> Result<Option<TxHash>, ReserveError> {
    let job = jobs.get(id)?.ok_or(JobError::Unknown)?;
    let authorised = match (job.states.payment, job.authorised) {
        (Payment::Reserved | Payment::Captured, _) => return Ok(None),
        (Payment::Authorised, Some(authorised)) => authorised,
        _ => return Err(ReserveError::NotAuthorised),
    };
    let Authorised { authorisation, signature } = authorised;
    if is_reserved(ledger, id, &authorisation)? {
        jobs.change(id, now_ms(), |job| set(job, Payment::Reserved, None))?;
        return Ok(None);
    }
    let payload = Payload::Reserve(Reserve { authorisation, signature });
    let reason = match sender.send_and_wait(payload, longest) {
        Ok(Fate::Done { hash, .. }) => {
            jobs.change(id, now_ms(), |job| set(job, Payment::Reserved, None))?;
            return Ok(Some(hash));
        }
        Ok(Fate::Refused(reason)) | Err(SendError::Refused(reason)) => reason,
        Ok(Fate::Gone) => return Err(SendError::NotYet(longest).into()),
        Err(error) => return Err(error.into()),
    };
    // An earlier attempt of ours may have done it.
    if reason == Rejection::RequestReserved && is_reserved(ledger, id, &authorisation)? {
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

/// Whether the money is set aside by this authorisation, or was and is earned already.
fn is_reserved(ledger: &dyn Ledger, id: RequestId, authorisation: &Authorisation) -> Result<bool, LedgerError> {
    let found: Option<Reservation> = read(ledger, &keys::reservation(id))?;
    if let Some(found) = found {
        return Ok(found.authorisation == *authorisation);
    }
    let settled: Option<Settlement> = read(ledger, &keys::settlement(id))?;
    Ok(settled.is_some_and(|settled| settled.node == authorisation.node))
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
