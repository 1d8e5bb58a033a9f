//! Language models of GPT-2's kind, in the operators that `fixtures/chargpt.py` writes, with weights drawn as GPT-2 draws them
//! before it is trained.
use super::graph::{Element, Graph, Value};
use super::random::Random;

/// Size of nanoGPT's vocabulary of Shakespeare's characters.
pub const CHARACTERS: i64 = 65;
/// Size of GPT-2's vocabulary.
pub const TOKENS: i64 = 50257;
/// Deviation of weights.
const DEVIATION: f64 = 0.02;
/// What keeps the roots of normalisations away from zero.
const EPSILON: f32 = 1e-5;
/// The score of a place that must not be looked at.
const NEVER: f64 = -1e9;
/// Width of the hidden layer of a feed-forward part, as a multiple of the model's.
const HIDDEN_FACTOR: i64 = 4;

/// The formula of the activation function.
#[derive(Clone, Copy)]
enum Gelu {
    /// By the error function, as PyTorch has it.
    Exact,
    /// By the hyperbolic tangent, as GPT-2 has it.
    Tanh,
}

/// At which places the model gives logits.
#[derive(Clone, Copy, PartialEq)]
enum Places {
    /// After every token.
    All,
    /// After the last token, which is all that writing text needs.
    Last,
}

/// The shape of a model.
struct Shape {
    name: &'static str,
    layers: usize,
    heads: i64,
    width: i64,
    vocabulary: i64,
    tokens: i64,
    gelu: Gelu,
    places: Places,
}

/// nanoGPT's model of Shakespeare's characters: 6 layers, 6 heads, width 384, 65 characters; about 10.7 million parameters. It
/// sees 32 characters.
pub fn gpt_10m() -> Vec<u8> {
    export(&Shape {
        name: "gpt-10m",
        layers: 6,
        heads: 6,
        width: 384,
        vocabulary: CHARACTERS,
        tokens: 32,
        gelu: Gelu::Exact,
        places: Places::All,
    })
}

/// GPT-2's smallest size: 12 layers, 12 heads, width 768, 50257 tokens in the vocabulary, the head tied to the embedding; about
/// 124 million parameters. It sees 16 tokens.
pub fn gpt2() -> Vec<u8> {
    export(&Shape {
        name: "gpt2",
        layers: 12,
        heads: 12,
        width: 768,
        vocabulary: TOKENS,
        tokens: 16,
        gelu: Gelu::Tanh,
        places: Places::Last,
    })
}

fn export(shape: &Shape) -> Vec<u8> {
    let Shape { width, vocabulary, tokens, .. } = *shape;
    let mut model = Model { graph: Graph::new(shape.name), random: Random::new(2), shape };
    model.graph.input("tokens", Element::Integer, &[0, tokens]);
    let embedding = model.weights("embedding", &[vocabulary, width], DEVIATION);
    let positions = model.weights("positions", &[tokens, width], DEVIATION);
    let causal = (0..tokens).flat_map(|to| (0..tokens).map(move |from| from <= to));
    let causal = model.graph.booleans("causal", &[1, 1, tokens, tokens], causal);
    let mut x = model.graph.node("Gather", &[&embedding, "tokens"], &[("axis", Value::Integer(0))]);
    x = model.graph.node("Add", &[&x, &positions], &[]);
    for _ in 0..shape.layers {
        let mixed = model.normalize(&x);
        let mixed = model.attention(&mixed, &causal);
        x = model.graph.node("Add", &[&x, &mixed], &[]);
        let changed = model.normalize(&x);
        let changed = model.feed_forward(&changed);
        x = model.graph.node("Add", &[&x, &changed], &[]);
    }
    x = model.normalize(&x);
    let mut places = tokens;
    if shape.places == Places::Last {
        let last = model.graph.integers("last", &[-1]);
        x = model.graph.node("Gather", &[&x, &last], &[("axis", Value::Integer(1))]);
        places = 1;
    }
    let head = model.graph.node("Transpose", &[&embedding], &[("perm", Value::Integers(&[1, 0]))]);
    let logits = model.graph.node("MatMul", &[&x, &head], &[]);
    model.graph.finish(&logits, &[0, places, vocabulary], 17)
}

/// A model in the making.
struct Model<'a> {
    graph: Graph,
    random: Random,
    shape: &'a Shape,
}

