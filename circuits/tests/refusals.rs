//! Uses of operators that cannot be compiled are refused with the node, the reason and the range.
#[path = "support/onnx.rs"]
mod onnx;

use std::collections::BTreeMap;

use assay_circuits::compile::float_graph;
use assay_circuits::onnx::ops::Fault;
use assay_circuits::onnx::proto::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use assay_circuits::tensor::Tensor;
use assay_circuits::{CompileError, CompileOptions, ModelError, compile};
use onnx::{Builder, FLOAT, INT64, Value};

/// Compiles with one sample and returns the error.
fn refused(builder: Builder, output: &str, sample: &[f64]) -> CompileError {
    let tensor = Tensor { dims: vec![sample.len() as u32], values: sample.to_vec() };
    let calibration = Some(vec![BTreeMap::from([("x".to_owned(), tensor)])]);
    let options = CompileOptions { calibration, ..CompileOptions::default() };
    compile(&builder.build(output), &options, &|_, _| {}).expect_err("must be refused")
}

/// The reason why the only unsupported node is.
fn unsupported(builder: Builder, output: &str) -> String {
    match refused(builder, output, &[1.0, 2.0, -1.0]) {
        CompileError::Model(ModelError::Unsupported(nodes)) if nodes.len() == 1 => nodes[0].reason.clone(),
        error => panic!("another error: {error}"),
    }
}

#[test]
fn functions_outside_their_domain() {
    for (operator, sample) in [
        ("Log", [1.0, 0.5, 0.0]),
        ("Log", [1.0, -0.5, 2.0]),
        ("Sqrt", [1.0, -1.0, 0.0]),
        ("Reciprocal", [1.0, 0.0, 2.0]),
    ] {
        let mut b = Builder::new(&[3]);
        let y = b.node(operator, &["x"], &[]);
        match refused(b, &y, &sample) {
            CompileError::Domain { node, low, high } => {
                assert_eq!(node, y, "{operator}");
                let ends = sample.iter().fold((2.0, -2.0), |(low, high): (f64, f64), &x| (low.min(x), high.max(x)));
                assert_eq!((low, high), ends, "{operator}");
            }
            error => panic!("{operator}: {error}"),
        }
    }
}

#[test]
fn divisions_by_zero() {
    let mut b = Builder::new(&[3]);
    let zero = b.constant(&[3], &[1.0, 0.0, 2.0]);
    let y = b.node("Div", &["x", &zero], &[]);
    let error = refused(b, &y, &[1.0, 2.0, 3.0]);
    let CompileError::Model(ModelError::Node { node, fault: Fault::InputValue(1), .. }) = error else {
        panic!("another error: {error}");
    };
    assert_eq!(node, y);
}

#[test]
fn shapes_that_depend_on_values() {
    let mut b = Builder::new(&[3]);
    let y = b.node("NonZero", &["x"], &[]);
    assert_eq!(unsupported(b, &y), "a shape that depends on the input's values");

    let mut b = Builder::new(&[3]);
    let zero = b.constant(&[1], &[0.0]);
    let kept = b.node("Greater", &["x", &zero], &[]);
    let y = b.node("Compress", &["x", &kept], &[]);
    assert_eq!(unsupported(b, &y), "a shape that depends on the input's values");

    let mut b = Builder::new(&[3]);
    let rounded = b.node("Cast", &["x"], &[("to", Value::Int(INT64.into()))]);
    let y = b.node("Gather", &["x", &rounded], &[]);
    assert_eq!(unsupported(b, &y), "indices that depend on the input");
}

/// A body of one node on the value `x` around it.
fn body(operator: &str, inputs: &[&str], declared: &[&str], output: &[&str]) -> GraphProto {
    let node = NodeProto {
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output[output.len() - 1].to_owned()],
        op_type: operator.to_owned(),
        ..NodeProto::default()
    };
    let value = |name: &&str| ValueInfoProto { name: (*name).to_owned(), r#type: None };
    GraphProto {
        node: vec![node],
        input: declared.iter().map(value).collect(),
        output: output.iter().map(value).collect(),
        ..GraphProto::default()
    }
}

fn graph(name: &str, body: GraphProto) -> AttributeProto {
    AttributeProto { name: name.into(), g: Some(Box::new(body)), ..AttributeProto::default() }
}

