//! Records of fetched data: that those which are shown are the receipt's, and signed.
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256};

use super::Question;
use super::bundle::Bundle;
use super::check::Check;
use super::findings::{Fault, Findings, equal};
use super::reason::Missing;
use super::report::Weight;
use crate::digest::Digest32;
use crate::fetched::{Fetched, SignedFetched};
use crate::receipt::Receipt;
use crate::wire::{self, Bytes};

/// Checks of the records, if any are named or shown.
pub(super) fn check(bundle: &Bundle, question: &Question<'_>, findings: &mut Findings) {
    let named = &bundle.receipt.receipt.records;
    let none = named.is_empty() && bundle.records.is_empty() && question.named.is_none_or(<[_]>::is_empty);
    if none {
        return;
    }
    let fetched = findings.note(Check::Records, Weight::Optional, records(bundle, question));
    findings.fetched = fetched.unwrap_or_default();
}

fn records(bundle: &Bundle, question: &Question<'_>) -> Result<Vec<Fetched>, Fault> {
    let receipt = &bundle.receipt.receipt;
    if let Some(named) = question.named {
        equal("the list of records in the request", named, &receipt.records)?;
    }
    if bundle.records.is_empty() {
        return Err(Missing::Records.into());
    }
    equal("the number of records", bundle.records.len(), receipt.records.len())?;
    bundle.records.iter().zip(&receipt.records).map(|(file, digest)| record(file, *digest, receipt)).collect()
}

/// A record by its name, of the receipt's node: services take no others.
fn record(Bytes(file): &Bytes, digest: Digest32, receipt: &Receipt) -> Result<Fetched, Fault> {
    equal("the digest of a record", Digest32(Sha256::digest(file).into()), digest)?;
    let signed: SignedFetched = wire::decode(file)?;
    signed.verify()?;
    equal("the chain of a record", &signed.fetched.chain_id, &receipt.chain_id)?;
    equal("the node of a record", signed.fetched.node, receipt.node)?;
    Ok(signed.fetched)
}
