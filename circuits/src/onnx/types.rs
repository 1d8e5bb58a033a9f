//! Element types of a node's outputs.
use super::attribute::Attributes;
use super::tensor::kind;
use crate::graph::Element;

/// What an element type means for the circuit; nothing if it has no counterpart.
pub fn element(data_type: i32) -> Option<Element> {
    Some(match data_type {
        kind::FLOAT | kind::FLOAT16 | kind::BFLOAT16 | kind::DOUBLE => Element::Real,
        kind::BOOL => Element::BOOLEAN,
        kind::UINT8 => Element::integer(8, false),
        kind::INT8 => Element::integer(8, true),
        kind::UINT16 => Element::integer(16, false),
        kind::INT16 => Element::integer(16, true),
        kind::UINT32 => Element::integer(32, false),
        kind::INT32 => Element::integer(32, true),
        kind::UINT64 => Element::integer(64, false),
        kind::INT64 => Element::integer(64, true),
        _ => return None,
    })
}

/// The element type of one output of a node; `inputs` are those of its inputs.
pub fn output(operator: &str, attributes: Attributes<'_>, inputs: &[i32], output: usize) -> i32 {
    let input = |place: usize| inputs.get(place).copied().filter(|&kind| kind != 0);
    let attribute =
        |name: &str| attributes.find(name).and_then(|found| found.i).and_then(|value| i32::try_from(value).ok());
    let tensor = |name: &str| attributes.find(name).and_then(|found| found.t.as_ref()).map(|tensor| tensor.data_type);
    let first = input(0).unwrap_or(kind::FLOAT);
    match operator {
        "Equal" | "Less" | "Greater" | "LessOrEqual" | "GreaterOrEqual" | "And" | "Or" | "Xor" | "Not" | "IsNaN"
        | "IsInf" => kind::BOOL,
        "Shape" | "Size" | "ArgMax" | "ArgMin" | "NonZero" => kind::INT64,
        "TopK" | "MaxPool" if output == 1 => kind::INT64,
        "Cast" => attribute("to").unwrap_or(first),
        "CastLike" | "Where" => input(1).unwrap_or(first),
        "Constant" if attributes.find("value").is_some() => tensor("value").unwrap_or(kind::FLOAT),
        "Constant" if attributes.find("value_int").is_some() || attributes.find("value_ints").is_some() => kind::INT64,
        "ConstantOfShape" => tensor("value").unwrap_or(kind::FLOAT),
        "EyeLike" => attribute("dtype").unwrap_or(first),
        "OneHot" => input(2).unwrap_or(first),
        "QuantizeLinear" => input(2).or(attribute("output_dtype").filter(|&to| to != 0)).unwrap_or(kind::UINT8),
        "DequantizeLinear" => input(1).unwrap_or(kind::FLOAT),
        "QLinearConv" | "QLinearMatMul" => input(7).unwrap_or(first),
        "ConvInteger" | "MatMulInteger" => kind::INT32,
        "BlackmanWindow" | "HammingWindow" | "HannWindow" => attribute("output_datatype").unwrap_or(kind::FLOAT),
        "Dropout" if output == 1 => kind::BOOL,
        _ => first,
    }
}
