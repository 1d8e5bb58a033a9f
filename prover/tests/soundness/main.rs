//! The tamper table: every field of a proof, a key and a statement, how it is changed, and which check refuses it.
//!
//! A row starts from a key and a proof that verify, changes one thing, sends both through their encodings and asserts the
//! exact error. Rows that change what the transcript absorbs before the first challenge all fail at the first check that
//! involves a challenge, [`Step::LookupRound`]: the messages no longer fit the challenges. That the commitments themselves
//! hold, and not only the transcript around them, is shown by the provers of `malicious/`, which follow the altered
//! transcript.
mod attention;
#[path = "../common/mod.rs"]
mod common;
mod keys;
mod messages;
mod openings;

use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::{CircuitError, Limits, Op, Range, Term};
use assay_verifier::digest::KeyDigest;
use assay_verifier::field::EF;
use assay_verifier::key;
use assay_verifier::statement::{CONTEXT_LEN_MAX, InputCommitment, Inputs, Proof};
use assay_verifier::sumcheck::key::{CheckedKey, Key, KeyError};
use assay_verifier::sumcheck::pcs::{Opening, Purpose};
use assay_verifier::sumcheck::{Argument, Step, VerifyError};
use assay_verifier::wire::{self, WireError};
use common::{Numbers, inputs_of, kitchen_sink, stated_inputs, verify, weights_of};
use p3_field::PrimeCharacteristicRing;

/// Why a file, a key or a proof was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Refusal {
    Wire(WireError),
    Key(KeyError),
    Proof(VerifyError),
}

/// A key and a proof under it.
#[derive(Clone)]
struct Case {
    key: Key,
    proof: Proof,
}

impl Case {
    fn argument(&self) -> &Argument {
        common::argument(&self.proof)
    }

    fn argument_mut(&mut self) -> &mut Argument {
        self.proof.argument.as_sumcheck_mut().expect("the engine is sumcheck")
    }

    fn inputs_mut(&mut self) -> &mut Vec<Vec<i64>> {
        stated_inputs(&mut self.proof.statement)
    }
}

/// One change and the error that it must lead to.
struct Row {
    name: String,
    change: Box<dyn Fn(&mut Case)>,
    expected: Refusal,
}

fn row(name: impl Into<String>, expected: Refusal, change: impl Fn(&mut Case) + 'static) -> Row {
    Row { name: name.into(), change: Box::new(change), expected }
}

fn step(step: Step) -> Refusal {
    Refusal::Proof(VerifyError::Check(step))
}

fn range_step(step: Step) -> Refusal {
    Refusal::Key(KeyError::Range(VerifyError::Check(step)))
}

fn opening(purpose: Purpose) -> Refusal {
    Refusal::Proof(VerifyError::Opening(purpose))
}

fn range_opening(purpose: Purpose) -> Refusal {
    Refusal::Key(KeyError::Range(VerifyError::Opening(purpose)))
}

fn port_range(kind: &'static str, index: usize, position: usize) -> Refusal {
    Refusal::Proof(VerifyError::PortRange { kind, index, position })
}

/// The same with the relations of a transformer.
fn attention_case() -> Case {
    let mut numbers = Numbers(3);
    let circuit = common::attention::attention(12);
    let weights = weights_of(&circuit, &mut numbers);
    let inputs = inputs_of(&circuit, &mut numbers);
    let prover = Prover::new(circuit, weights).unwrap();
    Case { key: prover.prove_range().unwrap(), proof: prover.prove(&inputs, b"context").unwrap() }
}

fn prover_of(seed: u64) -> (Prover, Vec<Vec<i64>>) {
    let mut numbers = Numbers(seed);
    // Limbs of 12 bits make the witness large enough for an opening of several rounds.
    let circuit = kitchen_sink(12);
    let weights = weights_of(&circuit, &mut numbers);
    let inputs = inputs_of(&circuit, &mut numbers);
    (Prover::new(circuit, weights).unwrap(), inputs)
}

fn case() -> Case {
    let (prover, inputs) = prover_of(1);
    Case { key: prover.prove_range().unwrap(), proof: prover.prove(&inputs, b"context").unwrap() }
}

/// The key's file.
fn encode_key(key: &Key) -> Vec<u8> {
    wire::encode(&key::Key::from(key.clone()))
}

/// Everything a receiver does with a key and a proof.
fn check(case: &Case) -> Result<(), Refusal> {
    let key: key::Key = wire::decode(&encode_key(&case.key)).map_err(Refusal::Wire)?;
    let key = key.as_sumcheck().expect("the engine is sumcheck");
    let key = CheckedKey::new(key, &Limits::default()).map_err(Refusal::Key)?;
    check_proof(&key, &case.proof)
}

fn check_proof(key: &CheckedKey, proof: &Proof) -> Result<(), Refusal> {
    let proof = wire::decode(&wire::encode(proof)).map_err(Refusal::Wire)?;
    verify(key, &proof).map_err(Refusal::Proof)
}

