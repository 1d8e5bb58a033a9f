//! Are malformed models and inputs refused with the right error, and never with a panic?
#[path = "support/onnx.rs"]
mod onnx;
mod support;

use std::collections::BTreeMap;

use assay_circuits::error::{CompileError, DeclarationFault, ExternalFault, InputError, ModelError, TensorFault};
use assay_circuits::io::{self, Kind};
use assay_circuits::onnx::ops::Fault;
use assay_circuits::onnx::proto::{StringStringEntryProto, TensorProto};
use assay_circuits::onnx::{Folder, NoExternalData};
use assay_circuits::tensor::Tensor;
use assay_circuits::{CompileOptions, Model, compile};
use onnx::{Builder, FLOAT, Value, declaration};
use proptest::prelude::*;

fn parse(bytes: &[u8]) -> Result<Model, ModelError> {
    Model::from_bytes(bytes, &NoExternalData)
}

fn compile_error(builder: Builder, output: &str) -> CompileError {
    compile(&builder.build(output), &CompileOptions::default(), &|_, _| {}).expect_err("must be refused")
}

/// A layer `x W` with a weight that the caller may spoil.
fn layer() -> (Builder, String) {
    let mut b = Builder::new(&[1, 2]);
    let w = b.weight(&[2, 3]);
    let y = b.node("MatMul", &["x", &w], &[]);
    (b, y)
}

#[test]
fn truncated_files() {
    let bytes = std::fs::read(support::fixtures().join("digits_cnn.onnx")).expect("the fixture exists");
    for length in (0..bytes.len()).step_by(101).chain(bytes.len() - 64..bytes.len()) {
        assert!(parse(&bytes[..length]).is_err(), "the first {length} bytes");
    }
    assert!(matches!(parse(&[]), Err(ModelError::NoGraph)));
    assert!(matches!(parse(&bytes[..1000]), Err(ModelError::Malformed(_))));
}

#[test]
fn huge_lengths_in_small_files() {
    // Field 7 (the graph), a gigabyte long, and nothing after it.
    assert!(matches!(parse(&[0x3a, 0xff, 0xff, 0xff, 0xff, 0x03]), Err(ModelError::Malformed(_))));
    let (mut b, y) = layer();
    b.graph().initializer[0].dims = vec![1 << 20, 1 << 20];
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Tensor { fault: TensorFault::Shape(_), .. })));
    let (mut b, y) = layer();
    b.graph().input = vec![declaration("x", &[1, i64::MAX])];
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Input { fault: DeclarationFault::Shape, .. })));
    let mut b = Builder::new(&[1, 2]);
    let pads = b.ints(&[0, 0, 0, 1 << 40]);
    let y = b.node("Pad", &["x", &pads], &[]);
    assert!(matches!(compile_error(b, &y), CompileError::Model(ModelError::Node { fault: Fault::InputValue(1), .. })));
}

#[test]
fn cycles_and_undefined_values() {
    let mut b = Builder::new(&[1, 2]);
    let y = b.node("Relu", &["late"], &[]);
    b.graph().node[0].name = "first".into();
    let z = b.node("Add", &["x", &y], &[]);
    b.graph().node[1].output = vec!["late".into()];
    let _ = z;
    assert!(matches!(parse(&b.bytes("late")), Err(ModelError::Cycle { node }) if node == "first"));

    let mut b = Builder::new(&[1, 2]);
    let y = b.node("Relu", &["nothing"], &[]);
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Undefined { name, .. }) if name == "nothing"));

    let mut b = Builder::new(&[1, 2]);
    b.node("Relu", &["x"], &[]);
    assert!(matches!(parse(&b.bytes("y")), Err(ModelError::Undefined { name, .. }) if name == "y"));

    let mut b = Builder::new(&[1, 2]);
    let y = b.node("Relu", &["x"], &[]);
    b.node("Relu", &["x"], &[]);
    b.graph().node[1].output = vec![y.clone()];
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::DefinedTwice { name }) if name == y));
}

