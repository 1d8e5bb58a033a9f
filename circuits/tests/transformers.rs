//! Do blocks of transformers follow the floats: embeddings, masks, heads, Gelu in every form?
#[path = "support/agree.rs"]
mod agree;
#[path = "support/onnx.rs"]
mod onnx;

use agree::{numbers, rewritten, samples};
use assay_circuits::error::{CompileError, InputError, ModelError};
use assay_circuits::graph::{Function, Kind, Term};
use assay_circuits::onnx::ops::Fault;
use assay_circuits::{CompileOptions, Model, NamedTensors, compile};
use onnx::{Builder, FLOAT, INT64, Value};

const TOKENS: i64 = 8;
const WIDTH: i64 = 16;
const HEADS: i64 = 2;
const VOCABULARY: i64 = 11;
const BOOL: i32 = 9;

/// Token ids, and whatever else the model takes as numbers between -1 and 1.
fn tokens(model: &Model, count: usize) -> Vec<NamedTensors> {
    let mut next = numbers(11);
    samples(model, count, &mut |name| match name {
        "tokens" => ((next() + 1.0) / 2.0 * VOCABULARY as f64).floor(),
        "mask" => f64::from(u8::from(next() > -0.4)),
        _ => next(),
    })
}

/// How Gelu is written.
#[derive(Clone, Copy, PartialEq)]
enum Gelu {
    Erf,
    Tanh,
    Operator,
}

/// How scores are masked.
#[derive(Clone, Copy, PartialEq)]
enum Mask {
    None,
    Where,
    Added,
    Infinite,
    Input,
}

struct Block {
    b: Builder,
}

impl Block {
    fn linear(&mut self, x: &str, inputs: i64, outputs: i64) -> String {
        let (w, c) = (self.b.weight(&[inputs, outputs]), self.b.weight(&[outputs]));
        let y = self.b.node("MatMul", &[x, &w], &[]);
        self.b.node("Add", &[&y, &c], &[])
    }

    fn norm(&mut self, x: &str) -> String {
        let (scale, shift) = (self.b.weight(&[WIDTH]), self.b.weight(&[WIDTH]));
        self.b.node("LayerNormalization", &[x, &scale, &shift], &[])
    }

    fn scalar(&mut self, value: f32) -> String {
        self.b.constant(&[], &[value])
    }

    fn gelu(&mut self, x: &str, form: Gelu) -> String {
        let (half, one) = (self.scalar(0.5), self.scalar(1.0));
        let gate = match form {
            Gelu::Operator => return self.b.node("Gelu", &[x], &[]),
            Gelu::Erf => {
                let root = self.scalar(core::f32::consts::SQRT_2);
                let d = self.b.node("Div", &[x, &root], &[]);
                self.b.node("Erf", &[&d], &[])
            }
            Gelu::Tanh => {
                let (three, small, factor) = (self.scalar(3.0), self.scalar(0.044_715), self.scalar(0.797_884_6));
                let cube = self.b.node("Pow", &[x, &three], &[]);
                let cube = self.b.node("Mul", &[&small, &cube], &[]);
                let sum = self.b.node("Add", &[x, &cube], &[]);
                let inner = self.b.node("Mul", &[&factor, &sum], &[]);
                self.b.node("Tanh", &[&inner], &[])
            }
        };
        let raised = self.b.node("Add", &[&gate, &one], &[]);
        let product = self.b.node("Mul", &[x, &half], &[]);
        self.b.node("Mul", &[&product, &raised], &[])
    }

    /// The part of a product that is queries, keys or values, as heads in some order of axes.
    fn heads(&mut self, x: &str, order: &[i64]) -> String {
        let shape = self.b.ints(&[1, TOKENS, HEADS, WIDTH / HEADS]);
        let x = self.b.node("Reshape", &[x, &shape], &[]);
        self.b.node("Transpose", &[&x], &[("perm", Value::Ints(order))])
    }

