//! Turns a model's nodes into a float graph, one operator at a time; operators on constants are computed on the spot.
use std::collections::{BTreeMap, BTreeSet};

use super::attribute::Attributes;
use super::call::{CELLS_MAX, Call, Value};
use super::external::NoExternalData;
use super::load::{Model, node_name};
use super::ops::{self, Fault};
use super::proto::{GraphProto, NodeProto};
use super::scope::{Scope, Typed};
use super::tensor::{LARGEST, decode, kind};
use super::types;
use crate::error::{ModelError, UnsupportedNode};
use crate::graph::{Element, Graph, Kind, Node, Term, eval};
use crate::tensor::{Tensor, elements};

/// Operators that read images: all channels of a pixel together.
const IMAGE_OPERATORS: [&str; 6] =
    ["Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization"];

/// Most values that an operator on constants may compute, unless its operands are about as large: a transposed embedding.
const FOLDED_MAX: u64 = 1 << 24;
/// How many times the values of its operands it may compute then: they are copied, and changed.
const FOLDED_COPIES: u64 = 3;
/// Most values that all operators on constants may leave, besides twice as many as the model itself holds.
const FOLDED_SUM_MAX: u64 = 1 << 26;
/// Most nodes of a graph in which bodies were repeated.
const BODY_NODES_MAX: usize = 1 << 16;

/// What was imported.
pub struct Imported {
    /// The graph.
    pub graph: Graph,
    /// How often each operator occurs.
    pub operators: BTreeMap<String, u64>,
}

/// Imports a model with a batch where it is symbolic.
///
/// # Errors
/// All unsupported nodes at once; else the first node that is malformed.
pub fn import(model: &Model, batch: u32) -> Result<Imported, ModelError> {
    let held = model.constants.values().map(|tensor| tensor.values.len() as u64).sum::<u64>();
    let mut state = Importer {
        model,
        batch,
        graph: Graph::default(),
        scope: Scope::default(),
        folded_left: FOLDED_SUM_MAX + 2 * held,
        unsupported: Vec::new(),
    };
    for (name, tensor) in &model.constants {
        let kind = model.kinds.get(name).copied().unwrap_or_default();
        state.scope.set(name, Typed { value: Value::Constant(tensor.clone()), kind });
    }
    for (input, raw) in model.inputs(batch)?.into_iter().zip(&model.inputs) {
        let channels_last = state.channels_last(&input.name, &input.dims);
        let kind = Kind::Input { name: input.name.clone(), channels_last, element: input.element };
        let node = state.graph.add(&input.name, input.dims, kind);
        state.scope.set(&input.name, Typed { value: Value::Node(node), kind: raw.kind });
    }
    let mut operators = BTreeMap::new();
    let mut cells = 0u64;
    for node in &model.nodes {
        *operators.entry(node.op_type.clone()).or_default() += 1;
        let before = state.graph.nodes.len();
        state.node(node)?;
        // Constants that were folded are gone again; what remains will be held for every sample.
        cells += cells_of(&state.graph, before);
        if cells > CELLS_MAX {
            return Err(ModelError::TooLarge { node: node_name(node) });
        }
    }
    if !state.unsupported.is_empty() {
        return Err(ModelError::Unsupported(state.unsupported));
    }
    for name in &model.outputs {
        let node = match state.scope.get(name).map(|typed| typed.value.clone()) {
            Some(Value::Node(node)) => node,
            Some(Value::Constant(tensor)) => state.graph.add(name, tensor.dims, Kind::Constant(tensor.values)),
            None => return Err(ModelError::Undefined { reader: name.clone(), name: name.clone() }),
        };
        if elements(&state.graph.node(node).dims).is_none_or(|count| count == 0) {
            return Err(ModelError::EmptyOutput { name: name.clone() });
        }
        state.graph.outputs.push((name.clone(), node));
    }
    Ok(Imported { graph: state.graph, operators })
}

/// Number of values of the nodes from some place on.
fn cells_of(graph: &Graph, from: usize) -> u64 {
    let added = graph.nodes.get(from..).unwrap_or_default();
    added.iter().map(|node| elements(&node.dims).unwrap_or(0) as u64).sum()
}

/// Number of values of a constant.
fn constant_len(value: &Value) -> u64 {
    match value {
        Value::Constant(tensor) => tensor.values.len() as u64,
        Value::Node(_) => 0,
    }
}

