//! `Withdraw`: money from the signer's escrow to its balance.
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::{Context, Kind};
use crate::event::Event;
use crate::money::{Pocket, transfer};
use crate::rejection::{Fault, Rejection};

/// Moves money from the signer's escrow to its balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdraw {
    /// How much.
    pub amount: u64,
}

impl Kind for Withdraw {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        if self.amount == 0 { Err(Rejection::ZeroAmount) } else { Ok(()) }
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        transfer(&mut context.state, Pocket::Escrow(signer), Pocket::Balance(signer), self.amount)?;
        context.events.push(Event::new("withdraw").with("account", signer).with("amount", self.amount));
        Ok(())
    }
}