#[test]
fn nodes_in_any_order_are_sorted() {
    let (mut b, y) = layer();
    let z = b.node("Relu", &[&y], &[]);
    b.graph().node.reverse();
    assert!(compile(&b.build(&z), &CompileOptions::default(), &|_, _| {}).is_ok());
}

#[test]
fn dynamic_shapes() {
    let mut b = Builder::new(&[-1, 2]);
    let y = b.node("Relu", &["x"], &[]);
    let model = b.build(&y);
    assert_eq!(model.inputs(3).expect("an open batch")[0].dims, [3, 2]);

    let mut b = Builder::new(&[1, -1]);
    let y = b.node("Relu", &["x"], &[]);
    let fault = parse(&b.bytes(&y));
    assert!(matches!(fault, Err(ModelError::Input { fault: DeclarationFault::Dynamic { axis: 1 }, .. })));

    let mut b = Builder::new(&[1, 2]);
    b.graph().input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().shape = None;
    let y = b.node("Relu", &["x"], &[]);
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Input { fault: DeclarationFault::NoShape, .. })));

    let mut b = Builder::new(&[1, 2]);
    b.graph().input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().elem_type = 8;
    let y = b.node("Relu", &["x"], &[]);
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Input { fault: DeclarationFault::Type(8), .. })));
}

#[test]
fn weights_that_are_not_finite_or_not_whole() {
    let (mut b, y) = layer();
    b.graph().initializer[0].float_data[4] = f32::NAN;
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Tensor { fault: TensorFault::NotFinite(4), .. })));
    for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        let (mut b, y) = layer();
        b.graph().initializer[0].float_data[4] = bad;
        assert!(matches!(compile_error(b, &y), CompileError::Model(ModelError::Node { fault: Fault::NotFinite, .. })));
    }
    let (mut b, y) = layer();
    b.graph().initializer[0].float_data.pop();
    let fault = TensorFault::Length { expected: 6, actual: 5 };
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Tensor { fault: actual, .. }) if actual == fault));
    let (mut b, y) = layer();
    b.graph().initializer[0].raw_data = Some(vec![0; 23]);
    let fault = TensorFault::Length { expected: 24, actual: 23 };
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Tensor { fault: actual, .. }) if actual == fault));
    let (mut b, y) = layer();
    b.graph().initializer[0].data_type = 8;
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Tensor { fault: TensorFault::Type(8), .. })));
    let (mut b, y) = layer();
    b.graph().initializer[0].dims = vec![-2, 3];
    assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Tensor { fault: TensorFault::Shape(_), .. })));

    let mut b = Builder::new(&[1, 2]);
    let c = b.constant(&[2], &[1.0, 0.0]);
    let y = b.node("Div", &["x", &c], &[]);
    assert!(matches!(compile_error(b, &y), CompileError::Model(ModelError::Node { fault: Fault::InputValue(1), .. })));
}

/// A layer whose weight lies in another file.
fn external(entries: &[(&str, &str)]) -> Vec<u8> {
    let (mut b, y) = layer();
    let entry = |(key, value): &(&str, &str)| StringStringEntryProto { key: (*key).into(), value: (*value).into() };
    b.graph().initializer[0] = TensorProto {
        dims: vec![2, 3],
        data_type: FLOAT,
        name: b.graph().initializer[0].name.clone(),
        data_location: 1,
        external_data: entries.iter().map(entry).collect(),
        ..TensorProto::default()
    };
    b.bytes(&y)
}

