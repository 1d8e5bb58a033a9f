//! `Transfer`: money from the signer's balance to another account's.
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::{Context, Kind};
use crate::event::Event;
use crate::money::{Pocket, transfer};
use crate::rejection::{Fault, Rejection};

/// Sends money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// To whom.
    pub to: PublicKey,
    /// How much.
    pub amount: u64,
}

impl Kind for Transfer {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        if self.amount == 0 { Err(Rejection::ZeroAmount) } else { Ok(()) }
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        transfer(&mut context.state, Pocket::Balance(signer), Pocket::Balance(self.to), self.amount)?;
        let event = Event::new("transfer").with("from", signer).with("to", self.to).with("amount", self.amount);
        context.events.push(event);
        Ok(())
    }
}
