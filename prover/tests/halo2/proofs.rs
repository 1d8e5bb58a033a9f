//! Real proofs with one change each, in every part of proof, statement and key.
use assay_verifier::halo2::VerifyError;
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::key;
use assay_verifier::statement::{Argument, Inputs, Proof};
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use rand_core::OsRng;

use assay_prover::halo2::srs::make;
use assay_prover::sumcheck;
use assay_verifier::circuit::Limits;
use assay_verifier::halo2::curve::{Fr, G1Affine, Point};

use crate::common::{Numbers, inputs_of, weights_of};
use crate::real::{K, Made, proven, prover, small, srs};
use crate::samples::{Form, HIDDEN, USUAL};

const FORMS: [Form; 2] = [USUAL, Form { visibility: HIDDEN, ..USUAL }];

/// `value + r`, little-endian: another encoding of the same scalar.
fn not_canonical(word: &[u8]) -> [u8; 32] {
    // r - 1 and one more.
    let last = (-Fr::from(1)).to_repr();
    let mut carry = 1u16;
    std::array::from_fn(|at| {
        let sum = u16::from(word[at]) + u16::from(last.as_ref()[at]) + carry;
        carry = sum >> 8;
        sum as u8
    })
}

#[test]
fn every_word() {
    for form in FORMS {
        let made = Made::new(form);
        assert_eq!(made.verdict(&made.messages), Ok(()));
        let mut numbers = Numbers(3);
        assert_eq!(made.messages.len() % 32, 0);
        for word in 0..made.messages.len() / 32 {
            let mut changed = made.messages.clone();
            changed[32 * word + numbers.below(32) as usize] ^= 1 << numbers.below(8);
            assert!(made.verdict(&changed).is_err(), "a bit of word {word}");
        }
    }
}

#[test]
fn encodings() {
    let outside = (0..=255u8).map(|first| {
        let mut word = [0; 32];
        word[0] = first;
        word
    });
    let off_curve =
        outside.into_iter().find(|word| Point(*word).decode().is_none()).expect("half of them are not points");
    for form in FORMS {
        let made = Made::new(form);
        for (word, original) in made.messages.chunks_exact(32).enumerate() {
            let all = [
                ("zero", [0; 32]),
                ("largest", [0xff; 32]),
                ("off the curve", off_curve),
                ("flags", std::array::from_fn(|at| original[at] | if at == 31 { 0xc0 } else { 0 })),
            ];
            for (name, other) in [("plus the order", not_canonical(original)), all[word % all.len()]] {
                let changed = [&made.messages[..32 * word], &other, &made.messages[32 * word + 32..]].concat();
                // Scalars of columns that hold nothing are zero.
                assert!(other == original || made.verdict(&changed).is_err(), "word {word} {name}");
            }
        }
    }
}

#[test]
fn lengths() {
    for form in FORMS {
        let made = Made::new(form);
        let len = made.messages.len();
        for kept in (0..len).step_by(97).chain([len - 32, len - 1]) {
            assert_eq!(made.verdict(&made.messages[..kept]), Err(VerifyError::Argument), "{kept} bytes");
        }
        for extra in [1, 32, 64] {
            let longer = [&made.messages[..], &vec![0; extra]].concat();
            assert_eq!(made.verdict(&longer), Err(VerifyError::Trailing(extra)));
        }
        let mut dropped = made.messages.clone();
        dropped.drain(64..96);
        assert_eq!(made.verdict(&dropped), Err(VerifyError::Argument));
    }
}

/// The first messages of one proof and the rest of another, of one statement or two.
#[test]
fn splices() {
    for form in FORMS {
        let made = Made::new(form);
        for seed in [5, 6] {
            let (_, other) = proven(&made.prover, seed);
            for at in (32..other.len()).step_by(96) {
                let spliced = [&made.messages[..at], &other[at..]].concat();
                assert!(made.verdict(&spliced).is_err(), "spliced at {at}");
            }
        }
    }
}