#[test]
fn external_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("model");
    std::fs::create_dir(&inside).expect("a folder");
    std::fs::write(inside.join("weights.bin"), [0u8; 32]).expect("a file");
    std::fs::write(folder.path().join("secret.bin"), [0u8; 32]).expect("a file");
    let read = |entries: &[(&str, &str)]| match Model::from_bytes(&external(entries), &Folder(inside.clone())) {
        Ok(_) => None,
        Err(ModelError::Tensor { fault: TensorFault::External(fault), .. }) => Some(fault),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(read(&[("location", "weights.bin")]), None);
    assert_eq!(read(&[("location", "weights.bin"), ("offset", "8"), ("length", "24")]), None);
    assert_eq!(read(&[]), Some(ExternalFault::NoLocation));
    assert_eq!(read(&[("location", "other.bin")]), Some(ExternalFault::Missing("other.bin".into())));
    let short = Some(ExternalFault::Short("weights.bin".into()));
    assert_eq!(read(&[("location", "weights.bin"), ("offset", "9")]), short);
    assert_eq!(read(&[("location", "weights.bin"), ("offset", "18446744073709551615")]), short);
    assert_eq!(read(&[("location", "weights.bin"), ("length", "20")]), Some(ExternalFault::Extent));
    assert_eq!(read(&[("location", "weights.bin"), ("offset", "-1")]), Some(ExternalFault::Extent));
    for location in ["../secret.bin", "a/../../secret.bin", "/etc/hostname", ""] {
        assert_eq!(read(&[("location", location)]), Some(ExternalFault::Escapes(location.into())));
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("secret.bin"), inside.join("link.bin")).expect("a link");
        assert_eq!(read(&[("location", "link.bin")]), Some(ExternalFault::Escapes("link.bin".into())));
    }
    let alone = parse(&external(&[("location", "weights.bin")]));
    assert!(matches!(alone, Err(ModelError::Tensor { fault: TensorFault::External(_), .. })));
}

#[test]
fn unsupported_operators_are_listed_together() {
    let mut b = Builder::new(&[1, 4]);
    let a = b.node("Relu", &["x"], &[]);
    let first = b.node("NonMaxSuppression", &[&a, &a], &[]);
    let middle = b.node("Relu", &[&first], &[]);
    let second = b.node("Unique", &[&middle], &[]);
    let third = b.node("Einsum", &["x", "x", "x"], &[("equation", Value::Word("ij,ij,ij->ij"))]);
    b.graph().value_info = vec![declaration(&first, &[1, 4])];
    let CompileError::Model(ModelError::Unsupported(nodes)) = compile_error(b, &second) else {
        panic!("the wrong error");
    };
    let mut found: Vec<&str> = nodes.iter().map(|node| node.node.as_str()).collect();
    found.sort_unstable();
    let mut expected = [first.as_str(), &second, &third];
    expected.sort_unstable();
    assert_eq!(found, expected);
    let suppression = nodes.iter().find(|node| node.operator == "NonMaxSuppression").expect("listed");
    assert_eq!(suppression.shapes, [Some(vec![1, 4]), Some(vec![1, 4])]);
    let unique = nodes.iter().find(|node| node.operator == "Unique").expect("listed");
    assert_eq!(unique.shapes, [Some(vec![1, 4])]);
}

#[test]
fn operator_sets_and_options() {
    for version in [6, 22, -1] {
        let (mut b, y) = layer();
        b.model.opset_import[0].version = version;
        assert!(matches!(parse(&b.bytes(&y)), Err(ModelError::Opset(actual)) if actual == version));
    }
    let (b, y) = layer();
    let model = b.build(&y);
    let refuse = |options: CompileOptions| compile(&model, &options, &|_, _| {}).expect_err("must be refused");
    assert!(matches!(refuse(CompileOptions { bits: 7, ..CompileOptions::default() }), CompileError::Bits(7)));
    assert!(matches!(refuse(CompileOptions { batch: 0, ..CompileOptions::default() }), CompileError::Batch));
    let sample = |dims: &[u32], value: f64| {
        let count = dims.iter().product::<u32>() as usize;
        vec![BTreeMap::from([("x".to_owned(), Tensor { dims: dims.to_vec(), values: vec![value; count] })])]
    };
    let calibrate =
        |calibration| refuse(CompileOptions { calibration: Some(calibration), ..CompileOptions::default() });
    assert!(matches!(
        calibrate(sample(&[1, 3], 0.0)),
        CompileError::Calibration { fault: InputError::Shape { .. }, .. }
    ));
    let fault = calibrate(sample(&[1, 2], f64::NAN));
    assert!(matches!(fault, CompileError::Calibration { fault: InputError::NotFinite { position: 0, .. }, .. }));
    assert!(matches!(calibrate(Vec::new()), CompileError::Calibration { fault: InputError::Empty, .. }));
    let missing = vec![BTreeMap::new()];
    assert!(matches!(calibrate(missing), CompileError::Calibration { fault: InputError::Missing(_), .. }));
}

