//! `ProveSample`: a drawn settlement that rested on a node's word is proven. Anyone may hand it in.
use assay_verifier::digest::KeyDigest;
use assay_verifier::receipt::Receipt;
use assay_verifier::settlement::model::{Model, ModelKey};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::sampling::{Outcome, Sample};
use assay_verifier::settlement::{Versioned, keys};
use assay_verifier::signature::PublicKey;
use assay_verifier::wire::Bytes;
use serde::{Deserialize, Serialize};

use super::sample::drawn;
use super::settle::shows;
use super::{Context, Kind};
use crate::event::Event;
use crate::rejection::{Fault, Rejection};
use crate::state::{State, StoreError, read};
use crate::verdicts::Task;
use crate::work;

/// Proves a drawn settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProveSample {
    /// The receipt that was settled. The settlement names its digest, so it needs no signature here.
    pub receipt: Receipt,
    /// The key of the proof, one of the model's.
    pub key: KeyDigest,
    /// The proof's file, with the receipt's digest as its context.
    pub proof: Bytes,
}

impl ProveSample {
    fn task(&self) -> Task {
        Task::new(self.key, &self.proof.0)
    }

    fn entry(&self, model: &Model) -> Option<ModelKey> {
        model.keys.iter().find(|entry| entry.digest == self.key).copied()
    }
}

impl Kind for ProveSample {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        Ok(())
    }

    fn work(&self, state: &dyn State) -> Result<u64, StoreError> {
        let model: Option<Versioned<Model>> = read(state, &keys::model(self.receipt.model))?;
        let entry = model.and_then(|model| self.entry(&model.record));
        Ok(entry.map_or(0, |entry| work::proof(entry.engine, self.proof.0.len(), entry.size)))
    }

    fn tasks(&self) -> Vec<Task> {
        vec![self.task()]
    }

    fn execute(&self, _: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let request = self.receipt.request;
        let found = drawn(context, request)?;
        if self.receipt.digest() != found.settlement.receipt {
            return Err(Rejection::SampleReceipt.into());
        }
        let height = context.block.height;
        if height > context.rules.sampling.last(found.settlement.height) {
            return Err(Rejection::SampleLate.into());
        }
        if self.entry(&found.model.record).is_none() {
            return Err(Rejection::ReceiptKey.into());
        }
        let task = self.task();
        shows(context, &task, &self.receipt)?;
        let outcome = Outcome::Proven(task.proof(), self.key);
        context.state.write(keys::sample(request), &Sample { outcome, height });
        let event = Event::new("prove_sample").with("request", request).with("node", found.settlement.node);
        context.events.push(event.with("key", self.key));
        Ok(())
    }
}
