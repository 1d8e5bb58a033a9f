//! Every message of a proof and of a range proof: a change of any is refused by the check that reads it.
use assay_verifier::circuit::{Limits, Term};
use assay_verifier::field::EF;
use assay_verifier::sumcheck::key::{CheckedKey, KeyError};
use assay_verifier::sumcheck::layout::Layout;
use assay_verifier::sumcheck::pcs::Purpose;
use assay_verifier::sumcheck::range::RangeLayout;
use assay_verifier::sumcheck::{Step, VerifyError, activation, contraction, stack};
use p3_field::PrimeCharacteristicRing;

use crate::openings::opening_changes;
use crate::*;

/// The messages of a lookup argument, each with the check that a change of it fails.
fn lookup_messages(variables: usize) -> Vec<(String, Step)> {
    let mut messages = vec![("lookup root".to_string(), Step::LookupSum); 4];
    for layer in 1..variables {
        for round in 0..layer {
            for part in ["at zero", "at one"] {
                messages.push((format!("lookup layer {layer}, round {round}, {part}"), Step::LookupRound));
            }
            // The leading coefficient shows in the claim of the next round, after the last in that of the layer.
            let next = if round + 1 < layer { Step::LookupRound } else { Step::LookupLayer };
            messages.push((format!("lookup layer {layer}, round {round}, leading"), next));
        }
        messages.extend(vec![(format!("lookup layer {layer}, children"), Step::LookupLayer); 4]);
    }
    messages
}

/// All messages of a proof, each with the check that a change of it fails.
fn proof_messages(key: &CheckedKey, contraction_rounds: usize) -> Vec<(String, Step)> {
    let layout: &Layout = key.layout();
    let nodes = 0..key.circuit().circuit().nodes.len();
    let terms = || {
        let expressions = nodes.clone().flat_map(|node| key.circuit().expressions(node));
        expressions.flat_map(|expression| &expression.expr.terms)
    };
    let claimed: usize = terms()
        .map(|term| match term {
            Term::Contract { .. } | Term::Product { .. } => 2,
            Term::Select { .. } => 1,
            Term::Linear { .. } | Term::Bias { .. } => 0,
        })
        .sum();
    let biases = terms().filter(|term| matches!(term, Term::Bias { .. })).count();
    let mut messages = vec![("value at the pinning point".to_string(), Step::LookupRound)];
    messages.extend(lookup_messages(layout.leaf_variables));
    let contraction = 1 + contraction_rounds * contraction::DEGREE + claimed;
    messages.extend((0..contraction).map(|at| (format!("contraction {at}"), Step::Contraction)));
    // A changed bias changes the challenges that combine the claims on activations.
    messages.extend((0..biases).map(|at| (format!("bias {at}"), Step::Activation)));
    let activation = 1 + layout.lane_variables * activation::DEGREE + 2;
    messages.extend((0..activation).map(|at| (format!("activation {at}"), Step::Activation)));
    let stack = layout.stack_variables * stack::DEGREE + 1;
    messages.extend((0..stack).map(|at| (format!("stack {at}"), Step::Stack)));
    messages
}

#[test]
fn messages_of_a_proof() {
    // The largest contraction has 64 summed cells; the largest product four rows of eight summed cells.
    for (case, rounds) in [(case(), 6), (attention_case(), 5)] {
        messages_of(&case, rounds);
    }
}

