//! ONNX models of quoted sizes, with random weights: what is measured is speed, not accuracy.
use assay_circuits::onnx::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use prost::Message;

/// ONNX's number for 32-bit floats.
const FLOAT: i32 = 1;
/// ONNX's number for attributes that are lists of integers.
const INTEGERS: i32 = 7;

/// A model by name: `mlp-4m` or `cnn-264k`.
pub fn by_name(name: &str) -> Option<Vec<u8>> {
    match name {
        "mlp-4m" => Some(mlp_4m()),
        "cnn-264k" => Some(cnn_264k()),
        _ => None,
    }
}

/// 4 features, five hidden layers of 1024 with ReLU, 3 outputs: about 4.2 million parameters.
pub fn mlp_4m() -> Vec<u8> {
    let mut model = Builder::new("mlp-4m", &[1, 4]);
    for _ in 0..5 {
        model.dense(1024);
        model.relu();
    }
    model.dense(3);
    model.finish()
}

/// Images of 3x32x32; convolutions 5x5 to 12 and to 33 channels, each with ReLU and 2x2 max pool; dense 251, 175, 10: about 264
/// thousand parameters.
pub fn cnn_264k() -> Vec<u8> {
    let mut model = Builder::new("cnn-264k", &[1, 3, 32, 32]);
    for channels in [12, 33] {
        model.conv(channels, 5);
        model.relu();
        model.pool();
    }
    model.flatten();
    for features in [251, 175] {
        model.dense(features);
        model.relu();
    }
    model.dense(10);
    model.finish()
}

/// A chain of layers in the making.
struct Builder {
    graph: GraphProto,
    tensor: String,
    shape: Vec<i64>,
    seed: u64,
}

impl Builder {
    fn new(name: &str, shape: &[i64]) -> Self {
        let graph = GraphProto { name: name.into(), input: vec![declare("input", shape)], ..GraphProto::default() };
        Self { graph, tensor: "input".into(), shape: shape.to_vec(), seed: 1 }
    }

    fn node(&mut self, operator: &str, weights: &[&str], attributes: &[(&str, &[i64])], shape: Vec<i64>) {
        let output = format!("{}_{}", operator.to_lowercase(), self.graph.node.len());
        let mut input = vec![self.tensor.clone()];
        input.extend(weights.iter().map(|&name| name.into()));
        let attribute = attributes.iter().map(|&(name, values)| AttributeProto {
            name: name.into(),
            ints: values.to_vec(),
            r#type: INTEGERS,
            ..AttributeProto::default()
        });
        self.graph.node.push(NodeProto {
            input,
            output: vec![output.clone()],
            name: output.clone(),
            op_type: operator.into(),
            attribute: attribute.collect(),
            ..NodeProto::default()
        });
        (self.tensor, self.shape) = (output, shape);
    }

    /// Random weights of variance `1 / fan_in`, which keeps activations at one scale.
    fn weights(&mut self, name: &str, dims: &[i64], fan_in: i64) {
        let count: i64 = dims.iter().product();
        let scale = (6.0 / fan_in as f64).sqrt();
        let values: Vec<u8> = (0..count).flat_map(|_| ((self.uniform() * scale) as f32).to_le_bytes()).collect();
        self.graph.initializer.push(TensorProto {
            dims: dims.to_vec(),
            data_type: FLOAT,
            name: name.into(),
            raw_data: Some(values),
            ..TensorProto::default()
        });
    }

    /// A number in -1 to 1.
    fn uniform(&mut self) -> f64 {
        self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.seed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn layer(&mut self, operator: &str, dims: &[i64], attributes: &[(&str, &[i64])], shape: Vec<i64>) {
        let (weight, bias) = (format!("w{}", self.graph.node.len()), format!("b{}", self.graph.node.len()));
        let fan_in = dims[1..].iter().product();
        self.weights(&weight, dims, fan_in);
        self.weights(&bias, &dims[..1], 16 * fan_in);
        self.node(operator, &[&weight, &bias], attributes, shape);
    }

    fn dense(&mut self, features: i64) {
        let dims = [features, self.shape[1]];
        self.layer("Gemm", &dims, &[], vec![1, features]);
        let attribute = AttributeProto { name: "transB".into(), i: Some(1), r#type: 2, ..AttributeProto::default() };
        self.graph.node.last_mut().expect("just pushed").attribute.push(attribute);
    }

    fn conv(&mut self, channels: i64, kernel: i64) {
        let dims = [channels, self.shape[1], kernel, kernel];
        let shape = vec![1, channels, self.shape[2] - kernel + 1, self.shape[3] - kernel + 1];
        self.layer("Conv", &dims, &[("kernel_shape", &[kernel, kernel])], shape);
    }

    fn relu(&mut self) {
        self.node("Relu", &[], &[], self.shape.clone());
    }

    fn pool(&mut self) {
        let shape = vec![1, self.shape[1], self.shape[2] / 2, self.shape[3] / 2];
        self.node("MaxPool", &[], &[("kernel_shape", &[2, 2]), ("strides", &[2, 2])], shape);
    }

    fn flatten(&mut self) {
        let features = self.shape.iter().product();
        self.node("Flatten", &[], &[], vec![1, features]);
    }

    fn finish(mut self) -> Vec<u8> {
        self.graph.output = vec![declare(&self.tensor, &self.shape)];
        let opset = OperatorSetIdProto { domain: String::new(), version: 13 };
        let model = ModelProto { ir_version: 8, graph: Some(self.graph), opset_import: vec![opset] };
        model.encode_to_vec()
    }
}

fn declare(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dim =
        shape.iter().map(|&length| DimensionProto { dim_value: Some(length), ..DimensionProto::default() }).collect();
    let tensor = TensorTypeProto { elem_type: FLOAT, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
}
