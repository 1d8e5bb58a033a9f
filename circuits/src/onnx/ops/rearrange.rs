//! Operators that pick or move cells by rules: `Trilu`, `DepthToSpace`, `SpaceToDepth`, `ReverseSequence`, `Compress`,
//! `CenterCropPad`.
use super::generate::lengths;
use super::index::NOTHING;
use super::{Call, Fault, Value, axis};
use crate::tensor::elements;

/// One triangle of each matrix, zeros elsewhere.
pub(super) fn trilu(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let dims = call.shape(x);
    let &[.., rows, columns] = &dims[..] else { return Err(Fault::Shapes(vec![dims])) };
    let diagonal = call.optional(1)?.map_or(Some(0.0), |k| k.single()).ok_or(Fault::InputValue(1))?;
    let upper = call.attributes.flag("upper", true)?;
    let kept = |row: u32, column: u32| {
        let above = f64::from(column) - f64::from(row);
        if upper { above >= diagonal } else { above <= diagonal }
    };
    let count = elements(&dims).unwrap_or(0) as u32;
    let cell = |place: u32| {
        if kept(place / columns % rows, place % columns) { place } else { NOTHING }
    };
    Ok(vec![Value::Node(call.picked(x, (0..count).map(cell).collect(), dims)?)])
}

/// Blocks of an image become channels, or channels blocks.
pub(super) fn blocks(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let &[batch, channels, height, width] = &from[..] else { return Err(Fault::Shapes(vec![from])) };
    let size = call.attributes.find("blocksize").and_then(|size| size.i).ok_or(Fault::MissingAttribute("blocksize"))?;
    let size = u32::try_from(size).ok().filter(|size| (1..1 << 12).contains(size));
    let size = size.ok_or(Fault::AttributeValue("blocksize"))?;
    if call.operator == "SpaceToDepth" {
        if height % size != 0 || width % size != 0 {
            return Err(Fault::Shapes(vec![from]));
        }
        let split = call.reshaped(x, vec![batch, channels, height / size, size, width / size, size])?;
        let moved = call.transposed(split, &[0, 3, 5, 1, 2, 4])?;
        let dims = vec![batch, channels * size * size, height / size, width / size];
        return Ok(vec![Value::Node(call.reshaped(moved, dims)?)]);
    }
    if channels % (size * size) != 0 {
        return Err(Fault::Shapes(vec![from]));
    }
    let depth = channels / (size * size);
    let moved = match call.attributes.word("mode", "DCR")? {
        "DCR" => {
            let split = call.reshaped(x, vec![batch, size, size, depth, height, width])?;
            call.transposed(split, &[0, 3, 4, 1, 5, 2])?
        }
        "CRD" => {
            let split = call.reshaped(x, vec![batch, depth, size, size, height, width])?;
            call.transposed(split, &[0, 1, 4, 2, 5, 3])?
        }
        _ => return Err(Fault::AttributeValue("mode")),
    };
    Ok(vec![Value::Node(call.reshaped(moved, vec![batch, depth, height * size, width * size])?)])
}

/// The first cells of each sequence in reverse order.
pub(super) fn reverse_sequence(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let dims = call.shape(x);
    let (batch, time) = (call.attributes.int("batch_axis", 1)?, call.attributes.int("time_axis", 0)?);
    let (batch, time) = (axis(batch, dims.len())?, axis(time, dims.len())?);
    let sizes = lengths(&call.constant(1)?.integers()).ok_or(Fault::InputValue(1))?;
    if batch == time || sizes.len() != dims[batch] as usize || sizes.iter().any(|&size| size > dims[time]) {
        return Err(Fault::InputValue(1));
    }
    let steps = crate::tensor::strides(&dims);
    let cell = |place: usize| {
        let coordinate = |at: usize| place / steps[at] % dims[at] as usize;
        let (size, at) = (sizes[coordinate(batch)] as usize, coordinate(time));
        let from = if at < size { size - 1 - at } else { at };
        (place - at * steps[time] + from * steps[time]) as u32
    };
    let table = (0..elements(&dims).unwrap_or(0)).map(cell).collect();
    Ok(vec![Value::Node(call.picked(x, table, dims)?)])
}

/// The slices that a constant condition keeps.
pub(super) fn compress(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let Value::Constant(condition) = call.value(1)?.clone() else {
        return Err(Fault::Unsupported("a shape that depends on the input's values".into()));
    };
    let mut x = call.node(0)?;
    let from = call.shape(x);
    let along = match call.attributes.find("axis") {
        Some(along) => axis(along.i.ok_or(Fault::AttributeType("axis"))?, from.len())?,
        None => {
            x = call.reshaped(x, vec![elements(&from).unwrap_or(0) as u32])?;
            0
        }
    };
    let length = call.shape(x)[along];
    let kept: Vec<u32> =
        (0..length).zip(&condition.values).filter(|(_, keep)| **keep != 0.0).map(|(at, _)| at).collect();
    if kept.is_empty() {
        return Err(Fault::Size(vec![0]));
    }
    Ok(vec![Value::Node(call.along(x, along, kept)?)])
}

/// Axes cut or padded on both sides to given lengths.
pub(super) fn center_crop_pad(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let mut x = call.node(0)?;
    let from = call.shape(x);
    let wanted = lengths(&call.constant(1)?.integers()).ok_or(Fault::InputValue(1))?;
    let along: Vec<usize> = match call.attributes.ints("axes") {
        Some(axes) => axes.iter().map(|&at| axis(at, from.len())).collect::<Result<_, _>>()?,
        None => (0..from.len()).collect(),
    };
    if along.len() != wanted.len() {
        return Err(Fault::InputValue(1));
    }
    for (&at, &length) in along.iter().zip(&wanted) {
        let own = i64::from(from[at]);
        // Half of what is cut or padded is before, rounded down.
        let before =
            if i64::from(length) < own { (own - i64::from(length)) / 2 } else { -((i64::from(length) - own) / 2) };
        x = call.part(x, at, (before, 1, length))?;
    }
    Ok(vec![Value::Node(x)])
}
