//! Collects nodes and constants and turns them into an ONNX model, as an exporter does.
use assay_circuits::onnx::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use prost::Message;

/// The element types that are written, with ONNX's numbers for them.
#[derive(Clone, Copy)]
pub enum Element {
    /// 32-bit floats.
    Float = 1,
    /// 64-bit integers.
    Integer = 7,
    /// One byte each.
    Boolean = 9,
}

/// The value of an attribute.
pub enum Value<'a> {
    /// A real number.
    Float(f32),
    /// An integer.
    Integer(i64),
    /// A list of integers.
    Integers(&'a [i64]),
}

/// A model in the making.
pub struct Graph {
    proto: GraphProto,
}

impl Graph {
    /// An empty model.
    pub fn new(name: &str) -> Self {
        Self { proto: GraphProto { name: name.into(), ..GraphProto::default() } }
    }

    /// Declares an input. An axis of length 0 is left open: the batch.
    pub fn input(&mut self, name: &str, element: Element, dims: &[i64]) {
        self.proto.input.push(declare(name, element, dims));
    }

    /// Adds a constant of floats.
    pub fn floats(&mut self, label: &str, dims: &[i64], values: impl Iterator<Item = f64>) -> String {
        let mut bytes = Vec::with_capacity(4 * dims.iter().product::<i64>() as usize);
        values.for_each(|value| bytes.extend((value as f32).to_le_bytes()));
        self.constant(label, Element::Float, dims, bytes)
    }

    /// Adds a constant list of integers, such as a shape.
    pub fn integers(&mut self, label: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(label, Element::Integer, &[values.len() as i64], bytes)
    }

    /// Adds a constant of truth values.
    pub fn booleans(&mut self, label: &str, dims: &[i64], values: impl Iterator<Item = bool>) -> String {
        self.constant(label, Element::Boolean, dims, values.map(u8::from).collect())
    }

    /// Adds a constant number.
    pub fn scalar(&mut self, value: f64) -> String {
        self.floats("scalar", &[], std::iter::once(value))
    }

    fn constant(&mut self, label: &str, element: Element, dims: &[i64], raw: Vec<u8>) -> String {
        let name = format!("{label}_{}", self.proto.initializer.len());
        self.proto.initializer.push(TensorProto {
            dims: dims.to_vec(),
            data_type: element as i32,
            name: name.clone(),
            raw_data: Some(raw),
            ..TensorProto::default()
        });
        name
    }

    /// Adds a node with one result and returns its name.
    pub fn node(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Value<'_>)]) -> String {
        let [output] = self.outputs(operator, inputs, attributes);
        output
    }

    /// Adds a node with several results and returns their names.
    pub fn outputs<const N: usize>(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: &[(&str, Value<'_>)],
    ) -> [String; N] {
        let name = format!("{}_{}", operator.to_lowercase(), self.proto.node.len());
        let outputs = std::array::from_fn(|index| if N == 1 { name.clone() } else { format!("{name}_{index}") });
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.into()).collect(),
            output: outputs.to_vec(),
            name,
            op_type: operator.into(),
            attribute: attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
            ..NodeProto::default()
        });
        outputs
    }

    /// The file of the finished model. An axis of length 0 is left open: the batch.
    pub fn finish(mut self, output: &str, dims: &[i64], opset: i64) -> Vec<u8> {
        self.proto.output = vec![declare(output, Element::Float, dims)];
        let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: opset }];
        ModelProto { ir_version: 8, graph: Some(self.proto), opset_import }.encode_to_vec()
    }
}

fn attribute(name: &str, value: &Value<'_>) -> AttributeProto {
    let empty = AttributeProto { name: name.into(), ..AttributeProto::default() };
    match value {
        Value::Float(value) => AttributeProto { f: Some(*value), r#type: 1, ..empty },
        Value::Integer(value) => AttributeProto { i: Some(*value), r#type: 2, ..empty },
        Value::Integers(values) => AttributeProto { ints: values.to_vec(), r#type: 7, ..empty },
    }
}

fn declare(name: &str, element: Element, dims: &[i64]) -> ValueInfoProto {
    let dim = |&length: &i64| match length {
        0 => DimensionProto { dim_param: Some("N".into()), ..DimensionProto::default() },
        _ => DimensionProto { dim_value: Some(length), ..DimensionProto::default() },
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = TensorTypeProto { elem_type: element as i32, shape: Some(shape) };
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
}
