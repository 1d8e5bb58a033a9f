//! Do products of two activations compute what they should, whatever the order of their axes?
#[path = "support/agree.rs"]
mod agree;
#[path = "support/onnx.rs"]
mod onnx;

use agree::{numbers, samples};
use assay_circuits::error::{CompileError, ModelError};
use assay_circuits::onnx::ops::Fault;
use assay_circuits::{CompileOptions, compile};
use onnx::{Builder, FLOAT, Value};

/// Mean and largest error as shares of the range.
const BOUNDS: (f64, f64) = (2e-4, 2e-3);

fn check(name: &str, builder: Builder, output: &str) {
    let model = builder.build(output);
    let mut next = numbers(3);
    let samples = samples(&model, 6, &mut |_| next());
    agree::agree(name, &model, &samples, BOUNDS);
}

/// `MatMul` of two inputs of these shapes.
fn matmul(a: &[i64], b: &[i64]) {
    let mut builder = Builder::with_inputs(&[("a", a, FLOAT), ("b", b, FLOAT)]);
    let y = builder.node("MatMul", &["a", "b"], &[]);
    check(&format!("{a:?} times {b:?}"), builder, &y);
}

#[test]
fn matrices_with_batches() {
    matmul(&[3, 4], &[4, 5]);
    matmul(&[1, 3, 4], &[1, 4, 5]);
    matmul(&[2, 3, 4], &[4, 5]);
    matmul(&[2, 1, 3, 4], &[1, 3, 4, 2]);
    matmul(&[1, 2, 8, 3], &[1, 2, 3, 8]);
}

#[test]
fn vectors() {
    matmul(&[4], &[4, 5]);
    matmul(&[2, 3, 4], &[4]);
    matmul(&[1, 7], &[7, 1]);
}

#[test]
fn constants_with_batches() {
    let mut b = Builder::new(&[1, 3, 4, 5]);
    let w = b.weight(&[3, 5, 2]);
    let y = b.node("MatMul", &["x", &w], &[]);
    check("a matrix for each head", b, &y);

    let mut b = Builder::new(&[1, 3, 4, 5]);
    let w = b.weight(&[6, 4]);
    let y = b.node("MatMul", &[&w, "x"], &[]);
    check("a matrix from the left", b, &y);
}

#[test]
fn gemm_of_activations() {
    for (trans_a, trans_b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let a: &[i64] = if trans_a == 1 { &[4, 3] } else { &[3, 4] };
        let b: &[i64] = if trans_b == 1 { &[5, 4] } else { &[4, 5] };
        let mut builder = Builder::with_inputs(&[("a", a, FLOAT), ("b", b, FLOAT), ("c", &[1, 5], FLOAT)]);
        let attributes = [
            ("transA", Value::Int(trans_a)),
            ("transB", Value::Int(trans_b)),
            ("alpha", Value::Float(0.5)),
            ("beta", Value::Float(2.0)),
        ];
        let y = builder.node("Gemm", &["a", "b", "c"], &attributes);
        check(&format!("{trans_a} {trans_b}"), builder, &y);
    }
}

#[test]
fn equations() {
    let cases: [(&str, &[i64], &[i64]); 10] = [
        ("bhid,bhjd->bhij", &[1, 2, 5, 4], &[1, 2, 6, 4]),
        ("bhij,bhjd->bihd", &[1, 2, 5, 6], &[1, 2, 6, 4]),
        ("bihd, bjhd -> bhij", &[1, 5, 2, 4], &[1, 6, 2, 4]),
        ("...ij,...jk->...ik", &[2, 3, 4], &[2, 4, 5]),
        ("ij,jk", &[3, 4], &[4, 5]),
        ("ij,ij->", &[3, 4], &[3, 4]),
        ("i,j->ij", &[3], &[4]),
        ("ijk,kl->jl", &[3, 4, 5], &[5, 2]),
        ("ijk,k->ij", &[3, 4, 5], &[5]),
        ("bij,bij->bij", &[2, 3, 4], &[2, 3, 4]),
    ];
    for (equation, a, b) in cases {
        let mut builder = Builder::with_inputs(&[("a", a, FLOAT), ("b", b, FLOAT)]);
        let y = builder.node("Einsum", &["a", "b"], &[("equation", Value::Word(equation))]);
        check(equation, builder, &y);
    }
}

