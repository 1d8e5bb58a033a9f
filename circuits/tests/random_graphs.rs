//! Random small graphs over all kinds of operators: do the rewritten floats and the integers follow the imported graph?
#[path = "support/onnx.rs"]
mod onnx;
mod support;

use std::collections::BTreeMap;

use assay_circuits::compile::{evaluate_model, float_graph};
use assay_circuits::graph::{eval, passes};
use assay_circuits::onnx::proto::NodeProto;
use assay_circuits::tensor::Tensor;
use assay_circuits::{Model, NamedTensors};
use onnx::{Builder, Value};

/// Number of graphs.
const GRAPHS: u64 = 400;
/// Nodes of a graph.
const STEPS: usize = 7;
/// Largest mean difference of real results as a share of their range; errors of several tables add up.
const REAL_BOUND: f64 = 0.01;
/// Largest share of whole results that may differ: where rounded numbers compare otherwise than the reals.
const WHOLE_BOUND: f64 = 0.1;

/// A stream of pseudo-random numbers.
struct Draw(u64);

impl Draw {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % count
    }
}

/// A tensor of a graph that is being written.
#[derive(Clone)]
struct Made {
    name: String,
    dims: Vec<i64>,
    kind: Kind,
}

/// What a tensor holds.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Real,
    Truth,
    Whole,
}

/// Functions that are defined everywhere.
const FUNCTIONS: [&str; 25] = [
    "Abs",
    "Atan",
    "Asinh",
    "Ceil",
    "Celu",
    "Cos",
    "Elu",
    "Erf",
    "Floor",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Mish",
    "Neg",
    "Relu",
    "Round",
    "Selu",
    "Shrink",
    "Sigmoid",
    "Sign",
    "Sin",
    "Softplus",
    "Softsign",
    "Tanh",
    "ThresholdedRelu",
];
const COMPARISONS: [&str; 5] = ["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"];
const REDUCTIONS: [&str; 7] =
    ["ReduceMax", "ReduceMin", "ReduceMean", "ReduceL1", "ReduceSumSquare", "ReduceLogSumExp", "ReduceProd"];

