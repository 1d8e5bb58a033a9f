//! The numbers of a request against the integers that were proven.
use alloc::collections::BTreeMap;

use super::RequestTensor;
use super::findings::{Fault, holds};
use super::report::{Missing, Reason};
use crate::circuit::CheckedCircuit;
use crate::statement::Inputs;

/// Each input's tensor in the request, quantised, is what the proof has.
pub(super) fn check(circuit: &CheckedCircuit, inputs: &Inputs, tensors: Option<&[RequestTensor]>) -> Result<(), Fault> {
    let integers = inputs.public().ok_or(Missing::Private)?;
    let tensors = tensors.ok_or(Missing::Values)?;
    let ports = &circuit.circuit().inputs;
    let named: BTreeMap<&str, &RequestTensor> = tensors.iter().map(|tensor| (&*tensor.name, tensor)).collect();
    let counts = [tensors.len(), named.len(), integers.len()];
    holds(counts.iter().all(|count| *count == ports.len()), Reason::Tensors)?;
    for (input, (port, integers)) in ports.iter().zip(integers).enumerate() {
        let RequestTensor { shape, values, .. } = named.get(&*port.name).ok_or(Fault::Fails(Reason::Tensors))?;
        let range = circuit.range(port.node).ok_or(Fault::Fails(Reason::Tensors))?;
        holds(*shape == port.dims && values.len() == integers.len(), Reason::Tensors)?;
        for (position, (value, integer)) in values.iter().zip(integers).enumerate() {
            let same = port.quantize(range, *value) == Some(*integer);
            holds(same, Reason::Value { input, position })?;
        }
    }
    Ok(())
}
