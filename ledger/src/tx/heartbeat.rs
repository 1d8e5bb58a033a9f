//! `Heartbeat`: the signer, a node, is alive. Only what living nodes answer is paid for.
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::{keys, node};
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::{Context, Kind};
use crate::event::Event;
use crate::rejection::{Fault, Rejection};

/// A sign of life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {}

impl Kind for Heartbeat {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        Ok(())
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        super::settle::registered(&context.state, signer, context.block.height)?;
        let heartbeat = node::Heartbeat { height: context.block.height, time_ms: context.block.time_ms };
        context.state.write(keys::heartbeat(signer), &heartbeat);
        context.events.push(Event::new("heartbeat").with("node", signer));
        Ok(())
    }
}
