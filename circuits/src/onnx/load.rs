//! Reads a model file and checks it as a whole: operator set, names, order of nodes, constants, declared inputs.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost::Message;

use super::external::{ExternalData, Folder};
use super::proto::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use super::{tensor, types};
use crate::error::{DeclarationFault, ModelError, TensorFault};
use crate::graph::Element;
use crate::tensor::{Tensor, elements};

/// Operator sets that are understood.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=21;

/// A model that was read and checked.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) opset: i64,
    /// Nodes in topological order.
    pub(super) nodes: Vec<NodeProto>,
    pub(super) constants: BTreeMap<String, Tensor>,
    /// Element types of the constants.
    pub(super) kinds: BTreeMap<String, i32>,
    pub(super) inputs: Vec<RawDeclaration>,
    pub(super) outputs: Vec<String>,
    /// Those that are declared to hold integers or truth values.
    whole_outputs: BTreeSet<String>,
    /// Declared shapes of inner values, as far as they are complete.
    pub(super) shapes: BTreeMap<String, Vec<Option<u32>>>,
}

/// An input with the batch still open.
#[derive(Clone, Debug)]
pub(super) struct RawDeclaration {
    pub name: String,
    pub dims: Vec<Option<u32>>,
    pub kind: i32,
    pub element: Element,
}

/// A named shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Name in the model.
    pub name: String,
    /// Shape.
    pub dims: Vec<u32>,
    /// What its cells are.
    pub element: Element,
}

impl Declaration {
    /// A tensor of real numbers.
    pub fn new(name: &str, dims: Vec<u32>) -> Self {
        Self { name: name.into(), dims, element: Element::Real }
    }
}

impl Model {
    /// Reads a model; external data is looked for beside it.
    ///
    /// # Errors
    /// The file is missing or not a model that can be compiled.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let file = |source| ModelError::File { path: path.display().to_string(), source };
        let bytes = std::fs::read(path).map_err(file)?;
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::from_bytes(&bytes, &Folder(folder.into()))
    }

    /// Decodes and checks a model.
    ///
    /// # Errors
    /// The first fault found.
    pub fn from_bytes(bytes: &[u8], external: &dyn ExternalData) -> Result<Self, ModelError> {
        let model = ModelProto::decode(bytes)?;
        let opset = model
            .opset_import
            .iter()
            .find(|set| set.domain.is_empty() || set.domain == "ai.onnx")
            .map_or(0, |set| set.version);
        let graph = model.graph.ok_or(ModelError::NoGraph)?;
        if !OPSETS.contains(&opset) {
            return Err(ModelError::Opset(opset));
        }
        if !graph.sparse_initializer.is_empty() {
            return Err(ModelError::Feature("sparse constants"));
        }
        let constants = decode_constants(&graph.initializer, external)?;
        let kinds = graph.initializer.iter().map(|tensor| (tensor.name.clone(), tensor.data_type)).collect();
        let inputs = declared_inputs(&graph, &constants)?;
        let outputs: Vec<String> = graph.output.iter().map(|output| output.name.clone()).collect();
        if outputs.is_empty() {
            return Err(ModelError::Empty("outputs"));
        }
        let whole = |value: &&ValueInfoProto| {
            let tensor = value.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
            tensor.and_then(|tensor| types::element(tensor.elem_type)).is_some_and(Element::is_whole)
        };
        let whole_outputs = graph.output.iter().filter(whole).map(|output| output.name.clone()).collect();
        let shapes = graph
            .value_info
            .iter()
            .chain(&graph.output)
            .filter_map(|value| Some((value.name.clone(), dims(value)?)))
            .collect();
        let names = graph.initializer.iter().map(|tensor| &tensor.name).chain(inputs.iter().map(|input| &input.name));
        let nodes = sort(graph.node, names.cloned().collect(), &outputs)?;
        Ok(Self { opset, nodes, constants, kinds, inputs, outputs, whole_outputs, shapes })
    }

    /// Whether the file declares that an output holds integers or truth values.
    pub fn declares_whole(&self, output: &str) -> bool {
        self.whole_outputs.contains(output)
    }

    /// The inputs with the batch filled in where it is symbolic.
    ///
    /// # Errors
    /// A shape that is too large with this batch.
    pub fn inputs(&self, batch: u32) -> Result<Vec<Declaration>, ModelError> {
        let fill = |input: &RawDeclaration| {
            let dims: Vec<u32> = input.dims.iter().map(|dim| dim.unwrap_or(batch)).collect();
            let fault = || ModelError::Input { name: input.name.clone(), fault: DeclarationFault::Shape };
            elements(&dims).filter(|&count| count > 0).ok_or_else(fault)?;
            Ok(Declaration { name: input.name.clone(), dims, element: input.element })
        };
        self.inputs.iter().map(fill).collect()
    }
}

fn decode_constants(
    protos: &[TensorProto],
    external: &dyn ExternalData,
) -> Result<BTreeMap<String, Tensor>, ModelError> {
    let mut constants = BTreeMap::new();
    for proto in protos {
        let fault = |fault: TensorFault| ModelError::Tensor { name: proto.name.clone(), fault };
        let tensor = tensor::decode(proto, external).map_err(fault)?;
        if constants.insert(proto.name.clone(), tensor).is_some() {
            return Err(ModelError::DefinedTwice { name: proto.name.clone() });
        }
    }
    Ok(constants)
}