impl Model<'_> {
    fn weights(&mut self, label: &str, dims: &[i64], deviation: f64) -> String {
        self.around(label, dims, 0.0, deviation)
    }

    fn around(&mut self, label: &str, dims: &[i64], mean: f64, deviation: f64) -> String {
        let count: i64 = dims.iter().product();
        let Self { graph, random, .. } = self;
        graph.floats(label, dims, (0..count).map(|_| mean + random.normal(deviation)))
    }

    /// The deviation of the weights that write to the residual stream, which sums up two of them for each layer.
    fn residual_deviation(&self) -> f64 {
        DEVIATION / (2.0 * self.shape.layers as f64).sqrt()
    }

    /// Biases and the scales of normalisations are not at their neutral values, lest a compiler leaves them out.
    fn linear(&mut self, x: &str, inputs: i64, outputs: i64, deviation: f64) -> String {
        let weight = self.weights("weight", &[inputs, outputs], deviation);
        let bias = self.weights("bias", &[outputs], DEVIATION);
        let product = self.graph.node("MatMul", &[x, &weight], &[]);
        self.graph.node("Add", &[&product, &bias], &[])
    }

    fn normalize(&mut self, x: &str) -> String {
        let scale = self.around("scale", &[self.shape.width], 1.0, DEVIATION);
        let shift = self.weights("shift", &[self.shape.width], DEVIATION);
        let attributes = [("axis", Value::Integer(-1)), ("epsilon", Value::Float(EPSILON))];
        self.graph.node("LayerNormalization", &[x, &scale, &shift], &attributes)
    }

    fn reshape(&mut self, x: &str, dims: &[i64]) -> String {
        let dims = self.graph.integers("shape", dims);
        self.graph.node("Reshape", &[x, &dims], &[])
    }

    fn transpose(&mut self, x: &str, order: &[i64]) -> String {
        self.graph.node("Transpose", &[x], &[("perm", Value::Integers(order))])
    }

    fn attention(&mut self, x: &str, causal: &str) -> String {
        let Shape { width, heads, tokens, .. } = *self.shape;
        let size = width / heads;
        let all = self.linear(x, width, 3 * width, DEVIATION);
        let sizes = self.graph.integers("sizes", &[width; 3]);
        let parts: [String; 3] = self.graph.outputs("Split", &[&all, &sizes], &[("axis", Value::Integer(-1))]);
        let [query, key, value] = parts.map(|part| self.reshape(&part, &[0, tokens, heads, size]));
        let query = self.transpose(&query, &[0, 2, 1, 3]);
        let key = self.transpose(&key, &[0, 2, 3, 1]);
        let value = self.transpose(&value, &[0, 2, 1, 3]);
        let scores = self.graph.node("MatMul", &[&query, &key], &[]);
        let scale = self.graph.scalar(1.0 / (size as f64).sqrt());
        let scores = self.graph.node("Mul", &[&scores, &scale], &[]);
        let never = self.graph.scalar(NEVER);
        let scores = self.graph.node("Where", &[causal, &scores, &never], &[]);
        let shares = self.graph.node("Softmax", &[&scores], &[("axis", Value::Integer(-1))]);
        let mixed = self.graph.node("MatMul", &[&shares, &value], &[]);
        let mixed = self.transpose(&mixed, &[0, 2, 1, 3]);
        let mixed = self.reshape(&mixed, &[0, tokens, width]);
        self.linear(&mixed, width, width, self.residual_deviation())
    }

    fn feed_forward(&mut self, x: &str) -> String {
        let Shape { width, gelu, .. } = *self.shape;
        let hidden = HIDDEN_FACTOR * width;
        let x = self.linear(x, width, hidden, DEVIATION);
        let x = match gelu {
            Gelu::Exact => self.exact_gelu(&x),
            Gelu::Tanh => self.tanh_gelu(&x),
        };
        self.linear(&x, hidden, width, self.residual_deviation())
    }

    fn with_scalar(&mut self, operator: &str, x: &str, value: f64) -> String {
        let scalar = self.graph.scalar(value);
        self.graph.node(operator, &[x, &scalar], &[])
    }

    /// `x * (1 + erf(x / sqrt 2)) * 0.5`.
    fn exact_gelu(&mut self, x: &str) -> String {
        let error = self.with_scalar("Div", x, std::f64::consts::SQRT_2);
        let error = self.graph.node("Erf", &[&error], &[]);
        let raised = self.with_scalar("Add", &error, 1.0);
        let product = self.graph.node("Mul", &[x, &raised], &[]);
        self.with_scalar("Mul", &product, 0.5)
    }

    /// `0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))`.
    fn tanh_gelu(&mut self, x: &str) -> String {
        let half = self.with_scalar("Mul", x, 0.5);
        let cube = self.with_scalar("Pow", x, 3.0);
        let cube = self.with_scalar("Mul", &cube, 0.044715);
        let inner = self.graph.node("Add", &[x, &cube], &[]);
        let inner = self.with_scalar("Mul", &inner, (2.0 / std::f64::consts::PI).sqrt());
        let raised = self.graph.node("Tanh", &[&inner], &[]);
        let raised = self.with_scalar("Add", &raised, 1.0);
        self.graph.node("Mul", &[&half, &raised], &[])
    }
}
