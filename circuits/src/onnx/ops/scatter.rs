//! `ScatterElements` (once `Scatter`) and `ScatterND` by constant indices: cells of one tensor replaced by another's,
//! or combined with them.
use super::extremum::extremum;
use super::gather::{replaced, tuples};
use super::index::NOTHING;
use super::{Call, Fault, Value, axis};
use crate::graph::{Bias, Combine, Kind, NodeId, Term};
use crate::onnx::call::CELLS_MAX;
use crate::tensor::{Tensor, elements};

/// Most updates of one cell.
const REPEATS_MAX: usize = 64;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let indices = match call.value(1)? {
        Value::Constant(tensor) => tensor.clone(),
        Value::Node(_) => return Err(Fault::Unsupported("indices that depend on the input".into())),
    };
    let (data, updates) = (call.node(0)?, call.node(2)?);
    let from = call.shape(data);
    let targets = targets(call, &indices, &from)?;
    if elements(&call.shape(updates)) != Some(targets.len()) {
        return Err(Fault::Shapes(vec![indices.dims, call.shape(updates)]));
    }
    let reduction = call.attributes.word("reduction", "none")?;
    let mut result = data;
    for layer in layers(&targets, elements(&from).unwrap_or(0), reduction == "none")? {
        result = apply(call, result, updates, layer, reduction)?;
    }
    Ok(vec![Value::Node(result)])
}

/// The flat place that each update goes to.
fn targets(call: &Call<'_>, indices: &Tensor, from: &[u32]) -> Result<Vec<u32>, Fault> {
    if call.operator == "ScatterND" {
        return Ok(tuples(indices, from, 0)?.0);
    }
    let along = axis(call.attributes.int("axis", 0)?, from.len())?;
    replaced(indices, from, along, 1)
}

/// For each cell the update that it takes: one layer after another where a cell takes several. Only the last counts
/// where they replace each other.
fn layers(targets: &[u32], cells: usize, replacing: bool) -> Result<Vec<Vec<u32>>, Fault> {
    let mut layers: Vec<Vec<u32>> = vec![vec![NOTHING; cells]];
    for (update, &target) in targets.iter().enumerate() {
        let free = if replacing { Some(0) } else { layers.iter().position(|layer| layer[target as usize] == NOTHING) };
        let layer = match free {
            Some(layer) => layer,
            None if layers.len() < REPEATS_MAX && (layers.len() * cells) as u64 <= CELLS_MAX => {
                layers.push(vec![NOTHING; cells]);
                layers.len() - 1
            }
            None => return Err(Fault::Unsupported("too many updates of one cell".into())),
        };
        layers[layer][target as usize] = update as u32;
    }
    Ok(layers)
}

/// One layer of updates.
fn apply(call: &mut Call<'_>, data: NodeId, updates: NodeId, layer: Vec<u32>, how: &str) -> Result<NodeId, Fault> {
    let dims = call.shape(data);
    let kept: Vec<u32> =
        (0u32..).zip(&layer).map(|(cell, &update)| if update == NOTHING { cell } else { NOTHING }).collect();
    let untouched: Vec<f64> = layer.iter().map(|&update| f64::from(update == NOTHING)).collect();
    let incoming = call.picking(updates, layer, &dims)?;
    match how {
        "none" => replace(call, data, kept, incoming, dims),
        "add" => {
            let own = crate::graph::identity(data, &dims);
            let terms = vec![Term::Plain { factor: 1.0, view: own }, Term::Plain { factor: 1.0, view: incoming }];
            call.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
        }
        "mul" => {
            // Cells without an update are multiplied by one.
            let bias = Some(Bias { over: (0..dims.len()).collect(), values: untouched });
            let terms = vec![Term::Plain { factor: 1.0, view: incoming }];
            let factors = call.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))?;
            call.times(data, factors)
        }
        "max" | "min" => {
            let updated = replace(call, data, kept, incoming, dims)?;
            extremum(call, data, updated, if how == "max" { 1.0 } else { -1.0 })
        }
        _ => Err(Fault::AttributeValue("reduction")),
    }
}

/// The cells that are kept and those that come in.
fn replace(
    call: &mut Call<'_>,
    data: NodeId,
    kept: Vec<u32>,
    incoming: crate::graph::View,
    dims: Vec<u32>,
) -> Result<NodeId, Fault> {
    let own = call.picking(data, kept, &dims)?;
    let terms = vec![Term::Plain { factor: 1.0, view: own }, Term::Plain { factor: 1.0, view: incoming }];
    call.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}
