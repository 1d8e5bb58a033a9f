//! Writes small ONNX models.
#![allow(dead_code)] // every test file uses its own part

use assay_circuits::Model;
use assay_circuits::onnx::NoExternalData;
use assay_circuits::onnx::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use prost::Message;

/// ONNX's number for 32-bit floats.
pub const FLOAT: i32 = 1;
/// ONNX's number for 64-bit integers.
pub const INT64: i32 = 7;

/// A model that is being written, with one input `x` and one output.
pub struct Builder {
    pub model: ModelProto,
    random: u64,
    count: usize,
}

/// An attribute's value.
#[derive(Clone)]
pub enum Value<'a> {
    Int(i64),
    Ints(&'a [i64]),
    Float(f32),
    Word(&'a str),
}

impl Builder {
    /// A model with the input `x` of some shape.
    pub fn new(dims: &[i64]) -> Self {
        let graph = GraphProto { input: vec![declaration("x", dims)], ..GraphProto::default() };
        let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 13 }];
        Self { model: ModelProto { ir_version: 8, graph: Some(graph), opset_import }, random: 1, count: 0 }
    }

    /// A model with several inputs: names, shapes and element types.
    pub fn with_inputs(inputs: &[(&str, &[i64], i32)]) -> Self {
        let mut builder = Self::new(&[1]);
        builder.graph().input = inputs.iter().map(|(name, dims, kind)| declaration_of(name, dims, *kind)).collect();
        builder
    }

    pub fn graph(&mut self) -> &mut GraphProto {
        self.model.graph.as_mut().expect("a builder has a graph")
    }

    /// Adds a node and returns the name of its output.
    pub fn node(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Value<'_>)]) -> String {
        self.nodes(operator, inputs, attributes, 1).remove(0)
    }

    /// Adds a node with several outputs.
    pub fn nodes(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: &[(&str, Value<'_>)],
        outputs: usize,
    ) -> Vec<String> {
        let output: Vec<String> = (0..outputs).map(|_| self.fresh(operator)).collect();
        let node = NodeProto {
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: output.clone(),
            name: output[0].clone(),
            op_type: operator.to_owned(),
            attribute: attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
            domain: String::new(),
        };
        self.graph().node.push(node);
        output
    }

    /// Adds a constant of pseudo-random numbers between -0.5 and 0.5.
    pub fn weight(&mut self, dims: &[i64]) -> String {
        let count = dims.iter().product::<i64>() as usize;
        let values: Vec<f32> = (0..count).map(|_| self.next()).collect();
        self.constant(dims, &values)
    }

    /// Adds a constant.
    pub fn constant(&mut self, dims: &[i64], values: &[f32]) -> String {
        let name = self.fresh("constant");
        let tensor = TensorProto {
            dims: dims.to_vec(),
            data_type: FLOAT,
            float_data: values.to_vec(),
            name: name.clone(),
            ..TensorProto::default()
        };
        self.graph().initializer.push(tensor);
        name
    }

    /// Adds a constant list of integers.
    pub fn ints(&mut self, values: &[i64]) -> String {
        let name = self.fresh("ints");
        let tensor = TensorProto {
            dims: vec![values.len() as i64],
            data_type: INT64,
            int64_data: values.to_vec(),
            name: name.clone(),
            ..TensorProto::default()
        };
        self.graph().initializer.push(tensor);
        name
    }

    /// The encoded model.
    pub fn bytes(mut self, output: &str) -> Vec<u8> {
        self.graph().output = vec![declaration(output, &[])];
        self.model.encode_to_vec()
    }

    /// The model.
    pub fn build(self, output: &str) -> Model {
        Model::from_bytes(&self.bytes(output), &NoExternalData).unwrap_or_else(|error| panic!("{error}"))
    }

    fn fresh(&mut self, label: &str) -> String {
        self.count += 1;
        format!("{}_{}", label.to_lowercase(), self.count)
    }

    fn next(&mut self) -> f32 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 40) as f32 / (1u32 << 24) as f32 - 0.5
    }
}

/// The declaration of a float tensor; a dimension of -1 is symbolic.
pub fn declaration(name: &str, dims: &[i64]) -> ValueInfoProto {
    declaration_of(name, dims, FLOAT)
}

/// The declaration of a tensor of some element type.
pub fn declaration_of(name: &str, dims: &[i64], elem_type: i32) -> ValueInfoProto {
    let dim = |&dim: &i64| match dim {
        -1 => DimensionProto { dim_value: None, dim_param: Some("N".into()) },
        dim => DimensionProto { dim_value: Some(dim), dim_param: None },
    };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor_type = Some(TensorTypeProto { elem_type, shape });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

fn attribute(name: &str, value: &Value<'_>) -> AttributeProto {
    let mut attribute = AttributeProto { name: name.into(), ..AttributeProto::default() };
    match value {
        Value::Int(value) => attribute.i = Some(*value),
        Value::Ints(values) => attribute.ints = values.to_vec(),
        Value::Float(value) => attribute.f = Some(*value),
        Value::Word(value) => attribute.s = Some(value.as_bytes().to_vec()),
    }
    attribute
}
