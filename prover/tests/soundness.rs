//! The tamper table: every field of a proof, a key and a statement, how it is changed, and which check refuses it.
//!
//! A row starts from a key and a proof that verify, changes one thing, sends both through their encodings and asserts the
//! exact error. Rows that change what the transcript absorbs before the first challenge all fail at the first check that
//! involves a challenge, [`Step::LookupRound`]: the messages no longer fit the challenges. That the commitments themselves
//! hold, and not only the transcript around them, is shown by the provers of `malicious.rs`, which follow the altered
//! transcript.
mod common;

use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::{CircuitError, Limits, Op, Range, Term};
use assay_verifier::digest::KeyDigest;
use assay_verifier::field::EF;
use assay_verifier::key::{CheckedKey, Key, KeyError};
use assay_verifier::statement::{CONTEXT_LEN_MAX, Proof};
use assay_verifier::sumcheck::layout::Layout;
use assay_verifier::sumcheck::pcs::{Opening, Purpose};
use assay_verifier::sumcheck::range::RangeLayout;
use assay_verifier::sumcheck::{Step, VerifyError, activation, contraction, stack, verify};
use assay_verifier::wire::{self, WireError};
use common::{Numbers, inputs_of, kitchen_sink, weights_of};
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

/// Everything a receiver does with a key and a proof.
fn check(case: &Case) -> Result<(), Refusal> {
    let key = wire::decode(&wire::encode(&case.key)).map_err(Refusal::Wire)?;
    let key = CheckedKey::new(&key, &Limits::default()).map_err(Refusal::Key)?;
    check_proof(&key, &case.proof)
}

fn check_proof(key: &CheckedKey, proof: &Proof) -> Result<(), Refusal> {
    let proof = wire::decode(&wire::encode(proof)).map_err(Refusal::Wire)?;
    verify(key, &proof).map_err(Refusal::Proof)
}

