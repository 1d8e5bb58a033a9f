//! Do operators still compute the same when they are put together: in other layouts, behind reshapes, folded into each
//! other?
#[path = "support/onnx.rs"]
mod onnx;
mod support;

use std::collections::BTreeMap;

use assay_circuits::compile::float_graph;
use assay_circuits::graph::{eval, passes};
use assay_circuits::tensor::Tensor;
use assay_circuits::{Model, NamedTensors};
use onnx::{Builder, Value};

/// Samples for a model with one input.
fn samples(model: &Model) -> Vec<NamedTensors> {
    let inputs = model.inputs(1).expect("a fixed shape");
    let mut state = 7u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    let mut tensor = |dims: &[u32]| {
        let count = dims.iter().product::<u32>();
        Tensor { dims: dims.to_vec(), values: (0..count).map(|_| next()).collect() }
    };
    (0..6).map(|_| inputs.iter().map(|input| (input.name.clone(), tensor(&input.dims))).collect()).collect()
}

/// The imported graph, the graph after all passes and the circuit agree.
fn agree(name: &str, builder: Builder, output: &str) {
    let model = builder.build(output);
    let samples = samples(&model);
    let graph = float_graph(&model, 1).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut rewritten = graph.clone();
    passes::run(&mut rewritten);
    let mut expected = Vec::new();
    let mut dims = Vec::new();
    for sample in &samples {
        let inputs: BTreeMap<_, _> =
            sample.iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
        let node = graph.outputs[0].1;
        let before = eval::evaluate(&graph, &inputs).swap_remove(node as usize);
        let after = eval::evaluate(&rewritten, &inputs).swap_remove(rewritten.outputs[0].1 as usize);
        assert_eq!(before.len(), after.len(), "{name}");
        let worst = before.iter().zip(&after).fold(0f64, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst < 1e-9, "{name}: passes change the result by {worst}");
        expected.extend(before);
        dims = graph.node(node).dims.clone();
    }
    let compiled = support::compiled(&model, 16, samples.clone());
    let port = &compiled.circuit.outputs[0];
    assert_eq!(port.dims, dims, "{name}");
    let all = Tensor { dims: vec![expected.len() as u32], values: expected };
    let accuracy = support::compare(&compiled, &samples, &all);
    assert!(accuracy.relative_mean_error() < 0.003, "{name}: {accuracy:?}");
    assert!(accuracy.max_error < 0.02 * accuracy.output_range, "{name}: {accuracy:?}");
}

