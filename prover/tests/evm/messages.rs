//! Proofs with one message changed, and proofs of what is not so.
use std::io::ErrorKind;

use assay_prover::halo2::evm::EvmError;
use assay_verifier::halo2::curve::{Fr, G1Affine, Point};
use assay_verifier::halo2::transcript::{Reader, Writer};
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::transcript::{TranscriptRead, TranscriptWrite};

use super::sample::{CONTEXT, Deviation};
use super::statement::Proven;
use super::{Case, Form, HIDING, SMALL, USUAL, call};

/// The other messages that a message could be, each canonical.
fn others(word: [u8; 32]) -> Vec<[u8; 32]> {
    let mut others = Vec::new();
    if let Some(point) = Point(word).decode() {
        let moved = (point + G1Affine::generator()).to_affine();
        others.extend([-point, moved, G1Affine::generator()].map(|point| Point::new(&point).0));
    }
    if let Some(scalar) = Option::<Fr>::from(Fr::from_repr(word)) {
        others.extend([scalar + Fr::ONE, -scalar, Fr::ZERO].map(|scalar| scalar.to_repr()));
    }
    others.retain(|other| *other != word);
    others
}

#[test]
fn another_message_is_rejected() {
    for form in [SMALL, USUAL, HIDING] {
        let mut case = Case::new(form);
        let messages = case.proven.proof.len() / 32;
        let mut tried = 0;
        for index in 0..messages {
            for other in others(case.proven.message(index)) {
                assert!(!case.accepts(&case.proven.clone().with_message(index, other), &CONTEXT), "message {index}");
                tried += 1;
            }
        }
        assert!(tried > 2 * messages);
    }
}

#[test]
fn a_witness_that_breaks_a_constraint_is_rejected() {
    let mut case = Case::new(USUAL);
    for deviation in [
        Deviation::Square,
        Deviation::NextRow,
        Deviation::Power,
        Deviation::FirstSum,
        Deviation::SecondSum,
        Deviation::Copy,
        Deviation::Public,
    ] {
        let proven = case.setup.prove(5, Some(deviation));
        assert!(!case.accepts(&proven, &CONTEXT), "{deviation:?}");
    }
    let proven = case.setup.prove(5, None);
    assert!(case.accepts(&proven, &CONTEXT));
}

#[test]
fn other_public_values_are_rejected() {
    for form in [Form { squares: 3, instances: 4, ..SMALL }, USUAL] {
        let mut case = Case::new(form);
        for index in 0..case.proven.instances.len() {
            let mut proven = case.proven.clone();
            proven.instances[index] += Fr::ONE;
            assert!(!case.accepts(&proven, &CONTEXT), "public value {index}");
        }
        let mut proven = case.proven.clone();
        proven.instances.reverse();
        assert!(!case.accepts(&proven, &CONTEXT));
    }
}

#[test]
fn a_proof_for_something_else_is_rejected() {
    let mut case = Case::new(USUAL);
    let proven = case.proven.clone();
    let mut context = CONTEXT;
    context[31] ^= 1;
    assert!(!case.accepts(&proven, &context));
    let other = case.setup.prove(6, None);
    assert!(case.accepts(&other, &CONTEXT));
    assert!(!case.accepts(&Proven { proof: other.proof.clone(), ..proven.clone() }, &CONTEXT));
    assert!(!case.accepts(&Proven { proof: proven.proof, ..other }, &CONTEXT));
}

#[test]
fn infinity_is_no_message() {
    let infinity = Point::new(&G1Affine::default()).0;
    assert_eq!(Reader::new(&[], &infinity).read_point().unwrap_err().kind(), ErrorKind::InvalidData);
    assert!(Writer::default().write_point(G1Affine::default()).is_err());

    let mut case = Case::new(USUAL);
    for index in 0..case.proven.proof.len() / 32 {
        let tampered = case.proven.clone().with_message(index, infinity);
        assert_eq!(call(&case.contract, &tampered, &CONTEXT).unwrap_err(), EvmError::ProofMessage { index });
        assert!(!case.accepts(&tampered, &CONTEXT), "message {index}");
    }
}