    fn masked(&mut self, scores: &str, mask: Mask) -> String {
        let count = (TOKENS * TOKENS) as usize;
        let allowed = |place: usize| place % TOKENS as usize <= place / TOKENS as usize;
        match mask {
            Mask::None => scores.to_owned(),
            Mask::Where => {
                let values: Vec<f32> = (0..count).map(|place| f32::from(u8::from(allowed(place)))).collect();
                let condition = self.b.constant(&[1, 1, TOKENS, TOKENS], &values);
                let never = self.scalar(-1e9);
                self.b.node("Where", &[&condition, scores, &never], &[])
            }
            Mask::Infinite => {
                // As exporters write it: a mask that is made from constants.
                let values: Vec<f32> = (0..count).map(|place| f32::from(u8::from(allowed(place)))).collect();
                let condition = self.b.constant(&[TOKENS, TOKENS], &values);
                let (zero, never) = (self.scalar(0.0), self.scalar(f32::NEG_INFINITY));
                let values = self.b.node("Where", &[&condition, &zero, &never], &[]);
                self.b.node("Add", &[scores, &values], &[])
            }
            Mask::Added => {
                let values: Vec<f32> = (0..count).map(|place| if allowed(place) { 0.0 } else { f32::MIN }).collect();
                let values = self.b.constant(&[TOKENS, TOKENS], &values);
                self.b.node("Add", &[scores, &values], &[])
            }
            Mask::Input => {
                let axes = self.b.ints(&[1, 2]);
                let m = self.b.node("Unsqueeze", &["mask", &axes], &[]);
                let m = self.b.node("Cast", &[&m], &[("to", Value::Int(FLOAT.into()))]);
                let (one, never) = (self.scalar(1.0), self.scalar(f32::MIN));
                let m = self.b.node("Sub", &[&one, &m], &[]);
                let m = self.b.node("Mul", &[&m, &never], &[]);
                self.b.node("Add", &[scores, &m], &[])
            }
        }
    }

    fn attention(&mut self, x: &str, mask: Mask) -> String {
        let qkv = self.linear(x, WIDTH, 3 * WIDTH);
        let parts = self.b.nodes("Split", &[&qkv], &[("axis", Value::Int(-1))], 3);
        let query = self.heads(&parts[0], &[0, 2, 1, 3]);
        let key = self.heads(&parts[1], &[0, 2, 3, 1]);
        let value = self.heads(&parts[2], &[0, 2, 1, 3]);
        let scores = self.b.node("MatMul", &[&query, &key], &[]);
        let factor = self.scalar(0.353_553_4);
        let scores = self.b.node("Mul", &[&scores, &factor], &[]);
        let scores = self.masked(&scores, mask);
        let weights = self.b.node("Softmax", &[&scores], &[]);
        let mixed = self.b.node("MatMul", &[&weights, &value], &[]);
        let mixed = self.b.node("Transpose", &[&mixed], &[("perm", Value::Ints(&[0, 2, 1, 3]))]);
        let shape = self.b.ints(&[1, TOKENS, WIDTH]);
        let mixed = self.b.node("Reshape", &[&mixed, &shape], &[]);
        self.linear(&mixed, WIDTH, WIDTH)
    }

    fn feed_forward(&mut self, x: &str, gelu: Gelu) -> String {
        let hidden = self.linear(x, WIDTH, 4 * WIDTH);
        let hidden = self.gelu(&hidden, gelu);
        self.linear(&hidden, 4 * WIDTH, WIDTH)
    }
}

/// A language model of one block that normalises before its parts, or after them.
fn language_model(gelu: Gelu, mask: Mask, norm_first: bool) -> Model {
    let mut inputs: Vec<(&str, &[i64], i32)> = vec![("tokens", &[1, TOKENS], INT64)];
    if mask == Mask::Input {
        inputs.push(("mask", &[1, TOKENS], INT64));
    }
    let mut block = Block { b: Builder::with_inputs(&inputs) };
    block.b.model.opset_import[0].version = 20;
    let (table, positions) = (block.b.weight(&[VOCABULARY, WIDTH]), block.b.weight(&[TOKENS, WIDTH]));
    let x = block.b.node("Gather", &[&table, "tokens"], &[]);
    let mut x = block.b.node("Add", &[&x, &positions], &[]);
    for part in 0..2 {
        let source = if norm_first { block.norm(&x) } else { x.clone() };
        let change = if part == 0 { block.attention(&source, mask) } else { block.feed_forward(&source, gelu) };
        x = block.b.node("Add", &[&x, &change], &[]);
        if !norm_first {
            x = block.norm(&x);
        }
    }
    let head = block.b.weight(&[WIDTH, VOCABULARY]);
    let y = block.b.node("MatMul", &[&x, &head], &[]);
    block.b.build(&y)
}

#[test]
fn language_models_follow_the_floats() {
    for (gelu, mask, norm_first) in [
        (Gelu::Erf, Mask::Where, true),
        (Gelu::Tanh, Mask::Added, true),
        (Gelu::Operator, Mask::Input, false),
        (Gelu::Erf, Mask::None, false),
        (Gelu::Erf, Mask::Infinite, true),
    ] {
        let model = language_model(gelu, mask, norm_first);
        agree::agree("a language model", &model, &tokens(&model, 24), (1e-3, 1e-2));
    }
}