fn assert_rows(case: &Case, rows: &[Row]) {
    let honest = encode_key(&case.key);
    let checked = CheckedKey::new(&case.key, &Limits::default()).unwrap();
    check_proof(&checked, &case.proof).expect("the unchanged proof verifies");
    for row in rows {
        let mut changed = case.clone();
        (row.change)(&mut changed);
        // A key is checked once for all rows that leave it alone.
        let result =
            if encode_key(&changed.key) == honest { check_proof(&checked, &changed.proof) } else { check(&changed) };
        assert_eq!(result, Err(row.expected.clone()), "{}", row.name);
    }
}

fn shorten<T>(values: &mut Vec<T>) {
    values.pop();
}

fn flip(bytes: &mut [u8; 32]) {
    bytes[17] ^= 4;
}

#[test]
fn statements() {
    let case = case();
    let mut rows = vec![
        row("another key", Refusal::Proof(VerifyError::OtherKey), |case| flip(&mut case.proof.statement.key.0)),
        row("no key", Refusal::Proof(VerifyError::OtherKey), |case| case.proof.statement.key = KeyDigest([0; 32])),
        row("no input", Refusal::Proof(VerifyError::PortCount("input")), |case| case.inputs_mut().clear()),
        row("private inputs", Refusal::Proof(VerifyError::PrivateInputs), |case| {
            case.proof.statement.inputs = Inputs::Private(InputCommitment(vec![[0; 32]]));
        }),
        row("one more input", Refusal::Proof(VerifyError::PortCount("input")), |case| {
            case.inputs_mut().push(Vec::new());
        }),
        row("an output dropped", Refusal::Proof(VerifyError::PortCount("output")), |case| {
            case.proof.statement.outputs.pop();
        }),
        row("one more output", Refusal::Proof(VerifyError::PortCount("output")), |case| {
            case.proof.statement.outputs.push(Vec::new());
        }),
        row("outputs swapped", Refusal::Proof(VerifyError::PortLength { kind: "output", index: 0 }), |case| {
            case.proof.statement.outputs.swap(0, 1);
        }),
        row("a longer input", Refusal::Proof(VerifyError::PortLength { kind: "input", index: 0 }), |case| {
            case.inputs_mut()[0].push(0);
        }),
        row("a shorter input", Refusal::Proof(VerifyError::PortLength { kind: "input", index: 0 }), |case| {
            case.inputs_mut()[0].pop();
        }),
        row("a longer output", Refusal::Proof(VerifyError::PortLength { kind: "output", index: 1 }), |case| {
            case.proof.statement.outputs[1].push(0);
        }),
        row("an empty output", Refusal::Proof(VerifyError::PortLength { kind: "output", index: 0 }), |case| {
            case.proof.statement.outputs[0].clear();
        }),
        row("an input above its range", port_range("input", 0, 3), |case| case.inputs_mut()[0][3] = 128),
        row("an input below its range", port_range("input", 0, 31), |case| case.inputs_mut()[0][31] = -129),
        row("an input that is the same in the field", port_range("input", 0, 0), |case| {
            // The modulus does not fit 64 signed bits; the nearest that agrees with -1 modulo 2^32.
            case.inputs_mut()[0][0] += 1 << 32;
        }),
        row("the largest input", port_range("input", 0, 5), |case| case.inputs_mut()[0][5] = i64::MAX),
        row("the smallest output", port_range("output", 0, 4), |case| {
            case.proof.statement.outputs[0][4] = i64::MIN;
        }),
        row("an output above its range", port_range("output", 0, 0), |case| case.proof.statement.outputs[0][0] = 2048),
        row("an output far above its range", port_range("output", 1, 11), |case| {
            case.proof.statement.outputs[1][11] = 1 << 40;
        }),
        row("two inputs exchanged", step(Step::LookupRound), |case| {
            let cells = &mut case.inputs_mut()[0];
            let other = cells.iter().position(|&cell| cell != cells[0]).unwrap();
            cells.swap(0, other);
        }),
        row("a longer context", step(Step::LookupRound), |case| case.proof.statement.context.push(0)),
        row("a shorter context", step(Step::LookupRound), |case| {
            case.proof.statement.context.pop();
        }),
        row("no context", step(Step::LookupRound), |case| case.proof.statement.context.clear()),
        row("another context", step(Step::LookupRound), |case| case.proof.statement.context[0] ^= 1),
        row("a context moved into an output", step(Step::LookupRound), |case| {
            case.proof.statement.context = b"contextcontext".to_vec();
        }),
        row("the longest context", step(Step::LookupRound), |case| {
            case.proof.statement.context = vec![7; CONTEXT_LEN_MAX];
        }),
        row("too long a context", Refusal::Proof(VerifyError::Context), |case| {
            case.proof.statement.context = vec![7; CONTEXT_LEN_MAX + 1];
        }),
    ];
    for (index, cells) in case.proof.statement.inputs.public().unwrap().iter().enumerate() {
        for position in 0..cells.len() {
            rows.push(row(format!("input {index}, cell {position}"), step(Step::LookupRound), move |case| {
                let cell = &mut case.inputs_mut()[index][position];
                *cell += if *cell < 127 { 1 } else { -1 };
            }));
        }
    }
    for (index, cells) in case.proof.statement.outputs.iter().enumerate() {
        for position in 0..cells.len() {
            rows.push(row(format!("output {index}, cell {position}"), step(Step::LookupRound), move |case| {
                let cell = &mut case.proof.statement.outputs[index][position];
                *cell += if *cell < 255 { 1 } else { -1 };
            }));
        }
    }
    assert_rows(&case, &rows);
    println!("{} rows", rows.len());
}