#[test]
fn statements() {
    for form in FORMS {
        let made = Made::new(form);
        let refused = |name: &str, change: &dyn Fn(&mut assay_verifier::statement::Statement)| {
            let mut statement = made.statement.clone();
            change(&mut statement);
            let verdict = made.verdict_of(&statement, &made.messages);
            assert!(verdict.is_err(), "{name}");
            verdict.unwrap_err()
        };
        for cell in 0..made.statement.outputs[0].len() {
            let error = refused("output", &|statement| {
                let value = &mut statement.outputs[0][cell];
                *value += if *value == 63 { -1 } else { 1 };
            });
            assert_eq!(error, VerifyError::Argument);
        }
        let error = refused("two outputs exchanged", &|statement| {
            let outputs = &mut statement.outputs[0];
            let other = outputs.iter().position(|value| *value != outputs[0]).expect("outputs differ");
            outputs.swap(0, other);
        });
        assert_eq!(error, VerifyError::Argument);
        for value in [64, -65, i64::MAX, i64::MIN] {
            let error = refused("output out of range", &|statement| statement.outputs[0][2] = value);
            assert_eq!(error, VerifyError::PortRange { kind: "output", index: 0, position: 2 });
        }
        let error = refused("an output less", &|statement| statement.outputs[0].truncate(23));
        assert_eq!(error, VerifyError::PortLength { kind: "output", index: 0 });
        let error = refused("an output more", &|statement| statement.outputs[0].push(0));
        assert_eq!(error, VerifyError::PortLength { kind: "output", index: 0 });
        let error = refused("a tensor more", &|statement| statement.outputs.push(Vec::new()));
        assert_eq!(error, VerifyError::PortCount("output"));
        let error = refused("context", &|statement| statement.context[0] ^= 1);
        assert_eq!(error, VerifyError::Argument);
        let error = refused("no context", &|statement| statement.context.clear());
        assert_eq!(error, VerifyError::Argument);
        let error = refused("long context", &|statement| statement.context = vec![0; (1 << 16) + 1]);
        assert_eq!(error, VerifyError::Context);
        let error = refused("key", &|statement| statement.key.0[7] ^= 1);
        assert_eq!(error, VerifyError::OtherKey);
    }
}

#[test]
fn public_inputs() {
    let made = Made::new(USUAL);
    let refused = |change: &dyn Fn(&mut Vec<Vec<i64>>)| {
        let mut statement = made.statement.clone();
        change(statement.inputs.public_mut().unwrap());
        made.verdict_of(&statement, &made.messages).unwrap_err()
    };
    for cell in 0..4 {
        let error = refused(&|inputs| inputs[0][cell] = (inputs[0][cell] + 1) % 7);
        assert_eq!(error, VerifyError::Argument);
    }
    for value in [-1, 7, i64::MIN, i64::MAX] {
        let error = refused(&|inputs| inputs[0][3] = value);
        assert_eq!(error, VerifyError::PortRange { kind: "input", index: 0, position: 3 });
    }
    assert_eq!(refused(&|inputs| inputs[0].push(0)), VerifyError::PortLength { kind: "input", index: 0 });
    assert_eq!(refused(&|inputs| inputs.clear()), VerifyError::PortCount("input"));
}

#[test]
fn commitments_to_inputs() {
    let made = Made::new(FORMS[1]);
    let (other, _) = proven(&made.prover, 5);
    let (Inputs::Private(own), Inputs::Private(other)) = (&made.statement.inputs, &other.inputs) else { panic!() };
    let verdict = |commitment: &[[u8; 32]]| {
        let mut statement = made.statement.clone();
        let Inputs::Private(stated) = &mut statement.inputs else { panic!() };
        stated.0 = commitment.to_vec();
        made.verdict_of(&statement, &made.messages)
    };
    assert_eq!(verdict(&own.0), Ok(()));
    // Each of the words is bound by the transcript.
    for column in 0..own.0.len() {
        let mut changed = own.0.clone();
        changed[column] = other.0[column];
        assert_eq!(verdict(&changed), Err(VerifyError::Argument));
        changed[column] = [0; 32];
        assert_ne!(verdict(&changed), Ok(()));
        for bytes in [[0x7f; 32], Point::new(&G1Affine::identity()).0] {
            changed[column] = bytes;
            assert_eq!(verdict(&changed), Err(VerifyError::Commitment));
        }
    }
    assert_eq!(verdict(&own.0[1..]), Err(VerifyError::Commitment));
    assert_eq!(verdict(&[&own.0[..], &own.0[..1]].concat()), Err(VerifyError::Commitment));
    let mut public = made.statement.clone();
    public.inputs = Inputs::Public(vec![vec![0; 4]]);
    assert_eq!(made.verdict_of(&public, &made.messages), Err(VerifyError::Visibility));
}

