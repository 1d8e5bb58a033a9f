//! `Reserve`: a payer's authorisation turns escrow into money that is set aside for one request.
//!
//! Anyone may hand it in, as a rule the node. It names payer, node, model, backend, amount and deadline, so nobody else can earn the money,
//! nor with less evidence than was asked for.
use assay_verifier::settlement::keys;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Authorisation, Reservation};
use assay_verifier::signature::{Domain, PublicKey, Signature, Signed, message};
use serde::{Deserialize, Serialize};

use super::{Context, Kind};
use crate::event::Event;
use crate::money::{Pocket, transfer};
use crate::rejection::{Fault, Rejection};
use crate::state::{State, StoreError};
use crate::work;

/// Reserves money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// What the payer allows.
    pub authorisation: Authorisation,
    /// The payer's signature.
    pub signature: Signature,
}

impl Kind for Reserve {
    fn check(&self, rules: &Parameters) -> Result<(), Rejection> {
        if self.authorisation.amount == 0 {
            return Err(Rejection::ZeroAmount);
        }
        let message = message(Domain::Authorisation, &rules.chain_id, &self.authorisation);
        let signed = Signed { key: self.authorisation.payer, message, signature: self.signature };
        signed.verify().map_err(|_| Rejection::AuthorisationSignature)
    }

    fn work(&self, _: &dyn State) -> Result<u64, StoreError> {
        Ok(work::SIGNATURE)
    }

    fn execute(&self, _: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let Authorisation { payer, amount, deadline_ms, .. } = self.authorisation;
        let now = context.block.time_ms;
        // An authorisation that was refunded cannot come back: its deadline has passed.
        if deadline_ms < now {
            return Err(Rejection::DeadlinePast.into());
        }
        if deadline_ms - now > context.rules.deadline_max_ms {
            return Err(Rejection::DeadlineTooFar.into());
        }
        let request = self.authorisation.request_id(&context.rules.chain_id);
        if context.state.get(&keys::settlement(request))?.is_some() {
            return Err(Rejection::RequestSettled.into());
        }
        if context.state.get(&keys::reservation(request))?.is_some() {
            return Err(Rejection::RequestReserved.into());
        }
        transfer(&mut context.state, Pocket::Escrow(payer), Pocket::Reserved, amount)?;
        let reservation = Reservation { authorisation: self.authorisation, height: context.block.height };
        context.state.write(keys::reservation(request), &reservation);
        let event = Event::new("reserve").with("request", request).with("payer", payer).with("amount", amount);
        context.events.push(event.with("node", self.authorisation.node).with("deadline_ms", deadline_ms));
        Ok(())
    }
}
