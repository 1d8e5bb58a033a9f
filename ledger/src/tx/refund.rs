//! `Refund`: after the deadline, what was reserved goes back to the payer's escrow. Anyone may ask for it.
use assay_verifier::receipt::RequestId;
use assay_verifier::settlement::keys;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Authorisation, Reservation};
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::{Context, Kind};
use crate::event::Event;
use crate::money::{Pocket, transfer};
use crate::rejection::{Fault, Rejection};

/// Refunds a reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The request it was for.
    pub request: RequestId,
}

impl Kind for Refund {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        Ok(())
    }

    fn execute(&self, _: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let key = keys::reservation(self.request);
        let reservation: Reservation = context.state.read(&key)?.ok_or(Rejection::ReservationUnknown)?;
        let Authorisation { payer, amount, deadline_ms, .. } = reservation.authorisation;
        if context.block.time_ms <= deadline_ms {
            return Err(Rejection::DeadlineAhead.into());
        }
        transfer(&mut context.state, Pocket::Reserved, Pocket::Escrow(payer), amount)?;
        context.state.remove(key);
        let event = Event::new("refund").with("request", self.request).with("payer", payer);
        context.events.push(event.with("amount", amount));
        Ok(())
    }
}