fn messages_of(case: &Case, contraction_rounds: usize) {
    let key = CheckedKey::new(&case.key, &Limits::default()).unwrap();
    let messages = proof_messages(&key, contraction_rounds);
    assert_eq!(messages.len(), case.argument().messages.len());
    let mut rows = vec![
        row("root", step(Step::LookupRound), |case| flip(&mut case.argument_mut().root)),
        row("no messages", Refusal::Proof(VerifyError::MessagesTooFew), |case| case.argument_mut().messages.clear()),
        row("one message less", Refusal::Proof(VerifyError::MessagesTooFew), |case| {
            case.argument_mut().messages.pop();
        }),
        row("one message more", Refusal::Proof(VerifyError::MessagesTooMany), |case| {
            case.argument_mut().messages.push(EF::ZERO);
        }),
        row("a pole: zero over zero at the root", step(Step::LookupPole), |case| {
            case.argument_mut().messages[1] = EF::ZERO;
            case.argument_mut().messages[3] = EF::ZERO;
        }),
        row("the fraction zero over zero on both sides", step(Step::LookupPole), |case| {
            case.argument_mut().messages[1..5].fill(EF::ZERO);
        }),
        row("all messages zero", step(Step::LookupPole), |case| case.argument_mut().messages.fill(EF::ZERO)),
        row("a root scaled by two", step(Step::LookupRound), |case| {
            case.argument_mut().messages[1..3].iter_mut().for_each(|message| *message = message.double());
        }),
    ];
    for (index, (name, expected)) in messages.into_iter().enumerate() {
        rows.push(row(format!("message {index}: {name}"), step(expected), move |case| {
            case.argument_mut().messages[index] += EF::ONE;
        }));
    }
    assert_rows(case, &rows);
    println!("{} rows", rows.len());
}

#[test]
fn range_proof_of_a_key() {
    fn range(case: &mut Case) -> &mut assay_verifier::sumcheck::key::RangeProof {
        case.key.range.as_mut().unwrap()
    }
    let case = case();
    let key = CheckedKey::new(&case.key, &Limits::default()).unwrap();
    let layout = RangeLayout::new(key.circuit().circuit(), key.stacks());
    let mut messages =
        vec![("multiplicities at the pinning points".to_string(), Step::LookupRound); layout.tables.len()];
    messages.extend(lookup_messages(layout.variables));
    messages.extend((0..layout.tensors.len()).map(|at| (format!("weights {at}"), Step::RangeDenominator)));
    messages.extend((0..layout.tables.len()).map(|at| (format!("multiplicity {at}"), Step::RangeNumerator)));
    let proof = case.key.range.as_ref().unwrap();
    assert_eq!(messages.len(), proof.messages.len());
    let refused = |error| Refusal::Key(KeyError::Range(error));
    let shape = Refusal::Key(KeyError::Shape("range proof and weights do not belong together"));
    let mut rows = vec![
        row("no range proof", shape, |case| case.key.range = None),
        row("root", range_step(Step::LookupRound), |case| flip(&mut range(case).root)),
        row("a message less", refused(VerifyError::MessagesTooFew), |case| shorten(&mut range(case).messages)),
        row("a message more", refused(VerifyError::MessagesTooMany), |case| range(case).messages.push(EF::ZERO)),
        row("no openings", refused(VerifyError::OpeningCount), |case| range(case).weights.clear()),
        row("an opening more", refused(VerifyError::OpeningCount), |case| {
            let opening = range(case).weights[0].clone();
            range(case).weights.push(opening);
        }),
        row("the proof's opening of weights", range_opening(Purpose::Weights), |case| {
            range(case).weights[0] = case.argument().weights[0].clone();
        }),
        row("the opening of multiplicities in place of the weights'", range_opening(Purpose::Weights), |case| {
            range(case).weights[0] = range(case).multiplicities.clone();
        }),
    ];
    for (index, (name, expected)) in messages.into_iter().enumerate() {
        rows.push(row(format!("message {index}: {name}"), range_step(expected), move |case| {
            range(case).messages[index] += EF::ONE;
        }));
    }
    for (name, change) in opening_changes(&proof.multiplicities) {
        rows.push(row(format!("multiplicities: {name}"), range_opening(Purpose::Witness), move |case| {
            change(&mut range(case).multiplicities);
        }));
    }
    for (name, change) in opening_changes(&proof.weights[0]) {
        rows.push(row(format!("weights: {name}"), range_opening(Purpose::Weights), move |case| {
            change(&mut range(case).weights[0]);
        }));
    }
    assert_rows(&case, &rows);
    println!("{} rows", rows.len());
}
