//! Sums of products of two tensors over labelled axes: what `MatMul`, `Gemm` and `Einsum` have in common.
use super::{Call, Fault, Value};
use crate::graph::{Combine, Kind, NodeId, Term, View, mapped, unit};
use crate::tensor::{Tensor, elements, strides};

/// The name of an axis. Axes of one name have one length, or length 1, which is repeated.
pub(super) type Label = usize;

/// A tensor with names for its axes.
#[derive(Clone)]
pub(super) struct Operand {
    pub value: Value,
    pub labels: Vec<Label>,
}

/// The axes that a contraction runs over: those of the result and those that are summed.
struct Axes {
    result: Vec<Label>,
    summed: Vec<Label>,
    /// Lengths by label.
    lengths: Vec<u32>,
}

/// `result[labels] = factor * sum left[..] right[..]` over all labels that the result does not have, as a sum of one
/// term.
pub(super) fn contract(
    call: &mut Call<'_>,
    left: Operand,
    right: Operand,
    result: &[Label],
    factor: f64,
) -> Result<Combine, Fault> {
    let lengths = lengths(call, &[&left, &right])?;
    if result.iter().any(|&label| lengths.get(label).is_none_or(|&length| length == 0)) {
        return Err(Fault::Shapes(vec![dims(call, &left.value), dims(call, &right.value)]));
    }
    let left = summed_alone(call, left, &right.labels, result)?;
    let right = summed_alone(call, right, &left.labels, result)?;
    let mut summed: Vec<Label> = left.labels.iter().chain(&right.labels).copied().collect();
    summed.sort_unstable();
    summed.dedup();
    summed.retain(|label| !result.contains(label));
    let axes = Axes { result: result.to_vec(), summed, lengths };
    let term = match (left.value, right.value) {
        (Value::Node(a), Value::Node(b)) => {
            let (left, right) = (axes.view(call, a, &left.labels), axes.view(call, b, &right.labels));
            Term::Product { factor, left, right }
        }
        (Value::Node(x), Value::Constant(w)) => axes.weighted(call, (x, &left.labels), (&w, &right.labels), factor)?,
        (Value::Constant(w), Value::Node(x)) => axes.weighted(call, (x, &right.labels), (&w, &left.labels), factor)?,
        (Value::Constant(a), Value::Constant(w)) => {
            let x = call.add(a.dims, Kind::Constant(a.values))?;
            axes.weighted(call, (x, &left.labels), (&w, &right.labels), factor)?
        }
    };
    Ok(Combine { axes: axes.of(&axes.result), terms: vec![term], bias: None })
}

/// Length of each label.
fn lengths(call: &Call<'_>, operands: &[&Operand]) -> Result<Vec<u32>, Fault> {
    let mut lengths = Vec::new();
    for operand in operands {
        let dims = dims(call, &operand.value);
        for (&label, &dim) in operand.labels.iter().zip(&dims) {
            if lengths.len() <= label {
                lengths.resize(label + 1, 0);
            }
            if lengths[label] <= 1 {
                lengths[label] = dim;
            } else if dim != 1 && dim != lengths[label] {
                return Err(Fault::Shapes(operands.iter().map(|operand| self::dims(call, &operand.value)).collect()));
            }
        }
    }
    Ok(lengths)
}

fn dims(call: &Call<'_>, value: &Value) -> Vec<u32> {
    match value {
        Value::Node(node) => call.graph.node(*node).dims.clone(),
        Value::Constant(tensor) => tensor.dims.clone(),
    }
}

/// An operand summed over the axes that neither the other operand nor the result has.
fn summed_alone(call: &mut Call<'_>, operand: Operand, other: &[Label], result: &[Label]) -> Result<Operand, Fault> {
    let Value::Node(node) = operand.value else { return Ok(operand) };
    let mut kept = operand.labels.clone();
    kept.retain(|label| other.contains(label) || result.contains(label));
    if kept.len() == operand.labels.len() {
        return Ok(operand);
    }
    kept.dedup();
    let value = Value::Node(reduced(call, node, &operand.labels, &kept)?);
    Ok(Operand { value, labels: kept })
}

/// The tensor with the labels of `result`: others are summed, axes of one label are their diagonal.
pub(super) fn reduced(call: &mut Call<'_>, node: NodeId, labels: &[Label], result: &[Label]) -> Result<NodeId, Fault> {
    let lengths = lengths(call, &[&Operand { value: Value::Node(node), labels: labels.to_vec() }])?;
    let mut summed = labels.to_vec();
    summed.retain(|label| !result.contains(label));
    summed.sort_unstable();
    summed.dedup();
    let axes = Axes { result: result.to_vec(), summed, lengths };
    let view = axes.view(call, node, labels);
    call.add(axes.of(result), Kind::plain(1.0, view))
}

impl Axes {
    fn of(&self, labels: &[Label]) -> Vec<u32> {
        labels.iter().map(|&label| self.lengths[label]).collect()
    }

    /// How an operand is read.
    fn view(&self, call: &Call<'_>, source: NodeId, labels: &[Label]) -> View {
        let dims = call.graph.node(source).dims.clone();
        let all: Vec<Label> = self.result.iter().chain(&self.summed).copied().collect();
        let map = |(&label, &dim): (&Label, &u32)| match all.iter().position(|&other| other == label) {
            Some(place) if dim == self.lengths[label] => unit(all.len(), place),
            _ => mapped(all.len(), 0, &[]),
        };
        let maps = labels.iter().zip(&dims).map(map).collect();
        View { source, axes: self.of(&self.result), sum: self.of(&self.summed), dims, maps }
    }

    /// The product with a constant: weights for the result's axes that it has, then for the summed ones.
    fn weighted(
        &self,
        call: &Call<'_>,
        (source, labels): (NodeId, &[Label]),
        (constant, own): (&Tensor, &[Label]),
        factor: f64,
    ) -> Result<Term, Fault> {
        let over: Vec<usize> = (0..self.result.len()).filter(|&axis| own.contains(&self.result[axis])).collect();
        let chosen = over.iter().map(|&axis| self.result[axis]).chain(self.summed.iter().copied());
        let steps = strides(&constant.dims);
        let mut places = vec![0usize];
        for label in chosen {
            let moves = |axis: usize| own[axis] == label && constant.dims[axis] != 1;
            let step: usize = (0..own.len()).filter(|&axis| moves(axis)).map(|axis| steps[axis]).sum();
            let length = self.lengths[label] as usize;
            let count = u32::try_from(places.len() * length).ok().filter(|&count| elements(&[count]).is_some());
            count.ok_or_else(|| Fault::Size(constant.dims.clone()))?;
            places = places.iter().flat_map(|&base| (0..length).map(move |i| base + i * step)).collect();
        }
        let weights = places.iter().map(|&place| constant.values[place] * factor).collect();
        Ok(Term::Weighted { over, weights, view: self.view(call, source, labels) })
    }
}
