//! Comparisons and logic: truth values are 0 and 1, and every comparison is the sign of a difference.
use super::broadcast::{Operands, add_constant, operands, sum};
use super::{Call, Fault, Value};
use crate::graph::{Function, Kind, NodeId, Primitive};

/// `Equal`, `Less`, `Greater` and those with equality.
pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let result = match call.operator {
        "Less" => less(call)?,
        "Greater" => greater(call)?,
        "LessOrEqual" => {
            let greater = greater(call)?;
            not(call, greater)?
        }
        "GreaterOrEqual" => {
            let less = less(call)?;
            not(call, less)?
        }
        _ => {
            let (less, greater) = (less(call)?, greater(call)?);
            call.linear(&[(-1.0, less), (-1.0, greater)], 1.0)?
        }
    };
    Ok(vec![Value::Node(result)])
}

/// `And`, `Or`, `Xor` and `Not`.
pub(super) fn logic(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let a = call.node(0)?;
    if call.operator == "Not" {
        return Ok(vec![Value::Node(not(call, a)?)]);
    }
    let b = call.node(1)?;
    let result = match call.operator {
        "And" => {
            let both = call.linear(&[(1.0, a), (1.0, b)], -1.0)?;
            call.step(both)?
        }
        "Or" => {
            let any = call.linear(&[(1.0, a), (1.0, b)], 0.0)?;
            call.step(any)?
        }
        _ => {
            let more = call.linear(&[(1.0, a), (-1.0, b)], 0.0)?;
            call.apply(more, Function::call(Primitive::Abs))?
        }
    };
    Ok(vec![Value::Node(result)])
}

/// `1 - x`.
pub(super) fn not(call: &mut Call<'_>, x: NodeId) -> Result<NodeId, Fault> {
    call.linear(&[(-1.0, x)], 1.0)
}

fn less(call: &mut Call<'_>) -> Result<NodeId, Fault> {
    positive(call, -1.0)
}

fn greater(call: &mut Call<'_>) -> Result<NodeId, Fault> {
    positive(call, 1.0)
}

/// Where `sign * (a - b)` is positive.
fn positive(call: &mut Call<'_>, sign: f64) -> Result<NodeId, Fault> {
    let (operands, dims) = operands(call)?;
    let difference = match operands {
        Operands::Nodes(a, b) => sum(call, [(sign, a), (-sign, b)], dims)?,
        Operands::ConstantRight(x, c) => add_constant(call, (sign, x), (-sign, &c), dims)?,
        Operands::ConstantLeft(c, x) => add_constant(call, (-sign, x), (sign, &c), dims)?,
    };
    match difference[..] {
        [Value::Node(difference)] => call.step(difference),
        _ => Err(Fault::MissingInput(0)),
    }
}

/// `IsNaN` and `IsInf`: numbers of a circuit are finite.
pub(super) fn never(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let dims = call.dims(0)?;
    let count = crate::tensor::elements(&dims).ok_or_else(|| Fault::Size(dims.clone()))?;
    call.result(dims, Kind::Constant(vec![0.0; count]))
}
