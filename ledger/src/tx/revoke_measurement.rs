//! `RevokeMeasurement`: governance disables software from a height on.
use assay_verifier::settlement::node::Measurement;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::{Height, Reason, Versioned, keys};
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::text::check_text;
use super::{Context, Kind};
use crate::event::Event;
use crate::rejection::{Fault, Rejection};
use crate::state::end;

/// Revokes a measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeMeasurement {
    /// [`Measurement::id`].
    pub measurement: [u8; 32],
    /// The first height at which it is no longer approved: this block's or a later one.
    pub from: Height,
    /// Why, for people.
    pub reason: String,
}

impl Kind for RevokeMeasurement {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        check_text(&self.reason)
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        if signer != context.rules.governance {
            return Err(Rejection::NotGovernance.into());
        }
        let height = context.block.height;
        if self.from < height {
            return Err(Rejection::HeightPast.into());
        }
        let key = keys::measurement(self.measurement);
        let current: Versioned<Measurement> = context.state.read(&key)?.ok_or(Rejection::MeasurementUnknown)?;
        // A revocation can only bring the end nearer.
        if !current.holds_at(self.from) {
            return Err(Rejection::MeasurementEnded.into());
        }
        end(&mut context.state, key, current, self.from, Reason::Governance(self.reason.clone()));
        let event = Event::new("revoke_measurement").with("measurement", hex::encode(self.measurement));
        context.events.push(event.with("from", self.from));
        Ok(())
    }
}
