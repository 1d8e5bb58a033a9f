//! Selections: rows of other words than the statement names, rows of other weights, words that are not there.
use assay_prover::sumcheck::ProveError;
use assay_verifier::circuit::{Circuit, Expr, Indices, Op, Term};
use assay_verifier::sumcheck::{Step, VerifyError};

use crate::common::attention::{EMBEDDED, POSITIONS, WORDS};
use crate::common::{stated_inputs, verify};
use crate::setting::Setting;

fn terms(circuit: &mut Circuit) -> &mut Vec<Term> {
    let Op::Rescale { expr: Expr { terms, .. }, .. } = &mut circuit.nodes[EMBEDDED].op else { panic!("not rescaled") };
    terms
}

/// The prover embeds other words than the statement's; everything else is as the statement says.
#[test]
fn other_words() {
    let setting = Setting::attention();
    for position in 0..POSITIONS.len() {
        for word in 0..i64::from(WORDS) {
            let mut words = setting.inputs.clone();
            if words[0][position] == word {
                continue;
            }
            words[0][position] = word;
            let mut evaluation = setting.evaluate_on(setting.circuit().clone(), &words, None);
            assert_ne!(evaluation.nodes[EMBEDDED], setting.evaluation.nodes[EMBEDDED], "two words alike");
            // Whether or not the prover says to itself what it embedded, the verifier reads the statement.
            setting.refused("another word", &setting.witness(&evaluation), &evaluation, Step::Stack);
            evaluation.nodes[0] = setting.evaluation.nodes[0].clone();
            setting.refused("another word", &setting.witness(&evaluation), &evaluation, Step::Stack);
        }
    }
    let mut words = setting.inputs.clone();
    let other = words[0].iter().position(|&word| word != words[0][0]).unwrap();
    words[0].swap(0, other);
    let evaluation = setting.evaluate_on(setting.circuit().clone(), &words, None);
    setting.refused("words exchanged", &setting.witness(&evaluation), &evaluation, Step::Stack);
}

/// The prover selects otherwise than the description says.
#[test]
fn other_selections() {
    type Change = fn(&mut Vec<Term>);
    fn select(term: &mut Term) -> (&mut i64, &mut u32, &mut Indices) {
        let Term::Select { coefficient, weight, indices } = term else { panic!("no selection") };
        (coefficient, weight, indices)
    }
    let cases: [(&str, Change); 7] = [
        ("another position", |terms| {
            *select(&mut terms[1]).2 = Indices::Constant(vec![POSITIONS[0], POSITIONS[1], POSITIONS[2], 3]);
        }),
        ("positions exchanged", |terms| {
            let [a, b, c, d] = POSITIONS;
            *select(&mut terms[1]).2 = Indices::Constant(vec![a, c, b, d]);
        }),
        ("one row for all", |terms| *select(&mut terms[1]).2 = Indices::Constant(vec![POSITIONS[0]; 4])),
        ("words in the table of positions", |terms| {
            let indices = select(&mut terms[0]).2.clone();
            *select(&mut terms[1]).2 = indices;
        }),
        ("positions in the table of words", |terms| {
            let indices = select(&mut terms[1]).2.clone();
            *select(&mut terms[0]).2 = indices;
        }),
        ("tables exchanged", |terms| {
            *select(&mut terms[0]).1 = 1;
            *select(&mut terms[1]).1 = 0;
        }),
        ("positions dropped", |terms| *select(&mut terms[1]).0 = 0),
    ];
    let setting = Setting::attention();
    for (name, change) in cases {
        let mut circuit = setting.circuit().clone();
        change(terms(&mut circuit));
        let evaluation = setting.evaluate(circuit, None);
        assert_ne!(evaluation.nodes[EMBEDDED], setting.evaluation.nodes[EMBEDDED], "{name}: changes nothing");
        setting.refused(name, &setting.witness(&evaluation), &evaluation, Step::Stack);
    }
}

/// Words that the vocabulary does not have are refused before anything is proven or verified.
#[test]
fn words_that_are_not_there() {
    let setting = Setting::attention();
    let honest = setting.prover.prove(&setting.inputs, b"").unwrap();
    assert_eq!(verify(&setting.key, &honest), Ok(()));
    for (position, word) in [(0, 7), (3, -1), (1, 1 << 32), (2, (1 << 32) + 1), (0, i64::MIN), (3, i64::MAX)] {
        let error = VerifyError::PortRange { kind: "input", index: 0, position };
        let mut proof = honest.clone();
        stated_inputs(&mut proof.statement)[0][position] = word;
        assert_eq!(verify(&setting.key, &proof), Err(error.clone()), "{word}");
        let witness = setting.witness(&setting.evaluation);
        match setting.prover.argue(proof.statement, &witness, &setting.evaluation) {
            Err(ProveError::Statement(refused)) => assert_eq!(refused, error),
            _ => panic!("a statement with the word {word} is argued"),
        }
    }
}
