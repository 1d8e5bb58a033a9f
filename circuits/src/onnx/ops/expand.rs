//! `Expand` and `Tile`: a tensor repeated along axes.
use super::broadcast::common;
use super::generate::lengths;
use super::{Call, Fault, Value};
use crate::graph::{Combine, Kind, Term, View, unit};

pub(super) fn expand(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let wanted = lengths(&call.constant(1)?.integers()).ok_or(Fault::InputValue(1))?;
    let dims = common(&call.shape(x), &wanted)?;
    Ok(vec![Value::Node(call.spread(x, dims)?)])
}

/// Each axis becomes one of repetitions, which the source does not depend on, and one of its own length.
pub(super) fn tile(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let repeats = lengths(&call.constant(1)?.integers()).ok_or(Fault::InputValue(1))?;
    let rank = from.len();
    if repeats.len() != rank {
        return Err(Fault::InputValue(1));
    }
    let dims: Option<Vec<u32>> = from.iter().zip(&repeats).map(|(&length, &by)| length.checked_mul(by)).collect();
    let dims = dims.ok_or(Fault::InputValue(1))?;
    let axes: Vec<u32> = from.iter().zip(&repeats).flat_map(|(&length, &by)| [by, length]).collect();
    let maps = (0..rank).map(|axis| unit(2 * rank, 2 * axis + 1)).collect();
    let view = View { source: x, axes: axes.clone(), sum: Vec::new(), dims: from, maps };
    call.result(dims, Kind::Combine(Combine { axes, terms: vec![Term::Plain { factor: 1.0, view }], bias: None }))
}
