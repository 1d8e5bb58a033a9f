//! When an answer is judged: as of its settlement, or as of the state that is shown if it is never settled.
use super::check::Check;
use super::findings::{Fault, equal, holds};
use super::reason::{Missing, Reason};
use crate::receipt::{Claim, Receipt};
use crate::settlement::payment::{Block, Settlement};
use crate::settlement::{Height, Versioned};

/// By which block, at what time, and by which versions of the records.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    /// What is judged.
    pub(super) receipt: &'a Receipt,
    /// What names the versions.
    pub(super) settlement: Option<&'a Settlement>,
    /// The block.
    pub(super) height: Height,
    /// The time at which an attestation must count.
    pub(super) time_ms: u64,
}

/// A moment, or what it rests on.
pub(super) type Judged<'a> = Result<Moment<'a>, Missing>;

/// Whether the ledger settles such answers.
pub(super) fn is_settled(receipt: &Receipt) -> bool {
    receipt.claim != Claim::Proxied
}

impl<'a> Moment<'a> {
    /// The one that a receipt's claim calls for.
    pub(super) fn of(receipt: &'a Receipt, settlement: Option<&'a Settlement>, block: Option<&Block>) -> Judged<'a> {
        if is_settled(receipt) {
            let settlement = settlement.ok_or(Missing::Needs(Check::Settlement))?;
            return Ok(Self::settled(receipt, settlement));
        }
        let block = block.ok_or(Missing::Needs(Check::State))?;
        Ok(Self::shown(receipt, block))
    }

    /// That of a settlement.
    fn settled(receipt: &'a Receipt, settlement: &'a Settlement) -> Self {
        let Settlement { height, time_ms, .. } = *settlement;
        Self { receipt, settlement: Some(settlement), height, time_ms }
    }

    /// That of an answer which is never settled: the records are those of the state that is shown, the time is the answer's own.
    fn shown(receipt: &'a Receipt, block: &Block) -> Self {
        Self { receipt, settlement: None, height: block.height, time_ms: receipt.time_ms }
    }

    /// The revision is the one that the settlement names, and was in force.
    pub(super) fn in_force<T>(
        &self,
        found: &Versioned<T>,
        named: impl Fn(&Settlement) -> Option<u32>,
    ) -> Result<(), Fault> {
        if let Some(settlement) = self.settlement {
            equal("the revision", Some(found.revision), named(settlement))?;
        }
        self.held(found)
    }

    /// The version was in force.
    pub(super) fn held<T>(&self, found: &Versioned<T>) -> Result<(), Fault> {
        match self.settlement {
            Some(_) => held(found, self.height),
            None => holds(found.holds_at(self.height), not_in_force(found, self.height)),
        }
    }
}

/// The version began before what the ledger did at a height and ended after it. If it ended in that very block, that was after it in the
/// block: the ledger does nothing by what has ended.
pub(super) fn held<T>(found: &Versioned<T>, height: Height) -> Result<(), Fault> {
    let held = found.valid_from <= height && found.valid_to.is_none_or(|end| height <= end);
    holds(held, not_in_force(found, height))
}

fn not_in_force<T>(found: &Versioned<T>, height: Height) -> Reason {
    Reason::NotInForce { revision: found.revision, height }
}
