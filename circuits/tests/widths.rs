//! Do widths by name reach the nodes that they name, and does the report name where the error is?
#[path = "support/onnx.rs"]
mod onnx;
mod support;

use assay_circuits::error::CompileError;
use assay_circuits::{CompileOptions, Compiled, Width, compile};
use assay_verifier::circuit::Op;
use onnx::Builder;

/// Two layers of a model whose nodes have names.
fn layers(widths: &[(&str, u8)]) -> Result<Compiled, CompileError> {
    let mut b = Builder::new(&[1, 6]);
    let (v, w) = (b.weight(&[6, 5]), b.weight(&[5, 4]));
    let x = b.node("MatMul", &["x", &v], &[]);
    let x = b.node("Relu", &[&x], &[]);
    let y = b.node("MatMul", &[&x, &w], &[]);
    for (node, name) in b.graph().node.iter_mut().zip(["body/first", "body/relu", "head/second"]) {
        node.name = name.into();
    }
    let widths = widths.iter().map(|&(pattern, bits)| Width { pattern: pattern.into(), bits }).collect();
    compile(&b.build(&y), &CompileOptions { widths, ..CompileOptions::default() }, &|_, _| {})
}

/// Widths of the rescales.
fn rescales(widths: &[(&str, u8)]) -> Vec<u8> {
    let compiled = layers(widths).unwrap_or_else(|error| panic!("{error}"));
    let bits = |op: &Op| match op {
        Op::Rescale { bits, .. } => Some(*bits),
        _ => None,
    };
    compiled.circuit.nodes.iter().filter_map(|node| bits(&node.op)).collect()
}

#[test]
fn patterns_choose_widths() {
    // What is never negative has one bit less.
    assert_eq!(rescales(&[]), [15, 16]);
    assert_eq!(rescales(&[("*relu", 10)]), [9, 16]);
    assert_eq!(rescales(&[("head/*", 12)]), [15, 12]);
    assert_eq!(rescales(&[("*", 8), ("body/*", 13)]), [12, 8]);
}

#[test]
fn patterns_that_are_wrong() {
    assert!(matches!(layers(&[("tail/*", 12)]), Err(CompileError::Pattern { pattern }) if pattern == "tail/*"));
    assert!(matches!(layers(&[("*", 7)]), Err(CompileError::Width { bits: 7, .. })));
    assert!(matches!(layers(&[("*", 17)]), Err(CompileError::Width { bits: 17, .. })));
}

#[test]
fn the_report_names_the_worst_tensors() {
    let narrow = layers(&[("body/*", 8)]).unwrap_or_else(|error| panic!("{error}")).report;
    let wide = layers(&[]).unwrap_or_else(|error| panic!("{error}")).report;
    assert_eq!(narrow.worst.len(), 2);
    assert!(narrow.worst[0].share >= narrow.worst[1].share);
    let relu = |report: &assay_circuits::Report| {
        report.worst.iter().find(|tensor| tensor.name == "body/relu").expect("it is among the two").share
    };
    assert!(relu(&narrow) > 20.0 * relu(&wide), "{narrow} {wide}");
    assert!(narrow.to_string().contains("\"body/relu\"") && narrow.to_string().contains("8 bits in \"body/*\""));
}