/// Adds a node on tensors that are there.
fn step(b: &mut Builder, draw: &mut Draw, all: &[Made]) -> Made {
    let reals: Vec<&Made> = all.iter().filter(|made| made.kind == Kind::Real).collect();
    let truths: Vec<&Made> = all.iter().filter(|made| made.kind == Kind::Truth).collect();
    let x = reals[draw.below(reals.len())].clone();
    let same: Vec<&&Made> = reals.iter().filter(|made| made.dims == x.dims).collect();
    let y = (*same[draw.below(same.len())]).clone();
    let rank = x.dims.len();
    let axis = draw.below(rank);
    let along = [("axis", Value::Int(axis as i64))];
    let kept = |name: String| Made { name, dims: x.dims.clone(), kind: Kind::Real };
    let shorter = |name: String, length: i64, kind: Kind| {
        let mut dims = x.dims.clone();
        dims[axis] = length;
        Made { name, dims, kind }
    };
    match draw.below(20) {
        0..=4 => kept(b.node(FUNCTIONS[draw.below(FUNCTIONS.len())], &[&x.name], &[])),
        5 => kept(b.node(["Add", "Sub", "Mul", "Max", "Min", "Mean", "Sum"][draw.below(7)], &[&x.name, &y.name], &[])),
        6 | 7 => {
            // Moved apart: numbers that are equal in the reals are not after roundings.
            let apart = b.weight(&x.dims);
            let y = b.node("Add", &[&y.name, &apart], &[]);
            let name = b.node(COMPARISONS[draw.below(COMPARISONS.len())], &[&x.name, &y], &[]);
            Made { name, dims: x.dims, kind: Kind::Truth }
        }
        8 if !truths.is_empty() => {
            let first = truths[draw.below(truths.len())];
            let same: Vec<&&Made> = truths.iter().filter(|made| made.dims == first.dims).collect();
            let second = same[draw.below(same.len())];
            let name = match draw.below(4) {
                0 => b.node("Not", &[&first.name], &[]),
                operator => b.node(["And", "Or", "Xor"][operator - 1], &[&first.name, &second.name], &[]),
            };
            Made { name, dims: first.dims.clone(), kind: Kind::Truth }
        }
        9 if truths.iter().any(|truth| truth.dims == x.dims) => {
            let fitting: Vec<&&Made> = truths.iter().filter(|truth| truth.dims == x.dims).collect();
            let condition = fitting[draw.below(fitting.len())].name.clone();
            kept(b.node("Where", &[&condition, &x.name, &y.name], &[]))
        }
        10 => {
            let axes = [("axes", Value::Ints(&[axis as i64]))];
            let operator = REDUCTIONS[draw.below(REDUCTIONS.len())];
            shorter(b.node(operator, &[&x.name], &axes), 1, Kind::Real)
        }
        11 => {
            let last = [along[0].clone(), ("select_last_index", Value::Int(draw.below(2) as i64))];
            shorter(b.node(["ArgMax", "ArgMin"][draw.below(2)], &[&x.name], &last), 1, Kind::Whole)
        }
        12 => kept(b.node(["Hardmax", "Softmax"][draw.below(2)], &[&x.name], &along)),
        13 => {
            let count = 1 + draw.below(x.dims[axis] as usize) as i64;
            let k = b.ints(&[count]);
            let names = b.nodes("TopK", &[&x.name, &k], &along, 2);
            match draw.below(2) {
                0 => shorter(names[0].clone(), count, Kind::Real),
                _ => shorter(names[1].clone(), count, Kind::Whole),
            }
        }
        14 => {
            let indices: Vec<i64> = (0..3).map(|_| draw.below(x.dims[axis] as usize) as i64).collect();
            let indices = b.ints(&indices);
            shorter(b.node("Gather", &[&x.name, &indices], &along), 3, Kind::Real)
        }
        15 => {
            let axis = b.ints(&[axis as i64]);
            kept(b.node("CumSum", &[&x.name, &axis], &[("reverse", Value::Int(draw.below(2) as i64))]))
        }
        16 => {
            let mut pads = vec![0; 2 * rank];
            (pads[axis], pads[rank + axis]) = (1, 1);
            let mode = ["reflect", "edge", "wrap", "constant"][draw.below(if x.dims[axis] > 1 { 4 } else { 1 })];
            let mode = if x.dims[axis] > 1 { mode } else { "edge" };
            let pads = b.ints(&pads);
            let length = x.dims[axis] + 2;
            shorter(b.node("Pad", &[&x.name, &pads], &[("mode", Value::Word(mode))]), length, Kind::Real)
        }
        17 if rank > 1 => {
            let mut order: Vec<i64> = (0..rank as i64).collect();
            order.rotate_left(1 + draw.below(rank - 1));
            let dims = order.iter().map(|&axis| x.dims[axis as usize]).collect();
            let name = b.node("Transpose", &[&x.name], &[("perm", Value::Ints(&order))]);
            Made { name, dims, kind: Kind::Real }
        }
        18 => shorter(b.node("Concat", &[&x.name, &y.name], &along), 2 * x.dims[axis], Kind::Real),
        19 if rank > 1 => kept(b.node("Trilu", &[&x.name], &[("upper", Value::Int(draw.below(2) as i64))])),
        _ => {
            let mut repeats = vec![1; rank];
            repeats[axis] = 2;
            let repeats = b.ints(&repeats);
            shorter(b.node("Tile", &[&x.name, &repeats], &[]), 2 * x.dims[axis], Kind::Real)
        }
    }
}

