//! `Div`.
use super::broadcast::{Operands, operands, scale};
use super::{Call, Fault, Value, by_constant};
use crate::graph::{Function, Kind, Primitive, broadcast};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    if call.is_whole(0) && matches!(call.value(1)?, Value::Constant(_)) {
        return by_constant::quotient(call);
    }
    if call.is_whole(0) && matches!((call.value(0)?, call.value(1)?), (_, Value::Node(_))) {
        return Err(Fault::Unsupported("a quotient of integers whose divisor depends on the input".into()));
    }
    match operands(call)? {
        (Operands::ConstantRight(x, mut divisor), dims) => {
            divisor.values.iter_mut().for_each(|value| *value = 1.0 / *value);
            if divisor.values.iter().any(|value| !value.is_finite()) {
                return Err(Fault::InputValue(1));
            }
            scale(call, x, &divisor, dims)
        }
        (Operands::ConstantLeft(dividend, x), dims) => {
            let function = Function::call(Primitive::Power(-1.0));
            let inverse = call.add(call.graph.node(x).dims.clone(), Kind::Function { source: x, function })?;
            if dividend.single() == Some(1.0) && call.graph.node(inverse).dims == dims {
                return Ok(vec![Value::Node(inverse)]);
            }
            scale(call, inverse, &dividend, dims)
        }
        (Operands::Nodes(a, b), dims) => {
            let view = |x| broadcast(x, &call.graph.node(x).dims, &dims);
            let (numerator, denominator) = (view(a), view(b));
            call.result(dims, Kind::Divide { numerator, denominator })
        }
    }
}
