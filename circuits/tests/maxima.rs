//! Maxima of many windows are proven by the relation for them: in every order of axes, with padding, and exactly.
#[path = "support/onnx.rs"]
mod onnx;
mod support;

use std::collections::BTreeMap;

use assay_circuits::Model;
use assay_circuits::compile::{evaluate_model, float_graph};
use assay_circuits::graph::eval;
use assay_circuits::tensor::Tensor;
use assay_verifier::circuit::Op;
use onnx::{Builder, Value};

/// ONNX's number for unsigned bytes.
const UINT8: i32 = 2;

/// A model with an input of bytes.
fn bytes(dims: &[i64]) -> Builder {
    let mut b = Builder::new(dims);
    let kind = b.graph().input[0].r#type.as_mut().expect("declared");
    kind.tensor_type.as_mut().expect("a tensor").elem_type = UINT8;
    b
}

/// Compiles for bytes, compares with the floats exactly, and returns the number of maxima by the relation.
fn exact(builder: Builder, output: &str) -> usize {
    let model: Model = builder.build(output);
    let input = &model.inputs(1).expect("a fixed shape")[0];
    let count = input.dims.iter().product::<u32>();
    let value = |place: u32| f64::from(place.wrapping_mul(2_654_435_761) >> 24);
    let values: Vec<f64> = (0..count).map(value).collect();
    let sample = BTreeMap::from([("x".to_owned(), Tensor { dims: input.dims.clone(), values: values.clone() })]);
    let compiled = support::compiled(&model, 16, vec![sample.clone()]);
    let actual = evaluate_model(&compiled, &[sample]).expect("inputs that fit").remove(0);
    let graph = float_graph(&model, 1).expect("a valid model");
    let all = eval::evaluate(&graph, &BTreeMap::from([("x".to_owned(), values)]));
    assert_eq!(actual[output].values, all[graph.outputs[0].1 as usize]);
    compiled.circuit.nodes.iter().filter(|node| matches!(node.op, Op::Max { .. })).count()
}

#[test]
fn pools_keep_channels_innermost() {
    for (channels, pads) in [(1, 0), (3, 0), (3, 1), (4, 2)] {
        let mut b = bytes(&[1, channels, 9, 10]);
        let pads = [pads; 4];
        let attributes =
            [("kernel_shape", Value::Ints(&[5, 5])), ("strides", Value::Ints(&[1, 2])), ("pads", Value::Ints(&pads))];
        let y = b.node("MaxPool", &["x"], &attributes);
        assert_eq!(exact(b, &y), 1, "{channels} channels, {pads:?}");
    }
}

#[test]
fn reductions_over_every_set_of_axes() {
    for axes in [&[0i64][..], &[1], &[2], &[0, 1], &[1, 2], &[0, 2], &[0, 1, 2]] {
        for operator in ["ReduceMax", "ReduceMin"] {
            let mut b = bytes(&[6, 7, 8]);
            let y = b.node(operator, &["x"], &[("axes", Value::Ints(axes)), ("keepdims", Value::Int(0))]);
            assert_eq!(exact(b, &y), 1, "{operator} over {axes:?}");
        }
    }
}

#[test]
fn other_layouts() {
    let mut b = bytes(&[1, 4, 6, 8]);
    let shape = b.ints(&[4, 48]);
    let rows = b.node("Reshape", &["x", &shape], &[]);
    let y = b.node("ReduceMax", &[&rows], &[("axes", Value::Ints(&[1]))]);
    assert_eq!(exact(b, &y), 1);

    let mut b = bytes(&[1, 4, 6, 8]);
    let shape = b.ints(&[3, 64]);
    let rows = b.node("Reshape", &["x", &shape], &[]);
    let moved = b.node("Transpose", &[&rows], &[("perm", Value::Ints(&[1, 0]))]);
    let y = b.node("ReduceMax", &[&moved], &[("axes", Value::Ints(&[0]))]);
    assert_eq!(exact(b, &y), 1);
}

#[test]
fn few_cells_are_compared_in_pairs() {
    let mut b = bytes(&[2, 3]);
    let y = b.node("ReduceMax", &["x"], &[("axes", Value::Ints(&[1]))]);
    assert_eq!(exact(b, &y), 0);
}