/// Replay and splice: parts of one proof do not fit another.
#[test]
fn parts_of_two_proofs() {
    let (prover, inputs) = prover_of(1);
    let (other_prover, _) = prover_of(2);
    let case = Case { key: prover.prove_range().unwrap(), proof: prover.prove(&inputs, b"context").unwrap() };
    let again = prover.prove(&inputs, b"another context").unwrap();
    let mut changed_inputs = inputs.clone();
    changed_inputs[0][9] ^= 1;
    let changed = prover.prove(&changed_inputs, b"context").unwrap();
    let foreign = other_prover.prove(&inputs, b"context").unwrap();
    let foreign_key = other_prover.prove_range().unwrap();
    let mut rows = vec![];
    {
        let proof = foreign.clone();
        rows.push(row("a proof under another key", Refusal::Proof(VerifyError::OtherKey), move |case| {
            case.proof = proof.clone();
        }));
        let proof = foreign.clone();
        rows.push(row("the same, said to be under this key", step(Step::LookupRound), move |case| {
            let key = case.proof.statement.key;
            case.proof = proof.clone();
            case.proof.statement.key = key;
        }));
        let range = foreign_key.range.clone();
        rows.push(row("another key's range proof", range_step(Step::LookupRound), move |case| {
            case.key.range = range.clone();
        }));
    }
    for (name, other) in [("context", again), ("inputs", changed), ("key", foreign)] {
        let proof = other.clone();
        rows.push(row(
            format!("statement, other {name}"),
            if name == "key" { Refusal::Proof(VerifyError::OtherKey) } else { step(Step::LookupRound) },
            move |case| {
                case.proof.statement = proof.statement.clone();
            },
        ));
        let proof = other.clone();
        rows.push(row(format!("messages, other {name}"), step(Step::LookupRound), move |case| {
            case.argument_mut().messages = common::argument(&proof).messages.clone();
        }));
        let proof = other.clone();
        rows.push(row(format!("second half of the messages, other {name}"), step(Step::LookupRound), move |case| {
            case.argument_mut().messages[5..].copy_from_slice(&common::argument(&proof).messages[5..]);
        }));
        let proof = other.clone();
        rows.push(row(format!("opening of the witness, other {name}"), opening(Purpose::Witness), move |case| {
            case.argument_mut().witness = common::argument(&proof).witness.clone();
        }));
        let proof = other.clone();
        rows.push(row(format!("opening of the weights, other {name}"), opening(Purpose::Weights), move |case| {
            case.argument_mut().weights = common::argument(&proof).weights.clone();
        }));
        if name != "context" {
            // The witness does not depend on the context, nor does its root.
            let proof = other.clone();
            rows.push(row(format!("root, other {name}"), step(Step::LookupRound), move |case| {
                case.argument_mut().root = common::argument(&proof).root;
            }));
        }
    }
    assert_rows(&case, &rows);
    println!("{} rows", rows.len());
}

/// A bit flipped anywhere in the files is refused, by the decoder or by a check, and nothing panics.
#[test]
fn bits_of_the_files() {
    let case = case();
    let key = CheckedKey::new(&case.key, &Limits::default()).unwrap();
    let proof = wire::encode(&case.proof);
    let mut flipped = 0;
    for at in (0..proof.len()).step_by(61) {
        let mut bytes = proof.clone();
        bytes[at] ^= 1 << (at % 8);
        let refused = match wire::decode::<Proof>(&bytes) {
            Err(_) => true,
            Ok(proof) => verify(&key, &proof).is_err(),
        };
        assert!(refused, "proof, byte {at}");
        flipped += 1;
    }
    let file = encode_key(&case.key);
    for at in (0..file.len()).step_by(83) {
        let mut bytes = file.clone();
        bytes[at] ^= 1 << (at % 8);
        let refused = match wire::decode::<key::Key>(&bytes) {
            Err(_) => true,
            Ok(key) => key::CheckedKey::new(&key, &Limits::default()).is_err(),
        };
        assert!(refused, "key, byte {at}");
        flipped += 1;
    }
    println!("{flipped} rows");
}