/// Imports one node: its outputs.
pub(super) fn results(graph: &mut Graph, scope: &Scope<'_>, opset: i64, node: &NodeProto) -> Result<Vec<Typed>, Fault> {
    let import = ops::find(&node.domain, &node.op_type)
        .ok_or_else(|| Fault::Unsupported("no such operator in this compiler".into()))?;
    let before = graph.nodes.len();
    let typed: Vec<Option<&Typed>> = node.input.iter().map(|name| scope.get(name)).collect();
    let kinds: Vec<i32> = typed.iter().map(|typed| typed.map_or(0, |typed| typed.kind)).collect();
    let inputs: Vec<Option<Value>> = typed.into_iter().map(|typed| typed.map(|typed| typed.value.clone())).collect();
    let constant = inputs.iter().flatten().all(|input| matches!(input, Value::Constant(_)));
    let operands = inputs.iter().flatten().map(constant_len).sum::<u64>();
    let mut call = Call {
        opset,
        operator: &node.op_type,
        name: &node_name(node),
        attributes: Attributes(node),
        outputs: node.output.len(),
        kinds,
        result_kinds: None,
        scope,
        inputs,
        graph,
    };
    let results = import(&mut call)?;
    let (kinds, result_kinds) = (core::mem::take(&mut call.kinds), call.result_kinds.take());
    let kind = |output: usize| match &result_kinds {
        Some(kinds) => kinds.get(output).copied().unwrap_or_default(),
        None => types::output(&node.op_type, Attributes(node), &kinds, output),
    };
    // A body may have read activations from around it.
    let foldable = constant && !reads_activations(graph, before);
    // Only shapes may be computed through empty tensors.
    let empty = graph.nodes[before..].iter().find(|node| node.dims.contains(&0));
    if let Some(empty) = empty.filter(|_| !foldable) {
        return Err(Fault::Size(empty.dims.clone()));
    }
    if foldable && cells_of(graph, before) > FOLDED_MAX.max(FOLDED_COPIES * operands) {
        return Err(Fault::Unsupported("a computation on constants that is too large".into()));
    }
    if !foldable && graph.nodes[before..].iter().any(weighs_with_infinity) {
        return Err(Fault::NotFinite);
    }
    let results = if foldable { fold(graph, results, before)? } else { results };
    Ok(results.into_iter().enumerate().map(|(output, value)| Typed { value, kind: kind(output) }).collect())
}

/// Whether a weight is infinite (or as large as floats get, which is what infinities are read as): as summands such
/// values are masks, as weights they are faults.
fn weighs_with_infinity(node: &Node) -> bool {
    let Kind::Combine(combine) = &node.kind else { return false };
    let infinite = |weight: &f64| libm::fabs(*weight) >= LARGEST;
    combine.terms.iter().any(|term| match term {
        Term::Weighted { weights, .. } | Term::Selected { table: weights, .. } => weights.iter().any(infinite),
        Term::Plain { .. } | Term::Product { .. } => false,
    })
}

/// Imports the nodes of a body and returns its outputs. `inputs` are what the body's own inputs stand for.
pub(super) fn body(call: &mut Call<'_>, body: &GraphProto, inputs: Vec<Typed>) -> Result<Vec<Typed>, Fault> {
    let mut scope = Scope::inside(call.scope);
    let mut cells = 0;
    for tensor in &body.initializer {
        let value = decode(tensor, &NoExternalData)
            .map_err(|_| Fault::Unsupported(format!("the constant {:?} of a body", tensor.name)))?;
        scope.set(&tensor.name, Typed { value: Value::Constant(value), kind: tensor.data_type });
    }
    for (declared, value) in body.input.iter().zip(inputs) {
        scope.set(&declared.name, value);
    }
    for node in &body.node {
        let missing = node.input.iter().find(|name| !name.is_empty() && scope.get(name).is_none());
        if let Some(name) = missing {
            return Err(undefined(name));
        }
        let inside = |fault| match fault {
            Fault::Unsupported(reason) => Fault::Unsupported(format!("{} {}: {reason}", node.op_type, node_name(node))),
            fault => fault,
        };
        let before = call.graph.nodes.len();
        let values = results(call.graph, &scope, call.opset, node).map_err(inside)?;
        cells += cells_of(call.graph, before);
        if call.graph.nodes.len() > BODY_NODES_MAX || cells > CELLS_MAX {
            return Err(Fault::Unsupported("a body that is too large or repeated too often".into()));
        }
        for (name, value) in node.output.iter().zip(values).filter(|(name, _)| !name.is_empty()) {
            scope.set(name, value);
        }
    }
    body.output.iter().map(|output| scope.get(&output.name).cloned().ok_or_else(|| undefined(&output.name))).collect()
}

fn undefined(name: &str) -> Fault {
    Fault::Unsupported(format!("a body reads {name:?}, which nothing defines"))
}

