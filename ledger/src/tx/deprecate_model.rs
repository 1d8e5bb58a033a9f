//! `DeprecateModel`: a publisher ends a version, at once or with notice.
use assay_verifier::receipt::ModelId;
use assay_verifier::settlement::model::Model;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::{Height, Reason, Versioned, keys};
use assay_verifier::signature::PublicKey;
use serde::{Deserialize, Serialize};

use super::text::check_text;
use super::{Context, Kind};
use crate::event::Event;
use crate::rejection::{Fault, Rejection};
use crate::state::end;

/// Deprecates a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeprecateModel {
    /// The version.
    pub model: ModelId,
    /// The first height at which nothing more of it is settled: this block's or a later one.
    pub from: Height,
    /// Why, for people.
    pub reason: String,
}

impl Kind for DeprecateModel {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        check_text(&self.reason)
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let key = keys::model(self.model);
        let current: Versioned<Model> = context.state.read(&key)?.ok_or(Rejection::ModelUnknown)?;
        if current.record.manifest.publisher != signer {
            return Err(Rejection::NotPublisher.into());
        }
        if self.from < context.block.height {
            return Err(Rejection::HeightPast.into());
        }
        // An end that was announced can only come nearer.
        if !current.holds_at(self.from) {
            return Err(Rejection::ModelNotInForce.into());
        }
        end(&mut context.state, key, current, self.from, Reason::Owner(self.reason.clone()));
        context.events.push(Event::new("deprecate_model").with("model", self.model).with("from", self.from));
        Ok(())
    }
}
