//! What the two transactions about a drawn settlement have in common: that it is one, and that nothing became of it yet.
use assay_verifier::receipt::RequestId;
use assay_verifier::settlement::model::Model;
use assay_verifier::settlement::payment::{BlockHash, Settlement};
use assay_verifier::settlement::sampling::{Sampling, can_be_drawn};
use assay_verifier::settlement::{Versioned, keys};

use super::Context;
use crate::rejection::{Fault, Rejection};
use crate::state::{State, StoreError, read_at};

/// A drawn settlement, and its model as it was then.
pub(super) struct Drawn {
    pub settlement: Settlement,
    pub model: Versioned<Model>,
}

/// The settlement of a request, which must be drawn and open.
pub(super) fn drawn(context: &Context<'_>, request: RequestId) -> Result<Drawn, Fault> {
    let settlement: Settlement = context.state.read(&keys::settlement(request))?.ok_or(Rejection::SettlementUnknown)?;
    if context.state.get(&keys::sample(request))?.is_some() {
        return Err(Rejection::SampleConcluded.into());
    }
    let model: Option<Versioned<Model>> = read_at(&context.state, &keys::model(settlement.model), settlement.height)?;
    let model = model.ok_or_else(|| StoreError::Corrupt("a settlement's model is not there".into()))?;
    let decides = Sampling::drawn_at(settlement.height);
    if context.block.height <= decides {
        return Err(Rejection::SampleUndecided.into());
    }
    let found: Option<BlockHash> = context.state.read(&keys::block_hash(decides))?;
    let hash = found.ok_or(Rejection::SampleForgotten)?.hash;
    if !can_be_drawn(&settlement, &model.record) || !context.rules.sampling.draws(&hash, request) {
        return Err(Rejection::SampleNotDrawn.into());
    }
    Ok(Drawn { settlement, model })
}
