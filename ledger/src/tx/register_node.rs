//! `RegisterNode`: the signer becomes a node. Its key signs its receipts, its stake is taken from its balance.
use assay_verifier::receipt::Backend;
use assay_verifier::settlement::node::{Heartbeat, Node, Stake};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::{Versioned, keys};
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::text::check_text;
use super::{Context, Kind, ShownEvidence, attestation};
use crate::event::Event;
use crate::money::{Pocket, transfer};
use crate::rejection::{Fault, Rejection};
use crate::state::{State, StoreError, supersede};
use crate::work;

/// Registers the signer as a node. It counts as its first heartbeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterNode {
    /// The record. Backends are in order, each once.
    pub node: Node,
    /// What a node that answers in an enclave shows of it.
    pub attestation: Option<Box<ShownEvidence>>,
}

impl Kind for RegisterNode {
    fn check(&self, rules: &Parameters) -> Result<(), Rejection> {
        let Node { backends, endpoint, stake, .. } = &self.node;
        check_text(endpoint)?;
        if backends.is_empty() || !backends.is_sorted_by(|left, right| left < right) {
            return Err(Rejection::FieldLength);
        }
        if backends.contains(&Backend::Tee) != self.attestation.is_some() {
            return Err(Rejection::AttestationMissing);
        }
        if *stake < rules.stake_min { Err(Rejection::StakeTooLow) } else { Ok(()) }
    }

    fn work(&self, _: &dyn State) -> Result<u64, StoreError> {
        Ok(if self.attestation.is_some() { work::ATTESTATION } else { 0 })
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let key = keys::node(signer);
        let current: Option<Versioned<Node>> = context.state.read(&key)?;
        let height = context.block.height;
        if current.as_ref().is_some_and(|current| current.holds_at(height)) {
            return Err(Rejection::NodeExists.into());
        }
        // What is still bonded from before counts.
        let bonded: Option<Stake> = context.state.read(&keys::stake(signer))?;
        let bonded = bonded.map_or(0, |stake| stake.amount);
        let more = self.node.stake.saturating_sub(bonded);
        transfer(&mut context.state, Pocket::Balance(signer), Pocket::Stakes, more)?;
        let stake = Stake { amount: bonded.saturating_add(more), free_from: None };
        context.state.write(keys::stake(signer), &stake);
        supersede(&mut context.state, key, current, height, self.node.clone())?;
        let heartbeat = Heartbeat { height, time_ms: context.block.time_ms };
        context.state.write(keys::heartbeat(signer), &heartbeat);
        let event = Event::new("register_node").with("node", signer).with("stake", self.node.stake);
        context.events.push(event);
        match &self.attestation {
            Some(shown) => attestation::record(context, signer, shown),
            None => Ok(()),
        }
    }
}
