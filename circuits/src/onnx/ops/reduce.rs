//! Reductions over axes: sums and what is made of them, maxima, products.
use super::{Call, Fault, Value, axes};
use crate::graph::{Function, Library, NodeId, Primitive};

/// Most factors of a product.
const FACTORS_MAX: u32 = 64;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let given = call.ints("axes", 1)?.unwrap_or_default();
    let reduced = match given.is_empty() {
        true if call.attributes.flag("noop_with_empty_axes", false)? => Vec::new(),
        true => (0..from.len()).collect(),
        false => axes(&given, from.len())?,
    };
    let result = reduce(call, x, &reduced)?;
    if call.attributes.flag("keepdims", true)? {
        return Ok(vec![Value::Node(result)]);
    }
    let dims = (0..from.len()).filter(|axis| !reduced.contains(axis)).map(|axis| from[axis]).collect();
    Ok(vec![Value::Node(call.reshaped(result, dims)?)])
}

fn reduce(call: &mut Call<'_>, x: NodeId, over: &[usize]) -> Result<NodeId, Fault> {
    let from = call.shape(x);
    let count: f64 = over.iter().map(|&axis| f64::from(from[axis])).product();
    let log = Function::call(Primitive::Library(Library::Log));
    match call.operator {
        "ReduceMean" => call.summed(x, over, 1.0 / count),
        "ReduceL1" => {
            let x = call.apply(x, Function::call(Primitive::Abs))?;
            call.summed(x, over, 1.0)
        }
        "ReduceSumSquare" => squares(call, x, over),
        "ReduceL2" => {
            let squares = squares(call, x, over)?;
            call.apply(squares, Function::call(Primitive::Power(0.5)))
        }
        "ReduceLogSum" => {
            let sum = call.summed(x, over, 1.0)?;
            call.apply(sum, log)
        }
        "ReduceLogSumExp" => {
            // The largest is taken out first, so that no exponential is larger than one.
            let most = call.largest(x, over)?;
            let below = call.linear(&[(1.0, x), (-1.0, most)], 0.0)?;
            let powers = call.apply(below, Function::call(Primitive::Library(Library::Exp)))?;
            let sum = call.summed(powers, over, 1.0)?;
            let log = call.apply(sum, log)?;
            call.linear(&[(1.0, most), (1.0, log)], 0.0)
        }
        "ReduceMax" => call.largest(x, over),
        "ReduceMin" => {
            let negative = call.linear(&[(-1.0, x)], 0.0)?;
            let most = call.largest(negative, over)?;
            call.linear(&[(-1.0, most)], 0.0)
        }
        "ReduceProd" => over.iter().try_fold(x, |x, &axis| product(call, x, axis)),
        _ => call.summed(x, over, 1.0),
    }
}

fn squares(call: &mut Call<'_>, x: NodeId, over: &[usize]) -> Result<NodeId, Fault> {
    let square = call.times(x, x)?;
    call.summed(square, over, 1.0)
}

/// The product along an axis, by halves.
fn product(call: &mut Call<'_>, mut x: NodeId, axis: usize) -> Result<NodeId, Fault> {
    if call.shape(x)[axis] > FACTORS_MAX {
        return Err(Fault::Unsupported(format!("a product of more than {FACTORS_MAX} factors")));
    }
    loop {
        let length = call.shape(x)[axis];
        if length <= 1 {
            return Ok(x);
        }
        let half = length / 2;
        let (a, b) = (call.part(x, axis, (0, 1, half))?, call.part(x, axis, (half.into(), 1, half))?);
        let halves = call.times(a, b)?;
        x = if length % 2 == 1 {
            let last = call.part(x, axis, (i64::from(length) - 1, 1, 1))?;
            call.joined(&[halves, last], axis)?
        } else {
            halves
        };
    }
}
