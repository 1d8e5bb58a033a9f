//! The numbers that records of fetched data took out, when they are a model's input. The service reads them by the same function.
use std::collections::BTreeMap;

use assay_verifier::digest::Digest32;
use assay_verifier::fetched::SignedFetched;
use assay_verifier::wire::{self, Bytes};
use serde_json::Value;

/// Numbers by the record's digest. Signatures are the audit's to check.
pub struct Numbers(BTreeMap<Digest32, Vec<f64>>);

impl Numbers {
    /// Those of some files. What has no numbers is left out.
    pub fn of(files: &[Bytes]) -> Self {
        let read = |Bytes(file): &Bytes| {
            let signed: SignedFetched = wire::decode(file).ok()?;
            Some((signed.digest(), numbers(&signed)?))
        };
        Self(files.iter().filter_map(read).collect())
    }

    /// Those of a record.
    pub fn get(&self, record: Digest32) -> Option<&[f64]> {
        self.0.get(&record).map(Vec::as_slice)
    }
}

/// Those that a record took out, in their order; those of lists within lists one after the other. Nothing if there is anything else among them.
pub fn numbers(signed: &SignedFetched) -> Option<Vec<f64>> {
    let mut numbers = Vec::new();
    for text in &signed.fetched.extracted.as_ref()?.values {
        flatten(&serde_json::from_str(text).ok()?, &mut numbers)?;
    }
    (!numbers.is_empty()).then_some(numbers)
}

fn flatten(value: &Value, numbers: &mut Vec<f64>) -> Option<()> {
    match value {
        Value::Number(number) => {
            numbers.push(number.as_f64()?);
            Some(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| flatten(item, numbers)),
        _ => None,
    }
}
