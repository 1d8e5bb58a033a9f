//! `SettleBatch`: many receipts with their evidence in one transaction. Each leaf is judged as a [`Settle`] would be; one that is refused
//! does not stop the others. Envelope and fee are paid once, signatures are verified together, and a key is checked once.
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::signature::{PublicKey, Signed, all_hold};
use serde::{Deserialize, Serialize};

use super::{Context, Kind, Settle};
use crate::event::Event;
use crate::rejection::{Fault, Rejection};
use crate::state::{State, StoreError};
use crate::verdicts::Task;

/// Settles requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettleBatch {
    /// What is settled, in this order.
    pub leaves: Vec<Settle>,
}

impl Kind for SettleBatch {
    fn check(&self, rules: &Parameters) -> Result<(), Rejection> {
        let leaves = u64::try_from(self.leaves.len()).unwrap_or(u64::MAX);
        if leaves == 0 || leaves > rules.limits.batch_leaves_max {
            return Err(Rejection::BatchLength);
        }
        Ok(())
    }

    fn work(&self, state: &dyn State) -> Result<u64, StoreError> {
        self.leaves.iter().try_fold(0u64, |sum, leaf| Ok(sum.saturating_add(leaf.work(state)?)))
    }

    fn tasks(&self) -> Vec<Task> {
        self.leaves.iter().filter_map(Settle::task).collect()
    }

    fn execute(&self, _: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let signed: Vec<Signed> = self.leaves.iter().map(|leaf| leaf.receipt.signed()).collect();
        let all_signed = all_hold(&signed);
        let mut verdicts = Vec::new();
        for (leaf, signed) in self.leaves.iter().zip(&signed) {
            let outcome = judge(context, leaf, signed, all_signed);
            verdicts.push(match outcome {
                Ok(()) => Ok(()),
                Err(fault) => Err(fault.rejection()?),
            });
        }
        for (at, (leaf, verdict)) in self.leaves.iter().zip(&verdicts).enumerate() {
            if let Err(reason) = verdict {
                let event = Event::new("leaf_refused").with("leaf", at).with("request", leaf.receipt.receipt.request);
                context.events.push(event.with("code", reason.code()));
            }
        }
        let settled = verdicts.iter().any(Result::is_ok);
        context.leaves = verdicts;
        if settled { Ok(()) } else { Err(Rejection::BatchNothingSettled.into()) }
    }
}

/// Settles a leaf above what those before it left.
fn judge(context: &mut Context<'_>, leaf: &Settle, signed: &Signed, all_signed: bool) -> Result<(), Fault> {
    leaf.check_receipt(context.rules)?;
    if !all_signed {
        signed.verify().map_err(|_| Rejection::ReceiptSignature)?;
    }
    let mut above = Context::new(context.rules, context.block, context.verdicts, &context.state);
    leaf.settle(&mut above)?;
    let Context { state, events, .. } = above;
    let writes = state.into_writes();
    context.state.merge(writes);
    context.events.extend(events);
    Ok(())
}
