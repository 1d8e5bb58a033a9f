//! Operators with a constant second operand that may differ from cell to cell: `Pow`, `Mod`, `BitShift`, the bitwise
//! ones, division of integers. Cells with the same constant are computed together.
use super::broadcast::{Operands, operands};
use super::cast::truncated;
use super::index::NOTHING;
use super::{Call, Fault, Value};
use crate::graph::Element;
use crate::graph::{Bias, Combine, Function, Kind, NodeId, Primitive, Term, Whole, is_whole};
use crate::onnx::tensor::kind;
use crate::onnx::types;
use crate::tensor::elements;

/// Most different constants.
const CONSTANTS_MAX: usize = 64;
/// Largest exponent that is computed by products.
const PRODUCT_EXPONENT_MAX: f64 = 16.0;

/// What is computed of a tensor and one constant.
type With = fn(&mut Call<'_>, NodeId, f64) -> Result<NodeId, Fault>;

/// Applies `with` for each constant to the cells that have it.
fn each(call: &mut Call<'_>, with: With) -> Result<Vec<Value>, Fault> {
    let (Operands::ConstantRight(x, constant), dims) = operands(call)? else {
        return Err(Fault::Unsupported("a second operand that depends on the input".into()));
    };
    let x = if call.shape(x) == dims { x } else { call.spread(x, dims.clone())? };
    let mut different: Vec<f64> = Vec::new();
    for &value in &constant.values {
        if !different.contains(&value) {
            different.push(value);
        }
        if different.len() > CONSTANTS_MAX {
            return Err(Fault::Unsupported(format!("more than {CONSTANTS_MAX} different constants")));
        }
    }
    if let [value] = different[..] {
        return Ok(vec![Value::Node(with(call, x, value)?)]);
    }
    let Bias { over, values } = Bias::broadcast(&constant, &dims);
    let places = crate::graph::passes::places(&dims, &(0..dims.len()).collect::<Vec<_>>(), &over);
    let count = elements(&dims).unwrap_or(0);
    let mut terms = Vec::new();
    for value in different {
        let own: Vec<u32> = (0..count).filter(|&cell| values[places[cell]] == value).map(|cell| cell as u32).collect();
        let mut back = vec![NOTHING; count];
        for (place, &cell) in own.iter().enumerate() {
            back[cell as usize] = place as u32;
        }
        let length = own.len() as u32;
        let cells = call.picked(x, own, vec![length])?;
        let result = with(call, cells, value)?;
        terms.push(Term::Plain { factor: 1.0, view: call.picking(result, back, &dims)? });
    }
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}

/// `Mod`.
pub(super) fn modulo(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let truncating = call.attributes.flag("fmod", false)?;
    if call.is_whole(0) {
        return each(call, if truncating { remainder } else { floored });
    }
    if truncating { each(call, real_remainder) } else { Err(Fault::AttributeValue("fmod")) }
}

fn remainder(call: &mut Call<'_>, x: NodeId, constant: f64) -> Result<NodeId, Fault> {
    whole(call, x, Whole::Remainder, constant)
}

fn floored(call: &mut Call<'_>, x: NodeId, constant: f64) -> Result<NodeId, Fault> {
    whole(call, x, Whole::Modulo, constant)
}

/// `x - constant * trunc(x / constant)`.
fn real_remainder(call: &mut Call<'_>, x: NodeId, constant: f64) -> Result<NodeId, Fault> {
    if constant == 0.0 {
        return Err(Fault::InputValue(1));
    }
    let quotient = call.linear(&[(1.0 / constant, x)], 0.0)?;
    let quotient = truncated(call, quotient)?;
    call.linear(&[(1.0, x), (-constant, quotient)], 0.0)
}

/// The quotient of whole numbers, towards zero.
pub(super) fn quotient(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    each(call, |call, x, constant| whole(call, x, Whole::Quotient, constant))
}

fn whole(call: &mut Call<'_>, x: NodeId, function: Whole, constant: f64) -> Result<NodeId, Fault> {
    if !is_whole(constant) || constant == 0.0 {
        return Err(Fault::InputValue(1));
    }
    call.apply(x, Function::call(Primitive::Whole(function, constant as i64)))
}

/// `BitShift`.
pub(super) fn shift(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    match (call.attributes.word("direction", "")?, call.kind(0)) {
        ("RIGHT", _) => each(call, |call, x, by| bits(call, x, Whole::Right, by)),
        ("LEFT", kind::UINT8) => each(call, |call, x, by| bits(call, x, Whole::Left8, by)),
        ("LEFT", kind::UINT16) => each(call, |call, x, by| bits(call, x, Whole::Left16, by)),
        // Wider types are taken as wide enough.
        ("LEFT", _) => each(call, |call, x, by| call.linear(&[(libm::exp2(by), x)], 0.0)),
        _ => Err(Fault::AttributeValue("direction")),
    }
}

/// `BitwiseAnd`, `BitwiseOr` and `BitwiseXor`.
pub(super) fn bitwise(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    match call.operator {
        "BitwiseAnd" => each(call, |call, x, mask| bits(call, x, Whole::And, mask)),
        "BitwiseOr" => each(call, |call, x, mask| bits(call, x, Whole::Or, mask)),
        _ => each(call, |call, x, mask| bits(call, x, Whole::Xor, mask)),
    }
}

fn bits(call: &mut Call<'_>, x: NodeId, function: Whole, constant: f64) -> Result<NodeId, Fault> {
    if !is_whole(constant) {
        return Err(Fault::InputValue(1));
    }
    call.apply(x, Function::call(Primitive::Whole(function, constant as i64)))
}

/// `BitwiseNot`: the distance to the largest value, or to -1.
pub(super) fn complement(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let Some(Element::Whole { low, high }) = types::element(call.kind(0)) else {
        return Err(Fault::Unsupported("bits of real numbers".into()));
    };
    let all = if low < 0 { -1.0 } else { high as f64 };
    Ok(vec![Value::Node(call.linear(&[(-1.0, x)], all)?)])
}

/// `Pow`: by products for small whole exponents, by tables for others; a constant base by a table too.
pub(super) fn power(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    if let (Value::Constant(base), Value::Node(x)) = (call.value(0)?.clone(), call.value(1)?.clone()) {
        let base = base.single().filter(|&base| base > 0.0);
        let base = base.ok_or_else(|| Fault::Unsupported("bases that differ or are not positive".into()))?;
        return Ok(vec![Value::Node(call.apply(x, Function::call(Primitive::Exponential(base)))?)]);
    }
    let result = each(call, one_power)?;
    match (call.is_whole(0), result[..].first().cloned()) {
        (true, Some(Value::Node(node))) if !call.is_whole(1) => Ok(vec![Value::Node(truncated(call, node)?)]),
        _ => Ok(result),
    }
}

fn one_power(call: &mut Call<'_>, x: NodeId, exponent: f64) -> Result<NodeId, Fault> {
    if exponent == 1.0 {
        return Ok(x);
    }
    let by_products = exponent == 2.0 || call.is_whole(0);
    if !by_products || !is_whole(exponent) || !(1.0..=PRODUCT_EXPONENT_MAX).contains(&exponent) {
        return call.apply(x, Function::call(Primitive::Power(exponent)));
    }
    // By squares: the bits of the exponent from the second highest on.
    let exponent = exponent as u32;
    let mut result = x;
    for bit in (0..exponent.ilog2()).rev() {
        result = call.times(result, result)?;
        if exponent >> bit & 1 == 1 {
            result = call.times(result, x)?;
        }
    }
    Ok(result)
}
