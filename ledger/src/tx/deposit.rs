//! `Deposit`: money from the signer's balance to its escrow.
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::{Context, Kind};
use crate::event::Event;
use crate::money::{Pocket, transfer};
use crate::rejection::{Fault, Rejection};

/// Moves money from the signer's balance to its escrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// How much.
    pub amount: u64,
}

impl Kind for Deposit {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        if self.amount == 0 { Err(Rejection::ZeroAmount) } else { Ok(()) }
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        transfer(&mut context.state, Pocket::Balance(signer), Pocket::Escrow(signer), self.amount)?;
        context.events.push(Event::new("deposit").with("account", signer).with("amount", self.amount));
        Ok(())
    }
}
