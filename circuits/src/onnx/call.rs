//! A node while it is imported: its inputs, its attributes, and the graph that it adds to.
use super::attribute::Attributes;
use super::ops::Fault;
use super::scope::{Scope, Typed};
use super::types;
use crate::graph::{Element, Graph, Kind, NodeId, Term, View};
use crate::tensor::{Tensor, elements};

/// Most values that all activations of a model may have together; circuits have a limit of their own, below this.
pub const CELLS_MAX: u64 = 1 << 26;
/// Most cells that one node may read. Circuits read fewer; this keeps a small file from asking for hours of sums.
const READS_MAX: u64 = 1 << 30;

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Value {
    /// A tensor that depends on the model's inputs.
    Node(NodeId),
    /// A constant.
    Constant(Tensor),
}

/// A node while it is imported.
pub struct Call<'a> {
    /// Operator set of the model.
    pub opset: i64,
    /// Operator.
    pub operator: &'a str,
    /// Name for the nodes that are added.
    pub name: &'a str,
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Number of outputs that the node names.
    pub outputs: usize,
    /// ONNX's numbers of the inputs' element types; 0 where there is no input.
    pub(super) kinds: Vec<i32>,
    /// Element types of the results, where the operator says them itself.
    pub(super) result_kinds: Option<Vec<i32>>,
    /// Names that bodies may read.
    pub(super) scope: &'a Scope<'a>,
    pub(super) inputs: Vec<Option<Value>>,
    pub(super) graph: &'a mut Graph,
}

impl Call<'_> {
    /// Number of inputs.
    pub fn input_count(&self) -> usize {
        self.inputs.len()
    }

    /// ONNX's number of an input's element type; 0 if there is no such input.
    pub fn kind(&self, input: usize) -> i32 {
        self.kinds.get(input).copied().unwrap_or_default()
    }

    /// Whether an input holds whole numbers (or truth values).
    pub fn is_whole(&self, input: usize) -> bool {
        types::element(self.kind(input)).is_some_and(Element::is_whole)
    }

    /// An input with its element type.
    ///
    /// # Errors
    /// It is missing.
    pub fn typed(&self, input: usize) -> Result<Typed, Fault> {
        Ok(Typed { value: self.value(input)?.clone(), kind: self.kind(input) })
    }

    /// Whether the input is given.
    pub fn has(&self, input: usize) -> bool {
        self.inputs.get(input).is_some_and(Option::is_some)
    }

    /// The input.
    ///
    /// # Errors
    /// It is missing.
    pub fn value(&self, input: usize) -> Result<&Value, Fault> {
        self.inputs.get(input).and_then(Option::as_ref).ok_or(Fault::MissingInput(input))
    }

    /// The input as a node of the graph; constants become one.
    ///
    /// # Errors
    /// It is missing.
    pub fn node(&mut self, input: usize) -> Result<NodeId, Fault> {
        match self.value(input)?.clone() {
            Value::Node(node) => Ok(node),
            Value::Constant(tensor) => Ok(self.graph.add(self.name, tensor.dims, Kind::Constant(tensor.values))),
        }
    }

    /// The input, which must be a constant.
    ///
    /// # Errors
    /// It is missing or depends on the model's inputs.
    pub fn constant(&self, input: usize) -> Result<&Tensor, Fault> {
        match self.value(input)? {
            Value::Constant(tensor) => Ok(tensor),
            Value::Node(_) => Err(Fault::Unsupported(format!("input {input} is not a constant"))),
        }
    }

    /// The input, which must be a constant if it is given.
    ///
    /// # Errors
    /// It depends on the model's inputs.
    pub fn optional(&self, input: usize) -> Result<Option<&Tensor>, Fault> {
        if self.has(input) { self.constant(input).map(Some) } else { Ok(None) }
    }

    /// Integers that are an attribute in old operator sets and an input in newer ones.
    ///
    /// # Errors
    /// The input is not a constant.
    pub fn ints(&self, attribute: &str, input: usize) -> Result<Option<Vec<i64>>, Fault> {
        if let Some(values) = self.attributes.ints(attribute) {
            return Ok(Some(values.to_vec()));
        }
        Ok(self.optional(input)?.map(Tensor::integers))
    }

    /// Shape of an input.
    ///
    /// # Errors
    /// It is missing.
    pub fn dims(&self, input: usize) -> Result<Vec<u32>, Fault> {
        Ok(match self.value(input)? {
            Value::Node(node) => self.graph.node(*node).dims.clone(),
            Value::Constant(tensor) => tensor.dims.clone(),
        })
    }

    /// Adds a node.
    ///
    /// # Errors
    /// The shape is too large.
    pub fn add(&mut self, dims: Vec<u32>, kind: Kind) -> Result<NodeId, Fault> {
        if elements(&dims).is_none_or(|count| count as u64 > CELLS_MAX) {
            return Err(Fault::Size(dims));
        }
        if reads(&kind).is_none_or(|reads| reads > READS_MAX) {
            return Err(Fault::Unsupported("sums that read too many cells".into()));
        }
        Ok(self.graph.add(self.name, dims, kind))
    }

    /// Adds a node that is the only result.
    ///
    /// # Errors
    /// The shape is too large.
    pub fn result(&mut self, dims: Vec<u32>, kind: Kind) -> Result<Vec<Value>, Fault> {
        Ok(vec![Value::Node(self.add(dims, kind)?)])
    }
}

/// How many cells the sums of a node read.
fn reads(kind: &Kind) -> Option<u64> {
    let view = |view: &View| {
        let lengths = view.axes.iter().chain(&view.sum);
        lengths.map(|&length| u64::from(length)).try_fold(1u64, u64::checked_mul)
    };
    match kind {
        Kind::Combine(combine) => {
            combine.terms.iter().flat_map(Term::views).try_fold(0u64, |sum, term| sum.checked_add(view(term)?))
        }
        Kind::Max(source) => view(source),
        _ => Some(0),
    }
}
