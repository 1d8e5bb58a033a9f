//! Inputs that are taken from records of fetched data. The request names a record by its digest, so whoever has both sees what the input was; the
//! receipt names it too.
use assay_verifier::digest::Digest32;

use super::accept::Refused;
use super::request::{Request, RequestError};
use super::tensors::{Data, TensorIn};
use crate::data::Records;

fn digest(input: &TensorIn) -> Result<Option<Digest32>, RequestError> {
    let Data::Record { record } = &input.data else { return Ok(None) };
    let reason =
        || RequestError::Tensor { name: input.name.clone(), reason: "record: not 64 hexadecimal digits".into() };
    record.parse().map(Some).map_err(|_| reason())
}

/// Records that a request takes inputs from, each once, in the order of the inputs.
///
/// # Errors
/// A name is none.
pub fn named(request: &Request) -> Result<Vec<Digest32>, RequestError> {
    let mut named = Vec::new();
    for input in &request.inputs {
        named.extend(digest(input)?.filter(|digest| !named.contains(digest)));
    }
    Ok(named)
}

/// Inputs with their numbers.
///
/// # Errors
/// A record is not there, or has no numbers.
pub fn resolved(inputs: &[TensorIn], records: &Records) -> Result<Vec<TensorIn>, Refused> {
    let resolve = |input: &TensorIn| -> Result<TensorIn, Refused> {
        let Some(digest) = digest(input)? else { return Ok(input.clone()) };
        let data = Data::Numbers(records.numbers(digest)?);
        Ok(TensorIn { data, ..input.clone() })
    };
    inputs.iter().map(resolve).collect()
}
