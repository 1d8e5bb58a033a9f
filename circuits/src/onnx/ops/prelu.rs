//! `PRelu`: one slope is a table, a slope per channel is `slope * x + (1 - slope) * relu(x)`.
use super::broadcast::common;
use super::{Call, Fault, Value};
use crate::graph::{Bias, Combine, Function, Kind, Primitive, Term, identity};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let slope = call.constant(1)?.clone();
    let dims = call.dims(0)?;
    if common(&dims, &slope.dims)? != dims {
        return Err(Fault::Shapes(vec![dims, slope.dims]));
    }
    if let Some(slope) = slope.single() {
        let function = Function::call(Primitive::LeakyRelu(slope));
        return call.result(dims, Kind::Function { source: x, function });
    }
    let relu = call.add(dims.clone(), Kind::Function { source: x, function: Function::call(Primitive::Relu) })?;
    let Bias { over, values } = Bias::broadcast(&slope, &dims);
    let rest = values.iter().map(|slope| 1.0 - slope).collect();
    let terms = vec![
        Term::Weighted { over: over.clone(), weights: values, view: identity(x, &dims) },
        Term::Weighted { over, weights: rest, view: identity(relu, &dims) },
    ];
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}
