//! `RNN`, `GRU` and `LSTM`, unrolled: the input's share of all gates is one layer over the whole sequence, then there
//! is a layer and the gates for each step.
mod cell;
mod direction;

use super::{Call, Fault, Value};
use crate::graph::NodeId;
use cell::{Cell, State};
use direction::Direction;

/// Longest sequence.
const STEPS_MAX: u32 = 1024;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let gates = match call.operator {
        "LSTM" => 4,
        "GRU" => 3,
        _ => 1,
    };
    let mut x = call.node(0)?;
    let batch_first = call.attributes.flag("layout", false)?;
    if batch_first {
        x = call.transposed(x, &[1, 0, 2])?;
    }
    let from = call.shape(x);
    let weights = call.constant(1)?.clone();
    let recurrent = call.constant(2)?.clone();
    let fail = || Fault::Shapes(vec![from.clone(), weights.dims.clone(), recurrent.dims.clone()]);
    let (&[steps, batch, inputs], &[directions, rows, columns], &[_, _, hidden]) =
        (&from[..], &weights.dims[..], &recurrent.dims[..])
    else {
        return Err(fail());
    };
    let way = call.attributes.word("direction", "forward")?;
    let wanted = if way == "bidirectional" { 2 } else { 1 };
    let fits = directions == wanted
        && columns == inputs
        && u64::from(rows) == gates as u64 * u64::from(hidden)
        && recurrent.dims == [directions, rows, hidden];
    if !fits {
        return Err(fail());
    }
    if steps > STEPS_MAX {
        return Err(Fault::Unsupported(format!("a sequence of more than {STEPS_MAX} steps")));
    }
    let lengths = match call.optional(4)? {
        Some(lengths) if lengths.values.len() != batch as usize => return Err(Fault::InputValue(4)),
        Some(lengths) => Some(lengths.values.clone()).filter(|all| all.iter().any(|&one| one != f64::from(steps))),
        None => None,
    };
    let cell = Cell {
        gates,
        hidden: hidden as usize,
        batch,
        steps,
        clip: call.attributes.float("clip", f64::from(f32::MAX))?,
        linear_before_reset: call.attributes.flag("linear_before_reset", false)?,
        input_forget: call.attributes.flag("input_forget", false)?,
        lengths,
    };
    let (mut sequences, mut last_hidden, mut last_cell) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..directions as usize {
        let direction = Direction::new(call, &cell, number, &weights, &recurrent, way == "reverse" || number == 1)?;
        let state = State {
            hidden: initial(call, 5, number, batch_first)?,
            cell: if call.operator == "LSTM" { initial(call, 6, number, batch_first)? } else { None },
        };
        let (outputs, state) = cell.run(call, x, &direction, state)?;
        sequences.push(call.joined(&outputs, 0)?);
        last_hidden.extend(state.hidden);
        last_cell.extend(state.cell);
    }
    let mut results = vec![Value::Node(joined(call, &sequences, [steps, batch, hidden], batch_first)?)];
    for last in [last_hidden, last_cell] {
        if last.len() == directions as usize {
            results.push(Value::Node(joined(call, &last, [1, batch, hidden], batch_first)?));
        }
    }
    Ok(results)
}

/// Results of all directions: `[steps, directions, batch, hidden]`, without the steps if there is one, with the batch
/// first if so wanted.
fn joined(
    call: &mut Call<'_>,
    parts: &[NodeId],
    [steps, batch, hidden]: [u32; 3],
    batch_first: bool,
) -> Result<NodeId, Fault> {
    let mut all = Vec::with_capacity(parts.len());
    for &part in parts {
        all.push(call.reshaped(part, vec![steps, 1, batch, hidden])?);
    }
    let directions = parts.len() as u32;
    let whole = call.joined(&all, 1)?;
    // The final states have no axis of steps; a sequence of one step does.
    let is_state = call.shape(parts[0]).len() == 2;
    match (is_state, batch_first) {
        (false, false) => Ok(whole),
        (false, true) => call.transposed(whole, &[2, 0, 1, 3]),
        (true, false) => call.reshaped(whole, vec![directions, batch, hidden]),
        (true, true) => {
            let whole = call.transposed(whole, &[0, 2, 1, 3])?;
            call.reshaped(whole, vec![batch, directions, hidden])
        }
    }
}

/// The initial state of a direction, if one is given.
fn initial(call: &mut Call<'_>, input: usize, number: usize, batch_first: bool) -> Result<Option<NodeId>, Fault> {
    if !call.has(input) {
        return Ok(None);
    }
    if matches!(call.value(input)?, Value::Constant(tensor) if tensor.values.iter().all(|&value| value == 0.0)) {
        return Ok(None);
    }
    let node = call.node(input)?;
    let node = if batch_first { call.transposed(node, &[1, 0, 2])? } else { node };
    let part = call.part(node, 0, (number as i64, 1, 1))?;
    let dims = call.shape(part)[1..].to_vec();
    call.reshaped(part, dims).map(Some)
}
