//! The operators: how each becomes nodes of the float graph. One operator, one file.
//!
//! To add one, write `import` in a new file and name it in [`find`].
mod add;
mod arg;
mod average_pool;
mod batch_normalization;
mod broadcast;
mod build;
mod by_constant;
mod cast;
mod clip;
mod compare;
mod concat;
mod constant;
mod contraction;
mod control;
mod conv;
mod conv_transpose;
mod cum_sum;
mod div;
mod einsum;
mod embedding;
mod expand;
mod extremum;
mod flatten;
mod gather;
mod gemm;
mod generate;
mod geometry;
mod global_pool;
mod group_normalization;
mod identity;
mod index;
mod instance_normalization;
mod layer_normalization;
mod lp;
mod lp_normalization;
mod matmul;
mod max_pool;
mod mean_variance_normalization;
mod mul;
mod normalization;
mod one_hot;
mod pad;
mod prelu;
mod quantize_linear;
mod quantized_layers;
mod rearrange;
mod recurrent;
mod reduce;
mod reshape;
mod resize;
mod scatter;
mod select;
mod shape;
mod signal;
mod slice;
mod softmax;
mod split;
mod squeeze;
mod sub;
mod top_k;
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
    let all = [layers, elementwise, unary::find, movement, constants_and_control];
    all.into_iter().find_map(|find| find(operator))
}

/// Layers, pools and reductions.
fn layers(operator: &str) -> Option<Import> {
    Some(match operator {
        "AffineGrid" => geometry::affine_grid,
        "ArgMax" | "ArgMin" => arg::import,
        "AveragePool" => average_pool::import,
        "BatchNormalization" => batch_normalization::import,
        "Col2Im" => geometry::col2im,
        "Conv" => conv::import,
        "ConvInteger" => quantized_layers::conv_integer,
        "ConvTranspose" => conv_transpose::import,
        "CumSum" => cum_sum::import,
        "DFT" => signal::dft,
        "Det" => geometry::determinant,
        "Gemm" => gemm::import,
        "GlobalAveragePool" | "GlobalMaxPool" => global_pool::import,
        "GRU" | "LSTM" | "RNN" => recurrent::import,
        "Hardmax" => arg::hardmax,
        "LRN" => lp::lrn,
        "LpPool" | "GlobalLpPool" => lp::import,
        "Einsum" => einsum::import,
        "GroupNormalization" => group_normalization::import,
        "InstanceNormalization" => instance_normalization::import,
        "LayerNormalization" | "SimplifiedLayerNormalization" => layer_normalization::import,
        "LogSoftmax" | "Softmax" => softmax::import,
        "LpNormalization" => lp_normalization::import,
        "MatMul" => matmul::import,
        "MatMulInteger" => quantized_layers::matmul_integer,
        "MaxPool" => max_pool::import,
        "QLinearConv" => quantized_layers::q_linear_conv,
        "QLinearMatMul" => quantized_layers::q_linear_matmul,
        "ReduceL1" | "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceMax" | "ReduceMean" | "ReduceMin"
        | "ReduceProd" | "ReduceSum" | "ReduceSumSquare" => reduce::import,
        "MeanVarianceNormalization" => mean_variance_normalization::import,
        "STFT" => signal::stft,
        "TopK" => top_k::import,
        _ => return None,
    })
}

/// Operators cell by cell on several tensors or with constants.
fn elementwise(operator: &str) -> Option<Import> {
    Some(match operator {
        "Add" => add::import,
        "And" | "Not" | "Or" | "Xor" => compare::logic,
        "BitShift" => by_constant::shift,
        "BitwiseAnd" | "BitwiseOr" | "BitwiseXor" => by_constant::bitwise,
        "BitwiseNot" => by_constant::complement,
        "Cast" | "CastLike" => cast::import,
        "Clip" => clip::import,
        "DequantizeLinear" => quantize_linear::dequantize,
        "Div" => div::import,
        "DynamicQuantizeLinear" => quantize_linear::dynamic,
        "Dropout" | "Identity" => identity::import,
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => compare::import,
        "IsInf" | "IsNaN" => compare::never,
        "Max" | "Mean" | "Min" | "Sum" => extremum::import,
        "Mod" => by_constant::modulo,
        "Mul" => mul::import,
        "PRelu" => prelu::import,
        "Pow" => by_constant::power,
        "QuantizeLinear" => quantize_linear::quantize,
        "Sub" => sub::import,
        "Where" => select::import,
        _ => return None,
    })
}

/// Operators that move, repeat or drop cells.
fn movement(operator: &str) -> Option<Import> {
    Some(match operator {
        "CenterCropPad" => rearrange::center_crop_pad,
        "Compress" => rearrange::compress,
        "Concat" => concat::import,
        "DepthToSpace" | "SpaceToDepth" => rearrange::blocks,
        "Expand" => expand::expand,
        "Flatten" => flatten::import,
        "Gather" => gather::import,
        "GatherElements" => gather::elements_along,
        "GatherND" => gather::by_tuples,
        "OneHot" => one_hot::import,
        "Pad" => pad::import,
        "Reshape" => reshape::import,
        "Resize" | "Upsample" => resize::import,
        "ReverseSequence" => rearrange::reverse_sequence,
        "Scatter" | "ScatterElements" | "ScatterND" => scatter::import,
        "Slice" => slice::import,
        "Split" => split::import,
        "Squeeze" => squeeze::import,
        "Tile" => expand::tile,
        "Transpose" => transpose::import,
        "Trilu" => rearrange::trilu,
        "Unsqueeze" => unsqueeze::import,
        _ => return None,
    })
}

/// Constants, shapes and bodies.
fn constants_and_control(operator: &str) -> Option<Import> {
    Some(match operator {
        "BlackmanWindow" | "HammingWindow" | "HannWindow" => signal::window,
        "Constant" => constant::import,
        "ConstantOfShape" => generate::constant_of_shape,
        "EyeLike" => generate::eye_like,
        "If" => control::branch,
        "Loop" => control::repeat,
        "MelWeightMatrix" => signal::mel,
        "NonZero" => generate::non_zero,
        "Range" => generate::range,
        "Scan" => control::scan,
        "Shape" | "Size" => shape::import,
        _ => return None,
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