#[test]
fn gelu_is_one_table_in_every_form() {
    for gelu in [Gelu::Erf, Gelu::Tanh, Gelu::Operator] {
        let graph = rewritten(&language_model(gelu, Mask::Where, true));
        let functions: Vec<&Function> = (graph.nodes.iter())
            .filter_map(|node| match &node.kind {
                Kind::Function { function, .. } => Some(function),
                _ => None,
            })
            .collect();
        assert_eq!(functions.len(), 1);
        // Gelu at 1, by either formula.
        assert!((functions[0].value(1.0) - 0.8413).abs() < 2e-4);
    }
}

#[test]
fn blocks_have_no_more_sums_than_they_need() {
    let graph = rewritten(&language_model(Gelu::Erf, Mask::Where, true));
    let count = graph.nodes.iter().filter(|node| matches!(node.kind, Kind::Combine(_))).count();
    // Embeddings; queries, keys, values, scores, mixture, projection; both layers of the feed-forward part; the head.
    assert_eq!(count, 10);
    let weighted_masks = graph.nodes.iter().any(|node| match &node.kind {
        Kind::Combine(combine) => {
            combine.terms.iter().any(|term| matches!(term, Term::Weighted { view, .. } if view.sum.is_empty()))
        }
        _ => false,
    });
    assert!(!weighted_masks, "masks are summands");
}

#[test]
fn tables_chosen_through_other_shapes() {
    let mut b = Builder::with_inputs(&[("tokens", &[2, 3], INT64)]);
    let (table, shape) = (b.weight(&[VOCABULARY, 5]), b.ints(&[6]));
    let flat = b.node("Reshape", &["tokens", &shape], &[]);
    let x = b.node("Gather", &[&table, &flat], &[]);
    let w = b.weight(&[5, 4]);
    let y = b.node("MatMul", &[&x, &w], &[]);
    let model = b.build(&y);
    agree::agree("flat tokens", &model, &tokens(&model, 8), (1e-3, 5e-3));

    let mut b = Builder::with_inputs(&[("tokens", &[1, 4], INT64), ("mask", &[1, 4], BOOL)]);
    let (words, kinds) = (b.weight(&[VOCABULARY, 6]), b.weight(&[2, 6]));
    let x = b.node("Gather", &[&words, "tokens"], &[]);
    let k = b.node("Gather", &[&kinds, "mask"], &[]);
    let y = b.node("Add", &[&x, &k], &[]);
    let model = b.build(&y);
    agree::agree("two tables in one sum", &model, &tokens(&model, 8), (1e-3, 5e-3));
}

/// What a compilation on these tokens says.
fn refused(values: [f64; 2]) -> InputError {
    let mut b = Builder::with_inputs(&[("tokens", &[1, 2], INT64)]);
    let table = b.weight(&[VOCABULARY, 5]);
    let y = b.node("Gather", &[&table, "tokens"], &[]);
    let model = b.build(&y);
    let mut values = values.into_iter();
    let calibration = samples(&model, 1, &mut |_| values.next().expect("two tokens"));
    let options = CompileOptions { calibration: Some(calibration), ..CompileOptions::default() };
    match compile(&model, &options, &|_, _| {}) {
        Err(CompileError::Calibration { fault, .. }) => fault,
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn tokens_that_choose_nothing() {
    assert!(matches!(refused([0.0, 11.0]), InputError::Row { position: 1, rows: 11, .. }));
    assert!(matches!(refused([-1.0, 3.0]), InputError::Row { position: 0, .. }));
    assert!(matches!(refused([2.5, 3.0]), InputError::Type { position: 0, .. }));
    assert!(refused([0.0, 11.0]).to_string().contains("\"tokens\": 11 at position 1"));
}

#[test]
fn masks_that_do_not_fit() {
    let mut b = Builder::new(&[1, 2, 4, 4]);
    let mask = b.constant(&[3, 4], &[0.0; 12]);
    let y = b.node("Add", &["x", &mask], &[]);
    let y = b.node("Softmax", &[&y], &[]);
    match compile(&b.build(&y), &CompileOptions::default(), &|_, _| {}) {
        Err(CompileError::Model(ModelError::Node { node, fault: Fault::Shapes(shapes), .. })) => {
            assert_eq!(node, "add_2");
            assert_eq!(shapes, [vec![1, 2, 4, 4], vec![3, 4]]);
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn shapes_that_depend_on_data() {
    let mut b = Builder::with_inputs(&[("x", &[1, 4], FLOAT), ("shape", &[2], INT64)]);
    let y = b.node("Reshape", &["x", "shape"], &[]);
    let error = compile(&b.build(&y), &CompileOptions::default(), &|_, _| {}).expect_err("the shape is not known");
    assert!(matches!(error, CompileError::Model(ModelError::Unsupported(nodes)) if nodes[0].operator == "Reshape"));
}
