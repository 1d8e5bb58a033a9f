//! `If`, `Loop` and `Scan`: bodies are imported where they run, as often as they run.
use super::{Call, Fault, Value, axis};
use crate::graph::NodeId;
use crate::onnx::import::body;
use crate::onnx::proto::GraphProto;
use crate::onnx::scope::Typed;
use crate::onnx::tensor::kind;
use crate::tensor::{Tensor, strides};

/// Most repetitions.
const REPETITIONS_MAX: f64 = 4096.0;

fn graph<'a>(call: &Call<'a>, name: &'static str) -> Result<&'a GraphProto, Fault> {
    let attribute = call.attributes.find(name).ok_or(Fault::MissingAttribute(name))?;
    attribute.g.as_deref().ok_or(Fault::AttributeType(name))
}

/// What the results are, with their types.
fn results(call: &mut Call<'_>, all: Vec<Typed>) -> Vec<Value> {
    call.result_kinds = Some(all.iter().map(|typed| typed.kind).collect());
    all.into_iter().map(|typed| typed.value).collect()
}

/// The branch that a constant condition takes.
pub(super) fn branch(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let Value::Constant(condition) = call.value(0)? else {
        return Err(Fault::Unsupported("a condition that depends on the input".into()));
    };
    let condition = condition.single().ok_or(Fault::InputValue(0))?;
    let taken = graph(call, if condition != 0.0 { "then_branch" } else { "else_branch" })?;
    let all = body(call, taken, Vec::new())?;
    Ok(results(call, all))
}

/// A loop whose number of rounds is known.
pub(super) fn repeat(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let unknown = || Fault::Unsupported("a loop whose end depends on the input".into());
    let constant = |value: &Value| match value {
        Value::Constant(tensor) => tensor.single().ok_or(Fault::InputValue(0)),
        Value::Node(_) => Err(unknown()),
    };
    let rounds = if call.has(0) { constant(call.value(0)?)? } else { f64::INFINITY };
    let mut goes_on = if call.has(1) { constant(call.value(1)?)? != 0.0 } else { true };
    let inner = graph(call, "body")?;
    let count = call.input_count().saturating_sub(2);
    let mut carried = (0..count).map(|at| call.typed(at + 2)).collect::<Result<Vec<_>, _>>()?;
    let mut scanned: Vec<Vec<Typed>> = vec![Vec::new(); inner.output.len().saturating_sub(count + 1)];
    let mut round = 0.0;
    while goes_on && round < rounds {
        if round >= REPETITIONS_MAX {
            return Err(Fault::Unsupported(format!("a loop of more than {REPETITIONS_MAX} rounds")));
        }
        let scalar = |value: f64, kind: i32| Typed { value: Value::Constant(Tensor::scalar(value)), kind };
        let mut inputs = vec![scalar(round, kind::INT64), scalar(1.0, kind::BOOL)];
        inputs.append(&mut carried);
        let mut outputs = body(call, inner, inputs)?.into_iter();
        goes_on = constant(&outputs.next().ok_or(Fault::MissingInput(1))?.value)? != 0.0;
        carried = outputs.by_ref().take(count).collect();
        for (all, value) in scanned.iter_mut().zip(outputs) {
            all.push(value);
        }
        round += 1.0;
    }
    for values in scanned {
        carried.push(stacked(call, values, 0, false)?);
    }
    Ok(results(call, carried))
}

