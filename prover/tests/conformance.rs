//! Every node test of ONNX that compiles also proves and verifies: each relation in the shapes that operators give it.
#[path = "../../circuits/tests/support/conformance.rs"]
mod conformance;

use assay_circuits::{CompileOptions, compile, io};
use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::{Limits, Port};
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::Proof;
use assay_verifier::{verify, wire};
use conformance::{Archive, Case};
use rayon::prelude::*;

/// Fewest tests that must compile.
const CASES_MIN: usize = 880;

/// Proves and verifies a test if its model compiles; whether it does.
fn prove_and_verify(case: &Case) -> Result<bool, String> {
    let Ok(model) = &case.model else { return Ok(false) };
    let options = CompileOptions { calibration: Some(vec![case.inputs.clone()]), ..CompileOptions::default() };
    let Ok(compiled) = compile(model, &options, &|_, _| {}) else { return Ok(false) };
    let fail = |what: &str, error: &dyn std::fmt::Debug| format!("{what}: {error:?}");
    let prover = Prover::new(compiled.circuit, compiled.weights).map_err(|error| fail("setup", &error))?;
    let key = Key::from(prover.prove_range().map_err(|error| fail("key", &error))?);
    let key: Key = wire::decode(&wire::encode(&key)).map_err(|error| fail("key's bytes", &error))?;
    let checked = CheckedKey::new(&key, &Limits::default()).map_err(|error| fail("key", &error))?;
    let integers = |port: &Port| {
        let range = checked.circuit().range(port.node).ok_or_else(|| "a port without a node".to_owned())?;
        io::quantize(port, range, &case.inputs[&port.name]).map_err(|error| fail("input", &error))
    };
    let inputs = key.circuit().inputs.iter().map(integers).collect::<Result<Vec<_>, String>>()?;
    let proof = prover.prove(&inputs, b"node test").map_err(|error| fail("proof", &error))?;
    let proof: Proof = wire::decode(&wire::encode(&proof)).map_err(|error| fail("proof's bytes", &error))?;
    verify(&checked, &proof).map_err(|error| fail("verification", &error))?;
    let evaluation = prover.evaluate(&inputs).map_err(|error| fail("evaluation", &error))?;
    match proof.statement.outputs == prover.outputs(&evaluation) {
        true => Ok(true),
        false => Err("the statement has other outputs than the evaluation".into()),
    }
}

#[test]
fn node_tests() {
    let mut archive = Archive::open();
    let names: Vec<String> =
        archive.index().into_iter().filter(|entry| entry.left_out.is_none()).map(|entry| entry.name).collect();
    let cases: Vec<Case> = names.iter().map(|name| archive.case(name)).collect();
    let results: Vec<Result<bool, String>> = cases.par_iter().map(prove_and_verify).collect();
    let faults: Vec<String> = names
        .iter()
        .zip(&results)
        .filter_map(|(name, result)| Some(format!("{name}: {}", result.as_ref().err()?)))
        .collect();
    assert!(faults.is_empty(), "{} node tests fail:\n{}", faults.len(), faults.join("\n"));
    let proven = results.iter().filter(|result| matches!(result, Ok(true))).count();
    assert!(proven >= CASES_MIN, "only {proven} node tests compile");
}
