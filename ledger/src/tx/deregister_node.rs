//! `DeregisterNode`: the signer is no node any more. Its stake stays bonded until nothing it settled can cost it any of it, and is then released
//! ([`super::ReleaseStake`]). What it did not settle before, it cannot settle after.
use assay_verifier::settlement::node::{Attestation, Stake};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::{Reason, Versioned, keys};
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::text::check_text;
use super::{Context, Kind};
use crate::event::Event;
use crate::rejection::{Fault, Rejection};
use crate::state::end;

/// Ends the signer's registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeregisterNode {
    /// Why, for people.
    pub reason: String,
}

impl Kind for DeregisterNode {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        check_text(&self.reason)
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let height = context.block.height;
        let current = super::settle::registered(&context.state, signer, height)?;
        let key = keys::stake(signer);
        let stake: Stake = context.state.read(&key)?.ok_or(Rejection::StakeUnknown)?;
        let free_from = context.rules.sampling.free_from(height);
        context.state.write(key, &Stake { free_from: Some(free_from), ..stake });
        end(&mut context.state, keys::node(signer), current, height, Reason::Owner(self.reason.clone()));
        context.state.remove(keys::heartbeat(signer));
        let attestation: Option<Versioned<Attestation>> = context.state.read(&keys::attestation(signer))?;
        if let Some(current) = attestation.filter(|current| current.holds_at(height)) {
            end(&mut context.state, keys::attestation(signer), current, height, Reason::Owner(self.reason.clone()));
        }
        context.events.push(
            Event::new("deregister_node").with("node", signer).with("stake", stake.amount).with("free_from", free_from),
        );
        Ok(())
    }
}