#[test]
fn malformed_operators() {
    let fault = |dims: &[i64], build: &dyn Fn(&mut Builder) -> String| {
        let mut b = Builder::new(dims);
        let y = build(&mut b);
        match compile_error(b, &y) {
            CompileError::Model(ModelError::Node { fault, .. }) => fault,
            other => panic!("{other}"),
        }
    };
    let shapes = fault(&[1, 2], &|b| {
        let w = b.weight(&[3, 2]);
        b.node("MatMul", &["x", &w], &[])
    });
    assert!(matches!(shapes, Fault::Shapes(_)));
    let missing = fault(&[1, 2], &|b| b.node("Add", &["x"], &[]));
    assert_eq!(missing, Fault::MissingInput(1));
    let axis = fault(&[1, 2], &|b| b.node("Transpose", &["x"], &[("perm", Value::Ints(&[0, 2]))]));
    assert_eq!(axis, Fault::Axis(2));
    let kernel = fault(&[1, 1, 2, 2], &|b| b.node("MaxPool", &["x"], &[("kernel_shape", Value::Ints(&[3, 3]))]));
    assert!(matches!(kernel, Fault::Shapes(_)));
    let stride = fault(&[1, 1, 2, 2], &|b| {
        b.node("MaxPool", &["x"], &[("kernel_shape", Value::Ints(&[1, 1])), ("strides", Value::Ints(&[0, 1]))])
    });
    assert!(matches!(stride, Fault::AttributeValue(_)));
    let reshape = fault(&[1, 6], &|b| {
        let shape = b.ints(&[-1, -1]);
        b.node("Reshape", &["x", &shape], &[])
    });
    assert_eq!(reshape, Fault::InputValue(1));
    let kind = fault(&[1, 6], &|b| b.node("Flatten", &["x"], &[("axis", Value::Float(1.0))]));
    assert_eq!(kind, Fault::AttributeType("axis"));
}

