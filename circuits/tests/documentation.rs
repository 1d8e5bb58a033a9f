//! Is the list of operators in the README the one that the compiler has?
use std::collections::BTreeSet;

use assay_circuits::onnx::ops;

const README: &str = include_str!("../README.md");
const CONFORMANCE: &str = include_str!("../../fixtures/CONFORMANCE.md");

/// Operators in the table of the README.
fn listed() -> BTreeSet<&'static str> {
    let (_, section) = README.split_once("\n## Operators\n").expect("a section on operators");
    let (section, _) = section.split_once("\n## ").expect("another section behind it");
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn every_listed_operator_exists() {
    let missing: Vec<_> = listed().into_iter().filter(|operator| ops::find("", operator).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} are listed, but there are no such operators");
}

#[test]
fn every_operator_with_node_tests_is_listed() {
    let tested = CONFORMANCE.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next());
    let listed = listed();
    let missing: Vec<_> =
        tested.filter(|operator| ops::find("", operator).is_some() && !listed.contains(operator)).collect();
    assert!(missing.is_empty(), "{missing:?} are not listed");
}

#[test]
fn the_table_covers_the_list() {
    // Those that ONNX has no node tests for.
    let untested = ["GlobalLpPool", "LpNormalization", "SimplifiedLayerNormalization"];
    let tested: BTreeSet<_> =
        CONFORMANCE.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()).collect();
    let missing: Vec<_> =
        listed().into_iter().filter(|operator| !tested.contains(operator) && !untested.contains(operator)).collect();
    assert!(missing.is_empty(), "{missing:?} have no node tests");
}