fn assert_rows(case: &Case, rows: &[Row]) {
    let honest = wire::encode(&case.key);
    let checked = CheckedKey::new(&case.key, &Limits::default()).unwrap();
    check_proof(&checked, &case.proof).expect("the unchanged proof verifies");
    for row in rows {
        let mut changed = case.clone();
        (row.change)(&mut changed);
        // A key is checked once for all rows that leave it alone.
        let result =
            if wire::encode(&changed.key) == honest { check_proof(&checked, &changed.proof) } else { check(&changed) };
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
        row("no input", Refusal::Proof(VerifyError::PortCount("input")), |case| case.proof.statement.inputs.clear()),
        row("one more input", Refusal::Proof(VerifyError::PortCount("input")), |case| {
            case.proof.statement.inputs.push(Vec::new());
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
            case.proof.statement.inputs[0].push(0);
        }),
        row("a shorter input", Refusal::Proof(VerifyError::PortLength { kind: "input", index: 0 }), |case| {
            case.proof.statement.inputs[0].pop();
        }),
        row("a longer output", Refusal::Proof(VerifyError::PortLength { kind: "output", index: 1 }), |case| {
            case.proof.statement.outputs[1].push(0);
        }),
        row("an empty output", Refusal::Proof(VerifyError::PortLength { kind: "output", index: 0 }), |case| {
            case.proof.statement.outputs[0].clear();
        }),
        row("an input above its range", port_range("input", 0, 3), |case| case.proof.statement.inputs[0][3] = 128),
        row("an input below its range", port_range("input", 0, 31), |case| case.proof.statement.inputs[0][31] = -129),
        row("an input that is the same in the field", port_range("input", 0, 0), |case| {
            // The modulus does not fit 64 signed bits; the nearest that agrees with -1 modulo 2^32.
            case.proof.statement.inputs[0][0] += 1 << 32;
        }),
        row("the largest input", port_range("input", 0, 5), |case| case.proof.statement.inputs[0][5] = i64::MAX),
        row("the smallest output", port_range("output", 0, 4), |case| {
            case.proof.statement.outputs[0][4] = i64::MIN;
        }),
        row("an output above its range", port_range("output", 0, 0), |case| case.proof.statement.outputs[0][0] = 2048),
        row("an output far above its range", port_range("output", 1, 11), |case| {
            case.proof.statement.outputs[1][11] = 1 << 40;
        }),
        row("two inputs exchanged", step(Step::LookupRound), |case| {
            let cells = &mut case.proof.statement.inputs[0];
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
    for (index, cells) in case.proof.statement.inputs.iter().enumerate() {
        for position in 0..cells.len() {
            rows.push(row(format!("input {index}, cell {position}"), step(Step::LookupRound), move |case| {
                let cell = &mut case.proof.statement.inputs[index][position];
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
fn proof_messages(key: &CheckedKey) -> Vec<(String, Step)> {
    let (circuit, layout): (_, &Layout) = (key.circuit().circuit(), key.layout());
    let terms = || circuit.nodes.iter().filter_map(|node| node.op.expr()).flat_map(|expr| &expr.terms);
    let instances = terms().filter(|term| matches!(term, Term::Contract { .. } | Term::Product { .. })).count();
    let biases = terms().filter(|term| matches!(term, Term::Bias { .. })).count();
    let mut messages = vec![("value at the pinning point".to_string(), Step::LookupRound)];
    messages.extend(lookup_messages(layout.leaf_variables));
    // The largest contraction has 64 summed cells.
    let contraction = 1 + 6 * contraction::DEGREE + 2 * instances;
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
    let case = case();
    let key = CheckedKey::new(&case.key, &Limits::default()).unwrap();
    let messages = proof_messages(&key);
    assert_eq!(messages.len(), case.proof.messages.len());
    let mut rows = vec![
        row("root", step(Step::LookupRound), |case| flip(&mut case.proof.root)),
        row("no messages", Refusal::Proof(VerifyError::MessagesTooFew), |case| case.proof.messages.clear()),
        row("one message less", Refusal::Proof(VerifyError::MessagesTooFew), |case| {
            case.proof.messages.pop();
        }),
        row("one message more", Refusal::Proof(VerifyError::MessagesTooMany), |case| {
            case.proof.messages.push(EF::ZERO);
        }),
        row("a pole: zero over zero at the root", step(Step::LookupPole), |case| {
            case.proof.messages[1] = EF::ZERO;
            case.proof.messages[3] = EF::ZERO;
        }),
        row("the fraction zero over zero on both sides", step(Step::LookupPole), |case| {
            case.proof.messages[1..5].fill(EF::ZERO);
        }),
        row("all messages zero", step(Step::LookupPole), |case| case.proof.messages.fill(EF::ZERO)),
        row("a root scaled by two", step(Step::LookupRound), |case| {
            case.proof.messages[1..3].iter_mut().for_each(|message| *message = message.double());
        }),
    ];
    for (index, (name, expected)) in messages.into_iter().enumerate() {
        rows.push(row(format!("message {index}: {name}"), step(expected), move |case| {
            case.proof.messages[index] += EF::ONE;
        }));
    }
    assert_rows(&case, &rows);
    println!("{} rows", rows.len());
}

/// A named change of an opening.
type OpeningChange = (String, Box<dyn Fn(&mut Opening)>);

/// Every part of an opening, each with a change.
fn opening_changes(opening: &Opening) -> Vec<OpeningChange> {
    use assay_verifier::field::F;
    use p3_whir::QueryOpenings;
    type Change = Box<dyn Fn(&mut Opening)>;
    fn rows(
        name: &str,
        count: usize,
        find: impl Fn(&mut Opening) -> &mut QueryOpenings<F, EF, multi::Proof> + Copy + 'static,
    ) -> Vec<(String, Change)> {
        let at = [0, count / 2, count - 1];
        let mut all: Vec<(String, Change)> = Vec::new();
        for index in at {
            all.push((
                format!("{name}, row {index}"),
                Box::new(move |opening| match find(opening) {
                    QueryOpenings::Base(shared) => shared.rows[index][1] += F::ONE,
                    QueryOpenings::Extension(shared) => shared.rows[index][1] += EF::ONE,
                }),
            ));
            all.push((
                format!("{name}, row {index} longer"),
                Box::new(move |opening| match find(opening) {
                    QueryOpenings::Base(shared) => shared.rows[index].push(F::ZERO),
                    QueryOpenings::Extension(shared) => shared.rows[index].push(EF::ZERO),
                }),
            ));
            all.push((
                format!("{name}, row {index} empty"),
                Box::new(move |opening| match find(opening) {
                    QueryOpenings::Base(shared) => shared.rows[index].clear(),
                    QueryOpenings::Extension(shared) => shared.rows[index].clear(),
                }),
            ));
        }
        all.push((
            format!("{name}, a row dropped"),
            Box::new(move |opening| match find(opening) {
                QueryOpenings::Base(shared) => shorten(&mut shared.rows),
                QueryOpenings::Extension(shared) => shorten(&mut shared.rows),
            }),
        ));
        all.push((
            format!("{name}, all rows dropped"),
            Box::new(move |opening| match find(opening) {
                QueryOpenings::Base(shared) => shared.rows.clear(),
                QueryOpenings::Extension(shared) => shared.rows.clear(),
            }),
        ));
        let siblings = move |opening: &mut Opening, change: &dyn Fn(&mut Vec<[u8; 32]>)| match find(opening) {
            QueryOpenings::Base(shared) => change(&mut shared.proof.sibling_hashes),
            QueryOpenings::Extension(shared) => change(&mut shared.proof.sibling_hashes),
        };
        all.push((
            format!("{name}, a sibling more"),
            Box::new(move |opening| siblings(opening, &|hashes| hashes.push([0; 32]))),
        ));
        all.push((
            format!("{name}, siblings dropped or made up"),
            Box::new(move |opening| {
                siblings(opening, &|hashes| {
                    if hashes.pop().is_none() {
                        hashes.push([1; 32])
                    }
                });
            }),
        ));
        all.push((
            format!("{name}, rows of the other field"),
            Box::new(move |opening| {
                let found = find(opening);
                *found = match found.clone() {
                    QueryOpenings::Base(shared) => QueryOpenings::Extension(p3_whir::SharedProofOpening {
                        rows: shared.rows.iter().map(|row| row.iter().map(|&cell| cell.into()).collect()).collect(),
                        proof: shared.proof,
                    }),
                    QueryOpenings::Extension(shared) => {
                        QueryOpenings::Base(p3_whir::SharedProofOpening { rows: Vec::new(), proof: shared.proof })
                    }
                };
            }),
        ));
        all
    }
    let mut all: Vec<(String, Change)> = Vec::new();
    let mut add = |name: String, change: Change| all.push((name, change));
    add("initial answers, one more".into(), Box::new(|opening| opening.whir.initial_ood_answers.push(EF::ZERO)));
    for index in 0..opening.whir.initial_ood_answers.len() {
        add(
            format!("initial answer {index}"),
            Box::new(move |opening| opening.whir.initial_ood_answers[index] += EF::ONE),
        );
    }
    for round in 0..opening.whir.initial_sumcheck.polynomial_evaluations.len() {
        for part in 0..2 {
            add(
                format!("initial sumcheck, round {round}, {part}"),
                Box::new(move |opening| {
                    opening.whir.initial_sumcheck.polynomial_evaluations[round][part] += EF::ONE;
                }),
            );
        }
    }
    add(
        "initial sumcheck, a round less".into(),
        Box::new(|opening| shorten(&mut opening.whir.initial_sumcheck.polynomial_evaluations)),
    );
    add(
        "initial sumcheck, a nonce more".into(),
        Box::new(|opening| opening.whir.initial_sumcheck.pow_witnesses.push(F::ZERO)),
    );
    for round in 0..opening.whir.rounds.len() {
        add(
            format!("round {round}, no commitment"),
            Box::new(move |opening| opening.whir.rounds[round].commitment = None),
        );
        add(
            format!("round {round}, answers, one more"),
            Box::new(move |opening| opening.whir.rounds[round].ood_answers.push(EF::ONE)),
        );
        for index in 0..opening.whir.rounds[round].ood_answers.len() {
            add(
                format!("round {round}, answer {index}"),
                Box::new(move |opening| opening.whir.rounds[round].ood_answers[index] += EF::ONE),
            );
        }
        add(
            format!("round {round}, nonce"),
            Box::new(move |opening| opening.whir.rounds[round].pow_witness += F::from_u64(1 << 40)),
        );
        for at in 0..opening.whir.rounds[round].sumcheck.polynomial_evaluations.len() {
            add(
                format!("round {round}, sumcheck {at}"),
                Box::new(move |opening| {
                    opening.whir.rounds[round].sumcheck.polynomial_evaluations[at][0] += EF::ONE;
                }),
            );
        }
        add(
            format!("round {round} repeated"),
            Box::new(move |opening| opening.whir.rounds.push(opening.whir.rounds[round].clone())),
        );
    }
    if !opening.whir.rounds.is_empty() {
        add("rounds dropped".into(), Box::new(|opening| opening.whir.rounds.clear()));
    }
    add("final polynomial missing".into(), Box::new(|opening| opening.whir.final_poly = None));
    add(
        "final polynomial".into(),
        Box::new(|opening| {
            let poly = opening.whir.final_poly.as_mut().unwrap();
            *poly =
                p3_multilinear_util::poly::Poly::new(poly.as_slice().iter().map(|&value| value + EF::ONE).collect());
        }),
    );
    add(
        "final polynomial twice as long".into(),
        Box::new(|opening| {
            let poly = opening.whir.final_poly.as_mut().unwrap();
            *poly = p3_multilinear_util::poly::Poly::new([poly.as_slice(), poly.as_slice()].concat());
        }),
    );
    add("final nonce".into(), Box::new(|opening| opening.whir.final_pow_witness += F::from_u64(1 << 40)));
    add(
        "final sumcheck".into(),
        Box::new(|opening| match opening.whir.final_sumcheck.as_mut() {
            Some(data) => data.polynomial_evaluations[0][0] += EF::ONE,
            None => opening.whir.final_sumcheck = Some(opening.whir.initial_sumcheck.clone()),
        }),
    );
    add(
        "final sumcheck missing or made up".into(),
        Box::new(|opening| {
            opening.whir.final_sumcheck = match opening.whir.final_sumcheck.take() {
                Some(_) => None,
                None => Some(opening.whir.initial_sumcheck.clone()),
            };
        }),
    );
    for batch in 0..opening.evals.len() {
        add(
            format!("evaluation, batch {batch}"),
            Box::new(move |opening| {
                let mut values = opening.evals[batch].current().to_vec();
                values[0] += EF::ONE;
                opening.evals[batch] = p3_sumcheck::OpeningBatch::new(values, Vec::new());
            }),
        );
        add(
            format!("evaluation, batch {batch}, one more"),
            Box::new(move |opening| {
                let mut values = opening.evals[batch].current().to_vec();
                values.push(EF::ONE);
                opening.evals[batch] = p3_sumcheck::OpeningBatch::new(values, Vec::new());
            }),
        );
        add(
            format!("evaluation, batch {batch}, moved to the successor's"),
            Box::new(move |opening| {
                let values = opening.evals[batch].current().to_vec();
                opening.evals[batch] = p3_sumcheck::OpeningBatch::new(Vec::new(), values);
            }),
        );
    }
    add("an evaluation batch less".into(), Box::new(|opening| shorten(&mut opening.evals)));
    add("an evaluation batch more".into(), Box::new(|opening| opening.evals.push(opening.evals[0].clone())));
    for round in 0..opening.whir.rounds.len() {
        let count = rows_of(&opening.whir.rounds[round].openings);
        all.extend(rows(&format!("round {round}"), count, move |opening| &mut opening.whir.rounds[round].openings));
    }
    let count = rows_of(&opening.whir.final_openings);
    all.extend(rows("final", count, |opening| &mut opening.whir.final_openings));
    all
}

mod multi {
    //! The type of a shared Merkle proof, which the commitment library does not name.
    pub type Proof = <assay_verifier::sumcheck::pcs::Mmcs as p3_commit::Mmcs<assay_verifier::field::F>>::MultiProof;
}

fn rows_of(openings: &p3_whir::QueryOpenings<assay_verifier::field::F, EF, multi::Proof>) -> usize {
    match openings {
        p3_whir::QueryOpenings::Base(shared) => shared.rows.len(),
        p3_whir::QueryOpenings::Extension(shared) => shared.rows.len(),
    }
}

#[test]
fn openings_of_a_proof() {
    let case = case();
    assert!(!case.proof.witness.whir.rounds.is_empty(), "an opening without rounds says nothing about them");
    let mut rows = vec![
        row("no opening of weights", Refusal::Proof(VerifyError::OpeningCount), |case| case.proof.weights.clear()),
        row("an opening of weights twice", Refusal::Proof(VerifyError::OpeningCount), |case| {
            case.proof.weights.push(case.proof.weights[0].clone());
        }),
        row("witness and weights exchanged", opening(Purpose::Witness), |case| {
            std::mem::swap(&mut case.proof.witness, &mut case.proof.weights[0]);
        }),
        row("the witness' opening in place of the weights'", opening(Purpose::Weights), |case| {
            case.proof.weights[0] = case.proof.witness.clone();
        }),
    ];
    for (name, change) in opening_changes(&case.proof.witness) {
        rows.push(row(format!("witness: {name}"), opening(Purpose::Witness), move |case| {
            change(&mut case.proof.witness);
        }));
    }
    for (name, change) in opening_changes(&case.proof.weights[0]) {
        rows.push(row(format!("weights: {name}"), opening(Purpose::Weights), move |case| {
            change(&mut case.proof.weights[0]);
        }));
    }
    assert_rows(&case, &rows);
    println!("{} rows", rows.len());
}

#[test]
fn range_proof_of_a_key() {
    fn range(case: &mut Case) -> &mut assay_verifier::key::RangeProof {
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
            range(case).weights[0] = case.proof.weights[0].clone();
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

type KeyChange = (&'static str, Box<dyn Fn(&mut Key)>);

/// Changes of a key that leave it well-formed, so that only its identity tells.
fn well_formed_key_changes() -> Vec<KeyChange> {
    fn change(name: &'static str, change: impl Fn(&mut Key) + 'static) -> KeyChange {
        (name, Box::new(change))
    }
    fn rescale(key: &mut Key, node: usize) -> (&mut u8, &mut i64, &mut i64) {
        let Op::Rescale { expr, shift, low, .. } = &mut key.circuit.nodes[node].op else { panic!("not rescaled") };
        (shift, low, &mut expr.constant)
    }
    fn term(key: &mut Key, node: usize, term: usize) -> &mut Term {
        match &mut key.circuit.nodes[node].op {
            Op::Affine(expr) | Op::Rescale { expr, .. } => &mut expr.terms[term],
            Op::Input(_) | Op::Lookup { .. } => panic!("no expression"),
        }
    }
    vec![
        change("a shift", |key| *rescale(key, 1).0 += 1),
        change("a low end", |key| *rescale(key, 2).1 += 1),
        change("a constant", |key| *rescale(key, 1).2 += 1),
        change("a width", |key| {
            let Op::Rescale { bits, .. } = &mut key.circuit.nodes[4].op else { panic!("not rescaled") };
            *bits -= 1;
        }),
        change("an affine constant", |key| {
            let Op::Affine(expr) = &mut key.circuit.nodes[5].op else { panic!("not affine") };
            expr.constant += 1;
        }),
        change("a coefficient", |key| {
            let Term::Bias { coefficient, .. } = term(key, 1, 1) else { panic!("no bias") };
            *coefficient += 1;
        }),
        change("a bias dropped", |key| {
            // It is still used with the factor zero, so that the description stays well-formed.
            let Term::Bias { coefficient, .. } = term(key, 9, 1) else { panic!("no bias") };
            *coefficient = 0;
        }),
        change("a product's coefficient", |key| {
            let Term::Product { coefficient, .. } = term(key, 4, 0) else { panic!("no product") };
            *coefficient = -*coefficient;
        }),
        change("a product's factor", |key| {
            let Term::Product { right, .. } = term(key, 4, 0) else { panic!("no product") };
            right.source = 2;
        }),
        change("a view's offset", |key| {
            let Term::Contract { view, .. } = term(key, 1, 0) else { panic!("no contraction") };
            view.maps[0].offset = 0;
        }),
        change("a view's stride", |key| {
            let Term::Linear { view, .. } = term(key, 7, 1) else { panic!("not linear") };
            view.maps[1].coefficients[1] = 1;
        }),
        change("an affine term dropped", |key| {
            let Op::Affine(expr) = &mut key.circuit.nodes[5].op else { panic!("not affine") };
            expr.terms.pop();
        }),
        change("a table's value", |key| key.circuit.tables[0].values[77] += 1),
        change("an input's range", |key| {
            key.circuit.nodes[0].op = Op::Input(Range { low: -128, high: 126 });
        }),
        change("a weight's width", |key| key.circuit.weights[0].bits = 7),
        change("a layer skipped", |key| {
            let Op::Lookup { source, .. } = &mut key.circuit.nodes[3].op else { panic!("no lookup") };
            assert_eq!(*source, 1);
            // Node 2 has the same shape and a range that the table holds.
            *source = 2;
        }),
        change("limbs", |key| key.circuit.limb_bits = 11),
        change("the node of an output", |key| {
            key.circuit.outputs[1].node = 7;
        }),
        change("the name of an output", |key| key.circuit.outputs[0].name = "z".into()),
        change("the scale of an output", |key| key.circuit.outputs[0].scale = 7),
        change("the order of an input's axes", |key| key.circuit.inputs[0].order = vec![0, 3, 2, 1]),
        change("the shape of an input", |key| {
            key.circuit.inputs[0].dims = vec![2, 4, 4];
            key.circuit.inputs[0].order = vec![1, 2, 0];
        }),
        change("a root", |key| flip(&mut key.weights[0].root)),
        change("a stated value", |key| key.weights[0].stated[2] += EF::ONE),
        change("two stated values exchanged", |key| key.weights[0].stated.swap(0, 1)),
    ]
}

/// Each change of a key is refused three times: by the range proof, which is bound to the key's identity; without range proof,
/// because the proof names another key; and, if the statement is changed to name the changed key, by the proof itself.
#[test]
fn fields_of_a_key() {
    let case = case();
    let changes = well_formed_key_changes();
    for (name, change) in &changes {
        let mut changed = case.clone();
        change(&mut changed.key);
        assert_eq!(check(&changed), Err(range_step(Step::LookupRound)), "{name}");
        let key = CheckedKey::without_range(&changed.key, &Limits::default()).expect(name);
        assert_ne!(Some(key.digest()), Some(case.proof.statement.key), "{name}");
        assert_eq!(verify(&key, &changed.proof), Err(VerifyError::OtherKey), "{name}");
        changed.proof.statement.key = key.digest();
        let expected = VerifyError::Check(Step::LookupRound);
        assert_eq!(verify(&key, &changed.proof), Err(expected), "{name}");
    }
    println!("{} rows", 3 * changes.len());
}

/// Changes that make a key malformed.
#[test]
fn malformed_keys() {
    let node = |node, reason| Refusal::Key(KeyError::Circuit(CircuitError::Node { node, reason }));
    let circuit = |error| Refusal::Key(KeyError::Circuit(error));
    let columns = Refusal::Key(KeyError::Shape("number of committed columns"));
    let rows = [
        row("a weight's shape", node(9, "weight does not fit"), |case| case.key.circuit.weights[3].channels = 11),
        row("a weight more", circuit(CircuitError::Limit { what: "weights that nothing uses", limit: 0 }), |case| {
            let spec = case.key.circuit.weights[0].clone();
            case.key.circuit.weights.push(spec);
        }),
        row("an empty weight", circuit(CircuitError::Weight(2)), |case| case.key.circuit.weights[2].outputs = 0),
        row("too wide a weight", circuit(CircuitError::Weight(2)), |case| case.key.circuit.weights[2].bits = 17),
        row("a table cut", circuit(CircuitError::Table(0)), |case| shorten(&mut case.key.circuit.tables[0].values)),
        row("a table too short for its arguments", node(3, "arguments outside the table"), |case| {
            case.key.circuit.tables[0].values.truncate(128);
        }),
        row("a table moved", node(3, "arguments outside the table"), |case| case.key.circuit.tables[0].low += 1),
        row("limbs too wide", circuit(CircuitError::LimbBits(17)), |case| case.key.circuit.limb_bits = 17),
        row("limbs too narrow", circuit(CircuitError::LimbBits(3)), |case| case.key.circuit.limb_bits = 3),
        row("a node without cells", node(4, "empty shape"), |case| case.key.circuit.nodes[4].rows = 0),
        row("a node that reads itself", node(3, "source is not an earlier node"), |case| {
            case.key.circuit.nodes[3].op = Op::Lookup { source: 3, table: 0 };
        }),
        row("a table that is not there", node(3, "no such table"), |case| {
            case.key.circuit.nodes[3].op = Op::Lookup { source: 1, table: 1 };
        }),
        row("a value that may wrap", circuit(CircuitError::Overflow { node: 1 }), |case| {
            let Op::Rescale { expr, .. } = &mut case.key.circuit.nodes[1].op else { panic!("not rescaled") };
            expr.constant = (1 << 61) - 1;
        }),
        row("a decomposition that may wrap", node(1, "shift, range or width do not fit the values"), |case| {
            let Op::Rescale { shift, .. } = &mut case.key.circuit.nodes[1].op else { panic!("not rescaled") };
            *shift = 41;
        }),
        row(
            "a port of another shape",
            circuit(CircuitError::Port { name: "y".into(), reason: "shape differs from the node's" }),
            |case| {
                case.key.circuit.outputs[0].dims[1] = 6;
            },
        ),
        row("no output", circuit(CircuitError::Port { name: String::new(), reason: "no output" }), |case| {
            case.key.circuit.outputs.clear();
        }),
        row("a stack less", columns.clone(), |case| case.key.weights.clear()),
        row("a stack more", columns.clone(), |case| {
            let commitment = case.key.weights[0].clone();
            case.key.weights.push(commitment);
        }),
        row("a stated value less", columns.clone(), |case| shorten(&mut case.key.weights[0].stated)),
        row("a stated value more", columns, |case| case.key.weights[0].stated.push(EF::ZERO)),
    ];
    assert_rows(&case(), &rows);
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
            case.proof.messages = proof.messages.clone();
        }));
        let proof = other.clone();
        rows.push(row(format!("second half of the messages, other {name}"), step(Step::LookupRound), move |case| {
            case.proof.messages[5..].copy_from_slice(&proof.messages[5..]);
        }));
        let proof = other.clone();
        rows.push(row(format!("opening of the witness, other {name}"), opening(Purpose::Witness), move |case| {
            case.proof.witness = proof.witness.clone();
        }));
        let proof = other.clone();
        rows.push(row(format!("opening of the weights, other {name}"), opening(Purpose::Weights), move |case| {
            case.proof.weights = proof.weights.clone();
        }));
        if name != "context" {
            // The witness does not depend on the context, nor does its root.
            let proof = other.clone();
            rows.push(row(format!("root, other {name}"), step(Step::LookupRound), move |case| {
                case.proof.root = proof.root;
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
    let file = wire::encode(&case.key);
    for at in (0..file.len()).step_by(83) {
        let mut bytes = file.clone();
        bytes[at] ^= 1 << (at % 8);
        let refused = match wire::decode::<Key>(&bytes) {
            Err(_) => true,
            Ok(key) => CheckedKey::new(&key, &Limits::default()).is_err(),
        };
        assert!(refused, "key, byte {at}");
        flipped += 1;
    }
    println!("{flipped} rows");
}