/// Samples that are different in every cell.
fn samples(model: &Model, draw: &mut Draw) -> Vec<NamedTensors> {
    let inputs = model.inputs(1).expect("a fixed shape");
    let mut tensor = |dims: &[u32]| {
        let count = dims.iter().product::<u32>();
        let values = (0..count).map(|_| draw.below(1 << 20) as f64 / f64::from(1 << 18) - 2.0).collect();
        Tensor { dims: dims.to_vec(), values }
    };
    (0..4).map(|_| inputs.iter().map(|input| (input.name.clone(), tensor(&input.dims))).collect()).collect()
}

/// Builds and compares one graph.
fn follow(seed: u64) -> Result<(), String> {
    let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let dims = [vec![2, 3, 4], vec![5, 3], vec![6], vec![1, 3, 2, 4]][draw.below(4)].clone();
    let mut b = Builder::new(&dims);
    let mut all = vec![Made { name: "x".into(), dims, kind: Kind::Real }];
    while all.len() <= STEPS {
        let made = step(&mut b, &mut draw, &all);
        if made.dims.iter().product::<i64>() <= 400 {
            all.push(made);
        }
    }
    let last = all.pop().expect("a node");
    let node = |node: &NodeProto| format!("{} = {}({})", node.output.join(", "), node.op_type, node.input.join(", "));
    let text: Vec<String> = b.graph().node.iter().map(node).collect();
    compared(b, &last, &mut draw).map_err(|fault| format!("{fault}\n    {}", text.join("\n    ")))
}

/// Compares the last tensor of a graph.
fn compared(b: Builder, last: &Made, draw: &mut Draw) -> Result<(), String> {
    let model = b.build(&last.name);
    let samples = samples(&model, draw);
    let graph = float_graph(&model, 1).map_err(|error| error.to_string())?;
    let mut rewritten = graph.clone();
    passes::run(&mut rewritten);
    let mut expected = Vec::new();
    for sample in &samples {
        let inputs: BTreeMap<_, _> =
            sample.iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
        let before = eval::evaluate(&graph, &inputs).swap_remove(graph.outputs[0].1 as usize);
        let after = eval::evaluate(&rewritten, &inputs).swap_remove(rewritten.outputs[0].1 as usize);
        let scale = before.iter().fold(1f64, |scale, value| scale.max(value.abs()));
        if before.iter().zip(&after).any(|(a, b)| (a - b).abs() > 1e-9 * scale) {
            return Err("passes change the result".into());
        }
        expected.push(before);
    }
    let compiled = support::compiled(&model, 16, samples.clone());
    let outputs = evaluate_model(&compiled, &samples).map_err(|error| error.to_string())?;
    let actual: Vec<f64> = outputs.iter().flat_map(|output| output[&last.name].values.clone()).collect();
    let expected = expected.concat();
    let count = expected.len() as f64;
    if last.kind == Kind::Real {
        let span = expected.iter().fold(0f64, |span, value| span.max(value.abs())).max(1e-3);
        let mean = actual.iter().zip(&expected).map(|(a, b)| (a - b).abs()).sum::<f64>() / count;
        return if mean <= REAL_BOUND * span { Ok(()) } else { Err(format!("a mean error of {:.4}", mean / span)) };
    }
    if actual.iter().any(|value| value.fract() != 0.0) {
        return Err("a whole result is not whole".into());
    }
    let different = actual.iter().zip(&expected).filter(|(a, b)| a != b).count();
    let share = different as f64 / count;
    if share <= WHOLE_BOUND { Ok(()) } else { Err(format!("{share:.3} of the whole results differ")) }
}

#[test]
fn integers_follow_the_floats() {
    let check = |seed: u64| {
        let outcome = std::panic::catch_unwind(|| follow(seed));
        outcome.unwrap_or_else(|_| Err("panicked".into())).err().map(|fault| format!("graph {seed}: {fault}"))
    };
    let faults: Vec<String> = (0..GRAPHS).filter_map(check).collect();
    assert!(faults.is_empty(), "{} graphs:\n{}", faults.len(), faults.join("\n"));
}