/// A proof under a key with another visibility, another secret, another reference string, or of another engine.
#[test]
fn other_keys() {
    let [open, hidden] = FORMS.map(Made::new);
    let restated = |of: &Made, under: &Made| {
        let mut statement = of.statement.clone();
        statement.key = under.key().digest();
        under.verdict_of(&statement, &of.messages)
    };
    assert_eq!(open.verdict_of(&hidden.statement, &hidden.messages), Err(VerifyError::OtherKey));
    assert_eq!(restated(&hidden, &open), Err(VerifyError::Visibility));
    assert_eq!(restated(&open, &hidden), Err(VerifyError::Visibility));
    let visibility = Visibility { private_input: false, private_weights: true };
    let weights_only = Made::new(Form { visibility, ..USUAL });
    assert_eq!(restated(&open, &weights_only), Err(VerifyError::Argument));
    assert_eq!(restated(&weights_only, &open), Err(VerifyError::Argument));
    // The same weights under another secret.
    let again = Made::new(FORMS[1]);
    assert_ne!(again.key().digest(), hidden.key().digest());
    assert_eq!(restated(&hidden, &again), Err(VerifyError::Argument));
    let string = make(K, OsRng, |_| {}).unwrap();
    let elsewhere = Made::of(prover(&small(), USUAL, &string), 5);
    assert_eq!(elsewhere.verdict(&elsewhere.messages), Ok(()));
    assert_eq!(restated(&open, &elsewhere), Err(VerifyError::Argument));
    // The key as it is, but for the string.
    let mut swapped = open.key().key().clone();
    swapped.srs = *string.srs();
    let swapped = CheckedKey::new(&swapped, &Limits::default()).unwrap();
    let mut statement = open.statement.clone();
    statement.key = swapped.digest();
    let argument = assay_verifier::halo2::Argument { messages: open.messages.clone() };
    let verdict = assay_verifier::halo2::verify_statement(&swapped, &statement, &argument);
    assert_eq!(verdict, Err(VerifyError::Argument));
    assert_ne!(string.srs().digest(), srs().srs().digest());
}

/// Each engine refuses the other's proofs.
#[test]
fn other_engines() {
    let circuit = small();
    let mut numbers = Numbers(11);
    let weights = weights_of(&circuit, &mut numbers);
    let inputs = inputs_of(&circuit, &mut Numbers(5));
    let other = sumcheck::Prover::new(circuit, weights).unwrap();
    let other_key = key::Key::from(other.prove_range().unwrap());
    let other_key = key::CheckedKey::new(&other_key, &Limits::default()).unwrap();
    let other_proof = other.prove(&inputs, b"context").unwrap();
    let made = Made::new(USUAL);
    let own_key = key::CheckedKey::from(made.key().clone());
    let argument = Argument::Halo2(assay_verifier::halo2::Argument { messages: made.messages.clone() });
    let own_proof = Proof { statement: made.statement.clone(), argument };
    assert_eq!(assay_verifier::verify(&own_key, &own_proof), Ok(()));
    assert_eq!(assay_verifier::verify(&other_key, &other_proof), Ok(()));
    let engine = Err(assay_verifier::VerifyError::Engine);
    assert_eq!(assay_verifier::verify(&own_key, &other_proof), engine);
    assert_eq!(assay_verifier::verify(&other_key, &own_proof), engine);
}
