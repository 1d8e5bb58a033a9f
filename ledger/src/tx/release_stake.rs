//! `ReleaseStake`: who was a node gets its stake back, once everything it settled can no longer cost it any of it.
use assay_verifier::settlement::keys;
use assay_verifier::settlement::node::Stake;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::{Context, Kind};
use crate::event::Event;
use crate::money::{Pocket, transfer};
use crate::rejection::{Fault, Rejection};

/// Gives the signer its stake back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseStake {}

impl Kind for ReleaseStake {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        Ok(())
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let key = keys::stake(signer);
        let Stake { amount, free_from } = context.state.read(&key)?.ok_or(Rejection::StakeUnknown)?;
        if free_from.is_none_or(|free_from| context.block.height < free_from) {
            return Err(Rejection::StakeBonded.into());
        }
        transfer(&mut context.state, Pocket::Stakes, Pocket::Balance(signer), amount)?;
        context.state.remove(key);
        context.events.push(Event::new("release_stake").with("node", signer).with("stake", amount));
        Ok(())
    }
}
