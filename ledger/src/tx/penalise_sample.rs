//! `PenaliseSample`: a drawn settlement was not proven in time, so the node's stake is cut. Anyone may ask for it.
use assay_verifier::receipt::RequestId;
use assay_verifier::settlement::keys;
use assay_verifier::settlement::node::Stake;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::sampling::{Outcome, Sample};
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::sample::drawn;
use super::{Context, Kind};
use crate::event::Event;
use crate::money::{Pocket, transfer};
use crate::rejection::{Fault, Rejection};

/// Cuts the stake behind a settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PenaliseSample {
    /// The request that was settled.
    pub request: RequestId,
}

impl Kind for PenaliseSample {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        Ok(())
    }

    fn execute(&self, _: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let settlement = drawn(context, self.request)?.settlement;
        let height = context.block.height;
        if height <= context.rules.sampling.last(settlement.height) {
            return Err(Rejection::SampleOpen.into());
        }
        let key = keys::stake(settlement.node);
        let stake: Stake = context.state.read(&key)?.ok_or(Rejection::StakeUnknown)?;
        let cut = context.rules.sampling.cut.min(stake.amount);
        // The payer has the money back, as far as the cut reaches; nobody earns the rest.
        let back = settlement.price.min(cut);
        transfer(&mut context.state, Pocket::Stakes, Pocket::Escrow(settlement.payer), back)?;
        transfer(&mut context.state, Pocket::Stakes, Pocket::Fees, cut.saturating_sub(back))?;
        context.state.write(key, &Stake { amount: stake.amount.saturating_sub(cut), ..stake });
        context.state.write(keys::sample(self.request), &Sample { outcome: Outcome::Missed(cut), height });
        let event = Event::new("penalise_sample").with("request", self.request).with("node", settlement.node);
        context.events.push(event.with("payer", settlement.payer).with("cut", cut).with("back", back));
        Ok(())
    }
}
