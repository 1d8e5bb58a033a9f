//! Hidden columns that are not those that the key or the call commits to.
use assay_verifier::halo2::curve::{G1, G1Affine, Point};
use halo2_proofs::halo2curves::group::Curve;

use super::chain::Chain;
use super::sample::CONTEXT;
use super::{Case, HIDING, call};

fn plus(a: G1Affine, b: G1Affine) -> G1Affine {
    (G1::from(a) + b).to_affine()
}

/// The case's proof under a key with other weights; the verifier must agree.
fn accepted_with(case: &Case, weights: Vec<G1Affine>) -> bool {
    let mut proven = case.proven.clone();
    proven.weights = weights;
    let contract = case.setup.contract(&proven.weights).unwrap();
    let accepted = Chain::deploy(contract.creation()).call(&call(&contract, &proven, &CONTEXT).unwrap()).accepted();
    assert_eq!(accepted, case.setup.verify(&proven, &CONTEXT));
    accepted
}

#[test]
fn other_weights_are_rejected() {
    let case = Case::new(HIDING);
    let weights = case.proven.weights.clone();
    assert!(accepted_with(&case, weights.clone()));
    assert!(!accepted_with(&case, weights.iter().rev().copied().collect()));
    for column in 0..weights.len() {
        // Another value in a row that is in use, or in one that blinds.
        for row in [case.setup.lagrange(0), case.setup.blinding()[0]] {
            let mut other = weights.clone();
            other[column] = plus(other[column], row);
            assert!(!accepted_with(&case, other), "column {column}");
        }
        let mut other = weights.clone();
        other[column] = G1Affine::default();
        assert!(!accepted_with(&case, other), "column {column} without a commitment");
    }
}

#[test]
fn changes_that_cancel_are_rejected() {
    let case = Case::new(HIDING);
    let row = case.setup.lagrange(1);
    let [first, second] = case.proven.weights[..] else { panic!("two columns") };
    assert!(!accepted_with(&case, vec![plus(first, row), plus(second, -row)]));
}

#[test]
fn other_inputs_are_rejected() {
    let mut case = Case::new(HIDING);
    let commitment = case.proven.inputs[0].decode().unwrap();
    for other in [plus(commitment, case.setup.lagrange(0)), -commitment, case.setup.blinding()[0]] {
        let mut proven = case.proven.clone();
        proven.inputs[0] = Point::new(&other);
        assert!(!case.accepts(&proven, &CONTEXT));
    }
}
