//! Both engines accept the same statements and refuse the same changed ones.
use assay_prover::sumcheck;
use assay_verifier::circuit::{Circuit, Limits};
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::{Proof, Statement};
use assay_verifier::verify;

use crate::builder::{Builder, Without};
use crate::common::attention::{SOFTMAX, attention};
use crate::common::{Numbers, inputs_of, kitchen_sink, stated_inputs, weights_of};
use crate::real::{prover, srs};
use crate::samples::{Form, USUAL, up_to};

/// Changes that a statement is refused for, of public inputs and outputs.
fn changes(statement: &Statement) -> Vec<Statement> {
    let mut changed = Vec::new();
    let mut change = |edit: &dyn Fn(&mut Statement)| {
        let mut other = statement.clone();
        edit(&mut other);
        if other != *statement {
            changed.push(other);
        }
    };
    for difference in [1, -1] {
        change(&|statement| statement.outputs[0][0] += difference);
        change(&|statement| *statement.outputs.last_mut().unwrap().last_mut().unwrap() += difference);
    }
    change(&|statement| {
        let outputs = &mut statement.outputs[0];
        let last = outputs.len() - 1;
        outputs.swap(0, last);
    });
    change(&|statement| statement.outputs[0].reverse());
    change(&|statement| statement.outputs.reverse());
    change(&|statement| statement.context.push(0));
    change(&|statement| stated_inputs(statement)[0].truncate(1));
    change(&|statement| stated_inputs(statement)[0][0] = i64::MAX);
    changed
}

fn compare(name: &str, circuit: &Circuit, form: Form, seed: u64) {
    let weights = weights_of(circuit, &mut Numbers(11));
    let inputs = inputs_of(circuit, &mut Numbers(seed));
    let one = sumcheck::Prover::new(circuit.clone(), weights).unwrap();
    let one_key = CheckedKey::new(&Key::from(one.prove_range().unwrap()), &Limits::default()).unwrap();
    // Each engine's inputs are in its own order.
    let ordered: Vec<Vec<i64>> =
        circuit.inputs.iter().zip(&inputs).map(|(port, cells)| port.to_model_order(cells)).collect();
    let first = one.prove(&ordered, b"same").unwrap();
    let two = prover(circuit, form, srs());
    let two_key = CheckedKey::from(two.key().clone());
    let second = two.prove(&inputs, b"same").unwrap().proof;
    let said = |proof: &Proof| (proof.statement.inputs.clone(), proof.statement.outputs.clone());
    assert_eq!(said(&first), said(&second), "{name}");
    assert_eq!(verify(&one_key, &first), Ok(()), "{name}");
    assert_eq!(verify(&two_key, &second), Ok(()), "{name}");
    let (of_one, of_two) = (changes(&first.statement), changes(&second.statement));
    assert!(of_one.len() >= 6 && of_one.len() == of_two.len(), "{name}");
    for (index, (one, two)) in of_one.into_iter().zip(of_two).enumerate() {
        let refused = |key, statement, proof: &Proof| {
            verify(key, &Proof { statement, argument: proof.argument.clone() }).is_err()
        };
        assert!(refused(&one_key, one, &first), "{name}: change {index} under sumcheck");
        assert!(refused(&two_key, two, &second), "{name}: change {index} under halo2");
    }
}

#[test]
fn written_circuits() {
    let private_weights = Visibility { private_input: false, private_weights: true };
    compare("kitchen sink", &kitchen_sink(7), USUAL, 3);
    compare("attention", &up_to(attention(7), SOFTMAX), Form { visibility: private_weights, ..USUAL }, 4);
}

#[test]
fn random_circuits() {
    for seed in 0..4 {
        let circuit = Builder::new(seed, Without::default()).finish();
        compare(&format!("random {seed}"), &circuit, Form { limb_bits: 9, ..USUAL }, seed);
    }
}