#[test]
fn inputs() {
    let (b, y) = layer();
    let model = b.build(&y);
    let compiled = compile(&model, &CompileOptions::default(), &|_, _| {}).expect("a valid model");
    let port = &compiled.circuit.inputs[0];
    let assay_verifier::circuit::Op::Input(range) = compiled.circuit.nodes[port.node as usize].op else {
        panic!("an input port names an input");
    };
    let quantize = |dims: &[u32], values: &[f64]| {
        io::quantize(port, range, &Tensor { dims: dims.to_vec(), values: values.to_vec() })
    };
    assert!(quantize(&[1, 2], &[0.5, -0.5]).is_ok());
    assert!(matches!(quantize(&[2, 1], &[0.5, -0.5]), Err(InputError::Shape { .. })));
    assert!(matches!(quantize(&[1, 2], &[0.5]), Err(InputError::Shape { .. })));
    assert!(matches!(quantize(&[1, 2], &[0.5, f64::NAN]), Err(InputError::NotFinite { position: 1, .. })));
    assert!(matches!(quantize(&[1, 2], &[1e9, 0.0]), Err(InputError::Range { position: 0, .. })));

    let declared = model.inputs(1).expect("a fixed shape");
    let read = |text: &str| io::decode(text.as_bytes(), Kind::Json).and_then(|tensors| io::samples(tensors, &declared));
    assert_eq!(read(r#"{"input_data": [[1, 2]]}"#).expect("ezkl's form")[0]["x"].values, [1.0, 2.0]);
    assert_eq!(read(r#"{"x": [[1, 2], [3, 4]]}"#).expect("two samples").len(), 2);
    assert!(matches!(read(r#"{"z": [1, 2], "w": [1]}"#), Err(InputError::Missing(_))));
    assert!(matches!(read(r#"{"x": [1, 2, 3]}"#), Err(InputError::Shape { .. })));
    for malformed in [r#"{"x": [[1, 2], [3]]}"#, r#"{"x": ["a"]}"#, r#"{"x": [null, 1]}"#, r#"{"x": []}"#, "[1", "[1]"]
    {
        assert!(matches!(read(malformed), Err(InputError::Malformed { .. })), "{malformed}");
    }
}

#[test]
fn malformed_arrays() {
    let decode = |bytes: &[u8]| io::decode(bytes, Kind::Npy).expect_err("must be refused");
    let array = |header: &str, data: &[u8]| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    };
    let good = array("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }", &[0; 8]);
    assert_eq!(io::decode(&good, Kind::Npy).expect("well-formed")[0].1.dims, [2, 1]);
    for (header, data) in [
        ("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", 8),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }", 7),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", 8),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967295, 4294967295), }", 8),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (2, 1), }", 8),
        ("{'descr': '<f4', 'fortran_order': False}", 8),
        ("", 0),
    ] {
        assert!(matches!(decode(&array(header, &vec![0; data])), InputError::Malformed { .. }), "{header}");
    }
    for length in 0..good.len() {
        decode(&good[..length]);
    }
    assert!(io::decode(b"PK\x03\x04nonsense", Kind::Npz).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Whatever bytes are changed, there is an answer.
    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut b = Builder::new(&[1, 2, 6, 6]);
        let w = b.weight(&[3, 2, 2, 2]);
        let c = b.node("Conv", &["x", &w], &[("pads", Value::Ints(&[1, 1, 0, 0])), ("group", Value::Int(1))]);
        let p = b.node("MaxPool", &[&c], &[("kernel_shape", Value::Ints(&[2, 2]))]);
        let s = b.ints(&[1, -1]);
        let r = b.node("Reshape", &[&p, &s], &[]);
        let y = b.node("Sigmoid", &[&r], &[]);
        let mut bytes = b.bytes(&y);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(model) = parse(&bytes) {
            let size = |dims: &[u32]| dims.iter().map(|&dim| u64::from(dim)).product::<u64>();
            let is_small = model.inputs(1).is_ok_and(|inputs| inputs.iter().all(|input| size(&input.dims) < 1 << 12));
            if is_small {
                let _ = compile(&model, &CompileOptions::default(), &|_, _| {});
            }
        }
    }

    /// Whatever the weights' magnitudes are, there is an answer.
    #[test]
    fn extreme_values_never_panic(exponents in prop::collection::vec(-126i32..127, 5), function in 0usize..9) {
        let value = |place: usize| libm::ldexp(1.0, exponents[place]) as f32;
        let mut b = Builder::new(&[1, 4]);
        let scaled = |b: &mut Builder, x: &str, place: usize, operator: &str| {
            let c = b.constant(&[4], &[value(place), -value(place), value(place + 1), 0.0]);
            b.node(operator, &[x, &c], &[])
        };
        let x = scaled(&mut b, "x", 0, "Mul");
        let w = b.weight(&[4, 4]);
        let x = b.node("MatMul", &[&x, &w], &[]);
        let x = scaled(&mut b, &x, 1, "Add");
        let (low, high) = (b.constant(&[], &[-value(2)]), b.constant(&[], &[value(3)]));
        let names = ["Relu", "Clip", "Abs", "Tanh", "Softplus", "Elu", "LeakyRelu", "Pow", "Neg"];
        let inputs = match names[function] {
            "Clip" => vec![x.as_str(), &low, &high],
            "Pow" => vec![x.as_str(), &high],
            _ => vec![x.as_str()],
        };
        let y = b.node(names[function], &inputs, &[]);
        let y = scaled(&mut b, &y, 3, "Mul");
        let y = b.node("ReduceMean", &[&y], &[]);
        if let Ok(model) = parse(&b.bytes(&y)) {
            let _ = compile(&model, &CompileOptions::default(), &|_, _| {});
        }
    }

    /// Nor do bytes that never were a model.
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
        for kind in [Kind::Json, Kind::Npy, Kind::Npz] {
            let _ = io::decode(&bytes, kind);
        }
    }
}
