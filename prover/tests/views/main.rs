//! Random small circuits with random views: honest proofs verify, whatever combination of relations, shapes and index maps.
//!
//! Evaluation in plain integers is the specification; prover and verifier each have a faster way for views whose inner axis
//! passes, for grouped and dense contractions, for claims on known tensors. Here they meet on shapes nobody would write: axes
//! of length one, single rows, inner lengths that are no power of two, strides of either sign, places outside the source,
//! reshapes, products of different tensors, chains of affine nodes, outputs that are inputs.
mod builder;
#[allow(dead_code)] // not everything that tests share is needed here
#[path = "../common/mod.rs"]
mod common;

use assay_prover::sumcheck::{ProveError, Prover};
use assay_verifier::circuit::{CheckedCircuit, Indices, Limits, Op, Pass, Side, Term};
use assay_verifier::statement::Statement;
use assay_verifier::sumcheck::key::{CheckedKey, KeyError};
use builder::{Builder, Without};
use common::{Numbers, inputs_of, verify, weights_of};
use proptest::prelude::*;

/// Proves and verifies a random circuit, and checks that a changed output is refused.
fn check(seed: u64, without: Without) -> Result<(), TestCaseError> {
    let circuit = Builder::new(seed, without).finish();
    let mut numbers = Numbers(seed ^ 77);
    let weights = weights_of(&circuit, &mut numbers);
    let inputs = inputs_of(&circuit, &mut numbers);
    let prover = Prover::new(circuit.clone(), weights).map_err(|error| TestCaseError::fail(format!("{error}")))?;
    let key = prover.prove_range().unwrap();
    let key = CheckedKey::new(&key, &Limits::default()).map_err(|error| TestCaseError::fail(format!("{error}")))?;
    let proof = prover.prove(&inputs, b"").unwrap();
    if let Err(error) = verify(&key, &proof) {
        return Err(TestCaseError::fail(format!("{error}: {circuit:#?}")));
    }
    // The same with one output changed, within its range.
    let mut numbers = Numbers(seed ^ 99);
    let port = numbers.below(proof.statement.outputs.len() as u64) as usize;
    let range = key.circuit().range(circuit.outputs[port].node).unwrap();
    let mut outputs = proof.statement.outputs.clone();
    let cell = numbers.below(outputs[port].len() as u64) as usize;
    let value = &mut outputs[port][cell];
    if range.low < range.high {
        *value = if *value < range.high { *value + 1 } else { range.low };
        let evaluation = prover.evaluate(&inputs).unwrap();
        let witness = assay_prover::witness::Witness::new(key.circuit(), key.layout(), &evaluation);
        let statement = Statement { outputs, ..proof.statement.clone() };
        let proof = prover.argue(statement, &witness, &evaluation).unwrap();
        prop_assert!(verify(&key, &proof).is_err(), "a changed output verifies: {circuit:#?}");
    }
    Ok(())
}

/// `PROPTEST_CASES` asks for more than the tests of every day.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 96 };
    // A seed is not worth shrinking.
    ProptestConfig { cases, max_shrink_iters: 0, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_circuits_prove(seed: u64) {
        check(seed, Without::default())?;
    }

    #[test]
    fn random_circuits_without_something_prove(seed: u64, weights: bool, rescale: bool, lookups: bool) {
        check(seed, Without { weights, rescale, lookups })?;
    }
}

/// The random circuits have views of every kind.
#[test]
fn all_kinds_of_views_occur() {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for seed in 0..400 {
        let circuit = Builder::new(seed, Without::default()).finish();
        let checked = CheckedCircuit::new(circuit.clone(), &Limits::default()).unwrap();
        for (id, node) in circuit.nodes.iter().enumerate() {
            let mut count = |kind: &str| *seen.entry(kind.into()).or_default() += 1;
            match &node.op {
                Op::Quotient { .. } => count("quotient"),
                Op::Root(_) => count("root"),
                Op::Max { .. } if checked.maximum(id).unwrap().across => count("maximum across"),
                Op::Max { .. } => count("maximum"),
                _ => {}
            }
            let Some(expr) = node.op.expr() else { continue };
            for (index, term) in expr.terms.iter().enumerate() {
                let expression = &checked.expressions(id)[0];
                for (place, sharing) in
                    expression.pairing(index).iter().flat_map(|p| [("rows", &p.rows), ("inner", &p.inner)])
                {
                    let side = if sharing.weighted == Side::Left { "left" } else { "right" };
                    let own = node.rows.max(node.inner) as usize;
                    if sharing.len() < own {
                        count(&format!("{place} {side}"));
                    }
                }
                match term {
                    Term::Select { indices: Indices::Input(_), .. } => count("select, by an input"),
                    Term::Select { indices: Indices::Constant(_), .. } => count("select, by the description"),
                    Term::Linear { view, .. } if view.maps.iter().any(|map| !map.table.is_empty()) => {
                        count("index table")
                    }
                    _ => {}
                }
                let kind = match term {
                    Term::Linear { .. } => "linear",
                    Term::Contract { .. } => "contract",
                    Term::Bias { .. } => "bias",
                    Term::Product { .. } => "product",
                    Term::Select { .. } => "select",
                };
                for gather in checked.expressions(id)[0].gathers(index) {
                    let pass = match gather.pass {
                        Pass::None => "none",
                        Pass::Output { .. } => "output",
                        Pass::Channel { .. } => "channel",
                    };
                    let inner = if gather.inner == 1 { "free" } else { "used" };
                    count(&format!("{kind}, {pass}, inner {inner}"));
                }
            }
        }
    }
    let expected = [
        "linear, none, inner free",
        "linear, none, inner used",
        "linear, output, inner free",
        "linear, channel, inner free",
        "linear, channel, inner used",
        "contract, none, inner free",
        "contract, none, inner used",
        "contract, output, inner free",
        "contract, channel, inner free",
        "contract, channel, inner used",
        "product, none, inner free",
        "product, none, inner used",
        "product, output, inner free",
        "product, channel, inner free",
        "product, channel, inner used",
        "select, by the description",
        "select, by an input",
        "rows left",
        "rows right",
        "inner left",
        "inner right",
        "quotient",
        "root",
        "maximum",
        "maximum across",
        "index table",
    ];
    for kind in expected {
        let count = seen.get(kind).copied().unwrap_or_default();
        assert!(count >= 10, "{kind}: {count} of {seen:#?}");
    }
}

/// A circuit that commits nothing: outputs are inputs, or sums of them.
#[test]
fn nothing_to_commit() {
    for seed in 0..20 {
        check(seed, Without { weights: true, rescale: true, lookups: true }).unwrap();
    }
}

/// Errors are values here too: what is not a circuit has no prover.
#[test]
fn no_prover_without_a_circuit() {
    let mut circuit = Builder::new(3, Without::default()).finish();
    circuit.outputs.clear();
    let weights = weights_of(&circuit, &mut Numbers(1));
    assert!(matches!(Prover::new(circuit, weights), Err(ProveError::Key(KeyError::Circuit(_)))));
}
