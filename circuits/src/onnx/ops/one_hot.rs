//! `OneHot`: the input compared with each place.
use super::{Call, Fault, Value};
use crate::graph::{Bias, Combine, Kind, NodeId, Term, View, unit};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let depth = call.constant(1)?.single().filter(|&depth| (1.0..1e6).contains(&depth)).ok_or(Fault::InputValue(1))?;
    let &[off, on] = &call.constant(2)?.values[..] else { return Err(Fault::InputValue(2)) };
    let rank = from.len() as i64 + 1;
    let axis = super::axis(call.attributes.int("axis", -1)?, rank as usize)?;
    let mut dims = from.clone();
    dims.insert(axis, depth as u32);
    let places: Vec<f64> = (0..depth as u32).map(f64::from).collect();
    // An index that is negative counts from the end.
    let from_end: Vec<f64> = places.iter().map(|place| place - depth).collect();
    let (a, b) = (equal(call, x, &dims, axis, places)?, equal(call, x, &dims, axis, from_end)?);
    let parts = [a, b].concat().into_iter().map(|node| (off - on, node)).collect::<Vec<_>>();
    // Each of the two is one where neither step of it is.
    let result = call.linear(&parts, off + 2.0 * (on - off))?;
    Ok(vec![Value::Node(result)])
}

/// Two steps, neither of which is one where the input is the number of its place.
fn equal(call: &mut Call<'_>, x: NodeId, dims: &[u32], axis: usize, places: Vec<f64>) -> Result<[NodeId; 2], Fault> {
    let from = call.shape(x);
    let maps = (0..from.len()).map(|at| unit(dims.len(), if at < axis { at } else { at + 1 })).collect();
    let view = View { source: x, axes: dims.to_vec(), sum: Vec::new(), dims: from, maps };
    let mut step = |sign: f64| {
        let bias = Some(Bias { over: vec![axis], values: places.iter().map(|place| -sign * place).collect() });
        let terms = vec![Term::Plain { factor: sign, view: view.clone() }];
        let difference = call.add(dims.to_vec(), Kind::Combine(Combine { axes: dims.to_vec(), terms, bias }))?;
        call.step(difference)
    };
    Ok([step(1.0)?, step(-1.0)?])
}
