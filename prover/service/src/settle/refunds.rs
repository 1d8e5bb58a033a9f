//! Refunds: what was set aside and is not earned by its deadline goes back to whoever paid.
use assay_ledger::tx::{Payload, Refund};
use assay_verifier::receipt::RequestId;
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment::Reservation;

use super::flight::{Cargo, Flight};
use super::round::{Looked, Rounds, SettleError};
use crate::ledger::{Fate, SendError, read};

/// Refunds on their way at once.
const FLIGHTS_MAX: usize = 16;

impl Rounds {
    /// Asks for what is due.
    pub(super) fn refund(&mut self, now_ms: u64) -> Result<(), SettleError> {
        let refunding = |flight: &&Flight| matches!(flight.cargo, Cargo::Refund(_));
        let free = FLIGHTS_MAX.saturating_sub(self.flights.iter().filter(refunding).count());
        let engaged = self.later.len() + self.flights.iter().map(Flight::count).sum::<usize>();
        let due = self.parts.jobs.awaiting_refund(now_ms, free + engaged);
        let due: Vec<_> = due.into_iter().filter(|id| !self.is_engaged(*id, now_ms)).take(free).collect();
        for id in due {
            let Some(job) = self.parts.jobs.get(id)? else { continue };
            if self.look(&job, now_ms)? == Looked::Settled {
                continue;
            }
            if read::<Reservation>(&*self.parts.ledger, &keys::reservation(id))?.is_none() {
                // Anyone may ask for it, and somebody did.
                self.pay_back(id, now_ms)?;
                continue;
            }
            let cargo = Cargo::Refund(id);
            match self.parts.sender.send(Payload::Refund(Refund { request: id })) {
                Ok(ticket) => self.flights.push(Flight { ticket, cargo }),
                Err(SendError::Refused(reason)) => self.ended(cargo, Fate::Refused(reason), now_ms)?,
                Err(error) => {
                    tracing::warn!(%error, "a refund is not handed in");
                    self.defer(id, now_ms);
                }
            }
        }
        Ok(())
    }

    /// What came of a refund.
    pub(super) fn refunded(&mut self, id: RequestId, fate: &Fate, now_ms: u64) -> Result<(), SettleError> {
        match fate {
            Fate::Done { .. } => self.pay_back(id, now_ms),
            // It is looked at again.
            Fate::Refused(_) | Fate::Gone => {
                self.defer(id, now_ms);
                Ok(())
            }
        }
    }
}
