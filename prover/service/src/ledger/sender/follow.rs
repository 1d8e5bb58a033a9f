//! Follows the transactions of an account, the first one first: all others wait for it.
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use assay_ledger::Rejection;
use assay_ledger::tx::TxHash;
use assay_verifier::settlement::Height;

use super::account::{Sent, nonce};
use super::{Fate, Shared};
use crate::ledger::{Included, LedgerError, Whereabouts};

/// How long one look at a transaction waits for its block.
const LOOK: Duration = Duration::from_millis(100);
/// After how long a transaction that nobody knows is handed in again.
const AGAIN: Duration = Duration::from_secs(2);
/// For how long a transaction may be missing from a node's index whose nonce is used.
const INDEX_LAG: Duration = Duration::from_secs(1);
/// How long a ledger that does not answer is left alone.
const PAUSE: Duration = Duration::from_millis(500);

/// What is looked at.
struct Look {
    nonce: u64,
    hash: TxHash,
    filler: Option<TxHash>,
}

/// What was seen of the first transaction.
enum Seen {
    /// It has ended.
    End(Fate),
    /// Something else has used its nonce.
    Passed,
    /// It waits, and there is no reason why it should not.
    Waits,
    /// It was lost.
    Lost,
    /// It will not come by itself.
    Stuck(Rejection),
}

/// Follows until the account is dropped.
pub fn run(shared: &Shared) {
    let mut answers = true;
    while let Some(look) = next(shared) {
        let begin = Instant::now();
        match see(shared, &look) {
            Ok(seen) => {
                act(shared, seen, begin);
                answers = true;
            }
            Err(error) => {
                if answers {
                    tracing::warn!(%error, "transactions on their way cannot be followed");
                }
                answers = false;
                let account = shared.account();
                let _ = shared.changed.wait_timeout(account, PAUSE);
            }
        }
    }
}

/// The first transaction, once there is one.
fn next(shared: &Shared) -> Option<Look> {
    let mut account = shared.account();
    loop {
        if shared.stop.load(Ordering::Acquire) {
            return None;
        }
        if let Some(Sent { nonce, hash, filler, .. }) = account.way.front() {
            let filler = filler.as_ref().map(|(bytes, _)| TxHash::of(bytes));
            return Some(Look { nonce: *nonce, hash: *hash, filler });
        }
        account = shared.changed.wait(account).unwrap_or_else(PoisonError::into_inner);
    }
}

fn see(shared: &Shared, look: &Look) -> Result<Seen, LedgerError> {
    let ledger = &*shared.ledger;
    let whereabouts = ledger.wait(look.filler.unwrap_or(look.hash), LOOK)?;
    let key = shared.account().key().clone();
    if look.filler.is_none() {
        match whereabouts {
            Whereabouts::Included(included) => return Ok(Seen::End(fate(look.hash, included))),
            Whereabouts::Dropped(Rejection::NonceUsed) => return passed(shared, look),
            Whereabouts::Dropped(reason) => return Ok(Seen::Stuck(reason)),
            Whereabouts::Waiting | Whereabouts::Unknown => {}
        }
    }
    if nonce(ledger, &key)? > look.nonce {
        return passed(shared, look);
    }
    let height = ledger.height()?;
    let Some((bytes, (handed_in, since))) = untried(shared, height) else { return Ok(Seen::Waits) };
    // A block was made without it, so it is asked why.
    if look.filler.is_none() && height > handed_in {
        match ledger.attempt(&bytes) {
            Ok(()) | Err(LedgerError::Refused(Rejection::NonceAhead)) => {}
            Err(LedgerError::Refused(Rejection::NonceUsed)) => return passed(shared, look),
            Err(LedgerError::Refused(reason)) => return Ok(Seen::Stuck(reason)),
            Err(error) => return Err(error),
        }
    }
    let lost = whereabouts != Whereabouts::Waiting && since.elapsed() > AGAIN;
    Ok(if lost { Seen::Lost } else { Seen::Waits })
}

/// The first transaction, and up to which block it is known why it was not taken, which is this one from now on.
fn untried(shared: &Shared, height: Height) -> Option<(Vec<u8>, (Height, Instant))> {
    let mut account = shared.account();
    let first = account.way.front_mut()?;
    let before = first.handed_in;
    first.handed_in.0 = height;
    Some((first.bytes.clone(), before))
}

fn fate(hash: TxHash, included: Included) -> Fate {
    let Included { height, refused, leaves } = included;
    refused.map_or(Fate::Done { hash, height, leaves }, Fate::Refused)
}

/// Its nonce is used: by itself after all, by what was to take it, or by something else.
fn passed(shared: &Shared, look: &Look) -> Result<Seen, LedgerError> {
    if let Whereabouts::Included(included) = shared.ledger.wait(look.hash, Duration::ZERO)? {
        return Ok(Seen::End(fate(look.hash, included)));
    }
    if let Some(filler) = look.filler
        && let Whereabouts::Included(_) = shared.ledger.wait(filler, Duration::ZERO)?
        && let Some((_, reason)) = shared.account().way.front().and_then(|sent| sent.filler.as_ref())
    {
        return Ok(Seen::End(Fate::Refused(*reason)));
    }
    Ok(Seen::Passed)
}

/// Does what is to be done about what was seen in a look that began then.
fn act(shared: &Shared, seen: Seen, begin: Instant) {
    let ledger = &*shared.ledger;
    let mut account = shared.account();
    match seen {
        Seen::End(fate) => {
            if let Some(sent) = account.way.pop_front() {
                sent.end(fate);
            }
        }
        Seen::Passed => {
            let Some(first) = account.way.front_mut() else { return };
            let since = *first.passed.get_or_insert_with(Instant::now);
            if since.elapsed() < INDEX_LAG {
                let _ = shared.changed.wait_timeout(account, LOOK);
            } else if let Some(sent) = account.way.pop_front() {
                account.again(ledger, sent);
            }
        }
        Seen::Waits => {
            // A look at what nobody knows takes no time.
            let _ = shared.changed.wait_timeout(account, LOOK.saturating_sub(begin.elapsed()));
        }
        Seen::Lost => {
            let Some(first) = account.way.front_mut() else { return };
            let bytes = first.filler.as_ref().map_or(&first.bytes, |(bytes, _)| bytes);
            first.handed_in.1 = Instant::now();
            if let Err(error) = ledger.submit(bytes) {
                tracing::debug!(%error, "a transaction that was lost is not taken");
            }
        }
        Seen::Stuck(reason) => {
            let Some(nonce) = account.way.front().map(|sent| sent.nonce) else { return };
            let filler = account.filler(nonce);
            let submitted = ledger.submit(&filler);
            let Some(first) = account.way.front_mut() else { return };
            tracing::info!(code = reason.code(), %reason, "a transaction would be refused, so another takes its nonce");
            first.filler = Some((filler, reason));
            first.handed_in.1 = Instant::now();
            if let Err(error) = submitted {
                tracing::warn!(%error, "nothing can take the nonce of a transaction that would be refused");
            }
        }
    }
}
