//! Do compiled operators compute what ONNX's own node tests say? Each test is compiled with its own input as
//! calibration, evaluated in integers and compared. What becomes of every test is written to a table that is checked
//! in; `ASSAY_BLESS=1` rewrites it.
#[path = "support/conformance.rs"]
mod conformance;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use assay_circuits::{CompileError, CompileOptions, ModelError, compile, evaluate_model};
use conformance::{Archive, Case, Entry};
use rayon::prelude::*;

/// Largest difference of a real output at 16 bits, as a share of the largest expected magnitude.
const REAL_BOUND: f64 = 0.01;

/// What the compiler says of an operator that it does not have.
const NO_OPERATOR: &str = "no such operator in this compiler";
/// What the compiler says of integers that no table can hold.
const TOO_WIDE: &str = "whole numbers too large for a table";

/// Why operators without an import have none.
const OUT_OF_SCOPE: [(&str, &str); 13] = [
    ("Bernoulli", "random numbers"),
    ("DeformConv", "sampling places that depend on the input"),
    ("GridSample", "sampling places that depend on the input"),
    ("ImageDecoder", "bytes of image files"),
    ("MaxUnpool", "places that depend on the input"),
    ("NegativeLogLikelihoodLoss", "a loss, for training"),
    ("NonMaxSuppression", "an output shape that depends on the input's values"),
    ("OptionalGetElement", "optionals instead of tensors"),
    ("OptionalHasElement", "optionals instead of tensors"),
    ("RoiAlign", "sampling places that depend on the input"),
    ("SoftmaxCrossEntropyLoss", "a loss, for training"),
    ("TfIdfVectorizer", "counts of words"),
    ("Unique", "an output shape that depends on the input's values"),
];

/// Tests whose expected values cannot be met, and why.
const KNOWN: [(&str, &str); 15] = [
    ("lppool_2d_default", FOURTH_ROOT),
    ("lppool_2d_pads", FOURTH_ROOT),
    ("lppool_2d_same_lower", FOURTH_ROOT),
    ("qlinearmatmul_2D_int8_float16", WRAPS),
    ("qlinearmatmul_2D_int8_float32", WRAPS),
    ("qlinearmatmul_3D_int8_float16", WRAPS),
    ("qlinearmatmul_3D_int8_float32", WRAPS),
    ("quantizelinear_int16", SIXTEEN_BITS),
    ("quantizelinear_uint16", SIXTEEN_BITS),
    ("reduce_log_sum_exp_do_not_keepdims_example_expanded", EXPONENTIALS),
    ("reduce_log_sum_exp_do_not_keepdims_random_expanded", EXPONENTIALS),
    ("reduce_log_sum_exp_keepdims_example_expanded", EXPONENTIALS),
    ("reduce_log_sum_exp_keepdims_random_expanded", EXPONENTIALS),
    ("reduce_log_sum_exp_negative_axes_keepdims_example_expanded", EXPONENTIALS),
    ("reduce_log_sum_exp_negative_axes_keepdims_random_expanded", EXPONENTIALS),
];
const FOURTH_ROOT: &str = "fourth roots of fourth powers, whose range is beyond 16-bit fixed point";
const WRAPS: &str = "expected values that wrap around where the operator saturates";
const SIXTEEN_BITS: &str = "a result of 16 bits from real inputs, which are rounded to 16 bits themselves";
const EXPONENTIALS: &str = "exponentials written out, whose range is beyond 16-bit fixed point";

/// What became of a test.
enum Outcome {
    Passed,
    Unsupported(String),
    Failed(String),
}

fn outcome(case: &Case) -> Outcome {
    let compiled = case.model.as_ref().map_err(refusal).and_then(|model| {
        let calibration = Some(vec![case.inputs.clone()]);
        let options = CompileOptions { calibration, ..CompileOptions::default() };
        compile(model, &options, &|_, _| {}).map_err(|error| match &error {
            CompileError::Model(error) => refusal(error),
            // Integers of 32 and 64 bits without structure.
            CompileError::Range { reason, .. } if *reason == TOO_WIDE => Outcome::Unsupported((*reason).into()),
            error => Outcome::Failed(error.to_string()),
        })
    });
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(outcome) => return outcome,
    };
    let outputs = match evaluate_model(&compiled, std::slice::from_ref(&case.inputs)) {
        Ok(mut outputs) => outputs.remove(0),
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    for (name, expected) in &case.outputs {
        let Some(actual) = outputs.get(name) else { return Outcome::Failed(format!("no output {name}")) };
        if actual.dims != expected.dims {
            return Outcome::Failed(format!("shape {:?} instead of {:?}", actual.dims, expected.dims));
        }
        let largest = expected.values.iter().fold(0f64, |largest, value| largest.max(value.abs()));
        let differences = actual.values.iter().zip(&expected.values).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0f64, f64::max);
        let bound = if is_whole(case, name) { 0.0 } else { REAL_BOUND * largest };
        if worst > bound {
            return Outcome::Failed(format!("{name} is off by {worst:.3e}, the largest value is {largest:.3e}"));
        }
    }
    Outcome::Passed
}