/// Inputs that are not constants (old models list constants among the inputs), with at most the first axis open.
fn declared_inputs(
    graph: &GraphProto,
    constants: &BTreeMap<String, Tensor>,
) -> Result<Vec<RawDeclaration>, ModelError> {
    let mut inputs = Vec::new();
    for value in graph.input.iter().filter(|value| !constants.contains_key(&value.name)) {
        let fail = |fault| ModelError::Input { name: value.name.clone(), fault };
        let tensor = value.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
        let tensor = tensor.ok_or_else(|| fail(DeclarationFault::NoShape))?;
        let kind = tensor.elem_type;
        let element = types::element(kind).ok_or_else(|| fail(DeclarationFault::Type(kind)))?;
        let dims = match (&tensor.shape, dims(value)) {
            (None, _) => return Err(fail(DeclarationFault::NoShape)),
            (_, Some(dims)) => dims,
            (_, None) => return Err(fail(DeclarationFault::Shape)),
        };
        if let Some(axis) = dims.iter().skip(1).position(Option::is_none) {
            return Err(fail(DeclarationFault::Dynamic { axis: axis + 1 }));
        }
        let known: Vec<u32> = dims.iter().flatten().copied().collect();
        if elements(&known).is_none_or(|count| count == 0) {
            return Err(fail(DeclarationFault::Shape));
        }
        inputs.push(RawDeclaration { name: value.name.clone(), dims, kind, element });
    }
    if inputs.is_empty() {
        return Err(ModelError::Empty("inputs"));
    }
    Ok(inputs)
}

/// The declared shape, `None` where it is symbolic; nothing if there is none or a dimension is out of range.
fn dims(value: &ValueInfoProto) -> Option<Vec<Option<u32>>> {
    let shape = value.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?;
    shape
        .dim
        .iter()
        .map(|dim| dim.dim_value.map(|value| u32::try_from(value).ok()).map_or(Some(None), |value| value.map(Some)))
        .collect()
}

/// Sorts nodes so that each comes after those it reads. `known` are the names of inputs and constants.
fn sort(nodes: Vec<NodeProto>, known: Vec<String>, outputs: &[String]) -> Result<Vec<NodeProto>, ModelError> {
    let mut defined = BTreeSet::new();
    let produced = nodes.iter().flat_map(|node| &node.output).filter(|name| !name.is_empty());
    for name in known.iter().chain(produced) {
        if !defined.insert(name.clone()) {
            return Err(ModelError::DefinedTwice { name: name.clone() });
        }
    }
    let undefined = |name: &&String| !name.is_empty() && !defined.contains(*name);
    for node in &nodes {
        if let Some(name) = node.input.iter().find(undefined) {
            return Err(ModelError::Undefined { reader: node_name(node), name: name.clone() });
        }
    }
    if let Some(name) = outputs.iter().find(|name| !defined.contains(*name)) {
        return Err(ModelError::Undefined { reader: name.clone(), name: name.clone() });
    }
    order(nodes, known.into_iter().collect())
}

/// Kahn's algorithm; among nodes that are ready the first in the file comes first.
fn order(nodes: Vec<NodeProto>, known: BTreeSet<String>) -> Result<Vec<NodeProto>, ModelError> {
    let mut waiting = vec![0usize; nodes.len()];
    let mut readers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut ready = BTreeSet::new();
    let produced: BTreeSet<&str> = nodes.iter().flat_map(|node| &node.output).map(String::as_str).collect();
    for (place, node) in nodes.iter().enumerate() {
        let captured = captured(node).into_iter().filter(|name| produced.contains(name));
        let read = node.input.iter().map(String::as_str).filter(|name| !name.is_empty());
        for name in read.chain(captured).filter(|name| !known.contains(*name)) {
            waiting[place] += 1;
            readers.entry(name).or_default().push(place);
        }
        if waiting[place] == 0 {
            ready.insert(place);
        }
    }
    let mut sorted = Vec::with_capacity(nodes.len());
    while let Some(place) = ready.pop_first() {
        sorted.push(place);
        for reader in nodes[place].output.iter().flat_map(|name| readers.get(name.as_str()).into_iter().flatten()) {
            waiting[*reader] -= 1;
            if waiting[*reader] == 0 {
                ready.insert(*reader);
            }
        }
    }
    if let Some(stuck) = waiting.iter().position(|&count| count > 0) {
        return Err(ModelError::Cycle { node: node_name(&nodes[stuck]) });
    }
    let mut nodes: Vec<Option<NodeProto>> = nodes.into_iter().map(Some).collect();
    Ok(sorted.into_iter().filter_map(|place| nodes[place].take()).collect())
}

/// All names that the bodies inside a node read; those that the bodies define themselves are among them.
fn captured(node: &NodeProto) -> BTreeSet<&str> {
    let bodies = node.attribute.iter().filter_map(|attribute| attribute.g.as_deref());
    let mut names = BTreeSet::new();
    for body in bodies {
        names.extend(body.output.iter().map(|output| output.name.as_str()));
        for inner in &body.node {
            names.extend(inner.input.iter().map(String::as_str));
            names.extend(captured(inner));
        }
    }
    names
}

/// Name of a node, or of its first output.
pub(super) fn node_name(node: &NodeProto) -> String {
    if node.name.is_empty() { node.output.first().cloned().unwrap_or_default() } else { node.name.clone() }
}
