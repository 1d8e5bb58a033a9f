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
        "Celu" => |call| {
            let alpha = call.attributes.float("alpha", 1.0)?;
            let inner = Function::Call(Primitive::Elu(1.0), Box::new(Function::affine(1.0 / alpha, 0.0)));
            apply(call, Function::Product(vec![Function::Constant(alpha), inner]))
        },
        "Ceil" => ceil,
        "Floor" => |call| apply(call, Function::call(Primitive::Floor)),
        "Mish" => |call| {
            let inner =
                Function::Call(Primitive::Library(Library::Tanh), Box::new(Function::call(Primitive::Softplus)));
            apply(call, Function::gated(inner))
        },
        "Reciprocal" => |call| apply(call, Function::call(Primitive::Power(-1.0))),
        "Round" => |call| apply(call, Function::call(Primitive::Round(f64::NEG_INFINITY, f64::INFINITY))),
        "Selu" => |call| {
            let alpha = call.attributes.float("alpha", 1.673_263_192_176_818_8)?;
            let gamma = call.attributes.float("gamma", 1.050_701_022_148_132_3)?;
            let inner = Function::call(Primitive::Elu(alpha));
            apply(call, Function::Product(vec![Function::Constant(gamma), inner]))
        },
        "Shrink" => shrink,
        "Sign" => sign,
        "Softsign" => |call| apply(call, softsign()),
        "Sqrt" => |call| apply(call, Function::call(Primitive::Power(0.5))),
        "ThresholdedRelu" => thresholded,
        _ => return library(operator),
    })
}

/// Functions of the mathematical library.
fn library(operator: &str) -> Option<Import> {
    macro_rules! named {
        ($($name:literal => $function:ident),*) => {
            match operator {
                $($name => |call| apply(call, Function::call(Primitive::Library(Library::$function))),)*
                _ => return None,
            }
        };
    }
    Some(named! {
        "Exp" => Exp, "Log" => Log, "Sin" => Sin, "Cos" => Cos, "Tan" => Tan, "Asin" => Asin, "Acos" => Acos,
        "Atan" => Atan, "Sinh" => Sinh, "Cosh" => Cosh, "Tanh" => Tanh, "Asinh" => Asinh, "Acosh" => Acosh,
        "Atanh" => Atanh
    })
}

/// `x / (1 + |x|)`.
pub(super) fn softsign() -> Function {
    let size = Function::Sum(vec![Function::call(Primitive::Abs), Function::Constant(1.0)]);
    Function::gated(Function::Call(Primitive::Power(-1.0), Box::new(size)))
}

/// `-floor(-x)`.
fn ceil(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let negative = call.linear(&[(-1.0, x)], 0.0)?;
    let floor = call.apply(negative, Function::call(Primitive::Floor))?;
    Ok(vec![Value::Node(call.linear(&[(-1.0, floor)], 0.0)?)])
}

/// One for positive cells minus one for negative ones.
fn sign(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let negative = call.linear(&[(-1.0, x)], 0.0)?;
    let (above, below) = (call.step(x)?, call.step(negative)?);
    Ok(vec![Value::Node(call.linear(&[(1.0, above), (-1.0, below)], 0.0)?)])
}

/// `x` where it is above the threshold: a jump, which a table would move.
fn thresholded(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let alpha = call.attributes.float("alpha", 1.0)?;
    let above = call.linear(&[(1.0, x)], -alpha)?;
    let above = call.step(above)?;
    Ok(vec![Value::Node(call.times(x, above)?)])
}

/// `x` moved towards zero where it is outside a band, zero within.
fn shrink(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let (bias, lambda) = (call.attributes.float("bias", 0.0)?, call.attributes.float("lambd", 0.5)?);
    let mut parts = Vec::new();
    for sign in [1.0, -1.0] {
        let outside = call.linear(&[(sign, x)], -lambda)?;
        let outside = call.step(outside)?;
        let moved = call.linear(&[(1.0, x)], -sign * bias)?;
        parts.push((1.0, call.times(moved, outside)?));
    }
    Ok(vec![Value::Node(call.linear(&parts, 0.0)?)])
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
pub(super) fn hard_sigmoid(alpha: f64, beta: f64) -> Function {
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