#[test]
fn branches_and_loops_that_depend_on_values() {
    let mut b = Builder::new(&[1]);
    let zero = b.constant(&[1], &[0.0]);
    let condition = b.node("Greater", &["x", &zero], &[]);
    let y = b.node("If", &[&condition], &[]);
    let branches = [
        graph("then_branch", body("Neg", &["x"], &[], &["then"])),
        graph("else_branch", body("Abs", &["x"], &[], &["else"])),
    ];
    b.graph().node.last_mut().expect("a node").attribute.extend(branches);
    assert_eq!(unsupported(b, &y), "a condition that depends on the input");

    let rounds = |b: &mut Builder, count: i64| {
        let (rounds, on) = (b.ints(&[count]), b.ints(&[1]));
        let y = b.node("Loop", &[&rounds, &on, "x"], &[]);
        let inner = body("Neg", &["carried"], &["round", "goes_on", "carried"], &["goes_on", "next"]);
        b.graph().node.last_mut().expect("a node").attribute.push(graph("body", inner));
        y
    };
    let mut b = Builder::new(&[1]);
    let y = rounds(&mut b, 1 << 40);
    assert_eq!(unsupported(b, &y), "a loop of more than 4096 rounds");

    let mut b = Builder::new(&[1]);
    let y = rounds(&mut b, 3);
    let model = b.build(&y);
    let compiled = compile(&model, &CompileOptions::default(), &|_, _| {}).expect("a loop of three rounds");
    assert_eq!(compiled.circuit.outputs[0].dims, [1]);
}

#[test]
fn bodies_that_read_what_is_not_there() {
    let mut b = Builder::new(&[1]);
    let on = b.ints(&[1]);
    let y = b.node("If", &[&on], &[]);
    b.graph()
        .node
        .last_mut()
        .expect("a node")
        .attribute
        .push(graph("then_branch", body("Neg", &["z"], &[], &["then"])));
    assert_eq!(unsupported(b, &y), "a body reads \"z\", which nothing defines");

    let mut b = Builder::new(&[1]);
    let on = b.ints(&[1]);
    let y = b.node("If", &[&on], &[]);
    let mut inner = body("Add", &["x", "c"], &[], &["then"]);
    inner.initializer.push(TensorProto {
        name: "c".into(),
        dims: vec![1],
        data_type: FLOAT,
        float_data: vec![f32::NAN],
        ..TensorProto::default()
    });
    b.graph().node.last_mut().expect("a node").attribute.push(graph("then_branch", inner));
    assert_eq!(unsupported(b, &y), "the constant \"c\" of a body");
}

#[test]
fn small_files_that_ask_for_much() {
    let mut b = Builder::new(&[3]);
    let shape = b.ints(&[1 << 14, 1 << 14, 1 << 14]);
    let y = b.node("ConstantOfShape", &[&shape], &[]);
    assert!(matches!(refused(b, &y, &[0.0; 3]), CompileError::Model(ModelError::Node { fault: Fault::Size(_), .. })));

    let mut b = Builder::new(&[3]);
    let (start, limit, step) = (b.constant(&[], &[0.0]), b.constant(&[], &[1e30]), b.constant(&[], &[1.0]));
    let y = b.node("Range", &[&start, &limit, &step], &[]);
    assert!(matches!(
        refused(b, &y, &[0.0; 3]),
        CompileError::Model(ModelError::Node { fault: Fault::InputValue(2), .. })
    ));

    let mut b = Builder::new(&[3]);
    let repeats = b.ints(&[1 << 30]);
    let y = b.node("Tile", &["x", &repeats], &[]);
    assert!(matches!(refused(b, &y, &[0.0; 3]), CompileError::Model(ModelError::Node { fault: Fault::Size(_), .. })));

    let mut b = Builder::new(&[3]);
    let (repeats, axis) = (b.ints(&[1 << 17]), b.ints(&[0]));
    let long = b.node("Tile", &["x", &repeats], &[]);
    let y = b.node("CumSum", &[&long, &axis], &[]);
    assert_eq!(unsupported(b, &y), "sums that read too many cells");
}

#[test]
fn large_constants_are_transposed_but_small_ones_are_not_blown_up() {
    let rows = (1 << 20) + 1;
    let mut b = Builder::new(&[4]);
    let table = b.constant(&[rows, 9], &vec![1.0; 9 * rows as usize]);
    let turned = b.node("Transpose", &[&table], &[]);
    let (from, to) = (b.ints(&[2, 5]), b.ints(&[3, 9]));
    let part = b.node("Slice", &[&turned, &from, &to], &[]);
    let y = b.node("Add", &["x", &part], &[]);
    let graph = float_graph(&b.build(&y), 1).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(graph.node(graph.outputs[0].1).dims, [1, 4]);

    let mut b = Builder::new(&[3]);
    let (one, shape) = (b.constant(&[1], &[1.0]), b.ints(&[(1 << 24) + 1]));
    let many = b.node("Expand", &[&one, &shape], &[]);
    let last = b.ints(&[1 << 24]);
    let part = b.node("Gather", &[&many, &last], &[]);
    let y = b.node("Add", &["x", &part], &[]);
    assert_eq!(unsupported(b, &y), "a computation on constants that is too large");
}
