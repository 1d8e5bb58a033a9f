//! `LpPool`, `GlobalLpPool` and `LRN`: norms of windows.
use super::max_pool::pooled;
use super::{Call, Fault, Value};
use crate::graph::{Function, Kind, NodeId, Primitive, View, mapped, unit};

/// `LpPool` and `GlobalLpPool`.
pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.shape(x);
    let p = call.attributes.int("p", 2)?;
    if !(1..=16).contains(&p) || from.len() < 3 {
        return Err(Fault::AttributeValue("p"));
    }
    let powers = powers(call, x, p)?;
    let sum = if call.operator == "GlobalLpPool" {
        call.summed(powers, &(2..from.len()).collect::<Vec<_>>(), 1.0)?
    } else {
        let (view, dims) = pooled(call, powers, &from)?;
        call.add(dims, Kind::plain(1.0, view))?
    };
    if p == 1 {
        return Ok(vec![Value::Node(sum)]);
    }
    Ok(vec![Value::Node(call.apply(sum, Function::call(Primitive::Power(1.0 / p as f64)))?)])
}

/// `LpNormalization`'s and the pools' `|x|^p`.
fn powers(call: &mut Call<'_>, x: NodeId, p: i64) -> Result<NodeId, Fault> {
    if p == 2 {
        return call.times(x, x);
    }
    let size = call.apply(x, Function::call(Primitive::Abs))?;
    if p == 1 { Ok(size) } else { call.apply(size, Function::call(Primitive::Power(p as f64))) }
}

/// Each cell divided by a power of the mean square of the channels around it.
pub(super) fn lrn(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let dims = call.shape(x);
    let size = call.attributes.int("size", 0)?;
    let size =
        u32::try_from(size).ok().filter(|size| (1..1 << 16).contains(size)).ok_or(Fault::AttributeValue("size"))?;
    let (alpha, beta) = (call.attributes.float("alpha", 0.0001)?, call.attributes.float("beta", 0.75)?);
    let bias = call.attributes.float("bias", 1.0)?;
    if dims.len() < 2 {
        return Err(Fault::Shapes(vec![dims]));
    }
    let squares = call.times(x, x)?;
    let rank = dims.len();
    let mut maps: Vec<_> = (0..rank).map(|at| unit(rank + 1, at)).collect();
    maps[1] = mapped(rank + 1, -i64::from((size - 1) / 2), &[(1, 1), (rank, 1)]);
    let view = View { source: squares, axes: dims.clone(), sum: vec![size], dims: dims.clone(), maps };
    let sums = call.add(dims, Kind::plain(alpha / f64::from(size), view))?;
    let base = call.linear(&[(1.0, sums)], bias)?;
    let factor = call.apply(base, Function::call(Primitive::Power(-beta)))?;
    Ok(vec![Value::Node(call.times(x, factor)?)])
}
