//! Turns a model's nodes into a float graph, one operator at a time; operators on constants are computed on the spot.
use std::collections::{BTreeMap, BTreeSet};

use super::attribute::Attributes;
use super::call::{Call, Value};
use super::load::{Model, node_name};
use super::ops::{self, Fault};
use super::proto::NodeProto;
use crate::error::{ModelError, UnsupportedNode};
use crate::graph::{Element, Graph, Kind, eval};
use crate::tensor::{Tensor, elements};

/// Operators that read images: all channels of a pixel together.
const IMAGE_OPERATORS: [&str; 6] =
    ["Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization"];

/// Most values that all activations of a model may have together; circuits have a limit of their own, below this.
const CELLS_MAX: u64 = 1 << 26;

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
    let mut state =
        Importer { model, batch, graph: Graph::default(), values: BTreeMap::new(), unsupported: Vec::new() };
    for (name, tensor) in &model.constants {
        state.values.insert(name.clone(), Value::Constant(tensor.clone()));
    }
    for input in model.inputs(batch)? {
        let channels_last = state.channels_last(&input.name, &input.dims);
        let kind = Kind::Input { name: input.name.clone(), channels_last, element: input.element };
        let node = state.graph.add(&input.name, input.dims, kind);
        state.values.insert(input.name, Value::Node(node));
    }
    let mut operators = BTreeMap::new();
    let mut cells = 0u64;
    for node in &model.nodes {
        *operators.entry(node.op_type.clone()).or_default() += 1;
        let before = state.graph.nodes.len();
        state.node(node)?;
        // Constants that were folded are gone again; what remains will be held for every sample.
        let added = state.graph.nodes.get(before..).unwrap_or_default();
        cells += added.iter().map(|node| elements(&node.dims).unwrap_or(0) as u64).sum::<u64>();
        if cells > CELLS_MAX {
            return Err(ModelError::TooLarge { node: node_name(node) });
        }
    }
    if !state.unsupported.is_empty() {
        return Err(ModelError::Unsupported(state.unsupported));
    }
    for name in &model.outputs {
        match state.values.get(name) {
            Some(Value::Node(node)) => state.graph.outputs.push((name.clone(), *node)),
            Some(Value::Constant(_)) => return Err(ModelError::ConstantOutput { name: name.clone() }),
            None => return Err(ModelError::Undefined { reader: name.clone(), name: name.clone() }),
        }
    }
    Ok(Imported { graph: state.graph, operators })
}

struct Importer<'a> {
    model: &'a Model,
    batch: u32,
    graph: Graph,
    /// Values by name; those after an unsupported node may be missing.
    values: BTreeMap<String, Value>,
    unsupported: Vec<UnsupportedNode>,
}

impl Importer<'_> {
    /// Imports one node.
    fn node(&mut self, node: &NodeProto) -> Result<(), ModelError> {
        let operator = ops::find(&node.domain, &node.op_type);
        let known = node.input.iter().all(|name| name.is_empty() || self.values.contains_key(name));
        let outcome = match operator {
            None => Err(Fault::Unsupported("no such operator in this compiler".into())),
            // Something before it was not supported and its shape is unknown: nothing can be said about this one.
            Some(_) if !known => return Ok(()),
            Some(import) => self.call(node, import),
        };
        match outcome {
            Ok(results) => {
                let names = node.output.iter().zip(results).filter(|(name, _)| !name.is_empty());
                self.values.extend(names.map(|(name, value)| (name.clone(), value)));
                Ok(())
            }
            Err(Fault::Unsupported(reason)) => {
                self.note(node, reason);
                Ok(())
            }
            Err(fault) => Err(ModelError::Node { node: node_name(node), operator: node.op_type.clone(), fault }),
        }
    }

    fn call(&mut self, node: &NodeProto, import: ops::Import) -> Result<Vec<Value>, Fault> {
        let before = self.graph.nodes.len();
        let inputs: Vec<Option<Value>> = node.input.iter().map(|name| self.values.get(name).cloned()).collect();
        let constant = inputs.iter().flatten().all(|input| matches!(input, Value::Constant(_)));
        let mut call = Call {
            opset: self.model.opset,
            operator: &node.op_type,
            name: &node_name(node),
            attributes: Attributes(node),
            outputs: node.output.len(),
            inputs,
            graph: &mut self.graph,
        };
        let results = import(&mut call)?;
        if !constant {
            return self.materialise_check(results, before);
        }
        self.fold(results, before)
    }

    /// A constant that was added as a node may only be folded away; mixed with activations it must have become a
    /// weight.
    fn materialise_check(&self, results: Vec<Value>, before: usize) -> Result<Vec<Value>, Fault> {
        let stray = self.graph.nodes[before..].iter().any(|node| matches!(node.kind, Kind::Constant(_)));
        if stray { Err(Fault::Unsupported("a constant in this place".into())) } else { Ok(results) }
    }

    /// Computes the nodes that an operator on constants added, and removes them again.
    fn fold(&mut self, results: Vec<Value>, before: usize) -> Result<Vec<Value>, Fault> {
        let mut added = self.graph.nodes.split_off(before);
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
            Value::Node(node) => {
                let place = (node as usize).saturating_sub(before);
                Value::Constant(Tensor { dims: added[place].dims.clone(), values: values[place].clone() })
            }
            constant => constant,
        };
        Ok(results.into_iter().map(fold).collect())
    }

    /// Notes an unsupported node. Where the model declares the shapes of its outputs, import goes on behind it, so
    /// that later unsupported nodes are found with their shapes.
    fn note(&mut self, node: &NodeProto, reason: String) {
        let shape = |name: &String| match self.values.get(name) {
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
                self.values.insert(name.clone(), Value::Node(placeholder));
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
