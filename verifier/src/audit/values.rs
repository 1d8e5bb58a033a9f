//! The numbers of a request against what the model was given.
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::RequestTensor;
use super::findings::{Fault, holds};
use super::reason::{Missing, Reason};
use crate::circuit::CheckedCircuit;
use crate::reals::Reals;
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

/// The request's tensors are the inputs of a model in floating point, bit for bit. Nothing here says which input has which name, so their order is
/// not compared.
pub(super) fn reals(inputs: &[Reals], tensors: Option<&[RequestTensor]>) -> Result<(), Fault> {
    let tensors = tensors.ok_or(Missing::Values)?;
    let mut left: Vec<Reals> = tensors.iter().map(|tensor| Reals::new(tensor.shape.clone(), &tensor.values)).collect();
    holds(left.len() == inputs.len(), Reason::Tensors)?;
    for input in inputs {
        let place = left.iter().position(|tensor| tensor == input).ok_or(Fault::Fails(Reason::Tensors))?;
        left.swap_remove(place);
    }
    Ok(())
}
