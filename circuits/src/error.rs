//! What can go wrong, one variant for each fault, each naming the node, tensor or field.
use assay_verifier::circuit::CircuitError;
use thiserror::Error;

use crate::eval::EvalError;
use crate::onnx::ops::Fault;

/// Why a model file was refused.
#[derive(Debug, Error)]
pub enum ModelError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not the protobuf encoding of an ONNX model, or cut off.
    #[error("not an ONNX model: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// There is no graph in the file.
    #[error("the model has no graph")]
    NoGraph,
    /// The operator set is missing or out of range.
    #[error("operator set {0} is not within 7 to 21")]
    Opset(i64),
    /// The graph uses something of ONNX that has no counterpart here.
    #[error("the model uses {0}, which is not supported")]
    Feature(&'static str),
    /// Nodes depend on each other in a circle.
    #[error("node {node:?} depends on its own output")]
    Cycle {
        /// A node of the circle.
        node: String,
    },
    /// Two nodes or constants define one value.
    #[error("value {name:?} is defined twice")]
    DefinedTwice {
        /// Name of the value.
        name: String,
    },
    /// A node or output reads a value that nothing defines.
    #[error("{reader:?} reads value {name:?}, which nothing defines")]
    Undefined {
        /// Node or output that reads it.
        reader: String,
        /// Name of the value.
        name: String,
    },
    /// A constant is malformed.
    #[error("tensor {name:?}: {fault}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// What is wrong.
        fault: TensorFault,
    },
    /// An input's declaration cannot be compiled.
    #[error("input {name:?}: {fault}")]
    Input {
        /// Name of the input.
        name: String,
        /// What is wrong.
        fault: DeclarationFault,
    },
    /// The model has no inputs or no outputs.
    #[error("the model has no {0}")]
    Empty(&'static str),
    /// A node's inputs or attributes do not fit its operator.
    #[error("node {node:?} ({operator}): {fault}")]
    Node {
        /// Name of the node.
        node: String,
        /// Its operator.
        operator: String,
        /// What is wrong.
        fault: Fault,
    },
    /// The activations take too much memory.
    #[error("up to node {node:?} the model's activations have too many values")]
    TooLarge {
        /// The node with which the limit is passed.
        node: String,
    },
    /// An output has no values.
    #[error("output {name:?} is empty")]
    EmptyOutput {
        /// Name of the output.
        name: String,
    },
    /// Operators, or uses of them, that cannot be compiled; all of the model's at once.
    #[error("{} unsupported operators:{}", .0.len(), list(.0))]
    Unsupported(Vec<UnsupportedNode>),
}

/// A node that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedNode {
    /// Name of the node, or of its first output.
    pub node: String,
    /// Its operator.
    pub operator: String,
    /// Shapes of its inputs as far as they are known.
    pub shapes: Vec<Option<Vec<u32>>>,
    /// What is not supported about it.
    pub reason: String,
}

fn list(nodes: &[UnsupportedNode]) -> String {
    let shape = |shape: &Option<Vec<u32>>| shape.as_ref().map_or("?".into(), |dims| format!("{dims:?}"));
    nodes
        .iter()
        .map(|node| {
            let shapes: Vec<String> = node.shapes.iter().map(shape).collect();
            format!("\n  {} {:?} on {}: {}", node.operator, node.node, shapes.join(", "), node.reason)
        })
        .collect()
}

/// What is wrong with a constant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TensorFault {
    /// A dimension is negative or the product is too large.
    #[error("shape {0:?} is negative or too large")]
    Shape(Vec<i64>),
    /// The element type is not supported.
    #[error("element type {0} is not supported")]
    Type(i32),
    /// More or fewer values than the shape says.
    #[error("{actual} values or bytes where the shape asks for {expected}")]
    Length {
        /// What the shape asks for.
        expected: u64,
        /// What there is.
        actual: u64,
    },
    /// A value is not a number.
    #[error("the value at position {0} is not a number")]
    NotFinite(usize),
    /// The data lies in another file, which is not acceptable.
    #[error("external data: {0}")]
    External(#[from] ExternalFault),
}

/// What is wrong with data outside the model file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExternalFault {
    /// No location is given.
    #[error("no location")]
    NoLocation,
    /// The location leaves the model's folder.
    #[error("{0:?} is outside the model's folder")]
    Escapes(String),
    /// The file is missing or unreadable.
    #[error("cannot read {0:?}")]
    Missing(String),
    /// The file is shorter than the tensor's part of it.
    #[error("{0:?} is too short")]
    Short(String),
    /// Offset or length is not a number, or the length does not fit the shape.
    #[error("offset or length is wrong")]
    Extent,
}

