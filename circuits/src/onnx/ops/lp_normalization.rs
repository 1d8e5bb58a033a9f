//! `LpNormalization` by the Euclidean norm (`x / sqrt(sum of squares)`) or the sum of magnitudes.
use super::normalization::normalized;
use super::{Call, Fault, Value, axis};
use crate::graph::{Function, Kind, Primitive, broadcast, identity, reduction};

/// Added to the mean of the squares, so that a vector of zeros stays one.
const EPSILON: f64 = 1e-24;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let dims = call.dims(0)?;
    let along = axis(call.attributes.int("axis", -1)?, dims.len())?;
    match call.attributes.int("p", 2)? {
        1 => {
            let function = Function::call(Primitive::Abs);
            let magnitudes = call.add(dims.clone(), Kind::Function { source: x, function })?;
            let view = reduction(magnitudes, &dims, &[along]);
            let norms = call.add(view.axes.clone(), Kind::plain(1.0, view))?;
            let denominator = broadcast(norms, &call.graph.node(norms).dims, &dims);
            let numerator = identity(x, &dims);
            call.result(dims, Kind::Divide { numerator, denominator })
        }
        2 => {
            let factor = 1.0 / libm::sqrt(f64::from(dims[along]));
            let node = normalized(call, x, vec![along], false, EPSILON)?;
            let view = identity(node, &dims);
            call.result(dims, Kind::plain(factor, view))
        }
        _ => Err(Fault::AttributeValue("p")),
    }
}
