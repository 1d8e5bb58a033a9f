//! `ApproveMeasurement`: governance says which software enclaves may run.
use assay_verifier::settlement::node::Measurement;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::{Height, Versioned, keys};
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::text::check_text;
use super::{Context, Kind};
use crate::event::Event;
use crate::rejection::{Fault, Rejection};
use crate::state::{end, supersede};

/// Most registers of a measurement.
const REGISTERS_MAX: usize = 32;
/// Bytes of the longest register: a SHA-512.
const REGISTER_LEN_MAX: usize = 64;

/// Approves a measurement from this block on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproveMeasurement {
    /// The measurement.
    pub measurement: Measurement,
    /// The first height at which it is no longer approved, if that is known.
    pub expires: Option<Height>,
}

impl Kind for ApproveMeasurement {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        let Measurement { registers, software, .. } = &self.measurement;
        check_text(software)?;
        let good = (1..=REGISTERS_MAX).contains(&registers.len())
            && registers.iter().all(|register| (1..=REGISTER_LEN_MAX).contains(&register.len()));
        if good { Ok(()) } else { Err(Rejection::FieldLength) }
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        if signer != context.rules.governance {
            return Err(Rejection::NotGovernance.into());
        }
        let height = context.block.height;
        if self.expires.is_some_and(|expires| expires <= height) {
            return Err(Rejection::HeightPast.into());
        }
        let id = self.measurement.id();
        let key = keys::measurement(id);
        let current: Option<Versioned<Measurement>> = context.state.read(&key)?;
        if current.as_ref().is_some_and(|current| current.holds_at(height)) {
            return Err(Rejection::MeasurementExists.into());
        }
        supersede(&mut context.state, key.clone(), current, height, self.measurement.clone())?;
        if let (Some(expires), Some(current)) = (self.expires, context.state.read::<Versioned<Measurement>>(&key)?) {
            let reason = assay_verifier::settlement::Reason::Governance("expires".into());
            end(&mut context.state, key, current, expires, reason);
        }
        context.events.push(Event::new("approve_measurement").with("measurement", hex::encode(id)));
        Ok(())
    }
}