#[test]
fn equations_of_one_tensor_and_with_constants() {
    for (equation, dims) in
        [("ij->ji", &[3, 4][..]), ("ijk->ik", &[2, 3, 4]), ("ii->i", &[4, 4]), ("ijk->", &[2, 3, 4])]
    {
        let mut b = Builder::new(dims);
        let y = b.node("Einsum", &["x"], &[("equation", Value::Word(equation))]);
        check(equation, b, &y);
    }
    let cases: [(&str, &[i64], &[i64]); 4] = [
        ("btc,chd->bthd", &[1, 5, 6], &[6, 2, 3]),
        ("bhij,h->bhij", &[1, 3, 4, 4], &[3]),
        ("ab,cb->ac", &[3, 4], &[5, 4]),
        ("ab,cd->ad", &[3, 4], &[5, 2]),
    ];
    for (equation, dims, weight) in cases {
        let mut b = Builder::new(dims);
        let w = b.weight(weight);
        let y = b.node("Einsum", &["x", &w], &[("equation", Value::Word(equation))]);
        check(equation, b, &y);
        let mut b = Builder::new(dims);
        let w = b.weight(weight);
        let (inputs, output) = equation.split_once("->").expect("cases name results");
        let (left, right) = inputs.split_once(',').expect("cases have two tensors");
        let turned = format!("{right},{left}->{output}");
        let y = b.node("Einsum", &[&w, "x"], &[("equation", Value::Word(&turned))]);
        check(&turned, b, &y);
    }
}

#[test]
fn extremes_do_not_wrap() {
    let mut builder = Builder::with_inputs(&[("a", &[1, 2, 300], FLOAT), ("b", &[1, 300, 2], FLOAT)]);
    let y = builder.node("MatMul", &["a", "b"], &[]);
    let model = builder.build(&y);
    let mut next = numbers(9);
    // All cells at the largest magnitude, with either sign.
    let samples = samples(&model, 6, &mut |_| if next() > 0.0 { 1000.0 } else { -1000.0 });
    agree::agree("largest values", &model, &samples, BOUNDS);
}

#[test]
fn products_are_layers_and_sums() {
    let mut b = Builder::new(&[1, 6, 8]);
    let (w, v, s) = (b.weight(&[8, 8]), b.weight(&[8, 8]), b.constant(&[1], &[0.3]));
    let p = b.node("MatMul", &["x", &w], &[]);
    let q = b.node("MatMul", &["x", &v], &[]);
    let t = b.node("Transpose", &[&q], &[("perm", Value::Ints(&[0, 2, 1]))]);
    let m = b.node("MatMul", &[&p, &t], &[]);
    let m = b.node("Mul", &[&m, &s], &[]);
    let n = b.node("MatMul", &[&t, &p], &[]);
    let y = b.node("MatMul", &[&m, &p], &[]);
    let y = b.node("MatMul", &[&y, &n], &[]);
    check("a chain of products", b, &y);
}

#[test]
fn malformed_products() {
    let fault = |a: &[i64], b: &[i64], operator: &str, equation: Option<&str>| {
        let mut builder = Builder::with_inputs(&[("a", a, FLOAT), ("b", b, FLOAT)]);
        let attributes: Vec<_> = equation.map(|equation| ("equation", Value::Word(equation))).into_iter().collect();
        let y = builder.node(operator, &["a", "b"], &attributes);
        match compile(&builder.build(&y), &CompileOptions::default(), &|_, _| {}) {
            Err(CompileError::Model(ModelError::Node { fault, .. })) => fault,
            other => panic!("{a:?} {b:?} {equation:?}: {:?}", other.map(|_| ())),
        }
    };
    assert!(matches!(fault(&[3, 4], &[5, 2], "MatMul", None), Fault::Shapes(_)));
    assert!(matches!(fault(&[3, 1], &[5, 2], "MatMul", None), Fault::Shapes(_)));
    assert!(matches!(fault(&[2, 3, 4], &[3, 4, 5], "MatMul", None), Fault::Shapes(_)));
    assert!(matches!(fault(&[3, 4], &[5, 2], "Einsum", Some("ij,jk->ik")), Fault::Shapes(_)));
    assert!(matches!(fault(&[3, 4], &[4, 2], "Einsum", None), Fault::MissingAttribute("equation")));
    for equation in ["ij->i", "ij,jk->iz", "ijk,jk->i", "ij,jk->ii", "i?,jk->ik", "ij,jk,kl->il", "..., ->", "->"] {
        let fault = fault(&[3, 4], &[4, 2], "Einsum", Some(equation));
        assert!(matches!(fault, Fault::AttributeValue("equation")), "{equation}: {fault}");
    }
}