/// Whether an output is declared to hold integers or truth values: those must be exact.
fn is_whole(case: &Case, name: &str) -> bool {
    case.model.as_ref().is_ok_and(|model| model.declares_whole(name))
}

/// A refused model: unsupported, or at fault.
fn refusal(error: &ModelError) -> Outcome {
    match error {
        ModelError::Unsupported(nodes) => Outcome::Unsupported(nodes[0].reason.clone()),
        error => Outcome::Failed(error.to_string()),
    }
}

/// The outcome as it is listed: with the reason why there is no such operator, or why a test cannot pass.
fn listed(entry: &Entry, outcome: Outcome) -> Outcome {
    let reason = |all: &[(&str, &str)], name: &str| {
        all.iter().find(|(other, _)| *other == name).map(|(_, reason)| (*reason).to_owned())
    };
    match outcome {
        Outcome::Unsupported(said) if said == NO_OPERATOR => match reason(&OUT_OF_SCOPE, &entry.operator) {
            Some(reason) => Outcome::Unsupported(reason),
            None => Outcome::Failed(format!("there is no {} and no reason why", entry.operator)),
        },
        Outcome::Failed(fault) => match reason(&KNOWN, &entry.name) {
            Some(reason) => Outcome::Unsupported(reason),
            None => Outcome::Failed(fault),
        },
        outcome => outcome,
    }
}

/// What is said about an operator.
#[derive(Default)]
struct Row {
    passed: usize,
    unsupported: BTreeMap<String, Vec<String>>,
}

#[test]
fn node_tests() {
    let mut archive = Archive::open();
    let index = archive.index();
    let cases: Vec<Option<Case>> =
        index.iter().map(|entry| entry.left_out.is_none().then(|| archive.case(&entry.name))).collect();
    let outcomes: Vec<Outcome> = index
        .par_iter()
        .zip(&cases)
        .map(|(entry, case)| match (case, &entry.left_out) {
            (Some(case), _) => std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| outcome(case)))
                .unwrap_or_else(|_| Outcome::Failed("panicked".into())),
            (None, reason) => Outcome::Unsupported(reason.clone().unwrap_or_default()),
        })
        .collect();
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut faults = Vec::new();
    for (entry, outcome) in index.iter().zip(outcomes) {
        let row = rows.entry(&entry.operator).or_default();
        match listed(entry, outcome) {
            Outcome::Passed => row.passed += 1,
            Outcome::Unsupported(reason) => row.unsupported.entry(reason).or_default().push(entry.name.clone()),
            Outcome::Failed(fault) => faults.push(format!("{}: {fault}", entry.name)),
        }
    }
    let table = table(&rows);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/CONFORMANCE.md");
    if std::env::var_os("ASSAY_BLESS").is_some() {
        std::fs::write(&path, &table).expect("the table can be written");
    }
    assert!(faults.is_empty(), "{} node tests fail:\n{}", faults.len(), faults.join("\n"));
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(table == committed, "the table is out of date: run with ASSAY_BLESS=1");
}

fn table(rows: &BTreeMap<&str, Row>) -> String {
    let passed: usize = rows.values().map(|row| row.passed).sum();
    let refused: usize = rows.values().flat_map(|row| row.unsupported.values()).map(Vec::len).sum();
    let mut text = String::from("# ONNX node tests\n\n");
    let _ = write!(
        text,
        "What becomes of the {} node tests that the Python package `onnx` ships: {passed} pass, {refused} are refused.\n\
         Written by `circuits/tests/conformance.rs`. A test passes if its model compiles with its own input as \
         calibration and the\nintegers give the expected outputs: integers and truth values exactly, real numbers \
         within {REAL_BOUND} of the largest.\n\n| operator | tests | pass | refused because of |\n|---|---|---|---|\n",
        passed + refused
    );
    for (operator, row) in rows {
        let refused: usize = row.unsupported.values().map(Vec::len).sum();
        let reasons: Vec<String> =
            row.unsupported.iter().map(|(reason, tests)| format!("{reason} ({})", tests.len())).collect();
        let _ = writeln!(text, "| {operator} | {} | {} | {} |", row.passed + refused, row.passed, reasons.join("; "));
    }
    text
}
