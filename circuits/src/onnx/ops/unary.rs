//! Functions of one tensor, cell by cell, that differ only in the function.
use super::{Call, Fault, Import, Value};
use crate::graph::{Function, Kind, Library, Primitive, identity};

/// The import of a function.
pub(super) fn find(operator: &str) -> Option<Import> {
    Some(match operator {
        "Abs" => |call| apply(call, Function::call(Primitive::Abs)),
        "Elu" => |call| {
            let alpha = call.attributes.float("alpha", 1.0)?;
            apply(call, Function::call(Primitive::Elu(alpha)))
        },
        "Erf" => |call| apply(call, Function::call(Primitive::Erf)),
        "Gelu" => gelu,
        "HardSigmoid" => |call| {
            let (alpha, beta) = (call.attributes.float("alpha", 0.2)?, call.attributes.float("beta", 0.5)?);
            apply(call, hard_sigmoid(alpha, beta))
        },
        "HardSwish" => |call| apply(call, Function::gated(hard_sigmoid(1.0 / 6.0, 0.5))),
        "LeakyRelu" => |call| {
            let slope = call.attributes.float("alpha", 0.01)?;
            apply(call, Function::call(Primitive::LeakyRelu(slope)))
        },
        "Neg" => neg,
        "Relu" => |call| apply(call, Function::call(Primitive::Relu)),
        "Sigmoid" => |call| apply(call, Function::call(Primitive::Sigmoid)),
        "Softplus" => |call| apply(call, Function::call(Primitive::Softplus)),
        "Tanh" => |call| apply(call, Function::call(Primitive::Library(Library::Tanh))),
        _ => return None,
    })
}

fn apply(call: &mut Call<'_>, function: Function) -> Result<Vec<Value>, Fault> {
    let source = call.node(0)?;
    let dims = call.dims(0)?;
    call.result(dims, Kind::Function { source, function })
}

fn neg(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let source = call.node(0)?;
    let dims = call.dims(0)?;
    call.result(dims.clone(), Kind::plain(-1.0, identity(source, &dims)))
}

/// `clip(alpha * x + beta, 0, 1)`.
fn hard_sigmoid(alpha: f64, beta: f64) -> Function {
    Function::Call(Primitive::Clip(0.0, 1.0), Box::new(Function::affine(alpha, beta)))
}

/// `x/2 * (1 + erf(x / sqrt 2))`, or its approximation by the hyperbolic tangent.
fn gelu(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let gate = match call.attributes.word("approximate", "none")? {
        "none" => Function::Call(Primitive::Erf, Box::new(Function::affine(core::f64::consts::FRAC_1_SQRT_2, 0.0))),
        "tanh" => {
            // sqrt(2 / pi) * (x + 0.044715 x^3)
            let factor = core::f64::consts::FRAC_2_SQRT_PI * core::f64::consts::FRAC_1_SQRT_2;
            let cube =
                Function::Product(vec![Function::Constant(0.044715 * factor), Function::call(Primitive::Power(3.0))]);
            let inner = Function::Sum(vec![Function::affine(factor, 0.0), cube]);
            Function::Call(Primitive::Library(Library::Tanh), Box::new(inner))
        }
        _ => return Err(Fault::AttributeValue("approximate")),
    };
    let half = Function::Product(vec![Function::Constant(0.5), Function::Sum(vec![gate, Function::Constant(1.0)])]);
    apply(call, Function::gated(half))
}
