//! `Pow` by a constant.
use super::broadcast::{Operands, operands, product};
use super::{Call, Fault, Value};
use crate::graph::{Function, Kind, Primitive};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let (Operands::ConstantRight(x, exponent), dims) = operands(call)? else {
        return Err(Fault::Unsupported("the exponent is not a constant".into()));
    };
    let first = exponent.values.first().copied().ok_or(Fault::InputValue(1))?;
    if exponent.values.iter().any(|&value| value != first) {
        return Err(Fault::Unsupported("exponents that differ".into()));
    }
    if call.graph.node(x).dims != dims {
        return Err(Fault::Unsupported("an exponent that broadcasts the base".into()));
    }
    if first == 1.0 {
        return Ok(vec![Value::Node(x)]);
    }
    if first == 2.0 {
        return product(call, [x, x], dims);
    }
    call.result(dims, Kind::Function { source: x, function: Function::call(Primitive::Power(first)) })
}