/// A body for each position along an axis.
pub(super) fn scan(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    if call.opset < 9 {
        return Err(Fault::Unsupported("Scan before operator set 9".into()));
    }
    let inner = graph(call, "body")?;
    let scans = usize::try_from(call.attributes.int("num_scan_inputs", 0)?).unwrap_or(0);
    let states = call.input_count().checked_sub(scans).filter(|_| scans > 0);
    let states = states.ok_or(Fault::AttributeValue("num_scan_inputs"))?;
    let results_count = inner.output.len().checked_sub(states).ok_or(Fault::MissingInput(0))?;
    let list = |name: &'static str, length: usize| -> Result<Vec<i64>, Fault> {
        let values = call.attributes.ints(name).map_or_else(|| vec![0; length], <[i64]>::to_vec);
        if values.len() == length { Ok(values) } else { Err(Fault::AttributeValue(name)) }
    };
    let (axes_in, axes_out) = (list("scan_input_axes", scans)?, list("scan_output_axes", results_count)?);
    let (backward_in, backward_out) =
        (list("scan_input_directions", scans)?, list("scan_output_directions", results_count)?);
    let mut carried = (0..states).map(|at| call.typed(at)).collect::<Result<Vec<_>, _>>()?;
    let mut sources = Vec::with_capacity(scans);
    for (place, &along) in axes_in.iter().enumerate() {
        let dims = call.dims(states + place)?;
        sources.push((call.typed(states + place)?, axis(along, dims.len())?, dims));
    }
    let length = sources.first().map_or(0, |(_, at, dims)| dims[*at]);
    if sources.iter().any(|(_, at, dims)| dims[*at] != length) || f64::from(length) > REPETITIONS_MAX {
        return Err(Fault::Shapes(sources.into_iter().map(|(_, _, dims)| dims).collect()));
    }
    let mut scanned: Vec<Vec<Typed>> = vec![Vec::new(); results_count];
    for round in 0..length {
        let mut inputs = core::mem::take(&mut carried);
        for ((source, at, _), &backward) in sources.iter().zip(&backward_in) {
            let place = if backward != 0 { length - 1 - round } else { round };
            inputs.push(Typed { value: slice(call, &source.value, *at, place)?, kind: source.kind });
        }
        let mut outputs = body(call, inner, inputs)?.into_iter();
        carried = outputs.by_ref().take(states).collect();
        for (all, value) in scanned.iter_mut().zip(outputs) {
            all.push(value);
        }
    }
    for ((values, &along), &backward) in scanned.into_iter().zip(&axes_out).zip(&backward_out) {
        carried.push(stacked(call, values, along, backward != 0)?);
    }
    Ok(results(call, carried))
}

/// One position along an axis, without the axis.
fn slice(call: &mut Call<'_>, value: &Value, axis: usize, place: u32) -> Result<Value, Fault> {
    match value {
        Value::Node(node) => {
            let part = call.part(*node, axis, (place.into(), 1, 1))?;
            let mut dims = call.shape(part);
            dims.remove(axis);
            Ok(Value::Node(call.reshaped(part, dims)?))
        }
        Value::Constant(Tensor { dims, values }) => {
            let steps = strides(dims);
            let at = |cell: usize| cell / steps[axis] % dims[axis] as usize == place as usize;
            let values = (0..values.len()).filter(|&cell| at(cell)).map(|cell| values[cell]).collect();
            let mut dims = dims.clone();
            dims.remove(axis);
            Ok(Value::Constant(Tensor { dims, values }))
        }
    }
}

/// Results of all rounds along a new axis.
fn stacked(call: &mut Call<'_>, mut values: Vec<Typed>, along: i64, backward: bool) -> Result<Typed, Fault> {
    let kind = values.first().map_or(0, |typed| typed.kind);
    if backward {
        values.reverse();
    }
    let constant = |typed: &Typed| match &typed.value {
        Value::Constant(tensor) => Some(tensor.clone()),
        Value::Node(_) => None,
    };
    let constants: Option<Vec<Tensor>> = values.iter().map(constant).collect();
    if let (Some(tensors), 0) = (constants, along) {
        let mut dims = vec![tensors.len() as u32];
        dims.extend(tensors.first().map_or(&[][..], |tensor| &tensor.dims));
        let tensor = Tensor::new(dims, tensors.into_iter().flat_map(|tensor| tensor.values).collect());
        return Ok(Typed { value: Value::Constant(tensor.ok_or(Fault::Size(Vec::new()))?), kind });
    }
    let mut nodes: Vec<NodeId> = Vec::with_capacity(values.len());
    let mut place = 0;
    for typed in values {
        let node = match typed.value {
            Value::Node(node) => node,
            Value::Constant(tensor) => call.constant_node(tensor)?,
        };
        let mut dims = call.shape(node);
        place = axis(along, dims.len() + 1)?;
        dims.insert(place, 1);
        nodes.push(call.reshaped(node, dims)?);
    }
    Ok(Typed { value: Value::Node(call.joined(&nodes, place)?), kind })
}
