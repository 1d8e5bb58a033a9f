//! `MatMul`.
use super::contraction::{Label, Operand, contract};
use super::{Call, Fault, Value};
use crate::graph::Kind;

/// The label of the axis that is summed, and those of the rows and columns; batch axes come after.
const SUMMED: Label = 0;
const ROWS: Label = 1;
const COLUMNS: Label = 2;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let (a, b) = (call.dims(0)?, call.dims(1)?);
    if a.is_empty() || b.is_empty() {
        return Err(Fault::Shapes(vec![a, b]));
    }
    let left = labels(a.len(), &[ROWS, SUMMED]);
    let right = if b.len() == 1 { vec![SUMMED] } else { labels(b.len(), &[SUMMED, COLUMNS]) };
    // Unlike batch axes, the summed one is not repeated.
    let summed = |dims: &[u32], labels: &[Label]| labels.iter().position(|&label| label == SUMMED).map(|at| dims[at]);
    if summed(&a, &left) != summed(&b, &right) {
        return Err(Fault::Shapes(vec![a, b]));
    }
    let batch = a.len().max(b.len()).saturating_sub(2);
    let mut result: Vec<Label> = (0..batch).rev().map(|place| COLUMNS + 1 + place).collect();
    result.extend((a.len() > 1).then_some(ROWS));
    result.extend((b.len() > 1).then_some(COLUMNS));
    let left = Operand { value: call.value(0)?.clone(), labels: left };
    let right = Operand { value: call.value(1)?.clone(), labels: right };
    let combine = contract(call, left, right, &result, 1.0)?;
    call.result(combine.axes.clone(), Kind::Combine(combine))
}

/// Labels of a tensor: the last ones as given, batch axes counted from the back.
fn labels(rank: usize, last: &[Label]) -> Vec<Label> {
    let last = &last[last.len().saturating_sub(rank)..];
    (0..rank - last.len()).rev().map(|place| COLUMNS + 1 + place).chain(last.iter().copied()).collect()
}