/// Whether a node from some place on reads one before it.
fn reads_activations(graph: &Graph, from: usize) -> bool {
    graph.nodes[from..].iter().flat_map(|node| node.kind.sources()).any(|source| (source as usize) < from)
}

/// Computes the nodes that an operator on constants added, and removes them again.
fn fold(graph: &mut Graph, results: Vec<Value>, before: usize) -> Result<Vec<Value>, Fault> {
    let mut added = graph.nodes.split_off(before);
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(added.len());
    for node in &mut added {
        // Nodes on constants read only nodes added with them.
        node.kind.map_sources(&|source| (source as usize).saturating_sub(before) as u32);
        let value = eval::node_value(node, &values, &BTreeMap::new());
        if value.iter().any(|value| !value.is_finite()) {
            return Err(Fault::NotFinite);
        }
        values.push(value);
    }
    let fold = |value| match value {
        // A body may return an activation from around it as it is.
        Value::Node(node) if (node as usize) < before => Value::Node(node),
        Value::Node(node) => {
            let place = node as usize - before;
            Value::Constant(Tensor { dims: added[place].dims.clone(), values: values[place].clone() })
        }
        constant => constant,
    };
    Ok(results.into_iter().map(fold).collect())
}

struct Importer<'a> {
    model: &'a Model,
    batch: u32,
    graph: Graph,
    /// Values by name; those after an unsupported node may be missing.
    scope: Scope<'static>,
    /// How many more values operators on constants may leave.
    folded_left: u64,
    unsupported: Vec<UnsupportedNode>,
}

impl Importer<'_> {
    /// Imports one node.
    fn node(&mut self, node: &NodeProto) -> Result<(), ModelError> {
        let known = node.input.iter().all(|name| name.is_empty() || self.scope.get(name).is_some());
        // Something before it was not supported and its shape is unknown: nothing can be said about this one.
        if !known && ops::find(&node.domain, &node.op_type).is_some() {
            return Ok(());
        }
        match results(&mut self.graph, &self.scope, self.model.opset, node) {
            Ok(results) => {
                // Constants without operands are in the file.
                if node.input.iter().any(|name| !name.is_empty()) {
                    let folded = results.iter().map(|result| constant_len(&result.value)).sum();
                    let left = self.folded_left.checked_sub(folded);
                    self.folded_left = left.ok_or_else(|| ModelError::TooLarge { node: node_name(node) })?;
                }
                for (name, value) in node.output.iter().zip(results).filter(|(name, _)| !name.is_empty()) {
                    self.scope.set(name, value);
                }
                Ok(())
            }
            Err(Fault::Unsupported(reason)) => {
                self.note(node, reason);
                Ok(())
            }
            Err(fault) => Err(ModelError::Node { node: node_name(node), operator: node.op_type.clone(), fault }),
        }
    }

    /// Notes an unsupported node. Where the model declares the shapes of its outputs, import goes on behind it, so
    /// that later unsupported nodes are found with their shapes.
    fn note(&mut self, node: &NodeProto, reason: String) {
        let shape = |name: &String| match self.scope.get(name).map(|typed| &typed.value) {
            Some(Value::Node(node)) => Some(self.graph.node(*node).dims.clone()),
            Some(Value::Constant(tensor)) => Some(tensor.dims.clone()),
            None => None,
        };
        let shapes = node.input.iter().filter(|name| !name.is_empty()).map(shape).collect();
        self.unsupported.push(UnsupportedNode {
            node: node_name(node),
            operator: node.op_type.clone(),
            shapes,
            reason,
        });
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            let Some(dims) = self.model.shapes.get(name) else { continue };
            let dims: Vec<u32> = dims.iter().map(|dim| dim.unwrap_or(self.batch)).collect();
            if elements(&dims).is_some_and(|count| count > 0) {
                let kind = Kind::Input { name: name.clone(), channels_last: false, element: Element::Real };
                let placeholder = self.graph.add(name, dims, kind);
                self.scope.set(name, Typed { value: Value::Node(placeholder), kind: kind::FLOAT });
            }
        }
    }

    /// Whether the input should be held with its channels innermost: images, and sequences that image operators read.
    fn channels_last(&self, name: &str, dims: &[u32]) -> bool {
        if dims.len() != 3 {
            return dims.len() > 3;
        }
        let mut same: BTreeSet<&str> = BTreeSet::from([name]);
        for node in &self.model.nodes {
            if node.input.first().is_some_and(|first| same.contains(first.as_str())) {
                if IMAGE_OPERATORS.contains(&node.op_type.as_str()) {
                    return true;
                }
                if ops::is_elementwise(&node.op_type) {
                    same.extend(node.output.iter().map(String::as_str));
                }
            }
        }
        false
    }
}