/// What is wrong with an input's declaration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeclarationFault {
    /// No shape is declared.
    #[error("no shape is declared")]
    NoShape,
    /// A dimension other than the first is not a number.
    #[error("dimension {axis} is dynamic; only the first (the batch) may be")]
    Dynamic {
        /// Which axis.
        axis: usize,
    },
    /// A dimension is zero, negative or the shape is too large.
    #[error("the shape is empty or too large")]
    Shape,
    /// The element type is not one of real numbers, whole numbers or truth values.
    #[error("element type {0} is not supported")]
    Type(i32),
}

/// Why input values were refused.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum InputError {
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The kind of file is not known.
    #[error("{0}: expected .json, .npy or .npz")]
    Kind(String),
    /// The file is malformed.
    #[error("tensor {tensor:?}: {reason}")]
    Malformed {
        /// Name of the tensor, or of the file.
        tensor: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// An input of the model is not given.
    #[error("input {0:?} is missing")]
    Missing(String),
    /// A tensor that the model does not take.
    #[error("{0:?} is not an input of the model")]
    Unknown(String),
    /// The shape differs from the model's.
    #[error("input {input:?} has shape {actual:?}, the model takes {expected:?}")]
    Shape {
        /// Name of the input.
        input: String,
        /// The model's shape.
        expected: Vec<u32>,
        /// The given shape.
        actual: Vec<u32>,
    },
    /// A value is not a number or infinite.
    #[error("input {input:?}: the value at position {position} is not finite")]
    NotFinite {
        /// Name of the input.
        input: String,
        /// Row-major position.
        position: usize,
    },
    /// A value is outside the range that the circuit was calibrated for.
    #[error("input {input:?}: {value} at position {position} is outside the calibrated range {low} to {high}")]
    Range {
        /// Name of the input.
        input: String,
        /// Row-major position.
        position: usize,
        /// The value.
        value: f64,
        /// Smallest value that fits.
        low: f64,
        /// Largest value that fits.
        high: f64,
    },
    /// A value that is not of the input's type.
    #[error("input {input:?}: {value} at position {position} is not {expected}")]
    Type {
        /// Name of the input.
        input: String,
        /// Row-major position.
        position: usize,
        /// The value.
        value: f64,
        /// What the input takes.
        expected: &'static str,
    },
    /// A number that chooses a row which the table does not have.
    #[error("input {input:?}: {value} at position {position} chooses no row of a table of {rows}")]
    Row {
        /// Name of the input.
        input: String,
        /// Row-major position.
        position: usize,
        /// The value.
        value: f64,
        /// Number of rows of the smallest table that the input chooses from.
        rows: u32,
    },
    /// There are no samples.
    #[error("no samples")]
    Empty,
}

/// Why a model was not compiled.
#[derive(Debug, Error)]
pub enum CompileError {
    /// The model cannot be compiled.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The calibration inputs do not fit the model.
    #[error("calibration sample {sample}: {fault}")]
    Calibration {
        /// Which sample.
        sample: usize,
        /// What is wrong.
        fault: InputError,
    },
    /// Input values do not fit the compiled model.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The width is not one of 8, 12 and 16.
    #[error("{0} bits: choose 8, 12 or 16")]
    Bits(u8),
    /// The width of a pattern is not one that activations can have.
    #[error("{bits} bits for {pattern:?}: choose 8 to 16")]
    Width {
        /// The pattern.
        pattern: String,
        /// The width.
        bits: u8,
    },
    /// A pattern of names that no node's name matches.
    #[error("no node's name matches {pattern:?}")]
    Pattern {
        /// The pattern.
        pattern: String,
    },
    /// The batch is zero.
    #[error("the batch must be at least 1")]
    Batch,
    /// A value of the float model is not finite on the calibration inputs.
    #[error("{node:?} is not finite on the calibration inputs")]
    NotFinite {
        /// Which node.
        node: String,
    },
    /// A function has no value for some of the values that it was calibrated on.
    #[error("{node:?}: the values reach from {low} to {high}, where the function is not defined throughout")]
    Domain {
        /// Which node.
        node: String,
        /// Smallest value of the argument.
        low: f64,
        /// Largest value of the argument.
        high: f64,
    },
    /// The model divides by something that is zero on the calibration inputs, or changes its sign.
    #[error("{node:?} divides by values from {low} to {high} on the calibration inputs: zero is among them")]
    DivisionByZero {
        /// Which node.
        node: String,
        /// Smallest divisor.
        low: f64,
        /// Largest divisor.
        high: f64,
    },
    /// No choice of scales keeps the node within the bounds of the circuit.
    #[error("{node:?}: {reason}")]
    Range {
        /// Which node.
        node: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// The circuit is too large or breaks a rule of the description.
    #[error("the circuit is not valid: {0}")]
    Circuit(#[from] CircuitError),
    /// The circuit does not evaluate.
    #[error("the circuit does not evaluate: {0}")]
    Evaluation(#[from] EvalError),
}
