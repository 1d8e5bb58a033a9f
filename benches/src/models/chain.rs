//! Chains of layers: dense networks and small convolutional ones.
use super::graph::{Element, Graph, Value};
use super::random::Random;

/// 4 features, five hidden layers of 1024 with ReLU, 3 outputs: about 4.2 million parameters.
pub fn mlp_4m() -> Vec<u8> {
    let mut model = Chain::new("mlp-4m", &[1, 4]);
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
    let mut model = Chain::new("cnn-264k", &[1, 3, 32, 32]);
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
struct Chain {
    graph: Graph,
    tensor: String,
    shape: Vec<i64>,
    random: Random,
}

impl Chain {
    fn new(name: &str, shape: &[i64]) -> Self {
        let mut graph = Graph::new(name);
        graph.input("input", Element::Float, shape);
        Self { graph, tensor: "input".into(), shape: shape.to_vec(), random: Random::new(1) }
    }

    fn node(&mut self, operator: &str, weights: &[&str], attributes: &[(&str, Value<'_>)], shape: Vec<i64>) {
        let inputs: Vec<&str> = std::iter::once(self.tensor.as_str()).chain(weights.iter().copied()).collect();
        self.tensor = self.graph.node(operator, &inputs, attributes);
        self.shape = shape;
    }

    /// Random weights of variance `1 / fan_in`, which keeps activations at one scale.
    fn weights(&mut self, label: &str, dims: &[i64], fan_in: i64) -> String {
        let count: i64 = dims.iter().product();
        let scale = (6.0 / fan_in as f64).sqrt();
        let Self { graph, random, .. } = self;
        graph.floats(label, dims, (0..count).map(|_| random.uniform() * scale))
    }

    fn layer(&mut self, operator: &str, dims: &[i64], attributes: &[(&str, Value<'_>)], shape: Vec<i64>) {
        let fan_in = dims[1..].iter().product();
        let weight = self.weights("weight", dims, fan_in);
        let bias = self.weights("bias", &dims[..1], 16 * fan_in);
        self.node(operator, &[&weight, &bias], attributes, shape);
    }

    fn dense(&mut self, features: i64) {
        let dims = [features, self.shape[1]];
        self.layer("Gemm", &dims, &[("transB", Value::Integer(1))], vec![1, features]);
    }

    fn conv(&mut self, channels: i64, kernel: i64) {
        let dims = [channels, self.shape[1], kernel, kernel];
        let shape = vec![1, channels, self.shape[2] - kernel + 1, self.shape[3] - kernel + 1];
        // All of them have defaults, which ezkl does not know.
        let attributes = [
            ("kernel_shape", Value::Integers(&[kernel, kernel])),
            ("strides", Value::Integers(&[1, 1])),
            ("pads", Value::Integers(&[0, 0, 0, 0])),
            ("dilations", Value::Integers(&[1, 1])),
            ("group", Value::Integer(1)),
        ];
        self.layer("Conv", &dims, &attributes, shape);
    }

    fn relu(&mut self) {
        self.node("Relu", &[], &[], self.shape.clone());
    }

    fn pool(&mut self) {
        let shape = vec![1, self.shape[1], self.shape[2] / 2, self.shape[3] / 2];
        let window = |name| (name, Value::Integers(&[2, 2]));
        self.node("MaxPool", &[], &[window("kernel_shape"), window("strides")], shape);
    }

    fn flatten(&mut self) {
        let features = self.shape.iter().product();
        self.node("Flatten", &[], &[], vec![1, features]);
    }

    fn finish(self) -> Vec<u8> {
        self.graph.finish(&self.tensor, &self.shape, 13)
    }
}