/// A convolution with its weights.
fn conv(builder: &mut Builder, x: &str, weight: &[i64], attributes: &[(&str, Value<'_>)]) -> String {
    let weight = builder.weight(weight);
    builder.node("Conv", &[x, &weight], attributes)
}

#[test]
fn flattened_images_feed_layers() {
    let mut b = Builder::new(&[1, 3, 4, 5]);
    let c = conv(&mut b, "x", &[6, 3, 3, 3], &[("pads", Value::Ints(&[1, 1, 1, 1]))]);
    let r = b.node("Relu", &[&c], &[]);
    let f = b.node("Flatten", &[&r], &[]);
    let (w, c) = (b.weight(&[120, 7]), b.weight(&[7]));
    let y = b.node("Gemm", &[&f, &w, &c], &[]);
    agree("flatten then gemm", b, &y);

    let mut b = Builder::new(&[1, 6, 4, 2]);
    let shape = b.ints(&[1, 8, 6]);
    let reshaped = b.node("Reshape", &["x", &shape], &[]);
    let w = b.weight(&[6, 5]);
    let y = b.node("MatMul", &[&reshaped, &w], &[]);
    agree("an image read as rows that cut across channels", b, &y);

    let mut b = Builder::new(&[1, 6, 4, 4]);
    let shape = b.ints(&[1, 2, 3, 16]);
    let reshaped = b.node("Reshape", &["x", &shape], &[]);
    let moved = b.node("Transpose", &[&reshaped], &[("perm", Value::Ints(&[0, 2, 1, 3]))]);
    let shape = b.ints(&[1, 6, 4, 4]);
    let shuffled = b.node("Reshape", &[&moved, &shape], &[]);
    let y = conv(&mut b, &shuffled, &[4, 6, 3, 3], &[]);
    agree("channel shuffle", b, &y);

    let mut b = Builder::new(&[1, 5, 4, 4]);
    let f = b.node("Flatten", &["x"], &[]);
    let y = b.node("Tanh", &[&f], &[]);
    agree("a flattened output", b, &y);

    let mut b = Builder::new(&[1, 4, 6]);
    let shape = b.ints(&[1, 3, 8]);
    let y = b.node("Reshape", &["x", &shape], &[]);
    let t = b.node("Transpose", &[&y], &[("perm", Value::Ints(&[0, 2, 1]))]);
    let shape = b.ints(&[1, 6, 4]);
    let y = b.node("Reshape", &[&t, &shape], &[]);
    agree("reshapes that need a copy", b, &y);
}

#[test]
fn groups_follow_grouped_layouts() {
    let mut b = Builder::new(&[1, 4, 5, 5]);
    let c = conv(&mut b, "x", &[8, 4, 3, 3], &[]);
    let r = b.node("Relu", &[&c], &[]);
    let g = conv(&mut b, &r, &[6, 4, 2, 2], &[("group", Value::Int(2))]);
    let d = conv(&mut b, &g, &[12, 1, 2, 2], &[("group", Value::Int(6))]);
    let y = conv(&mut b, &d, &[8, 3, 1, 1], &[("group", Value::Int(4))]);
    agree("groups of groups", b, &y);
}

#[test]
fn residuals_fold_into_one_sum() {
    let mut b = Builder::new(&[1, 4, 5, 5]);
    let stem = conv(&mut b, "x", &[8, 4, 3, 3], &[("pads", Value::Ints(&[1, 1, 1, 1]))]);
    let stem = b.node("Relu", &[&stem], &[]);
    let left = conv(&mut b, &stem, &[8, 8, 3, 3], &[("pads", Value::Ints(&[1, 1, 1, 1]))]);
    let parameters = [b.weight(&[8]), b.weight(&[8]), b.weight(&[8]), b.constant(&[8], &[0.7; 8])];
    let [s, t, m, v] = [&parameters[0], &parameters[1], &parameters[2], &parameters[3]];
    let left = b.node("BatchNormalization", &[&left, s, t, m, v], &[]);
    let right = conv(&mut b, &stem, &[8, 8, 1, 1], &[]);
    let sum = b.node("Add", &[&left, &right], &[]);
    let sum = b.node("Add", &[&sum, &stem], &[]);
    let y = b.node("Relu", &[&sum], &[]);
    let y = b.node("GlobalAveragePool", &[&y], &[]);
    agree("two branches and a skip", b, &y);

    let mut b = Builder::new(&[1, 6]);
    let (w, v) = (b.weight(&[6, 6]), b.weight(&[6, 6]));
    let a = b.node("MatMul", &["x", &w], &[]);
    let c = b.node("MatMul", &["x", &v], &[]);
    let gate = b.node("Sigmoid", &[&a], &[]);
    let product = b.node("Mul", &[&gate, &c], &[]);
    let y = b.node("Sub", &[&product, "x"], &[]);
    agree("a gate", b, &y);
}

#[test]
fn pools_and_joins_mix_layouts() {
    let mut b = Builder::new(&[1, 3, 9, 7]);
    let c = conv(&mut b, "x", &[4, 3, 3, 3], &[]);
    let pool = [("kernel_shape", Value::Ints(&[3, 2])), ("strides", Value::Ints(&[2, 1]))];
    let max = b.node("MaxPool", &[&c], &pool);
    let average = b.node("AveragePool", &[&c], &pool);
    let both = b.node("Concat", &[&max, &average], &[("axis", Value::Int(1))]);
    let y = conv(&mut b, &both, &[5, 8, 1, 1], &[]);
    let most = b.node("GlobalMaxPool", &[&y], &[]);
    let f = b.node("Flatten", &[&most], &[]);
    let c = b.weight(&[1, 5]);
    let y = b.node("Add", &[&f, &c], &[]);
    agree("pools, a concatenation and a maximum", b, &y);

    let mut b = Builder::new(&[1, 6, 8]);
    let parts = b.nodes("Split", &["x"], &[("axis", Value::Int(1))], 2);
    let t = b.node("Transpose", &[&parts[1]], &[("perm", Value::Ints(&[0, 2, 1]))]);
    let w = b.weight(&[3, 3]);
    let m = b.node("MatMul", &[&t, &w], &[]);
    let back = b.node("Transpose", &[&m], &[("perm", Value::Ints(&[0, 2, 1]))]);
    let joined = b.node("Concat", &[&back, &parts[0]], &[("axis", Value::Int(1))]);
    let y = b.node("Softplus", &[&joined], &[]);
    agree("a split, transpositions and a join", b, &y);

    let mut b = Builder::new(&[1, 4, 11]);
    let c = conv(&mut b, "x", &[6, 4, 3], &[("dilations", Value::Ints(&[2]))]);
    let r = b.node("LeakyRelu", &[&c], &[("alpha", Value::Float(0.1))]);
    let mean = b.node("ReduceMean", &[&r], &[("axes", Value::Ints(&[2])), ("keepdims", Value::Int(0))]);
    let w = b.weight(&[6, 3]);
    let y = b.node("MatMul", &[&mean, &w], &[]);
    agree("a sequence reduced to features", b, &y);
}

#[test]
fn scales_and_shifts_fold_both_ways() {
    let mut b = Builder::new(&[1, 6]);
    let (c, d, w, e) = (b.weight(&[6]), b.weight(&[6]), b.weight(&[6, 5]), b.weight(&[5]));
    let s = b.node("Sub", &["x", &c], &[]);
    let m = b.node("Mul", &[&s, &d], &[]);
    let g = b.node("MatMul", &[&m, &w], &[]);
    let y = b.node("Add", &[&g, &e], &[]);
    agree("standardised inputs", b, &y);

    let mut b = Builder::new(&[1, 3, 5, 5]);
    let c = b.weight(&[3, 1, 1]);
    let s = b.node("Sub", &["x", &c], &[]);
    let y = conv(&mut b, &s, &[4, 3, 3, 3], &[("pads", Value::Ints(&[1, 1, 1, 1]))]);
    agree("a shift before padding", b, &y);

    let mut b = Builder::new(&[1, 4, 6]);
    let (w, p) = (b.weight(&[6, 6]), b.weight(&[4, 6]));
    let m = b.node("MatMul", &["x", &w], &[]);
    let y = b.node("Add", &[&m, &p], &[]);
    agree("positions added to a sequence", b, &y);
}

/// A chain of operators on an image, a sequence or a row, drawn at random; the shape is followed along.
fn random_chain(seed: u64) -> (Builder, String) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = move |count: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % count) as i64
    };
    let mut dims = match draw(3) {
        0 => vec![1, 2 + draw(4), 5 + draw(3), 5 + draw(3)],
        1 => vec![1, 2 + draw(4), 6 + draw(4)],
        _ => vec![1, 4 + draw(9)],
    };
    let mut b = Builder::new(&dims);
    let mut x = "x".to_owned();
    for _ in 0..6 {
        let (rank, last) = (dims.len(), dims[dims.len() - 1]);
        let spatial = vec![1; rank.saturating_sub(2)];
        x = match draw(13) {
            0 | 1 if rank > 2 && dims[2..].iter().all(|&length| length >= 3) => {
                let outputs = 1 + draw(6);
                let weight = [&[outputs, dims[1]][..], &vec![3; rank - 2]].concat();
                let pads = [&spatial[..], &spatial[..]].concat();
                dims[1] = outputs;
                let weight = b.weight(&weight);
                b.node("Conv", &[&x, &weight], &[("pads", Value::Ints(&pads))])
            }
            2 if rank > 2 && dims[2..].iter().all(|&length| length >= 4) => {
                let kernel = vec![2; rank - 2];
                dims[2..].iter_mut().for_each(|length| *length /= 2);
                let pool = [("kernel_shape", Value::Ints(&kernel)), ("strides", Value::Ints(&kernel))];
                b.node(if draw(2) == 0 { "MaxPool" } else { "AveragePool" }, &[&x], &pool)
            }
            3 => {
                let mut order: Vec<i64> = (1..rank as i64).collect();
                let turns = draw(order.len() as u64) as usize;
                order.rotate_left(turns);
                order.insert(0, 0);
                dims = order.iter().map(|&axis| dims[axis as usize]).collect();
                b.node("Transpose", &[&x], &[("perm", Value::Ints(&order))])
            }
            4 => {
                dims = vec![1, dims.iter().product()];
                b.node("Flatten", &[&x], &[])
            }
            5 if last % 2 == 0 => {
                dims.splice(rank - 1.., [2, last / 2]);
                let shape = b.ints(&dims);
                b.node("Reshape", &[&x, &shape], &[])
            }
            6 => {
                let outputs = 2 + draw(5);
                let weight = b.weight(&[last, outputs]);
                dims[rank - 1] = outputs;
                b.node("MatMul", &[&x, &weight], &[])
            }
            7 => b.node("Relu", &[&x], &[]),
            8 => b.node("Tanh", &[&x], &[]),
            9 => {
                let y = b.node("Neg", &[&x], &[]);
                let axis = 1 + draw(rank as u64 - 1);
                dims[axis as usize] *= 2;
                b.node("Concat", &[&x, &y], &[("axis", Value::Int(axis))])
            }
            10 => {
                let y = b.node("Sigmoid", &[&x], &[]);
                b.node(if draw(2) == 0 { "Mul" } else { "Add" }, &[&x, &y], &[])
            }
            11 if last > 3 => {
                let (starts, ends, axes) = (b.ints(&[1]), b.ints(&[-1]), b.ints(&[-1]));
                dims[rank - 1] -= 2;
                b.node("Slice", &[&x, &starts, &ends, &axes], &[])
            }
            _ => {
                let c = b.weight(&[last]);
                b.node(if draw(2) == 0 { "Add" } else { "Mul" }, &[&x, &c], &[])
            }
        };
        if dims.len() > 5 {
            break;
        }
    }
    // A layer last, so that the output is not degenerate.
    let weight = b.weight(&[dims[dims.len() - 1], 4]);
    let y = b.node("MatMul", &[&x, &weight], &[]);
    (b, y)
}

#[test]
fn random_chains_agree() {
    for seed in 0..300 {
        let (builder, output) = random_chain(seed);
        agree(&format!("chain {seed}"), builder, &output);
    }
}
