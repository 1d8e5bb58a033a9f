//! The operators: how each becomes nodes of the float graph. One operator, one file.
//!
//! To add one, write `import` in a new file and name it in [`find`].
mod add;
mod average_pool;
mod batch_normalization;
mod broadcast;
mod cast;
mod clip;
mod concat;
mod constant;
mod contraction;
mod conv;
mod div;
mod einsum;
mod flatten;
mod gather;
mod gemm;
mod global_pool;
mod group_normalization;
mod identity;
mod instance_normalization;
mod layer_normalization;
mod lp_normalization;
mod matmul;
mod max_pool;
mod mean_variance_normalization;
mod mul;
mod normalization;
mod pad;
mod pow;
mod prelu;
mod reduce;
mod reshape;
mod select;
mod slice;
mod softmax;
mod split;
mod squeeze;
mod sub;
mod transpose;
mod unary;
mod unsqueeze;
mod window;

use thiserror::Error;

pub use super::call::{Call, Value};

/// Imports one node: adds to the graph and returns what the node's outputs stand for.
pub type Import = fn(&mut Call<'_>) -> Result<Vec<Value>, Fault>;

/// What is wrong with a node.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// This use of the operator cannot be compiled.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// An input is missing.
    #[error("input {0} is missing")]
    MissingInput(usize),
    /// An attribute that must be given is not.
    #[error("attribute {0:?} is missing")]
    MissingAttribute(&'static str),
    /// An attribute is of another type.
    #[error("attribute {0:?} is of the wrong type")]
    AttributeType(&'static str),
    /// An attribute has an impossible value.
    #[error("attribute {0:?} has an impossible value")]
    AttributeValue(&'static str),
    /// A constant input has an impossible value.
    #[error("input {0} has an impossible value")]
    InputValue(usize),
    /// Shapes do not fit each other.
    #[error("shapes {0:?} do not fit the operator")]
    Shapes(Vec<Vec<u32>>),
    /// An axis that the tensor does not have.
    #[error("axis {0} does not exist")]
    Axis(i64),
    /// The result is empty or too large.
    #[error("the result's shape {0:?} is empty or too large")]
    Size(Vec<u32>),
    /// A computation on constants has no finite result.
    #[error("a value computed from constants is not finite")]
    NotFinite,
}

/// The operator's import, if it is supported.
pub fn find(domain: &str, operator: &str) -> Option<Import> {
    if !domain.is_empty() && domain != "ai.onnx" {
        return None;
    }
    Some(match operator {
        "Add" => add::import,
        "AveragePool" => average_pool::import,
        "BatchNormalization" => batch_normalization::import,
        "Cast" => cast::import,
        "Clip" => clip::import,
        "Concat" => concat::import,
        "Constant" => constant::import,
        "Conv" => conv::import,
        "Div" => div::import,
        "Dropout" | "Identity" => identity::import,
        "Einsum" => einsum::import,
        "Flatten" => flatten::import,
        "Gather" => gather::import,
        "Gemm" => gemm::import,
        "GlobalAveragePool" | "GlobalMaxPool" => global_pool::import,
        "GroupNormalization" => group_normalization::import,
        "InstanceNormalization" => instance_normalization::import,
        "LayerNormalization" | "SimplifiedLayerNormalization" => layer_normalization::import,
        "LogSoftmax" | "Softmax" => softmax::import,
        "LpNormalization" => lp_normalization::import,
        "MatMul" => matmul::import,
        "MaxPool" => max_pool::import,
        "MeanVarianceNormalization" => mean_variance_normalization::import,
        "Mul" => mul::import,
        "PRelu" => prelu::import,
        "Pad" => pad::import,
        "Pow" => pow::import,
        "ReduceMean" | "ReduceSum" => reduce::import,
        "Reshape" => reshape::import,
        "Slice" => slice::import,
        "Split" => split::import,
        "Squeeze" => squeeze::import,
        "Sub" => sub::import,
        "Transpose" => transpose::import,
        "Unsqueeze" => unsqueeze::import,
        "Where" => select::import,
        _ => return unary::find(operator),
    })
}

/// Whether the operator works cell by cell on its first input.
pub fn is_elementwise(operator: &str) -> bool {
    const OTHERS: [&str; 10] = ["Add", "Cast", "Clip", "Div", "Dropout", "Identity", "Mul", "PRelu", "Pow", "Sub"];
    OTHERS.contains(&operator) || unary::find(operator).is_some()
}

/// An axis counted from the front, or from the back if negative.
pub(super) fn axis(value: i64, rank: usize) -> Result<usize, Fault> {
    let rank = rank as i64;
    if (-rank..rank).contains(&value) { Ok(value.rem_euclid(rank) as usize) } else { Err(Fault::Axis(value)) }
}

/// Distinct axes, ascending.
pub(super) fn axes(values: &[i64], rank: usize) -> Result<Vec<usize>, Fault> {
    let mut all = values.iter().map(|&value| axis(value, rank)).collect::<Result<Vec<_>, _>>()?;
    all.sort_unstable();
    match all.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Fault::Axis(pair[0] as i64)),
        None => Ok(all),
    }
}
