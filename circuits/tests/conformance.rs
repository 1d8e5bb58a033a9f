//! Do compiled operators compute what ONNX's own node tests say? Each test is compiled with its own input as
//! calibration, evaluated in integers and compared. What becomes of every test is written to a table that is checked
//! in; `ASSAY_BLESS=1` rewrites it.
#[path = "support/conformance.rs"]
mod conformance;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use assay_circuits::{CompileError, CompileOptions, Model, ModelError, compile, evaluate_model};
use conformance::{Archive, Case};
use rayon::prelude::*;

/// Largest difference of a real output at 16 bits, as a share of the largest expected magnitude.
const REAL_BOUND: f64 = 0.01;

/// What became of a test.
enum Outcome {
    Passed,
    Unsupported(String),
    Failed(String),
}

fn outcome(case: &Case) -> Outcome {
    let compiled = case.model.as_ref().map_err(|error| refusal(&case.model, error)).and_then(|model| {
        let options = CompileOptions { bits: 16, batch: 1, calibration: Some(vec![case.inputs.clone()]) };
        compile(model, &options, &|_, _| {}).map_err(|error| match &error {
            CompileError::Model(error) => refusal(&case.model, error),
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
fn refusal(_: &Result<Model, ModelError>, error: &ModelError) -> Outcome {
    match error {
        ModelError::Unsupported(nodes) => Outcome::Unsupported(nodes[0].reason.clone()),
        error => Outcome::Failed(error.to_string()),
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
        match outcome {
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
