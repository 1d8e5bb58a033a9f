//! `Slice`: starts, ends and axes are attributes up to operator set 9, inputs (with steps) after.
use super::{Call, Fault, Value, axis};
use crate::graph::{Kind, NodeId, View, mapped};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let starts = call.ints("starts", 1)?.ok_or(Fault::MissingAttribute("starts"))?;
    let ends = call.ints("ends", 2)?.ok_or(Fault::MissingAttribute("ends"))?;
    let along = call.ints("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.ints("steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if ends.len() != starts.len() || along.len() != starts.len() || steps.len() != starts.len() {
        return Err(Fault::InputValue(1));
    }
    let mut parts: Vec<Part> = from.iter().map(|&length| Part { start: 0, step: 1, length }).collect();
    for place in 0..starts.len() {
        let at = axis(along[place], from.len())?;
        parts[at] = Part::new(starts[place], ends[place], steps[place], from[at]).ok_or(Fault::InputValue(4))?;
    }
    let (dims, view) = sliced(x, &from, &parts);
    call.result(dims, Kind::plain(1.0, view))
}

/// Which cells of an axis are taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The first.
    pub start: i64,
    /// From one to the next.
    pub step: i64,
    /// How many.
    pub length: u32,
}

impl Part {
    /// ONNX's rule: negative bounds count from the end, bounds beyond the axis are clamped to it.
    fn new(start: i64, end: i64, step: i64, length: u32) -> Option<Self> {
        let length = i64::from(length);
        let from_end = |bound: i64| if bound < 0 { bound.saturating_add(length) } else { bound };
        let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
        let start = from_end(start).clamp(if step > 0 { 0 } else { low }, high);
        let end = from_end(end).clamp(low, high);
        let distance = if step > 0 { end - start } else { start - end };
        let size = step.unsigned_abs().min(1 << 30) as i64;
        (step != 0).then_some(())?;
        let count = if distance > 0 { (distance + size - 1) / size } else { 0 };
        Some(Self { start, step: size * step.signum(), length: count as u32 })
    }
}

/// The shape and the view of a slice.
pub(super) fn sliced(source: NodeId, from: &[u32], parts: &[Part]) -> (Vec<u32>, View) {
    let dims: Vec<u32> = parts.iter().map(|part| part.length).collect();
    let maps =
        parts.iter().enumerate().map(|(axis, part)| mapped(dims.len(), part.start, &[(axis, part.step)])).collect();
    let view = View { source, axes: dims.clone(), sum: Vec::new(), dims: from.to_vec(), maps };
    (dims, view)
}
